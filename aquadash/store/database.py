"""The database: SQLite in the home, or PostgreSQL where ``AQUADASH_DATABASE`` names one.

Each write is one transaction, which first raises the database's revision. That locks the database for other writers
until the transaction ends. Readers select the rows with a later revision than that of their last read.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event, inspect, literal_column, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import Float

from aquadash import settings
from aquadash.errors import AquaDashError, StorageError
from aquadash.files import check_writable, storage_error, write_whole
from aquadash.store import schema

_SQLITE = "sqlite:///"

#: Seconds that a write waits for another writer of the SQLite file.
_BUSY_SECONDS = 30


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Raise :class:`StorageError` for errors of the database or disk; ``what`` completes "Could not ..."."""
    try:
        yield
    except AquaDashError:
        raise
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        raise storage_error(what, getattr(error, "orig", None) or error) from error


class _Thread(threading.local):
    """The transaction of each thread and its revision."""

    transaction: tuple[Connection, int] | None = None


class Database:
    """An open database. Safe to use from several threads.

    Every method raises :class:`~aquadash.errors.StorageError` when the database cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        """Open the database; create its tables if it is new, and upgrade those of an older version."""
        self.url = url
        self._thread = _Thread()
        #: The SQLite file; None for a server.
        self._path = Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None
        with storage_errors("open the database"):
            check_writable(settings.home())
            self._engine = _open_engine(url, self._path)
            self.on_sqlite = self._engine.dialect.name == "sqlite"
            # Lock: two processes that create the same tables at the same moment fail.
            with FileLock(settings.home() / "database.lock", timeout=60) if self._path else nullcontext():
                self._prepare()
        # unixepoch('subsec') would be shorter, but SQLite has it since 3.42 only.
        now = "(julianday('now') - 2440587.5) * 86400.0" if self.on_sqlite else "extract(epoch from clock_timestamp())"
        #: The clock of the database as an expression, in seconds since 1970 UTC.
        self.now = literal_column(f"CAST({now} AS DOUBLE PRECISION)", Float)
        self._file_number = self._number_of_file()

    def _prepare(self) -> None:
        with self._engine.begin() as connection:
            if not self.on_sqlite:
                # The same lock on a server; the number is ours alone.
                connection.execute(text("SELECT pg_advisory_xact_lock(7251904)"))
            if not inspect(connection).has_table("alembic_version"):
                schema.metadata.create_all(connection)
                connection.execute(
                    text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)")
                )
                if connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 0:
                    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": schema.HEAD})
                    identity = uuid.uuid4().hex
                    connection.execute(schema.revision.insert().values(value=0, identity=identity))
                    if not self.on_sqlite:
                        write_whole(settings.home_mark(), identity)
            stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        if stored != schema.HEAD:
            # Alembic takes 0.3 s to import, so only an older database pays for it.
            from aquadash.store.migrations import upgrade

            upgrade(self._engine, stored)
        if not self.on_sqlite:
            self._check_home()

    def _check_home(self) -> None:
        """Refuse a home that is not the one whose files the database describes."""
        mark = settings.home_mark()
        try:
            marked = mark.read_text(encoding="utf-8").strip()
        except OSError:
            marked = ""
        if marked != self.identity():
            raise StorageError(
                f"The database {settings.shown_address(self.url)} belongs to another AQUADASH_HOME than "
                f"{settings.home()}: {mark.name} there {'names another database' if marked else 'is missing'}. Mount "
                "the folder that the first machine uses under AQUADASH_HOME (docs/cluster.md), or name a new database."
            )

    @contextmanager
    def reading(self, what: str) -> Iterator[Connection]:
        """Connect for reading, or use the transaction of the calling thread; ``what`` completes "Could not ..."."""
        # A thread holds one connection at most: with two, many threads that write would deadlock at the pool's limit.
        if self._thread.transaction is not None:
            yield self._thread.transaction[0]
            return
        with storage_errors(what), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, what: str) -> Iterator[tuple[Connection, int]]:
        """Begin a transaction, or join that of the calling thread; yield its connection and its revision.

        ``what`` completes "Could not ...".
        """
        if self._thread.transaction is not None:
            yield self._thread.transaction
            return
        with storage_errors(what), self._engine.begin() as connection:
            raised = update(schema.revision).values(value=schema.revision.c.value + 1)
            revision = connection.execute(raised.returning(schema.revision.c.value)).scalar_one()
            self._thread.transaction = connection, revision
            try:
                yield connection, revision
            finally:
                self._thread.transaction = None

    def insert(self, table: Any) -> Any:
        """Return an INSERT of the database's dialect, which has ``on_conflict_do_update``."""
        if self.on_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def identity(self) -> str:
        """Return the database's random text, which tells it from all other databases at any address."""
        with self.reading("read the database") as connection:
            return str(connection.execute(schema.revision.select()).one().identity)

    def check_there(self) -> None:
        """Raise if the SQLite file was replaced, because a process writes into a deleted file without an error."""
        if self._number_of_file() != self._file_number:
            raise StorageError(
                f"The database {self._path} was moved, deleted or replaced meanwhile, so what was kept "
                "of the run is not there any more. Put the folder back if you can and start AquaDash again, or train a "
                "new run."
            )

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _number_of_file(self) -> int | None:
        try:
            return self._path.stat().st_ino if self._path is not None else None
        except OSError:
            return None


def _open_engine(url: str, path: Path | None) -> Engine:
    shown = settings.shown_address(url)
    try:
        engine = create_engine(url, **({"connect_args": {"timeout": _BUSY_SECONDS}} if path is not None else {}))
    except ModuleNotFoundError as error:
        raise StorageError(
            f"{shown} needs the Python package {error.name}, which is not installed. Install it with `.venv/bin/pip "
            "install -r requirements-cluster.txt`."
        ) from None
    except SQLAlchemyError as error:
        raise StorageError(
            f"AQUADASH_DATABASE is {shown!r}, which is no database ({error}). Expected an address such as "
            "postgresql+psycopg://user:password@host/name."
        ) from None
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def read_while_another_writes(connection: Any, record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    return engine
