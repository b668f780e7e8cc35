"""Opening the MLflow tracking store, and turning its failures into messages for people."""

from __future__ import annotations

import functools
import importlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash import settings
from aquadash.errors import AquaDashError, StorageError
from aquadash.jobs import import_sqlalchemy
from aquadash.runs import file_folder

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory
    from mlflow import MlflowClient

EXPERIMENT = "aquadash"

#: Tells MLflow's own pages to show runs as those of a model's training.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}

_SQLITE = "sqlite:///"


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Raise :class:`StorageError` in place of whatever the store raises inside the block.

    Args:
        what: What was being done, to complete "Could not ...": ``"read the runs"``.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except AquaDashError:
        raise
    except (MlflowException, SQLAlchemyError, OSError, sqlite3.Error) as error:
        raise StorageError(f"Could not {what}: {_reason(error)}") from error


def quiet_mlflow() -> None:
    """Set the environment variables that MLflow reads when it is imported and when it asks a server."""
    # Before the import: MLflow looks for the network otherwise, and its migrations log at length.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    # Commands print one JSON object and nothing else.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    # A server that is away is asked again for half a minute; MLflow's own four minutes are too long for a page.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
    # A machine that was cut off does not even refuse: MLflow would wait two minutes each time.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")


def import_ahead() -> None:
    """Import what :func:`connect` needs, without opening anything."""
    quiet_mlflow()
    # A tracking server needs but the first; whatever is missing here is imported when it is needed.
    for name in ("mlflow", "alembic.command", "mlflow.store.tracking.sqlalchemy_store"):
        with suppress(ImportError):
            importlib.import_module(name)


def connect() -> tuple[MlflowClient, str]:
    """Open the store that the settings name; makes it where it is new.

    Returns:
        The client and the id of the experiment that holds AquaDash's runs.

    Raises:
        StorageError: It cannot be opened; the message says why and how to mend it.
    """
    quiet_mlflow()
    import_sqlalchemy()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from filelock import FileLock, Timeout
    from mlflow import MlflowClient

    uri = settings.tracking_uri()
    home = settings.home()
    with storage_errors("open the run store"):
        _make_writable(home)
        try:
            # One process at a time makes the tables and the experiment.
            with FileLock(home / "store.lock", timeout=60):
                if database := database_file():
                    _check_database(database)
                client = MlflowClient(tracking_uri=uri)
                tags = _EXPERIMENT_TAGS
                if settings.store_is_database_server() and client.get_experiment_by_name(EXPERIMENT) is None:
                    tags = tags | file_folder.mark(settings.artifacts())
                experiment_id = experiment_named(client, EXPERIMENT, tags=tags)
                if settings.store_is_database_server():
                    file_folder.check(client.get_experiment(experiment_id))
                if database:
                    _let_readers_read_while_a_worker_writes(database)
        except ModuleNotFoundError as error:
            what = "'psycopg[binary]'" if error.name in ("psycopg", "psycopg2") else error.name
            raise StorageError(
                f"{settings.shown_address(uri)} needs the Python package {error.name}, which is not installed. Install "
                f"it with `.venv/bin/pip install {what}`, or put a tracking server before it (docs/cluster.md)."
            ) from None
        except Timeout:
            raise StorageError(
                f"Another process has kept the run store in {home} locked for a minute. Close it, or remove store.lock "
                "there."
            ) from None
    return client, experiment_id


def experiment_named(client: MlflowClient, name: str, *, tags: dict[str, str] | None = None) -> str:
    """The id of an experiment, which is made if there is none. Machines that do so at the same moment get the same."""
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return client.create_experiment(name, artifact_location=_artifact_location(), tags=tags)
        except MlflowException:
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    return experiment.experiment_id


def _make_writable(home: Path) -> None:
    """Make the home folder and check that files can be written there, with a message that names the setting."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".write-test-{os.getpid()}"
        probe.write_bytes(b"AquaDash")
        probe.unlink()
    except OSError as error:
        raise StorageError(
            f"AquaDash cannot write to its folder {home} ({error.strerror or error}). Free some space or make the "
            "folder writable, or set AQUADASH_HOME to another one. What is stored there is untouched."
        ) from error


def database_file() -> Path | None:
    """The file that holds the store; None where a server does."""
    uri = settings.tracking_uri()
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def file_number(path: Path | None) -> int | None:
    """What tells a file from another that takes its place; None if there is none."""
    try:
        return path.stat().st_ino if path else None
    except OSError:
        return None


def _check_database(path: Path) -> None:
    """Refuse what MLflow would try to open for minutes, or to change."""
    from alembic.util import CommandError
    from mlflow import __version__

    if not path.exists():
        return
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise StorageError(
            f"{path} is {what}; expected the file in which the run store keeps its database. Rename it or move it "
            "away, or set AQUADASH_HOME to another folder."
        )
    with closing(sqlite3.connect(path, timeout=20)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
        revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall() if tables else []
    for (revision,) in revisions:
        try:
            _migrations().get_revision(revision)
        except CommandError:
            raise StorageError(
                f"{path} is from a newer version: its tables are of revision {str(revision)[:40]}, and MLflow "
                f"{__version__}, which is installed here, knows them up to {_migrations().get_current_head()}. Open it "
                "with the version of AquaDash that used it last, or set AQUADASH_HOME to another folder. What is "
                "stored is untouched."
            ) from None


@functools.cache
def _migrations() -> ScriptDirectory:
    """The revisions of a database that MLflow knows; reads some seventy files."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(files("mlflow.store.db_migrations")))


def _artifact_location() -> str | None:
    """Beside the database for a local store; a tracking server decides for itself."""
    return None if settings.store_is_tracking_server() else settings.artifacts().as_uri()


def _let_readers_read_while_a_worker_writes(path: Path) -> None:
    """Switch SQLite to its write-ahead log; the setting stays in the file."""
    connection = sqlite3.connect(path, timeout=20)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _reason(error: BaseException) -> str:
    """The first telling line of an exception, with a remedy where one is known."""
    text = str(error)
    if "API request to" in text and "failed with exception" in text:
        # Nothing came back at all; MLflow tells of its attempts at length.
        address = settings.shown_address(settings.tracking_uri())
        return (
            f"the tracking server {address} does not answer. Is it running, and reachable from here? What is stored is "
            "untouched; try again in a moment."
        )
    if "disk is full" in text or "No space left" in text:
        return "the disk is full. Free some space and try again; what is stored is untouched."
    if "readonly database" in text or "Permission denied" in text or "Read-only" in text:
        return (
            "it may not be written to. Make the folder in AQUADASH_HOME writable or name another one; what is stored "
            "is untouched."
        )
    if "unable to open database" in text:
        return (
            f"its database file in {settings.home()} cannot be opened. Was it moved or deleted? Check the folder in "
            "AQUADASH_HOME."
        )
    if "not a database" in text or "malformed" in text:
        return (
            "its database file is damaged. Set AQUADASH_HOME to a new folder to go on; the old folder keeps everything "
            "that is in it."
        )
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)[:300]
