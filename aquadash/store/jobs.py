"""The jobs: rows of the database that workers claim, report on and end.

A worker's write names the attempt that the worker was given. If the job was taken from it meanwhile, no row matches.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)

from aquadash import settings
from aquadash.errors import RunError
from aquadash.store import schema
from aquadash.store.database import Database
from aquadash.store.job_types import LEASE_SECONDS, Job, JobProgress, LeaseLostError, RunStatus, Worker, job_id
from aquadash.store.kinds import KINDS, JobKind

#: Seconds from the first look at an expired lease until the job counts as lost. All leases have expired when a computer
#: wakes from sleep, and live workers need a moment to renew theirs.
DOUBT_SECONDS = 10.0

_MESSAGE_LIMIT = 4000
_LOG_TAIL_LIMIT = 6000

_ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING)

_jobs = schema.jobs
_columns = _jobs.c
#: The columns of a :class:`Job`; the others serve claims and the order of the queue.
_read_columns = [column for column in _columns if column.name not in ("lease", "slots_of", "turn", "rank", "position")]
#: The condition for queued and running jobs.
is_active = _columns.status.in_(_ACTIVE)
#: The order of the queue: jobs that a person has moved, then one job of each person, then the next of each.
_order = (_columns.rank.is_(None), _columns.rank, _columns.turn, _columns.position, _columns.id)

_JOB = TypeAdapter(Job)

#: Table and key of the row that repeats a job's status, by kind; both rows change in one transaction.
_SUBJECTS = {"train": (schema.runs, schema.runs.c.run_id), "search": (schema.searches, schema.searches.c.search_id)}


class JobTable:
    """Reads and writes the table. Safe to use from several threads and processes.

    Every method raises :class:`~aquadash.errors.StorageError` when the database cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._now = database.now
        # Leases further in the future than any write sets them are from before the clock was set back.
        too_late = func.abs(_columns.lease) > self._now + LEASE_SECONDS + 1
        is_running = _columns.status == RunStatus.RUNNING
        self._silent = and_(is_running, or_(_columns.lease.between(0, self._now), too_late))
        self._lost = and_(is_running, (-_columns.lease).between(0, self._now))

    # -- for pages and commands --------------------------------------------------------------------------------------

    def submit(self, kind: str, run: str, request: Mapping[str, Any], *, owner: str = "", needs: str = "") -> Job:
        """Put a job into the queue, in the row of an earlier job of the same kind on the same subject.

        People take turns: a person's second job comes after the first job of each other person in the queue.

        Args:
            kind: A name in :data:`~aquadash.store.kinds.KINDS`.
            run: The subject: the id of a run, or another text.
            request: The arguments of the work, as plain values for JSON.
            owner: The id of the person who submits it; empty for the owner of the machine.
            needs: A requirement on the worker, such as ``"gpu"``.

        Raises:
            RunError: It is queued or running already.
        """
        self.end_expired()
        with self._writing() as (connection, revision):
            values = {
                "owner": owner,
                "turn": _turn(connection, kind, owner),
                "position": select(func.coalesce(func.max(_columns.position), 0) + 1).scalar_subquery(),
                "needs": needs,
                "request": dict(request),
                "submitted_at": self._now,
                "revision": revision,
            }
            new = self.database.insert(_jobs).values(id=job_id(kind, run), kind=kind, run=run, **values)
            # An earlier worker knows the job by its attempt, so that the number goes on.
            replaced = {column.name: new.excluded[column.name] for column in _columns if column.name != "attempt"}
            new = new.on_conflict_do_update(index_elements=["id"], set_=replaced, where=_columns.status.not_in(_ACTIVE))
            row = connection.execute(new.returning(*_read_columns)).mappings().one_or_none()
            if row is None:
                raise RunError(f"This {KINDS[kind].title} is under way already. Wait for its end, or stop it first.")
            if (kept := KINDS[kind].kept) is not None:
                connection.execute(delete(_jobs).where(_columns.kind == kind, _columns.ended_at < self._now - kept))
            return self._changed(row)

    def get(self, name: str) -> Job | None:
        """Return the job of that id; None for an unknown id."""
        jobs = self._read(_columns.id == name)
        return jobs[0] if jobs else None

    def find(self, *, kind: str, status: Collection[RunStatus] = tuple(RunStatus)) -> list[Job]:
        """Return the jobs of a kind with one of these statuses, in the order of submission."""
        return self._read(and_(_columns.kind == kind, _columns.status.in_(status)))

    def queue(self, kind: str) -> list[Job]:
        """Return the queued jobs of a kind, the next one first."""
        return self._read(_waits(kind), *_order)

    def request_stop(self, name: str) -> Job:
        """Stop a queued job at once; let the worker of a running job see the request with its next heartbeat.

        Raises:
            RunError: The job has ended or is unknown.
        """
        with self._writing():
            job = self.get(name)
            if job is None or job.status.ended:
                raise RunError("There is nothing to stop: the job is not at work.")
            values: dict[str, Any] = {"stop_requested": True}
            if job.status is RunStatus.QUEUED:
                message = f"Taken out of the queue before it started{' again' if job.attempt else ''}."
                values |= {"status": RunStatus.STOPPED, "message": message, "ended_at": self._now}
            return self._own(job, values)

    def reorder(self, kind: str, names: Sequence[str]) -> None:
        """Let the queued jobs with these ids start first, in this order; the others keep theirs."""
        with self._writing() as (connection, _):
            waiting = select(_columns.id, _columns.rank).where(_waits(kind)).order_by(*_order)
            ranks = {row.id: row.rank for row in connection.execute(waiting)}
            first = [name for name in dict.fromkeys(names) if name in ranks]
            # Jobs that were moved earlier stay before those that never were.
            first += [name for name, rank in ranks.items() if rank is not None and name not in first]
            for rank, name in enumerate(first):
                self._write(_columns.id == name, {"rank": float(rank)})

    def explain(self, kind: str, message: str) -> None:
        """Write on the queued jobs of a kind why none can start; the message goes with their next claim."""
        unsaid = and_(_waits(kind), _columns.worker_failures == 0, _columns.message != message)
        for job in self._read(unsaid):
            self._write(and_(unsaid, _columns.id == job.id), {"message": message})

    # -- for workers -------------------------------------------------------------------------------------------------

    def claim(self, kinds: Collection[str], worker: Worker, *, offers: Collection[str] = ()) -> Job | None:
        """Take the next queued job of these kinds; None if there is none or all slots of this machine are taken.

        Args:
            kinds: Names in :data:`~aquadash.store.kinds.KINDS`.
            worker: The process that takes the job.
            offers: The requirements of jobs that the worker meets, such as ``"gpu"``.
        """
        following = select(_columns.id).where(_claimable(kinds, offers)).order_by(*_order).limit(1)
        values = {
            "status": RunStatus.RUNNING,
            "attempt": _columns.attempt + 1,
            "worker": asdict(worker),
            "slots_of": settings.slots_name(),
            "lease": self._now + LEASE_SECONDS,
            "progress": null(),
            "started_at": self._now,
            # The reason for the loss of a worker is kept until the end, an explanation of the wait is not.
            "message": case((_columns.worker_failures == 0, ""), else_=_columns.message),
        }
        # Most looks at the queue find nothing, and a transaction would lock the database.
        if not self._read(_claimable(kinds, offers)):
            return None
        return self._write(_columns.id == following.scalar_subquery(), values)

    def hand_over(self, job: Job, worker: Worker) -> Job:
        """Write which process works on a job that a slot has claimed for it; raise ``LeaseLostError`` if it is late."""
        return self._own(job, {"worker": asdict(worker), "lease": self._now + LEASE_SECONDS})

    def heartbeat(
        self, job: Job, progress: JobProgress | None, *, log_tail: str | None = None, advanced: bool = False
    ) -> bool:
        """Renew the lease of a claimed job; return whether it is to stop."""
        values: dict[str, Any] = {
            "lease": self._now + LEASE_SECONDS,
            "progress": asdict(progress) if progress else null(),
        }
        if log_tail is not None:
            values["log_tail"] = log_tail[-_LOG_TAIL_LIMIT:]
        if advanced:
            values["worker_failures"] = 0
        return self._own(job, values).stop_requested

    def end(self, job: Job, status: RunStatus, *, message: str = "", result: Mapping[str, Any] | None = None) -> None:
        """Write how a claimed job ended; raise ``LeaseLostError`` if it is no longer the worker's."""
        values = {
            "status": status,
            "message": message[:_MESSAGE_LIMIT],
            "result": dict(result or {}),
            "ended_at": self._now,
            "lease": null(),
        }
        self._own(job, values)

    def requeue(self, job: Job, reason: str, *, is_failure: bool = True) -> Job | None:
        """Put a job whose worker has ended back into the queue, or end it; None if this attempt runs no more.

        Args:
            job: The job as it was claimed.
            reason: The reason for people, without a full stop.
            is_failure: Whether the worker was lost; a job that loses several in a row fails.
        """
        mine = and_(_columns.id == job.id, _columns.attempt == job.attempt, _columns.status == RunStatus.RUNNING)
        with self._writing() as (connection, _):
            row = connection.execute(select(*_read_columns).where(mine)).mappings().one_or_none()
            return None if row is None else self._requeue_or_end(_job(row), reason, is_failure=is_failure)

    # -- within ------------------------------------------------------------------------------------------------------

    def _own(self, job: Job, values: Mapping[str, Any]) -> Job:
        """Write to a job if this attempt of it is still the latest."""
        mine = and_(_columns.id == job.id, _columns.attempt == job.attempt, _columns.status == job.status)
        written = self._write(mine, values)
        if written is None:
            raise LeaseLostError("The lease of this job has expired, so its worker may write nothing more.")
        return written

    def _write(self, where: ColumnElement[bool], values: Mapping[str, Any]) -> Job | None:
        with self._writing() as (connection, revision):
            changed = update(_jobs).where(where).values(**values, revision=revision).returning(*_read_columns)
            row = connection.execute(changed).mappings().one_or_none()
            return None if row is None else self._changed(row)

    def _changed(self, row: RowMapping) -> Job:
        """Write the status of a job to the run or search that it works on; return the job."""
        job = _job(row)
        if job.kind in _SUBJECTS:
            table, key = _SUBJECTS[job.kind]
            values: dict[str, Any] = {"status": job.status, "message": job.message}
            if table is schema.runs:
                values |= {"queued_at": job.submitted_at, "ended_at": job.ended_at}
                values |= {"started_at": job.started_at} if job.started_at is not None else {}
            changed = [table.c[name].is_distinct_from(value) for name, value in values.items()]
            if table is schema.runs and job.worker is not None:
                values["worker"] = asdict(job.worker)
                # PostgreSQL cannot compare whole JSON values.
                changed.append(table.c.worker["pid"].as_integer().is_distinct_from(job.worker.pid))
            with self._writing() as (connection, revision):
                subject = update(table).where(key == job.run, or_(*changed))
                connection.execute(subject.values(**values, revision=revision))
        return job

    def end_expired(self) -> None:
        """End or requeue the jobs that are lost."""
        with self.database.reading("read the jobs") as connection:
            expired = connection.execute(select(exists().where(or_(self._silent, self._lost)))).scalar()
        if not expired:
            return
        with self._writing() as (connection, _):
            silent, lost = (
                [_job(row) for row in connection.execute(select(*_read_columns).where(where)).mappings()]
                for where in (self._silent, self._lost)
            )
            # A process that is gone from this machine cannot renew its lease.
            lost += [job for job in silent if job.worker is not None and _is_gone(job.worker)]
            for job in lost:
                where = job.worker.title if job.worker else "its machine"
                self._requeue_or_end(job, f"The worker on {where} was lost (no heartbeat)")
            # Workers with a lease that has expired just now get some seconds to renew it.
            connection.execute(update(_jobs).where(self._silent).values(lease=-(self._now + DOUBT_SECONDS)))

    def _requeue_or_end(self, job: Job, reason: str, *, is_failure: bool = True) -> Job:
        kind, worker_failures = KINDS[job.kind], job.worker_failures + is_failure
        most, kept = kind.max_worker_failures, "What is complete is kept."
        if job.status is RunStatus.RUNNING and job.stop_requested:
            status, message = RunStatus.STOPPED, f"{reason} after it was asked to stop. {kept if most else ''}".strip()
        elif not most and is_failure:
            status, message = RunStatus.INTERRUPTED, f"{reason} before the {kind.title} was done. Start it again."
        elif is_failure and worker_failures >= most:
            status = RunStatus.FAILED
            message = (
                f"{worker_failures} workers in a row were lost with it; at last: {reason}. Is there enough memory for "
                f"it? {kept}"
            )
        else:
            status, message = RunStatus.QUEUED, f"{reason}; the next one goes on from what is complete."
        values = {
            "status": status,
            "message": message[:_MESSAGE_LIMIT],
            "worker_failures": worker_failures,
            "lease": null(),
            "ended_at": self._now if status.ended else null(),
        }
        written = self._write(_columns.id == job.id, values)
        assert written is not None
        return written

    def _read(self, where: ColumnElement[bool], *order: ColumnElement[Any]) -> list[Job]:
        self.end_expired()
        with self.database.reading("read the jobs") as connection:
            rows = connection.execute(
                select(*_read_columns).where(where).order_by(*order, _columns.position)
            ).mappings()
            return [_job(row) for row in rows]

    def _writing(self) -> AbstractContextManager[tuple[Connection, int]]:
        return self.database.writing("write the jobs")


def _claimable(kinds: Collection[str], offers: Collection[str]) -> ColumnElement[bool]:
    """Return the condition for jobs that a worker of this machine can take now."""
    running, one_per_person = _jobs.alias(), [name for name in kinds if KINDS[name].one_per_person]
    is_running = and_(running.c.kind == _columns.kind, running.c.status == RunStatus.RUNNING)
    of_the_same_person = exists().where(is_running, running.c.owner == _columns.owner)
    taken = select(func.count()).where(is_running, running.c.slots_of == settings.slots_name()).scalar_subquery()
    free = [and_(_columns.kind == name, taken < slots_of_kind(KINDS[name])) for name in kinds]
    return and_(
        or_(_columns.kind.not_in(one_per_person), ~of_the_same_person),
        _columns.status == RunStatus.QUEUED,
        or_(*free),
        _columns.needs.in_(["", *offers]),
    )


def slots_of_kind(kind: JobKind) -> int:
    """Return how many jobs of a kind a machine, or a worker of a cluster, works on at the same time."""
    return settings.slots() if kind.slots is None else kind.slots


def _is_gone(worker: Worker) -> bool:
    import psutil  # It takes 10 ms, and most commands need none.

    return (worker.host, worker.machine) == settings.this_machine() and not psutil.pid_exists(worker.pid)


def _waits(kind: str) -> ColumnElement[bool]:
    return and_(_columns.kind == kind, _columns.status == RunStatus.QUEUED)


def _turn(connection: Connection, kind: str, owner: str) -> int:
    """Return the turn of a person's new job: the present one, or the one after that of their last job."""
    active = and_(_columns.kind == kind, is_active)
    under_way = connection.execute(select(func.min(_columns.turn)).where(active)).scalar()
    last = connection.execute(select(func.max(_columns.turn)).where(active, _columns.owner == owner)).scalar()
    return max(under_way or 1, (last or 0) + 1)


def _job(row: RowMapping) -> Job:
    return _JOB.validate_python(dict(row))
