"""The records of a job, and what ends one early."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aquadash import settings
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

    #: The machine's name in the network.
    host: str
    pid: int
    #: Digits that differ between machines of one name, such as clones of one disk.
    machine: str = ""
    #: What the cluster calls the worker; empty without a cluster.
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
    """How far a job is."""

    #: What it does, in words for people: ``"loading the data"``.
    phase: str
    #: Steps done, of ``total``.
    done: int = 0
    #: All steps, 0 while unknown.
    total: int = 0
    #: Seconds to the end, None while unknown.
    eta: float | None = None
    #: What else there is to say of work of this kind, as plain values for JSON.
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def fraction(self) -> float | None:
        """What is done, 0 to 1; None while unknown."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True)
class Job:
    """A row of the table. Times are in seconds since 1970 UTC by the database's clock."""

    #: What it is known by; it follows from kind and run, so that the same work has the same row again.
    id: str
    #: A name in :data:`~aquadash.store.kinds.KINDS`.
    kind: str
    #: The resource that it works on: the id of a run, or another text.
    run: str
    #: The id of the person who asked for it; empty for the owner of the machine.
    owner: str
    #: Its number in the order in which jobs were submitted.
    position: float
    #: What a worker must have to be given it, see :meth:`~aquadash.store.jobs.JobTable.claim`.
    needs: str
    #: What was asked for, as plain values.
    request: dict[str, Any]
    #: See :class:`JobStatus`.
    status: JobStatus
    #: How often it was claimed.
    attempt: int
    #: How many workers in a row were lost with it before it got on.
    worker_failures: int
    #: Who has or had it; None before the first claim.
    worker: Worker | None
    #: What its worker reported last; None before that.
    progress: JobProgress | None
    #: What a finished one has found, as few plain values; empty otherwise.
    result: dict[str, Any]
    #: Why it failed, stopped or was put back; plain text, empty otherwise.
    message: str
    #: The end of what its worker has printed.
    log_tail: str
    #: True once somebody asked it to stop.
    stop_requested: bool
    #: When it was (last) asked for.
    submitted_at: float
    #: When it was (last) claimed, None before.
    started_at: float | None
    #: When it ended, None before.
    ended_at: float | None
    #: Of the table, when the row was written.
    revision: int
