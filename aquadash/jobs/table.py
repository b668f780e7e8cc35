"""The table of jobs: SQLite in the home, or PostgreSQL where ``AQUADASH_DATABASE`` names one.

Every write is one transaction that begins by raising the database's revision, so that writes follow one another and a
reader who knows a revision is told what came after it. A worker's write names the attempt that the worker was given: of
one that was cut off, no row is found.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Condition
from typing import Any

import psutil
from cachetools import LRUCache, cached
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    and_,
    case,
    create_engine,
    delete,
    event,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.files import storage_error
from aquadash.jobs.kinds import KINDS
from aquadash.jobs.types import LEASE_SECONDS, Job, JobProgress, JobStatus, LeaseLostError, Worker, job_id

#: What stays silent for so long after somebody has doubted it counts as lost: when the computer has slept, whoever
#: looks first must not end what is alive.
DOUBT_SECONDS = 10.0

_MESSAGE_LIMIT = 4000
_LOG_TAIL_LIMIT = 6000

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
    Column("turn", Integer, nullable=False),
    Column("rank", Float),
    Column("needs", String(40), nullable=False),
    Column("request", _JSON, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker_failures", Integer, nullable=False),
    Column("worker", _JSON),
    # Until when it is taken care of; negative where that is doubted, less the time at which it counts as lost.
    Column("lease", Float),
    Column("progress", _JSON),
    Column("result", _JSON, nullable=False),
    Column("message", Text, nullable=False),
    Column("log_tail", Text, nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    Column("submitted_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("revision", Integer, nullable=False),
)
#: Which records of runs were written at which revision.
_run_changes = Table(
    "run_changes",
    _metadata,
    Column("run", String(150), primary_key=True),
    Column("revision", Integer, nullable=False),
)
#: One row: the revision of the last write, and a random text that no other database has.
_revision = Table(
    "revision",
    _metadata,
    Column("value", Integer, nullable=False),
    Column("identity", String(32), nullable=False),
)
_tables = (_jobs, _run_changes, _revision)
_indexes = (
    Index("jobs_queue", _jobs.c.status, _jobs.c.position),
    Index("jobs_revision", _jobs.c.revision),
    Index("run_changes_revision", _run_changes.c.revision),
)
_columns = _jobs.c
#: What a reader gets: all but what is between workers and the table.
_read_columns = [column for column in _columns if column.name not in ("lease", "home", "turn", "rank")]
_is_active = _columns.status.in_(_ACTIVE)
#: The order of the queue: first what somebody has given a place, then everybody's of one turn, then of the next.
_order = (_columns.rank.is_(None), _columns.rank, _columns.turn, _columns.position, _columns.id)


@dataclass(frozen=True)
class Changes:
    """What was written after a revision."""

    #: What to ask with the next time.
    revision: int
    #: The jobs as they are now.
    jobs: list[Job]
    #: The ids of the runs whose records were written.
    runs: list[str]


class JobTable:
    """Reads and writes the table. Safe to use from several threads and processes.

    Every method raises :class:`~aquadash.errors.StorageError` when the database cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        """Opens the database, and makes the tables where there are none."""
        self._engine = _open_engine(url)
        self._on_sqlite = self._engine.dialect.name == "sqlite"
        # Not unixepoch('subsec'), which SQLite has learned late (3.42).
        now = "(julianday('now') - 2440587.5) * 86400.0" if self._on_sqlite else "extract(epoch from clock_timestamp())"
        self._now: ColumnElement[float] = literal_column(f"CAST({now} AS DOUBLE PRECISION)", Float)
        # A time that nobody writes is from before the clock was set back.
        too_late = func.abs(_columns.lease) > self._now + LEASE_SECONDS + 1
        self._silent = and_(_is_active, or_(_columns.lease.between(0, self._now), too_late))
        self._lost = and_(_is_active, (-_columns.lease).between(0, self._now))
        with _storage_errors("write the jobs"), self._engine.begin() as connection:
            if not self._on_sqlite:
                # Two that make the same table at the same moment would disturb each other; the number is just ours.
                connection.execute(text("SELECT pg_advisory_xact_lock(7251904)"))
            for table in _tables:
                connection.execute(CreateTable(table, if_not_exists=True))
            for index in _indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
            first = select(literal(0), literal(uuid.uuid4().hex)).where(~exists(select(_revision.c.value)))
            connection.execute(_revision.insert().from_select(["value", "identity"], first))

    def close(self) -> None:
        """Let go of the database's connections."""
        self._engine.dispose()

    def identity(self) -> str:
        """A text that is the same for everybody who uses this database, by whatever address, and for nobody else."""
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            return str(connection.execute(select(_revision.c.identity)).scalar_one())

    def runs_untouched(self) -> bool:
        """Whether :meth:`run_changed` was never called."""
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            return not connection.execute(select(exists(select(_run_changes.c.run)))).scalar_one()

    # -- for everybody -----------------------------------------------------------------------------------------------

    def submit(self, kind: str, run: str, request: Mapping[str, Any], *, owner: str = "", needs: str = "") -> Job:
        """Put a job into the queue, in the row that the same work had before.

        People take turns: somebody's second job stands behind the first of everybody who is there by then.

        Args:
            kind: A name in :data:`~aquadash.jobs.kinds.KINDS`.
            request: What is asked for, as plain values for JSON.
            owner: The id of the person who asks; empty for the owner of the machine.
            needs: What a worker must have to be given it, such as ``"gpu"``.

        Raises:
            RunError: It is queued or running already.
        """
        name = job_id(kind, run)
        waits_for_a_slot = KINDS[kind].max_worker_failures > 0
        values = {
            "owner": owner,
            "home": ""
            if waits_for_a_slot and not KINDS[kind].at_home and settings.store_is_shared()
            else settings.jobs_home(),
            "position": select(func.coalesce(func.max(_columns.position), 0) + 1).scalar_subquery(),
            "rank": null(),
            "needs": needs,
            "request": dict(request),
            "status": JobStatus.QUEUED,
            "worker_failures": 0,
            "worker": null(),
            "lease": self._now + LEASE_SECONDS if not waits_for_a_slot else null(),
            "progress": null(),
            "result": {},
            "message": "",
            "log_tail": "",
            "stop_requested": False,
            "submitted_at": self._now,
            "started_at": null(),
            "ended_at": null(),
        }
        insert = sqlite.insert(_jobs) if self._on_sqlite else postgresql.insert(_jobs)
        with self._writing() as (connection, revision):
            self._end_expired(connection, revision)
            values |= {"revision": revision, "turn": _turn(connection, kind, owner)}
            statement = insert.values(id=name, kind=kind, run=run, attempt=0, **values).on_conflict_do_update(
                index_elements=["id"],
                set_=values,
                where=_columns.status.not_in(_ACTIVE),
            )
            row = connection.execute(statement.returning(*_read_columns)).one_or_none()
            if (kept := KINDS[kind].kept) is not None:
                connection.execute(delete(_jobs).where(_columns.kind == kind, _columns.ended_at < self._now - kept))
        if row is None:
            raise RunError(f"This {KINDS[kind].title} is under way already. Wait for its end, or stop it first.")
        return _job(row)

    def get(self, name: str) -> Job | None:
        """The job of that id as it is now; None where nobody ever asked for it."""
        found = self._read(_columns.id == name)
        return found[0] if found else None

    def find(self, *, kind: str, status: Collection[JobStatus] = tuple(JobStatus)) -> list[Job]:
        """The jobs of a kind, those of some statuses only, in the order in which they were submitted."""
        return self._read(and_(_columns.kind == kind, _columns.status.in_(status)))

    def queue(self, kind: str) -> list[Job]:
        """The queued jobs of a kind, the next one first."""
        self._look_for_expired()
        waiting = select(*_read_columns).where(_waits(kind)).order_by(*_order)
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            return [_job(row) for row in connection.execute(waiting)]

    def changes(self, revision: int) -> Changes:
        """What was written after a revision of the database; everything after 0."""
        self._look_for_expired()
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            # Read first: what is written between the reads is found again the next time.
            now = connection.execute(select(_revision.c.value)).scalar_one()
            if now == revision:
                return Changes(now, [], [])
            jobs = connection.execute(select(*_read_columns).where(_columns.revision > revision)).all()
            runs = connection.execute(select(_run_changes.c.run).where(_run_changes.c.revision > revision)).scalars()
            return Changes(now, [_job(row) for row in jobs], list(runs))

    def run_changed(self, run: str) -> None:
        """Say to all readers that the record of a run was written."""
        insert = sqlite.insert(_run_changes) if self._on_sqlite else postgresql.insert(_run_changes)
        with self._writing() as (connection, revision):
            values = {"revision": revision}
            statement = insert.values(run=run, **values).on_conflict_do_update(index_elements=["run"], set_=values)
            connection.execute(statement)

    def request_stop(self, name: str) -> Job:
        """Ask a job to stop. One that is queued stops at once; a worker hears of it with its next report.

        Raises:
            RunError: It has ended, or there is none.
        """
        queued = _columns.status == JobStatus.QUEUED
        values = {
            "stop_requested": True,
            "status": case((queued, JobStatus.STOPPED), else_=_columns.status),
            "message": case(
                (and_(queued, _columns.attempt == 0), "Taken out of the queue before it started."),
                (queued, "Taken out of the queue before it started again."),
                else_=_columns.message,
            ),
            "ended_at": case((queued, self._now), else_=null()),
        }
        with self._writing() as (connection, revision):
            self._end_expired(connection, revision)
            found = self._write(connection, revision, and_(_columns.id == name, _is_active), values)
        if found is None:
            raise RunError("There is nothing to stop: the job is not at work.")
        return found

    def reorder(self, kind: str, names: Sequence[str]) -> None:
        """Let some queued jobs start first, in the order given; the others follow as they stand."""
        with self._writing() as (connection, revision):
            waiting = select(_columns.id, _columns.rank).where(_waits(kind)).order_by(*_order)
            ranks = {row.id: row.rank for row in connection.execute(waiting)}
            first = [name for name in dict.fromkeys(names) if name in ranks]
            # Whoever was ranked before stays before those that never were.
            first += [name for name, rank in ranks.items() if rank is not None and name not in first]
            for rank, name in enumerate(first):
                self._write(connection, revision, _columns.id == name, {"rank": float(rank)})

    def bring_home(self, name: str) -> None:
        """Have a queued job done here that waits in a home that was moved, or on a machine that was renamed."""
        elsewhere = and_(_columns.status == JobStatus.QUEUED, _columns.home.not_in(["", settings.jobs_home()]))
        with self._writing() as (connection, revision):
            here = {"home": settings.jobs_home()}
            self._write(connection, revision, and_(_columns.id == name, elsewhere), here)

    def explain(self, kind: str, message: str) -> None:
        """Say of the queued jobs of a kind why nobody takes them, until somebody does."""
        unsaid = and_(_waits(kind), _columns.worker_failures == 0, _columns.message != message)
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            if not connection.execute(select(exists().where(unsaid))).scalar():
                return
        with self._writing() as (connection, revision):
            connection.execute(update(_jobs).where(unsaid).values(message=message, revision=revision))

    # -- for workers -------------------------------------------------------------------------------------------------

    def claim(self, kinds: Collection[str], worker: Worker, *, offers: Collection[str] = ()) -> Job | None:
        """Take the next queued job of these kinds; None where there is none. Of several workers, one gets it.

        Args:
            kinds: Names in :data:`~aquadash.jobs.kinds.KINDS`.
            offers: What it has of what jobs need, such as ``"gpu"``.
        """
        following = select(_columns.id).where(_claimable(kinds, offers)).order_by(*_order).limit(1)
        values = {
            "status": JobStatus.RUNNING,
            "attempt": _columns.attempt + 1,
            "worker": asdict(worker),
            "lease": self._now + LEASE_SECONDS,
            "progress": null(),
            "started_at": self._now,
            # What the last worker was lost by is said until the end, why none could take it is not.
            "message": case((_columns.worker_failures == 0, ""), else_=_columns.message),
        }
        with self._writing() as (connection, revision):
            self._end_expired(connection, revision)
            return self._write(connection, revision, _columns.id == following.scalar_subquery(), values)

    def waiting(self, kinds: Collection[str], *, offers: Collection[str] = ()) -> bool:
        """Whether there is a job that :meth:`claim` would give."""
        self._look_for_expired()
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            return bool(connection.execute(select(exists().where(_claimable(kinds, offers)))).scalar())

    def heartbeat(
        self, job: Job, progress: JobProgress | None, *, log_tail: str | None = None, advanced: bool = False
    ) -> bool:
        """Renew the lease of a claimed job, and of those of its kind that wait for it; returns whether to stop."""
        values: dict[str, Any] = {
            "lease": self._now + LEASE_SECONDS,
            "progress": asdict(progress) if progress else null(),
        }
        if log_tail is not None:
            values["log_tail"] = log_tail[-_LOG_TAIL_LIMIT:]
        if advanced:
            values["worker_failures"] = 0
        with self._writing() as (connection, revision):
            found = self._own(connection, revision, job, values)
            if not KINDS[job.kind].max_worker_failures:
                self._renew_behind(connection, revision, job.kind)
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
        with self._writing() as (connection, revision):
            self._own(connection, revision, job, values)

    def requeue(self, worker: Worker, reason: str, *, is_failure: bool = True) -> Job | None:
        """Take from a process that has ended what it was working on, so that another goes on with it."""
        with self._writing() as (connection, revision):
            running = select(*_read_columns).where(_columns.status == JobStatus.RUNNING)
            for job in map(_job, connection.execute(running).all()):
                if job.worker == worker:
                    return self._requeue_or_end(connection, revision, job, reason, is_failure=is_failure)
        return None

    # -- within ------------------------------------------------------------------------------------------------------

    def _own(self, connection: Connection, revision: int, job: Job, values: Mapping[str, Any]) -> Job:
        """Write to the job as whoever was given this attempt of it."""
        mine = and_(_columns.id == job.id, _columns.attempt == job.attempt, _columns.status == job.status)
        found = self._write(connection, revision, mine, values)
        if found is None:
            raise LeaseLostError("This work was taken for lost, so what it finds is not written any more.")
        return found

    def _write(
        self, connection: Connection, revision: int, where: ColumnElement[bool], values: Mapping[str, Any]
    ) -> Job | None:
        changed = update(_jobs).where(where).values(**values, revision=revision).returning(*_read_columns)
        row = connection.execute(changed).one_or_none()
        return None if row is None else _job(row)

    def _renew_behind(self, connection: Connection, revision: int, kind: str) -> None:
        """Keep those waiting that wait for a slot of their kind on this machine."""
        behind = and_(_columns.kind == kind, _columns.status == JobStatus.QUEUED, _columns.home == settings.jobs_home())
        connection.execute(update(_jobs).where(behind).values(lease=self._now + LEASE_SECONDS))
        waiting = asdict(JobProgress(f"waiting for another {KINDS[kind].title}"))
        unaware = and_(behind, _columns.progress.is_(null()))
        connection.execute(update(_jobs).where(unaware).values(progress=waiting, revision=revision))

    def _look_for_expired(self) -> None:
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            expired = connection.execute(select(exists().where(or_(self._silent, self._lost)))).scalar()
        if expired:
            with self._writing() as (connection, revision):
                self._end_expired(connection, revision)

    def _end_expired(self, connection: Connection, revision: int) -> None:
        """Doubt what nobody took care of for a lease; interrupt, or put back, what is gone or was doubted in vain."""
        silent, lost = (
            [_job(row) for row in connection.execute(select(*_read_columns).where(where))]
            for where in (self._silent, self._lost)
        )
        # After a power cut nobody has to wait: of this machine's processes it is known which are gone.
        lost += [job for job in silent if job.worker is not None and _is_gone(job.worker)]
        for job in lost:
            where = job.worker.host if job.worker else "its machine"
            self._requeue_or_end(connection, revision, job, f"The worker on {where} was lost (no heartbeat)")
        connection.execute(update(_jobs).where(self._silent).values(lease=-(self._now + DOUBT_SECONDS)))

    def _requeue_or_end(
        self, connection: Connection, revision: int, job: Job, reason: str, *, is_failure: bool = True
    ) -> Job:
        # A version before this one may have left a job of a kind that is gone.
        kind, worker_failures = KINDS.get(job.kind), job.worker_failures + is_failure
        most, kept = kind.max_worker_failures if kind else 0, "What is complete is kept."
        if job.status is JobStatus.RUNNING and job.stop_requested:
            status, message = JobStatus.STOPPED, f"{reason} after it was asked to stop. {kept if most else ''}".strip()
        elif job.status is JobStatus.QUEUED or not most:
            title = kind.title if kind else "work"
            status, message = JobStatus.INTERRUPTED, f"{reason} before the {title} was done. Start it again."
        elif is_failure and worker_failures >= most:
            status = JobStatus.FAILED
            message = (
                f"{worker_failures} workers in a row were lost with it; at last: {reason}. Is there enough memory for "
                f"it? {kept}"
            )
        else:
            status, message = JobStatus.QUEUED, f"{reason}; the next one goes on from what is complete."
        values = {
            "status": status,
            "message": message[:_MESSAGE_LIMIT],
            "worker_failures": worker_failures,
            "lease": null(),
            "ended_at": self._now if status.ended else null(),
        }
        found = self._write(connection, revision, _columns.id == job.id, values)
        assert found is not None
        return found

    def _read(self, where: ColumnElement[bool]) -> list[Job]:
        self._look_for_expired()
        with _storage_errors("read the jobs"), self._engine.connect() as connection:
            rows = connection.execute(select(*_read_columns).where(where).order_by(_columns.position)).all()
        return [_job(row) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, int]]:
        """A transaction and its revision. Whoever raises that has the database for themselves until the end."""
        with _storage_errors("write the jobs"), self._engine.begin() as connection:
            raised = update(_revision).values(value=_revision.c.value + 1).returning(_revision.c.value)
            yield connection, connection.execute(raised).scalar_one()


def _claimable(kinds: Collection[str], offers: Collection[str]) -> ColumnElement[bool]:
    """What is queued for a worker of this machine and home that offers so much."""
    running, one_per_person = _jobs.alias(), [name for name in kinds if KINDS[name].one_per_person]
    of_the_same_person = exists().where(
        running.c.kind == _columns.kind, running.c.owner == _columns.owner, running.c.status == JobStatus.RUNNING
    )
    return and_(
        or_(_columns.kind.not_in(one_per_person), ~of_the_same_person),
        _columns.status == JobStatus.QUEUED,
        _columns.kind.in_(kinds),
        _columns.home.in_(["", settings.jobs_home()]),
        _columns.needs.in_(["", *offers]),
    )


def _is_gone(worker: Worker) -> bool:
    return worker.host == socket.gethostname() and not psutil.pid_exists(worker.pid)


def _waits(kind: str) -> ColumnElement[bool]:
    return and_(_columns.kind == kind, _columns.status == JobStatus.QUEUED)


def _turn(connection: Connection, kind: str, owner: str) -> int:
    """The turn of somebody's new job: that which is under way, or the one after their last."""
    active = and_(_columns.kind == kind, _is_active)
    under_way = connection.execute(select(func.min(_columns.turn)).where(active)).scalar()
    last = connection.execute(select(func.max(_columns.turn)).where(active, _columns.owner == owner)).scalar()
    return max(under_way or 1, (last or 0) + 1)


def open_table() -> JobTable:
    """See :func:`aquadash.jobs.open_jobs`."""
    return _opened(settings.jobs_database())


@cached(LRUCache(4), condition=Condition())
def _opened(url: str) -> JobTable:
    return JobTable(url)


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
        raise storage_error(what, getattr(error, "orig", None) or error) from error


def _job(row: Row[Any]) -> Job:
    values = {column.name: getattr(row, column.name) for column in _read_columns}
    values["status"] = JobStatus(row.status)
    values["worker"] = Worker(**row.worker) if row.worker else None
    values["progress"] = JobProgress(**row.progress) if row.progress else None
    return Job(**values)
