"""The worker process.

``python -m aquadash.work.worker KIND JOB ATTEMPT`` does the job that a slot has claimed for it. ``... KIND`` alone
claims jobs of that kind one after another. It has a process session of its own, so that it outlives the app.
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
from aquadash.errors import AquaDashError, RunError, StorageError
from aquadash.store import open_jobs
from aquadash.store.job_types import Job, JobProgress, JobStatus, LeaseLostError, Stopped, Worker
from aquadash.store.kinds import KINDS, JobKind, named
from aquadash.work.processes import log_to
from aquadash.work.standby import STANDBY, WorkerProcess

if TYPE_CHECKING:
    from aquadash.store.jobs import JobTable

_log = logging.getLogger("aquadash.work")

#: Seconds between two heartbeats: pages look no oftener.
HEARTBEAT_SECONDS = 1.0

#: Seconds between two looks of a worker that lingers, or at one that is to stop.
_LOOK_SECONDS = 0.2

#: Seconds that a worker has to end a job that somebody stops.
STOP_SECONDS = 5.0

#: The database may fail so often in a row (a full disk, a server that restarts) before the work ends unseen.
_MAX_FAILURES = 30

_LOG_TAIL_BYTES = 6000


def start(kind: str, run: str, request: Mapping[str, Any], *, owner: str = "") -> Job:
    """Submit a job, and start a worker that takes it, or leaves it to those that are at work already.

    Arguments are as of :meth:`aquadash.store.jobs.JobTable.submit`.

    Raises:
        RunError: It is queued or running already, or no process can be started, which the job then says, too.
        StorageError: The table cannot be written.
    """
    jobs = open_jobs()
    job = jobs.submit(kind, run, request, owner=owner)
    try:
        worker = STANDBY.launch([kind], log_path=settings.job_log(kind))
    except OSError as error:
        message = f"The process could not be started ({error.strerror or error})."
        jobs.end(job, JobStatus.FAILED, message=message)
        raise RunError(message) from error
    # Or it would stay in the table of processes as long as the app lives.
    threading.Thread(target=_look_after, args=(kind, worker), name=f"worker-{kind}", daemon=True).start()
    return job


def _look_after(kind: str, worker: WorkerProcess) -> None:
    """Wait for a worker's end. After one that was lost with a job, write so, and start another for those that wait."""
    while (exit_status := worker.wait(60.0)) is None:
        pass
    if not exit_status or worker.pid is None:
        return
    try:
        jobs, lost = open_jobs(), Worker.of(worker.pid)
        own = [job for job in jobs.find(kind=kind) if job.worker == lost]
        for job in own:
            jobs.requeue(job, _how_lost(exit_status, KINDS[kind]))
        if own and jobs.waiting([kind]):
            _look_after(kind, STANDBY.launch([kind], log_path=settings.job_log(kind)))
    except (AquaDashError, OSError) as error:
        _log.warning("%s", error)


def _how_lost(exit_status: int, kind: JobKind) -> str:
    if exit_status == -getattr(signal, "SIGALRM", 0):
        return f"The {kind.title} took more than {kind.max_seconds or 0.0:,.0f} seconds and was ended"
    killed = f"was killed ({signal.Signals(-exit_status).name})" if exit_status < 0 else f"ended ({exit_status})"
    return f"The process of the {kind.title} {killed}; memory may have run out,"


def stop(job: str) -> Job:
    """Ask a job to stop, as :meth:`~aquadash.store.jobs.JobTable.request_stop`.

    Where the kind of the job has a limit of seconds, a worker of this machine that has not ended it within
    :data:`STOP_SECONDS` is killed: a library that reads a hostile file may never return.
    """
    asked = open_jobs().request_stop(job)
    here = asked.worker is not None and asked.worker == Worker.of(asked.worker.pid)
    limited = asked.kind in KINDS and KINDS[asked.kind].max_seconds is not None
    if here and limited and not asked.status.ended:
        threading.Thread(target=_kill_unless_ended, args=(asked,), name=f"stop-{job}", daemon=True).start()
    return asked


def _kill_unless_ended(asked: Job) -> None:
    until = time.monotonic() + STOP_SECONDS
    try:
        while (job := open_jobs().get(asked.id)) and job.attempt == asked.attempt and not job.status.ended:
            if time.monotonic() < until:
                time.sleep(_LOOK_SECONDS)
                continue
            assert job.worker is not None
            with suppress(psutil.NoSuchProcess):
                psutil.Process(job.worker.pid).kill()
            open_jobs().requeue(job, f"Its process did not answer within {STOP_SECONDS:.0f} seconds and was ended")
            return
    except (AquaDashError, psutil.Error) as error:
        _log.warning("%s was not stopped: %s", asked.id, error)


class JobContext:
    """What the function of a kind has of its job.

    Attributes:
        run: What it works on.
        request: What was asked for.
    """

    def __init__(self, jobs: JobTable, job: Job, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.run = job.run
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
        """Say how far the work is, as often as you like; a thread sends the latest once a second, a new phase at once.

        Args:
            phase: What is being done, in words for people.
            done: Steps done, of ``total``.
            total: All steps, 0 while unknown.
            eta: Seconds to the end, None while unknown; left out, it follows from the steps so far.
            details: What else there is to say, as plain values for JSON.

        Raises:
            Stopped: Somebody asked the job to stop.
            AquaDashError: The job is no longer this worker's, or the table has failed for too long.
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
        """:meth:`report` for work that knows how much of it is done, 0 to 1, or None while it does not."""
        self.report(phase, round(1000 * (fraction or 0.0)), 0 if fraction is None else 1000)

    def _app_has_ended(self) -> bool:
        return os.getppid() != self._parent or not psutil.pid_exists(self._parent)

    @property
    def lost(self) -> bool:
        """True once the job is no longer this worker's, so that nothing of it may be stored."""
        return isinstance(self._lost, LeaseLostError)

    @property
    def worker(self) -> Worker:
        """The process that does it."""
        assert self._job.worker is not None
        return self._job.worker

    @property
    def log_path(self) -> Path:
        """Where this process writes its log while it does the job."""
        return settings.job_log(self._job.id)

    def beat(self, *, advanced: bool = False) -> None:
        """Send one heartbeat.

        Args:
            advanced: A part of the work is complete and kept, so that workers that were lost before do not count.

        Raises:
            LeaseLostError: The job is no longer this worker's.
        """
        tail = _end_of(self.log_path)
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
                if KINDS[self._job.kind].ends_with_app and self._app_has_ended():
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
    """The end of a log from a whole line on; empty where there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text if size <= _LOG_TAIL_BYTES else text.partition("\n")[2]


def do_job(jobs: JobTable, job: Job) -> None:
    """Do a job that this process has, and write how it ended; no exception leaves one that looks alive."""
    kind = KINDS[job.kind]
    context = JobContext(jobs, job)
    with context.beating():
        status, message, result = _outcome(kind, context)
        _log.info("%s: %s. %s", job.id, status, message or result)
        try:
            context.beat()
            jobs.end(job, status, message=message, result=result)
        except LeaseLostError as error:
            _log.warning("%s: %s", job.id, error)
            return
    if status is JobStatus.FINISHED and kind.finished:
        named(kind.finished)(job.run)


def _outcome(kind: JobKind, context: JobContext) -> tuple[JobStatus, str, Mapping[str, Any]]:
    """Do the work; return the status, the reason, and what was found."""
    try:
        return JobStatus.FINISHED, "", named(kind.work)(context)
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


def main(arguments: Sequence[str]) -> int:
    """Do a job that was claimed for this process, or claim jobs of a kind until none is left.

    Args:
        arguments: The kind, and perhaps the id and the attempt of a claimed job.

    Returns:
        The exit status.
    """
    kind = KINDS[arguments[0]]
    if hasattr(os, "nice"):
        # Child processes inherit it.
        os.nice(kind.niceness)
    jobs, here = open_jobs(), Worker.of(os.getpid())
    if len(arguments) > 1:
        claimed = jobs.get(arguments[1])
        # Its lease may have expired before this process had begun.
        if claimed and claimed.attempt == int(arguments[2]) and claimed.status is JobStatus.RUNNING:
            with suppress(LeaseLostError):
                own = jobs.hand_over(claimed, here)
                with _process_of(own, kind):
                    do_job(jobs, own)
        return 0
    while job := _next(jobs, kind, here):
        with _process_of(job, kind):
            do_job(jobs, job)
    return 0


@contextmanager
def _process_of(job: Job, kind: JobKind) -> Iterator[None]:
    """Log to the job's file, and have the system kill this process after the kind's seconds.

    A timer of the system works while compiled code holds Python's lock, a thread or a signal handler does not.
    """
    log_to(settings.job_log(job.id))
    timer = kind.max_seconds is not None and hasattr(signal, "setitimer")
    if timer:
        signal.setitimer(signal.ITIMER_REAL, kind.max_seconds or 0.0)
    try:
        yield
    finally:
        if timer:
            signal.setitimer(signal.ITIMER_REAL, 0.0)


def _next(jobs: JobTable, kind: JobKind, here: Worker) -> Job | None:
    """Claim the next job; None where none has come for as long as the kind's workers linger."""
    until = time.monotonic() + kind.linger
    while (job := jobs.claim([kind.name], here)) is None and time.monotonic() < until:
        if jobs.queue(kind.name):
            break
        time.sleep(_LOOK_SECONDS)
    if job is None and jobs.queue(kind.name) and jobs.end_gone(kind.name):
        return jobs.claim([kind.name], here)
    # If all slots are taken, the workers that have them take the next job.
    return job


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
