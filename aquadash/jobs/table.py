"""The table of jobs: SQLite in the home, or PostgreSQL where ``AQUADASH_DATABASE`` names one.

Every write is one transaction that takes the table for itself, raises the table's revision and, if it is a worker's,
names the attempt that the worker was given: of one that was cut off, no row is found.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    FromClause,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    case,
    create_engine,
    delete,
    event,
    exists,
    false,
    func,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.jobs.kinds import KINDS
from aquadash.jobs.types import Job, JobStatus, LeaseLostError, Progress, Worker, job_id

#: A job of which nobody has said anything for so long counts as lost. Workers report once a second; loading TensorFlow
#: on a busy machine, at a low priority, keeps one silent for ten.
LEASE_SECONDS = 30.0

_MESSAGE_LIMIT = 1000

_ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)

_JSON = JSON(none_as_null=True)
_metadata = MetaData()
_jobs = Table(
    "jobs",
    _metadata,
    Column("id", String(200), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("run", String(150), nullable=False),
    Column("owner", String(40), nullable=False),
    Column("home", Text, nullable=False),
    Column("position", Float, nullable=False),
    Column("request", _JSON, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker", _JSON),
    Column("lease", Float),
    Column("progress", _JSON),
    Column("result", _JSON, nullable=False),
    Column("message", Text, nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    Column("submitted_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("revision", Integer, nullable=False),
)
_indexes = (Index("jobs_queue", _jobs.c.status, _jobs.c.position), Index("jobs_revision", _jobs.c.revision))
_columns = _jobs.c
#: What a reader gets: all but what is between workers and the table.
_read_columns = [column for column in _columns if column.name not in ("lease", "home")]
# Another name of the table, for what is asked of it within a write to it.
_everything = _jobs.alias("everything")
_all = _everything.c
_next_revision = select(func.coalesce(func.max(_all.revision), 0) + 1).scalar_subquery()
_last_position = select(func.coalesce(func.max(_all.position), 0) + 1).scalar_subquery()
_is_active = _columns.status.in_(_ACTIVE)


class Jobs:
    """Reads and writes the table. Safe to use from several threads and processes.

    Every method raises :class:`~aquadash.errors.StorageError` when the database cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        """Opens the database, and makes the table where there is none.

        Args:
            url: As SQLAlchemy has it: ``sqlite:///...`` or ``postgresql://...``.
        """
        self._engine = _open_engine(url)
        self._on_sqlite = self._engine.dialect.name == "sqlite"
        # Not unixepoch('subsec'), which SQLite has learned late (3.42).
        now = "(julianday('now') - 2440587.5) * 86400.0" if self._on_sqlite else "extract(epoch from clock_timestamp())"
        self._now: ColumnElement[float] = literal_column(f"CAST({now} AS DOUBLE PRECISION)", Float)
        self._lapsed = and_(_is_active, _columns.lease < self._now)
        with self._writing(lock=False) as connection:
            if not self._on_sqlite:
                # Two that make the same table at the same moment would disturb each other; the number is just ours.
                connection.execute(text("SELECT pg_advisory_xact_lock(7251904)"))
            connection.execute(CreateTable(_jobs, if_not_exists=True))
            for index in _indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))

    def close(self) -> None:
        """Let go of the database's connections."""
        self._engine.dispose()

    # -- for everybody -----------------------------------------------------------------------------------------------

    def submit(self, kind: str, run: str, request: Mapping[str, Any], *, owner: str = "") -> Job:
        """Put a job at the end of the queue, in the row that the same work had before.

        Args:
            kind: A name in :data:`~aquadash.jobs.kinds.KINDS`.
            run: What it works on.
            request: What is asked for, as plain values for JSON.
            owner: The id of the person who asks; empty for the owner of the machine.

        Raises:
            RunError: It is queued or running already.
        """
        name = job_id(kind, run)
        values = {
            "owner": owner,
            "home": "" if KINDS[kind].requeue else settings.here(),
            "position": _last_position,
            "request": dict(request),
            "status": JobStatus.QUEUED,
            "worker": null(),
            "lease": null() if KINDS[kind].requeue else self._now + LEASE_SECONDS,
            "progress": null(),
            "result": {},
            "message": "",
            "stop_requested": False,
            "submitted_at": self._now,
            "started_at": null(),
            "ended_at": null(),
            "revision": _next_revision,
        }
        insert = sqlite.insert(_jobs) if self._on_sqlite else postgresql.insert(_jobs)
        statement = insert.values(id=name, kind=kind, run=run, attempt=0, **values).on_conflict_do_update(
            index_elements=["id"],
            set_=values,
            where=_columns.status.not_in(_ACTIVE),
        )
        with self._writing() as connection:
            self._end_lapsed(connection)
            row = connection.execute(statement.returning(*_read_columns)).one_or_none()
            if (kept := KINDS[kind].kept) is not None:
                # After the row above, which has the highest revision: that of the table never goes back.
                forgotten = and_(_columns.kind == kind, _columns.ended_at < self._now - kept)
                connection.execute(delete(_jobs).where(forgotten))
        if row is None:
            raise RunError(f"This {KINDS[kind].title} is under way already. Wait for its end, or stop it first.")
        return _job(row)

    def get(self, name: str) -> Job | None:
        """The job of that id as it is now; None where nobody ever asked for it."""
        found = self._read(_columns.id == name)
        return found[0] if found else None

    def find(self, *, kind: str) -> list[Job]:
        """The jobs of a kind in the order of their positions."""
        return self._read(_columns.kind == kind)

    def changed_since(self, revision: int) -> list[Job]:
        """The jobs that were written after a revision of the table, 0 for all of them.

        The highest :attr:`Job.revision` among them is what to ask with the next time.
        """
        return self._read(_columns.revision > revision)

    def request_stop(self, name: str) -> None:
        """Ask a job to stop. One that is queued stops at once; a worker hears of it with its next report.

        Raises:
            RunError: It has ended, or there is none.
        """
        queued = _columns.status == JobStatus.QUEUED
        values = {
            "stop_requested": True,
            "status": case((queued, JobStatus.STOPPED), else_=_columns.status),
            "message": case((queued, "Stopped by request."), else_=_columns.message),
            "ended_at": case((queued, self._now), else_=null()),
        }
        with self._writing() as connection:
            self._end_lapsed(connection)
            if not self._write(connection, and_(_columns.id == name, _is_active), values):
                raise RunError("There is nothing to stop: the job is not at work.")

    # -- for workers -------------------------------------------------------------------------------------------------

    def claim(self, kinds: Collection[str], worker: Worker) -> Job | None:
        """Take the next queued job of these kinds; None where there is none. Of several workers, one gets it."""
        queued = select(_all.id).where(_waits(_everything, kinds))
        following = queued.order_by(_all.position, _all.id).limit(1).scalar_subquery()
        values = {
            "status": JobStatus.RUNNING,
            "attempt": _columns.attempt + 1,
            "worker": asdict(worker),
            "lease": self._now + LEASE_SECONDS,
            "progress": null(),
            "started_at": self._now,
        }
        with self._writing() as connection:
            self._end_lapsed(connection)
            return self._write(connection, and_(_columns.id == following, _columns.status == JobStatus.QUEUED), values)

    def waiting(self, kinds: Collection[str]) -> bool:
        """Whether a job of these kinds is queued that this machine may :meth:`claim`."""
        return bool(self._read(_waits(_jobs, kinds)))

    def heartbeat(self, job: Job, progress: Progress | None) -> bool:
        """Renew the lease of a claimed job, and of those of its kind that wait for it; returns whether to stop.

        Raises:
            LeaseLostError: It is no longer the worker's.
        """
        behind = and_(_waits(_jobs, [job.kind]), _columns.lease.is_not(None))
        waiting = asdict(Progress(f"waiting for another {KINDS[job.kind].title}"))
        lease = self._now + LEASE_SECONDS
        with self._writing() as connection:
            values = {"lease": lease, "progress": asdict(progress) if progress else null()}
            found = self._own(connection, job, values)
            connection.execute(update(_jobs).where(behind).values(lease=lease))
            unaware = and_(behind, _columns.progress.is_(null()))
            connection.execute(update(_jobs).where(unaware).values(progress=waiting, revision=_next_revision))
        return found.stop_requested

    def end(self, job: Job, status: JobStatus, *, message: str = "", result: Mapping[str, Any] | None = None) -> None:
        """Write how a job ended that was claimed, or for which no worker could be started.

        Args:
            job: As it was claimed or submitted.
            status: One that has ended.
            message: Why, for people, where it has not finished.
            result: What it has found, as few plain values for JSON.

        Raises:
            LeaseLostError: It is no longer the worker's.
        """
        values = {
            "status": status,
            "message": message[:_MESSAGE_LIMIT],
            "result": dict(result or {}),
            "ended_at": self._now,
            "lease": null(),
        }
        with self._writing() as connection:
            self._own(connection, job, values)

    # -- within ------------------------------------------------------------------------------------------------------

    def _own(self, connection: Connection, job: Job, values: Mapping[str, Any]) -> Job:
        """Write to the job as whoever was given this attempt of it."""
        mine = and_(_columns.id == job.id, _columns.attempt == job.attempt, _columns.status == job.status)
        found = self._write(connection, mine, values)
        if found is None:
            raise LeaseLostError("This work was taken for lost, so what it finds is not written any more.")
        return found

    def _write(self, connection: Connection, where: ColumnElement[bool], values: Mapping[str, Any]) -> Job | None:
        changed = update(_jobs).where(where).values(**values, revision=_next_revision).returning(*_read_columns)
        row = connection.execute(changed).one_or_none()
        return None if row is None else _job(row)

    def _end_lapsed(self, connection: Connection) -> None:
        """Interrupt, or put back, what nobody has taken care of for a lease."""
        requeued = _columns.kind.in_([kind.name for kind in KINDS.values() if kind.requeue])
        goes_on = and_(requeued, _columns.stop_requested == false())
        values = {
            "status": case((goes_on, JobStatus.QUEUED), (requeued, JobStatus.STOPPED), else_=JobStatus.INTERRUPTED),
            "ended_at": case((goes_on, null()), else_=self._now),
            "lease": null(),
            "revision": _next_revision,
        }
        connection.execute(update(_jobs).where(self._lapsed).values(values))

    def _read(self, where: ColumnElement[bool]) -> list[Job]:
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            lapsed = connection.execute(select(exists().where(self._lapsed))).scalar()
        if lapsed:
            with self._writing() as connection:
                self._end_lapsed(connection)
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            rows = connection.execute(select(*_read_columns).where(where).order_by(_columns.position)).all()
        return [_job(row) for row in rows]

    @contextmanager
    def _writing(self, *, lock: bool = True) -> Iterator[Connection]:
        with _storage_errors("write the jobs"), self._engine.begin() as connection:
            if lock and not self._on_sqlite:
                # One after another, as in SQLite: else a later revision could be seen before an earlier one.
                connection.execute(text("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE"))
            yield connection


def _waits(table: FromClause, kinds: Collection[str]) -> ColumnElement[bool]:
    """What is queued for a worker of this machine and home."""
    places = ["", settings.here()]
    return and_(table.c.status == JobStatus.QUEUED, table.c.kind.in_(kinds), table.c.home.in_(places))


def open_table() -> Jobs:
    """See :func:`aquadash.jobs.open_jobs`."""
    with _opening:
        return _opened(settings.jobs_database())


_opening = threading.Lock()


@functools.lru_cache(maxsize=4)
def _opened(url: str) -> Jobs:
    return Jobs(url)


def _open_engine(url: str) -> Engine:
    shown = settings.shown_address(url)
    try:
        engine = create_engine(url, **({"connect_args": {"timeout": 30}} if url.startswith("sqlite:") else {}))
    except ModuleNotFoundError as error:
        raise StorageError(
            f"{shown} needs the Python package {error.name}, which is not installed. Install it with `.venv/bin/pip "
            "install 'psycopg[binary]'`."
        ) from None
    except SQLAlchemyError as error:
        raise StorageError(
            f"AQUADASH_DATABASE is {shown!r}, which is no database ({error}). Expected an address such as "
            "postgresql://user:password@host/name."
        ) from None
    if engine.dialect.name == "sqlite":
        settings.home().mkdir(parents=True, exist_ok=True)

        @event.listens_for(engine, "connect")
        def read_while_another_writes(connection: Any, record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    return engine


@contextmanager
def _storage_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StorageError(f"Could not {what}: {getattr(error, 'orig', None) or error}") from error


def _job(row: Any) -> Job:
    values = {column.name: getattr(row, column.name) for column in _read_columns}
    values["status"] = JobStatus(row.status)
    values["worker"] = Worker(**row.worker) if row.worker else None
    values["progress"] = Progress(**row.progress) if row.progress else None
    return Job(**values)
