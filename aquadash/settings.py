"""The folders and files of AquaDash, and all environment variables that it reads."""

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
    return _path_in("AQUADASH_HOME") or _resolved(str(PROJECT_ROOT / ".aquadash"), "")


def _path_in(variable: str) -> Path | None:
    """Return the absolute path in an environment variable; None if it is not set."""
    value = os.environ.get(variable)
    return _resolved(value, "" if os.path.isabs(value) else os.getcwd()) if value else None


@lru_cache(maxsize=16)
def _resolved(path: str, _working_folder: str) -> Path:
    """Return the absolute path; cached, since a page needs it a hundred times."""
    return Path(path).expanduser().resolve()


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
    """The folder of Keras's downloads (``KERAS_HOME``, else ``~/.keras``)."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def slots() -> int:
    """The number of runs that this process trains at once (``AQUADASH_SLOTS``, default 1)."""
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
    """The name of this process's slots: :func:`worker_name`, else host name and last digits of the network card."""
    host, machine = this_machine()
    return worker_name() or f"{host}-{machine[-6:]}".removesuffix("-")


@cache
def this_machine() -> tuple[str, str]:
    """The host name, and the number of the network card, which differs between clones of one disk."""
    number = uuid.getnode()
    # Without a network card, Python draws a random number in each process and sets this bit.
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
    """Whether the app serves a class that visitors join (``AQUADASH_CLASSROOM=1``)."""
    return os.environ.get("AQUADASH_CLASSROOM", "") not in ("", "0")


def classroom_folder() -> Path:
    """The folder for the class: its codes, sessions, settings and people."""
    return home() / "classroom"


def class_lock() -> Path:
    """The file that the app of a class locks, so that commands in the same :func:`home` obey its pause."""
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
    """The file that proves that :func:`home` belongs to the database on the server."""
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
    """The folder for the files of a run; a malformed id raises a ``RunError``."""
    return runs_folder() / checked_run_id(run_id)


def shown_address(address: str) -> str:
    """Return an address without its password."""
    return re.sub(r"(://[^/@:]*):[^@/]*@", r"\1:***@", address)


def store_key() -> str:
    """The database and home of the store: a part of the key of every cache of runs."""
    return f"{database()} {home()}"


def checked_run_id(run_id: str) -> str:
    """Return an id of 32 hexadecimal digits, or raise a ``RunError``, because ids become parts of paths."""
    if not re.fullmatch(r"[0-9a-f]{32}", run_id):
        raise RunError(f"{run_id[:40]!r} is not a run id; one has 32 hexadecimal digits.")
    return run_id


def job_log(job_id: str) -> Path:
    """The log of a job's worker: in the folder of the run that it trains, else in ``logs``."""
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
