"""The records of a job, and the exceptions that end one early."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aquadash import settings
from aquadash.errors import AquaDashError

#: Seconds from a heartbeat to the end of the lease. Workers send one a second, but loading TensorFlow on a busy machine
#: can delay them by ten.
LEASE_SECONDS = 20.0


class Stopped(Exception):
    """Ends a job that is to stop; the text says what is kept.

    Work that handles an :class:`~aquadash.errors.AquaDashError` and goes on must not handle this one.
    """

    def __init__(self, message: str = "Stopped by request.") -> None:
        super().__init__(message)


class LeaseLostError(AquaDashError):
    """The worker's lease has expired, so that it may write nothing more to the job."""


def job_id(kind: str, run: str) -> str:
    """Return the id of the job of a kind on a subject."""
    return f"{kind}-{run}"


class RunStatus(StrEnum):
    """The state of a run, a job or a search: ``queued -> running -> finished | stopped | failed | interrupted``.

    ``unreadable`` is never stored: a run with a damaged row has it.
    """

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    UNREADABLE = "unreadable"

    @property
    def ended(self) -> bool:
        """True when nothing changes the status until it is queued again."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)

    @property
    def resumable(self) -> bool:
        """True when a run can go on from its last complete epoch."""
        return self in (RunStatus.STOPPED, RunStatus.FAILED, RunStatus.INTERRUPTED)


@dataclass(frozen=True)
class Worker:
    """A process that works on a job."""

    #: The machine's name in the network.
    host: str
    pid: int
    #: Digits that differ between machines of one name, such as clones of one disk.
    machine: str = ""
    #: The worker's name in the cluster; empty without a cluster.
    name: str = field(default="", compare=False)

    @classmethod
    def of(cls, pid: int) -> Worker:
        """Return the process of this machine with that id."""
        host, machine = settings.this_machine()
        return cls(host, pid, machine, settings.worker_name())

    @property
    def title(self) -> str:
        """The worker's name in the cluster, else that of the machine."""
        return self.name or self.host


@dataclass(frozen=True)
class JobProgress:
    """The progress of a job."""

    #: The present step in words for people: ``"loading the data"``.
    phase: str
    #: Steps done, of ``total``.
    done: int = 0
    #: All steps, 0 while unknown.
    total: int = 0
    #: Seconds to the end, None while unknown.
    eta: float | None = None
    #: More values of this kind of work, plain for JSON.
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def fraction(self) -> float | None:
        """The done fraction, 0 to 1; None while unknown."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True)
class Job:
    """A row of the table. Times are in seconds since 1970 UTC by the database's clock."""

    #: The id, which follows from kind and subject: a repeated request uses the same row.
    id: str
    #: A name in :data:`~aquadash.store.kinds.KINDS`.
    kind: str
    #: The subject: the id of a run, or another text.
    run: str
    #: The id of the person who submitted it; empty for the owner of the machine.
    owner: str
    #: The requirement on the worker, such as ``"gpu"``; empty for none.
    needs: str
    #: The arguments of the work, as plain values.
    request: dict[str, Any]
    status: RunStatus
    #: The number of claims.
    attempt: int
    #: Workers in a row that were lost before the job made progress.
    worker_failures: int
    #: The process of the latest claim; None before the first.
    worker: Worker | None
    #: The latest report of the worker; None before the first.
    progress: JobProgress | None
    #: The result of a finished job, as few plain values; empty otherwise.
    result: dict[str, Any]
    #: The reason for a failure, a stop or a requeue as plain text; empty otherwise.
    message: str
    #: The last lines of the worker's output.
    log_tail: str
    #: True once a person has asked the job to stop.
    stop_requested: bool
    #: The time of the latest submission.
    submitted_at: float
    #: The time of the latest claim; None before the first.
    started_at: float | None
    #: The time of the end; None before.
    ended_at: float | None
    #: The database's revision of the latest write to the row.
    revision: int
