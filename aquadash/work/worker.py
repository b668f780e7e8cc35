"""The worker process: ``python -m aquadash.work.worker KIND JOB ATTEMPT`` does a job that a slot has claimed.

The process has a session of its own, so that it outlives the app.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import psutil

from aquadash import settings
from aquadash.errors import AquaDashError, StorageError
from aquadash.store import open_jobs
from aquadash.store.job_types import Job, JobProgress, LeaseLostError, RunStatus, Stopped, Worker
from aquadash.store.kinds import KINDS, JobKind, named
from aquadash.work.processes import log_to

if TYPE_CHECKING:
    from aquadash.store.jobs import JobTable

_log = logging.getLogger("aquadash.work")

#: Seconds between two heartbeats: pages look no oftener.
HEARTBEAT_SECONDS = 1.0

#: Failed heartbeats in a row (a full disk, a server that restarts) after which the work ends.
_MAX_FAILURES = 30

_LOG_TAIL_BYTES = 6000


class JobContext:
    """The job as the function of its kind sees it."""

    def __init__(self, jobs: JobTable, job: Job, *, clock: Callable[[], float] = time.monotonic) -> None:
        #: The subject of the job.
        self.run = job.run
        #: The arguments of the work.
        self.request = job.request
        self._jobs = jobs
        self._job = job
        self._clock = clock
        self._parent = os.getppid()
        self._began = clock()
        self._progress: JobProgress | None = None
        self._log_tail: str | None = None
        self._news = threading.Event()
        self._stop_requested = False
        self._lost: AquaDashError | None = None

    def report(
        self,
        phase: str,
        done: int = 0,
        total: int = 0,
        eta: float | None | EllipsisType = ...,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Set the progress, as often as you like; a thread sends the latest once a second, a new phase at once.

        Args:
            phase: The present step in words for people.
            done: Steps done, of ``total``.
            total: All steps, 0 while unknown.
            eta: Seconds to the end, None while unknown; computed from the steps so far if left out.
            details: More values, plain for JSON.

        Raises:
            Stopped: The job is to stop.
            AquaDashError: The job is no longer this worker's, or the database has failed for too long.
        """
        if isinstance(eta, EllipsisType):
            eta = (self._clock() - self._began) * (total - done) / done if 0 < done < total else None
        earlier, self._progress = self._progress, JobProgress(phase, done, total, eta, dict(details or {}))
        if earlier is None or earlier.phase != phase:
            self._news.set()
        if self._lost is not None:
            raise self._lost
        if self._stop_requested:
            raise Stopped

    def report_fraction(self, phase: str, fraction: float | None) -> None:
        """Set the progress by the done fraction, 0 to 1, or None while it is unknown; see :meth:`report`."""
        self.report(phase, round(1000 * (fraction or 0.0)), 0 if fraction is None else 1000)

    @property
    def lost(self) -> bool:
        """True once the job is no longer this worker's, so that nothing of it may be stored."""
        return isinstance(self._lost, LeaseLostError)

    def beat(self, *, advanced: bool = False) -> None:
        """Send one heartbeat; raise ``LeaseLostError`` if the job is no longer this worker's.

        Args:
            advanced: Whether a part of the work is complete and kept: earlier losses of workers no longer count then.
        """
        tail = _end_of(settings.job_log(self._job.id))
        new = tail if tail != self._log_tail else None
        stop = self._jobs.heartbeat(self._job, self._progress, log_tail=new, advanced=advanced)
        self._log_tail = tail
        self._stop_requested = stop or self._stop_requested

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
            self._news.set()
            thread.join(timeout=10)

    def _beat_until(self, ended: threading.Event, interval: float) -> None:
        failures = 0
        while True:
            self._news.wait(interval)
            self._news.clear()
            if ended.is_set():
                return
            try:
                app_has_ended = os.getppid() != self._parent or not psutil.pid_exists(self._parent)
                if KINDS[self._job.kind].ends_with_app and app_has_ended:
                    self._jobs.requeue(self._job, "AquaDash was ended", is_failure=False)
                    os._exit(1)
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


def _end_of(log: Path) -> str:
    """Return the last whole lines of a log; empty for a missing file."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text if size <= _LOG_TAIL_BYTES else text.partition("\n")[2]


def do_job(jobs: JobTable, job: Job) -> None:
    """Do a job that this process has, and write how it ended, also after an unexpected exception."""
    kind = KINDS[job.kind]
    context = JobContext(jobs, job)
    with context.beating():
        status, message, result = _outcome(kind, context)
        ending = message or result
        _log.info("%s: %s%s", job.id, status, f". {ending}" if ending else "")
        try:
            context.beat()
            jobs.end(job, status, message=message, result=result)
        except LeaseLostError as error:
            _log.warning("%s: %s", job.id, error)
            return
    if status is RunStatus.FINISHED and kind.finished:
        named(kind.finished)(job.run)


def _outcome(kind: JobKind, context: JobContext) -> tuple[RunStatus, str, Mapping[str, Any]]:
    """Do the work; return the status, the message and the result."""
    try:
        return RunStatus.FINISHED, "", named(kind.work)(context)
    except Stopped as stopped:
        return RunStatus.STOPPED, str(stopped), {}
    except AquaDashError as error:
        _log.error("%s", error)
        reason = str(error)
    except (MemoryError, BrokenProcessPool):
        # A pool breaks when the system kills one of its processes for lack of memory.
        _log.exception("out of memory")
        reason = "The machine ran out of memory. Close other programs and start it again."
    except OSError as error:
        _log.exception("the %s failed", kind.title)
        reason = f"The computer refused: {error.strerror or error}. Is the disk full or read-only?"
    except Exception as error:
        _log.exception("the %s failed", kind.title)
        reason = f"An unexpected error ended the {kind.title}: {type(error).__name__}: {error}"
    return RunStatus.FAILED, reason, {}


def main(arguments: Sequence[str]) -> int:
    """Do the job that a slot has claimed for this process: its kind, id and attempt; return the exit status."""
    kind_name, job_id, attempt = arguments
    kind, jobs = KINDS[kind_name], open_jobs()
    os.nice(kind.niceness)  # Child processes inherit it.
    claimed = jobs.get(job_id)
    # The lease may have expired before this process had begun.
    if claimed and claimed.attempt == int(attempt) and claimed.status is RunStatus.RUNNING:
        with suppress(LeaseLostError):
            job = jobs.hand_over(claimed, Worker.of(os.getpid()))
            log_to(settings.job_log(job.id))
            # A system timer works while compiled code holds Python's lock; a thread or a signal handler does not.
            if kind.max_seconds is not None:
                signal.setitimer(signal.ITIMER_REAL, kind.max_seconds)
            do_job(jobs, job)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
