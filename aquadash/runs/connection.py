"""Opening the MLflow tracking store, and turning its failures into messages for people."""

from __future__ import annotations

import functools
import importlib
import logging
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from aquadash import settings
from aquadash.errors import AquaDashError, StorageError
from aquadash.files import check_writable, storage_error
from aquadash.jobs import import_sqlalchemy

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

EXPERIMENT = "aquadash"

#: Tells MLflow's own pages to show runs as those of a model's training.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}

_SQLITE = "sqlite:///"

#: A database server passes no files on: MLflow writes them into a folder of the machine that made the experiment. The
#: folder has a mark that the experiment knows, so that another machine's of the same name is not taken for it.
_FOLDER_MARK, _FOLDER_TAG = "store.txt", "aquadash.folder"


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
        raise (_server_is_away(what, error) or storage_error(what, error)) from error


def _configure_mlflow() -> None:
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
    # MLflow 3 opens a second connection within some writes: 16 threads that rename runs would each hold one of the
    # pool's 15 connections and wait in vain for another. Without a limit they wait for SQLite's lock alone.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW", "-1")


# On import: reading a run imports MLflow before the store is opened, and MLflow reads some of these only then.
_configure_mlflow()


def import_ahead() -> None:
    """Import what :func:`connect` needs, without opening anything."""
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
    import_sqlalchemy()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from filelock import FileLock, Timeout
    from mlflow import MlflowClient

    uri = settings.tracking_uri()
    home = settings.home()
    with storage_errors("open the run store"):
        check_writable(home)
        try:
            # One process at a time makes the tables and the experiment.
            with FileLock(home / "store.lock", timeout=60):
                if database := database_file():
                    _check_database(database)
                client = MlflowClient(tracking_uri=uri)
                tags = _EXPERIMENT_TAGS
                if settings.store_is_database_server() and client.get_experiment_by_name(EXPERIMENT) is None:
                    tags = tags | _mark_folder(settings.artifacts())
                experiment_id = experiment_named(client, EXPERIMENT, tags=tags)
                if settings.store_is_database_server():
                    _check_folder(client.get_experiment(experiment_id))
                if database:
                    with closing(sqlite3.connect(database, timeout=20)) as connection:
                        # Pages read while a worker writes; the setting stays in the file.
                        connection.execute("PRAGMA journal_mode=WAL")
        except ModuleNotFoundError as error:
            what = "'psycopg[binary]'" if error.name in ("psycopg", "psycopg2") else error.name
            raise StorageError(
                f"{settings.shown_address(uri)} needs the Python package {error.name}, which is not installed. Install "
                f"it with `.venv/bin/pip install {what}`."
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
        # Beside the database for a local store; a tracking server decides for itself.
        location = None if settings.store_is_tracking_server() else settings.artifacts().as_uri()
        try:
            return client.create_experiment(name, artifact_location=location, tags=tags)
        except MlflowException:
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    return experiment.experiment_id


def _mark_folder(folder: Path) -> dict[str, str]:
    """Mark the folder of a store that is about to be made; returns the tags by which its experiment knows it."""
    token = uuid.uuid4().hex
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FOLDER_MARK).write_text(token, encoding="utf-8")
    return {_FOLDER_TAG: token}


def _check_folder(experiment: Experiment) -> None:
    """Refuse a store whose files are in a folder of another machine."""
    token = experiment.tags.get(_FOLDER_TAG)
    if not token:
        return
    folder = Path(unquote(urlparse(experiment.artifact_location).path))
    try:
        found = (folder / _FOLDER_MARK).read_text(encoding="utf-8")
    except (OSError, ValueError):
        found = ""
    if found != token:
        raise StorageError(
            f"The run store {settings.shown_address(settings.tracking_uri())} keeps the files of runs in {folder}, and "
            "here that is not the folder it was made with. Share that folder under the same path (docs/cluster.md)."
        )


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


def _server_is_away(what: str, error: BaseException) -> StorageError | None:
    text = str(error)
    if "API request to" not in text or "failed with exception" not in text:
        return None
    # Nothing came back at all; MLflow tells of its attempts at length.
    address = settings.shown_address(settings.tracking_uri())
    return StorageError(
        f"Could not {what}: the tracking server {address} does not answer. Is it running, and reachable from here? "
        "What is stored is untouched; try again in a moment."
    )
