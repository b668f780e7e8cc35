"""The worker process: takes the jobs of a kind from the table, one after another, until none is left.

``python -m aquadash.jobs.worker KIND``, in a process session of its own, so that it outlives whoever submitted the job.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import EllipsisType
from typing import Any

from filelock import FileLock, Timeout

from aquadash import settings
from aquadash.errors import AquaDashError, RunError, StorageError
from aquadash.jobs import open_jobs
from aquadash.jobs.kinds import KINDS, Kind
from aquadash.jobs.processes import log_to, start_unattended
from aquadash.jobs.table import Jobs
from aquadash.jobs.types import Job, JobStatus, LeaseLostError, Progress, Stopped, Worker

_log = logging.getLogger("aquadash.jobs")

#: Seconds between two heartbeats: pages look no oftener.
HEARTBEAT_SECONDS = 1.0

#: Seconds between two looks of a worker that lingers.
_LOOK_SECONDS = 0.2

#: The database may fail so often in a row (a full disk, a server that restarts) before the work ends unseen.
_MAX_FAILURES = 30


def start(kind: str, run: str, request: Mapping[str, Any], *, owner: str = "") -> Job:
    """Submit a job, and start a worker that takes it, or leaves it to those that are at work already.

    Args:
        kind: A name in :data:`~aquadash.jobs.kinds.KINDS`.
        run: What it works on.
        request: What is asked for, as plain values for JSON.
        owner: The id of the person who asks; empty for the owner of the machine.

    Raises:
        RunError: It is queued or running already, or no process can be started, which the job then says, too.
        StorageError: The table cannot be written.
    """
    jobs = open_jobs()
    job = jobs.submit(kind, run, request, owner=owner)
    try:
        start_unattended([kind], log_path=settings.job_log(kind), module="aquadash.jobs.worker")
    except OSError as error:
        message = f"The process could not be started ({error.strerror or error})."
        jobs.end(job, JobStatus.FAILED, message=message)
        raise RunError(message) from error
    return job


class JobContext:
    """What the function of a kind has of its job.

    Attributes:
        run: What it works on.
        request: What was asked for.
    """

    def __init__(self, jobs: Jobs, job: Job, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.run = job.run
        self.request = job.request
        self._jobs = jobs
        self._job = job
        self._clock = clock
        self._began = clock()
        self._progress: Progress | None = None
        self._stop_requested = False
        self._lost: AquaDashError | None = None

    def report(self, phase: str, done: int = 0, total: int = 0, eta: float | None | EllipsisType = ...) -> None:
        """Say how far the work is, as often as you like; a thread sends the latest once a second.

        Args:
            phase: What is being done, in words for people.
            done: Steps done, of ``total``.
            total: All steps, 0 while unknown.
            eta: Seconds to the end, None while unknown; left out, it follows from the steps so far.

        Raises:
            Stopped: Somebody asked the job to stop.
            AquaDashError: The job is no longer this worker's, or the table has failed for too long.
        """
        if isinstance(eta, EllipsisType):
            eta = (self._clock() - self._began) * (total - done) / done if 0 < done < total else None
        self._progress = Progress(phase, done, total, eta)
        if self._lost is not None:
            raise self._lost
        if self._stop_requested:
            raise Stopped

    def report_fraction(self, phase: str, fraction: float | None) -> None:
        """:meth:`report` for work that knows how much of it is done, 0 to 1, or None while it does not."""
        self.report(phase, round(1000 * (fraction or 0.0)), 0 if fraction is None else 1000)

    @property
    def lost(self) -> bool:
        """True once the job is no longer this worker's, so that nothing of it may be stored."""
        return isinstance(self._lost, LeaseLostError)

    def beat(self) -> None:
        """Send one heartbeat."""
        self._stop_requested = self._jobs.heartbeat(self._job, self._progress) or self._stop_requested

    @contextmanager
    def beating(self, interval: float = HEARTBEAT_SECONDS) -> Iterator[None]:
        """Send heartbeats from a thread of their own while the block runs."""
        ended = threading.Event()
        thread = threading.Thread(
            target=self._beat_until, args=(ended, interval), name=f"heartbeat-{self._job.id}", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=10)

    def _beat_until(self, ended: threading.Event, interval: float) -> None:
        failures = 0
        while not ended.wait(interval):
            try:
                self.beat()
                failures = 0
            except LeaseLostError as error:
                self._lost = error
                return
            except StorageError as error:
                failures += 1
                _log.warning("could not report progress (%d in a row): %s", failures, error)
                if failures >= _MAX_FAILURES:
                    self._lost = error
                    return


def do_job(jobs: Jobs, job: Job) -> None:
    """Do a job that this process has claimed, and write how it ended; no exception leaves one that looks alive."""
    kind = KINDS[job.kind]
    context = JobContext(jobs, job)
    with context.beating():
        status, message, result = _done(kind, context)
    _log.info("%s: %s. %s", job.id, status, message or result)
    try:
        jobs.end(job, status, message=message, result=result)
    except LeaseLostError as error:
        _log.warning("%s: %s", job.id, error)


def _done(kind: Kind, context: JobContext) -> tuple[JobStatus, str, Mapping[str, Any]]:
    """How the work has ended: its status, why, and what it has found."""
    try:
        module, _, function = kind.work.partition(":")
        return JobStatus.FINISHED, "", getattr(importlib.import_module(module), function)(context)
    except Stopped as stopped:
        return JobStatus.STOPPED, str(stopped), {}
    except AquaDashError as error:
        _log.error("%s", error)
        reason = str(error)
    except (MemoryError, BrokenProcessPool):
        # A pool breaks when the system ends one of its processes, which it does when memory is short.
        _log.exception("out of memory")
        reason = "The machine ran out of memory. Close other programs and start it again."
    except OSError as error:
        _log.exception("the %s failed", kind.title)
        reason = f"The computer refused: {error.strerror or error}. Is the disk full or read-only?"
    except Exception as error:
        _log.exception("the %s failed", kind.title)
        reason = f"An unexpected error ended the {kind.title}: {type(error).__name__}: {error}"
    return JobStatus.FAILED, reason, {}


def main(kind_name: str) -> int:
    """Work until no job of the kind is left, or leave it to the workers of this machine that have all its slots."""
    kind = KINDS[kind_name]
    if hasattr(os, "nice"):
        # The processes that this one starts inherit it.
        os.nice(kind.niceness)
    jobs, here = open_jobs(), Worker(socket.gethostname(), os.getpid())
    while slot := _free_slot(kind):
        try:
            while job := _next(jobs, kind, here):
                log_to(settings.job_log(job.id))
                do_job(jobs, job)
        finally:
            slot.release()
        # Whoever found the slot taken a moment ago has left its job to us.
        if not jobs.waiting([kind.name]):
            break
    return 0


def _next(jobs: Jobs, kind: Kind, here: Worker) -> Job | None:
    """Claim the next job; None where none has come for as long as the kind's workers linger."""
    until = time.monotonic() + kind.linger
    while (job := jobs.claim([kind.name], here)) is None and time.monotonic() < until:
        while time.monotonic() < until and not jobs.waiting([kind.name]):
            time.sleep(_LOOK_SECONDS)
    return job


def _free_slot(kind: Kind) -> FileLock | None:
    """A lock that stands for one of the kind's slots here; the system lets go of it however the process dies."""
    folder = settings.home() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(kind.slots):
        lock = FileLock(folder / f"{kind.name}-{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return lock
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
