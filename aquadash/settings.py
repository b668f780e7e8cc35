"""Where AquaDash keeps things and how it is set up: every environment variable is read here and nowhere else."""

from __future__ import annotations

import os
import re
import socket
import uuid
from functools import cache, lru_cache
from pathlib import Path

from aquadash.errors import ConfigError, RunError

#: The folder that holds ``app.py``.
PROJECT_ROOT = Path(__file__).resolve().parent.parent


def home() -> Path:
    """The folder for the database, artifacts, caches and saved pipelines (``AQUADASH_HOME``, else ``.aquadash/``)."""
    return _resolved(os.environ.get("AQUADASH_HOME") or str(PROJECT_ROOT / ".aquadash"))


def _resolved(path: str) -> Path:
    """Return the absolute path; cached, since a page asks a hundred times."""
    return _resolved_from(path, "" if os.path.isabs(path) else os.getcwd())


@lru_cache(maxsize=16)
def _resolved_from(path: str, _folder: str) -> Path:
    return Path(path).expanduser().resolve()


def _path_in(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return _resolved(value) if value else None


def cifar100_archive() -> Path | None:
    """The CIFAR-100 archive named by ``AQUADASH_CIFAR100``, or None."""
    return _path_in("AQUADASH_CIFAR100")


def import_folder() -> Path | None:
    """The folder whose sub-folders and ZIP files the Data page offers to import (``AQUADASH_IMPORT``), or None."""
    return _path_in("AQUADASH_IMPORT")


def pretrained_weights() -> Path | None:
    """The file of ImageNet weights, or the folder of such files, named by ``AQUADASH_WEIGHTS``, or None."""
    return _path_in("AQUADASH_WEIGHTS")


def whole_paths() -> dict[str, str]:
    """Return the environment variables that name files, with absolute paths, for a process in another folder."""
    variables = ("AQUADASH_CIFAR100", "AQUADASH_IMPORT", "AQUADASH_WEIGHTS", "KERAS_HOME")
    named = {variable: str(path) for variable in variables if (path := _path_in(variable))}
    return {"AQUADASH_HOME": str(home()), **named}


def debug() -> bool:
    """Whether an unexpected error of a command shows its traceback (``AQUADASH_DEBUG``)."""
    return os.environ.get("AQUADASH_DEBUG", "") not in ("", "0")


def keras_home() -> Path:
    """Where Keras keeps what it downloads (``KERAS_HOME``, else ``~/.keras``)."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def slots() -> int:
    """How many runs may train at once in this process's own engine (``AQUADASH_SLOTS``, default 1)."""
    value = os.environ.get("AQUADASH_SLOTS") or "1"
    if not re.fullmatch("[0-9]{1,2}", value) or not 1 <= int(value) <= 64:
        raise ConfigError(f"AQUADASH_SLOTS is {value[:40]!r}; it must be a whole number from 1 to 64.")
    return int(value)


def scheduler_address() -> str | None:
    """The address of a cluster's scheduler (``AQUADASH_SCHEDULER``), or None to train on this machine."""
    return os.environ.get("AQUADASH_SCHEDULER") or None


def worker_name() -> str:
    """This worker's name in the cluster (``AQUADASH_WORKER_NAME``, set by ``cluster worker``); empty without one."""
    return os.environ.get("AQUADASH_WORKER_NAME") or ""


def slots_name() -> str:
    """The name of this process's slots: :func:`worker_name`, else the machine's name with the end of its number."""
    host, machine = this_machine()
    return worker_name() or f"{host}-{machine[-6:]}".removesuffix("-")


@cache
def this_machine() -> tuple[str, str]:
    """This machine's name, and its network card's number: clones of one disk have the same name."""
    number = uuid.getnode()
    # Without a network card Python makes up a number for each process and sets this bit.
    return socket.gethostname(), "" if number >> 40 & 1 else f"{number:012x}"


def tracking_uri() -> str | None:
    """The MLflow tracking server that trainings are also sent to (``MLFLOW_TRACKING_URI``), or None."""
    return os.environ.get("MLFLOW_TRACKING_URI") or None


def visible_gpus() -> list[str] | None:
    """The graphics cards that ``CUDA_VISIBLE_DEVICES`` names, none for ``-1`` or nothing; None if it is not set."""
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    return None if value is None else [card.strip() for card in value.split(",") if card.strip() not in ("", "-1")]


def offers() -> tuple[str, ...]:
    """The resources that workers of this machine offer to jobs: ``("gpu",)`` where a graphics card is named."""
    return ("gpu",) if visible_gpus() else ()


def classroom() -> bool:
    """True when the app serves a class (``AQUADASH_CLASSROOM=1``), which visitors have to join."""
    return os.environ.get("AQUADASH_CLASSROOM", "") not in ("", "0")


def classroom_folder() -> Path:
    """The folder for the class: its codes, sessions, settings and people."""
    return home() / "classroom"


def class_lock() -> Path:
    """The file that the app of a class keeps locked, so that commands in the same :func:`home` obey its pause."""
    return home() / "locks" / "class.lock"


def public_address() -> str | None:
    """The address of the app behind a proxy (``AQUADASH_PUBLIC_ADDRESS``: ``https://lab.school.example``), or None."""
    value = (os.environ.get("AQUADASH_PUBLIC_ADDRESS") or "").rstrip("/")
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]{1,250}", value):
        raise ConfigError(
            f"AQUADASH_PUBLIC_ADDRESS is {value[:60]!r}; it must be http:// or https://, a host, and a port if need be."
        )
    return value or None


def database() -> str:
    """The database of runs, jobs and searches (``AQUADASH_DATABASE``), else a SQLite file in :func:`home`."""
    return os.environ.get("AQUADASH_DATABASE") or f"sqlite:///{home() / 'aquadash.db'}"


def home_mark() -> Path:
    """The file by which a database on a server knows its :func:`home` on every machine."""
    return home() / "database.txt"


def upgrade_mark() -> Path:
    """The file that says that the runs of an earlier version in :func:`home` were brought over."""
    return home() / "upgraded.json"


def has_old_runs() -> bool:
    """Whether :func:`home` has runs of version 0.6.0 or 0.7 that were not brought over."""
    return (home() / "runs.db").is_file() and not upgrade_mark().is_file()


def runs_folder() -> Path:
    """The folder for the files of runs, a folder each."""
    return home() / "runs"


def run_folder(run_id: str) -> Path:
    """The folder for the files of a run.

    Raises:
        RunError: The id has not the form of one.
    """
    return runs_folder() / checked_run_id(run_id)


def shown_address(address: str) -> str:
    """Return an address without its password."""
    return re.sub(r"(://[^/@:]*):[^@/]*@", r"\1:***@", address)


def store_key() -> str:
    """The database and home of the store: a part of the key of every cache of runs."""
    return f"{database()} {home()}"


def checked_run_id(run_id: str) -> str:
    """Return the id if it has 32 hexadecimal digits, else raise :class:`RunError`: ids become parts of paths."""
    if not re.fullmatch(r"[0-9a-f]{32}", run_id):
        raise RunError(f"{run_id[:40]!r} is not a run id; one has 32 hexadecimal digits.")
    return run_id


def job_log(job_id: str) -> Path:
    """Where the worker of a job writes its log: among the files of the run that it trains, else in ``logs``.

    Raises:
        RunError: The id has not the form of one.
    """
    if not re.fullmatch(r"[0-9a-z-]{1,200}", job_id):
        raise RunError(f"{job_id[:60]!r} is not the id of a job; one has digits, small letters and hyphens.")
    if run := re.fullmatch(r"train-([0-9a-f]{32})", job_id):
        return run_folder(run[1]) / "worker.log"
    return home() / "logs" / f"{job_id}.log"


def label_safety() -> Path:
    """The folder for results of label safety; it may be emptied at any time."""
    return home() / "label-safety"


def exports() -> Path:
    """The folder for ZIP files that are ready to be downloaded; it may be emptied at any time."""
    return home() / "exports"
