"""Slots: threads of this process that claim jobs, each with a worker process that does the job."""

import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.store import Job, Worker
from aquadash.store.jobs import JobTable
from aquadash.store.kinds import KINDS, JobKind
from aquadash.store.runs import KIND
from aquadash.work.standby import STANDBY

_log = logging.getLogger("aquadash.work")

#: Seconds between two looks at the queue when nothing wakes the thread.
LOOK_SECONDS = 1.0

_POLL_SECONDS = 0.5

#: Seconds between two renewals of the lease of a job whose worker has not begun.
RENEW_SECONDS = 5.0

#: Seconds that a worker has to end a job that is to stop, if its kind has a limit of seconds.
STOP_SECONDS = 5.0


def carry_out(jobs: JobTable, job: Job, *, slot_ends: Callable[[], bool] = lambda: False) -> None:
    """Have a worker process do a job that this process has claimed; requeue or end the job if its worker is lost.

    If the slot ends first, the worker goes on by itself.
    """
    kind, log_path = KINDS[job.kind], settings.job_log(job.id)
    try:
        process = STANDBY.launch([job.kind, job.id, str(job.attempt)], log_path=log_path)
    except OSError as error:
        jobs.requeue(job, f"No worker could be started ({error.strerror or error})")
        return
    renewed_at, stop_at = time.monotonic(), math.inf
    while (exit_status := process.wait(_POLL_SECONDS)) is None:
        now = time.monotonic()
        if slot_ends():
            return
        if process.pid is None:
            # On a busy machine the standby process loads TensorFlow for longer than a lease.
            if now - renewed_at > RENEW_SECONDS:
                jobs.heartbeat(job, None)
                renewed_at = now
        elif kind.max_seconds is not None and (row := jobs.get(job.id)) is not None and row.stop_requested:
            # A library that reads a hostile file may never return.
            stop_at = min(stop_at, now + STOP_SECONDS)
            if now >= stop_at:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
    if exit_status:
        jobs.requeue(job, _describe_loss(exit_status, kind, log_path))


def _describe_loss(exit_status: int, kind: JobKind, log_path: Path) -> str:
    if exit_status == -signal.SIGALRM:
        return f"The {kind.title} took more than {kind.max_seconds or 0.0:,.0f} seconds and was ended"
    reason = f"signal {signal.Signals(-exit_status).name}" if exit_status < 0 else f"exit status {exit_status}"
    return f"The worker on {Worker.of(os.getpid()).title} was lost ({reason}; its log is {log_path})"


def held() -> bool:
    """Return whether the teacher has paused the queue, also if another process serves the class."""
    if not (settings.classroom() or _class_is_served()):
        return False
    from aquadash.classroom.limits import in_force

    return in_force().paused


def _class_is_served() -> bool:
    lock = settings.class_lock()
    # FileLock creates a missing file, also in a home without a class.
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


class Slots:
    """Gives queued jobs to worker processes from :meth:`serve` on, as many at once as there are slots.

    Args:
        jobs: Returns the table of jobs.
        kinds: Returns the kinds of jobs to take, before each look at the queue.
        offers: Returns the requirements of jobs that this machine meets.
    """

    def __init__(
        self,
        jobs: Callable[[], JobTable],
        kinds: Callable[[], set[str]] = lambda: set(KINDS),
        *,
        offers: Callable[[], Collection[str]] = settings.offers,
    ) -> None:
        self._jobs, self._kinds, self._offers = jobs, kinds, offers
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._complaint = ""

    def serve(self) -> None:
        """Start the thread that looks at the queue, or wake it."""
        with self._lock:
            if self._thread is None:
                self._ending.clear()
                self._thread = threading.Thread(target=self._serve, name="aquadash-slots", daemon=True)
                self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """End the thread; workers go on by themselves. The slots may be used again afterwards."""
        self._ending.set()
        self._wake.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)

    def _serve(self) -> None:
        while not self._ending.is_set():
            try:
                self.look()
                self._complaint = ""
            except AquaDashError as error:
                # Logged once: a scheduler may be away for hours.
                if str(error) != self._complaint:
                    _log.warning("%s", error)
                self._complaint = str(error)
            except Exception:
                _log.exception("the queue could not be looked after")
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def look(self) -> None:
        """Claim queued jobs while slots are free, and start a thread for each."""
        kinds = self._kinds()
        if held():
            kinds.discard(KIND)
        while kinds and (job := self._jobs().claim(kinds, Worker.of(os.getpid()), offers=self._offers())) is not None:
            threading.Thread(target=self._carry_out, args=(job,), name=f"slot-{job.id}", daemon=True).start()

    def _carry_out(self, job: Job) -> None:
        try:
            carry_out(self._jobs(), job, slot_ends=self._ending.is_set)
        except AquaDashError as error:
            _log.warning("%s: %s", job.id, error)
        self._wake.set()
