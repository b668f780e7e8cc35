"""The records of a job, and what ends one early."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aquadash.errors import AquaDashError

#: A job of which nobody has said anything for so long is doubted. Workers report once a second; loading TensorFlow on a
#: busy machine, at a low priority, keeps one silent for ten.
LEASE_SECONDS = 20.0


class Stopped(Exception):
    """Somebody asked the job to stop; the text tells people what is kept.

    It is no :class:`~aquadash.errors.AquaDashError`: work that gets over one of those must not get over this.
    """

    def __init__(self, message: str = "Stopped by request.") -> None:
        super().__init__(message)


class Requeued(Exception):
    """This worker ends, and the next goes on with the job.

    Attributes:
        is_failure: It counts as a lost worker.
    """

    def __init__(self, reason: str, *, is_failure: bool) -> None:
        super().__init__(reason)
        self.is_failure = is_failure


class LeaseLostError(AquaDashError):
    """The worker was silent for too long, so that the job is no longer its own: it may write nothing more."""


def job_id(kind: str, run: str) -> str:
    """What the job of a kind on a resource is known by."""
    return f"{kind}-{run}"


class JobStatus(StrEnum):
    """Where a job is: ``queued -> running -> finished | stopped | failed | interrupted``."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """True when nothing more will happen unless somebody submits the job again."""
        return self not in (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True)
class Worker:
    """Which process works or worked on it."""

    host: str
    pid: int


@dataclass(frozen=True)
class JobProgress:
    """How far a job is.

    Attributes:
        phase: What it does, in words for people: ``"loading the data"``.
        done: Steps done, of ``total``.
        total: All steps, 0 while unknown.
        eta: Seconds to the end, None while unknown.
        details: What else there is to say of work of this kind, as plain values for JSON.
    """

    phase: str
    done: int = 0
    total: int = 0
    eta: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def fraction(self) -> float | None:
        """What is done, 0 to 1; None while unknown."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True)
class Job:
    """A row of the table. Times are in seconds since 1970 UTC by the database's clock.

    Attributes:
        id: What it is known by; it follows from kind and run, so that the same work has the same row again.
        kind: A name in :data:`~aquadash.jobs.kinds.KINDS`.
        run: The resource that it works on: the id of a run, or another text.
        owner: The id of the person who asked for it; empty for the owner of the machine.
        position: Its number in the order in which jobs were submitted.
        needs: What a worker must have to be given it, see :meth:`~aquadash.jobs.table.JobTable.claim`.
        request: What was asked for, as plain values.
        status: See :class:`JobStatus`.
        attempt: How often it was claimed.
        worker_failures: How many workers in a row were lost with it before it got on.
        worker: Who has or had it; None before the first claim.
        progress: What its worker reported last; None before that.
        result: What a finished one has found, as few plain values; empty otherwise.
        message: Why it failed, stopped or was put back; plain text, empty otherwise.
        log_tail: The end of what its worker has printed.
        stop_requested: True once somebody asked it to stop.
        submitted_at: When it was (last) asked for.
        started_at: When it was (last) claimed, None before.
        ended_at: When it ended, None before.
        revision: Of the table, when the row was written.
    """

    id: str
    kind: str
    run: str
    owner: str
    position: float
    needs: str
    request: dict[str, Any]
    status: JobStatus
    attempt: int
    worker_failures: int
    worker: Worker | None
    progress: JobProgress | None
    result: dict[str, Any]
    message: str
    log_tail: str
    stop_requested: bool
    submitted_at: float
    started_at: float | None
    ended_at: float | None
    revision: int
