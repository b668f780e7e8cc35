"""Slots: Dask says where one is free, and whoever has it takes the next job from the table and does it."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from aquadash import __version__, settings
from aquadash.engine.connecting import connect, usable
from aquadash.errors import AquaDashError, RunError
from aquadash.jobs import JobStatus, Worker, open_jobs
from aquadash.jobs.kinds import KINDS
from aquadash.jobs.standby import STANDBY
from aquadash.jobs.worker import free_slot, record_end
from aquadash.runs import open_store
from aquadash.runs.reading import KIND

if TYPE_CHECKING:
    from distributed import Client, Future

    from aquadash.jobs.table import JobTable

_log = logging.getLogger("aquadash.cluster")

#: Seconds between two looks at the queue when nobody says that something is new.
_LOOK_SECONDS = 1.0

_POLL_SECONDS = 0.5

_NOTHING = "nothing to do"

#: Seconds for which a Dask worker that is set up wrongly is given nothing.
_REFUSED_SECONDS = 30.0


def take_next(kind: str, version: str, database: str, *, slot_ends: Callable[[], bool] | None = None) -> str:
    """Let a worker of this machine do the next job, and wait for its end; returns how that went, in a word or two.

    Dask runs this in a slot, which is a thread of this process or of a Dask worker elsewhere. Whether the slot is lost
    or the worker: the job is taken up again by whoever has the next slot.
    """
    _log_to_stderr()
    host = socket.gethostname()
    if version != __version__:
        raise RunError(
            f"The worker on {host} has AquaDash {__version__}, and the app has {version}. Install the same version on "
            "every machine of the cluster, and start its worker again."
        )
    jobs = open_jobs()
    if jobs.identity() != database:
        raise RunError(
            f"The worker on {host} looks for runs in another database than the app. Give both the same "
            "AQUADASH_DATABASE (docs/cluster.md), and start the worker again."
        )
    if not jobs.waiting([kind], offers=settings.offers()):
        return _NOTHING
    if (slot := free_slot(KINDS[kind])) is None:
        # A worker that waited for one would take the next job even after the queue was paused.
        return _NOTHING
    slot.release()
    if settings.store_is_shared():
        # While it is away, each worker would be lost with its run.
        open_store().identity()
    log_path = settings.job_log(kind)
    process = STANDBY.launch([kind, "--once"], log_path=log_path)
    while (exit_status := process.wait(_POLL_SECONDS)) is None:
        if (slot_ends or _dask_worker_ends)():
            return "left running"
    if exit_status:
        worker = Worker(host, process.pid or 0)
        jobs.requeue(worker, f"The worker on {host} was lost ({_reason(exit_status)})")
        had_one = any(job.worker == worker for job in jobs.find(kind=kind))
        if not had_one and jobs.claim([kind], worker, offers=settings.offers()):
            # It could not even begin, and without this it would be tried for ever.
            jobs.requeue(worker, f"A worker on {host} could not start ({_reason(exit_status)}; its log is {log_path})")
    return "done"


def held() -> bool:
    """Whether nothing that waits is to begin: the teacher of a class, be it served by another process, has paused the
    queue."""
    if not (settings.classroom() or _class_is_served()):
        return False
    from aquadash.classroom.limits import in_force

    return in_force().paused


def _class_is_served() -> bool:
    lock = settings.class_lock()
    # Taking it would make it, where there never was a class.
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def _scheduler_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise RunError(f"The Dask scheduler does not answer ({error}). Runs wait until it does.") from None


def _reason(exit_status: int) -> str:
    return f"signal {signal.Signals(-exit_status).name}" if exit_status < 0 else f"exit status {exit_status}"


def _dask_worker_ends() -> bool:
    """Whether the Dask worker that this runs in is about to end or has lost its scheduler."""
    from distributed import Status, get_worker

    return get_worker().status not in (Status.init, Status.starting, Status.running, Status.paused)


def _log_to_stderr() -> None:
    """Dask sets up its own loggers only."""
    if settings.scheduler_address() is None and not _log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s aquadash %(levelname)s %(message)s", datefmt="%H:%M:%S"))
        _log.addHandler(handler)
        _log.setLevel(logging.INFO)
        _log.propagate = False


class Slots:
    """Gives the free slots of Dask's workers to the trainings that wait, from a thread of its own.

    Dask's own queue is not used: a task is sent to a free slot only, so that whatever the table says is next is next.
    """

    def __init__(self, jobs: JobTable, *, connected: Callable[[], Client] = connect) -> None:
        """Nothing is started before :meth:`serve`."""
        self._jobs = jobs
        self._connected = connected
        self._client: Client | None = None
        self._connecting = threading.Lock()
        self._serving = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._tasks: dict[Future, str] = {}
        #: What each Dask worker that would take nothing has said, and when.
        self._refusals: dict[str, tuple[float, str]] = {}
        self._revision = 0
        self._at_home: list[threading.Thread] = []
        self._complaint = ""
        self._count = 1

    def serve(self) -> None:
        """Give out slots from now on; once more if that is done already, for there may be something new."""
        with self._serving:
            if self._thread is None:
                self._ending.clear()
                self._thread = threading.Thread(target=self._serve, name=f"aquadash-{KIND}", daemon=True)
                self._thread.start()
        self._wake.set()

    def prepare(self) -> None:
        """Have Dask ready and, unless a cluster trains, a worker stand by, so that the next job begins at once."""
        if settings.scheduler_address() is None:
            STANDBY.keep_ready()
        self.client()

    def client(self) -> Client:
        """A client of the scheduler, which is asked for again where it has gone.

        Raises:
            RunError: It does not answer.
        """
        with self._connecting:
            if self._client is None or not usable(self._client):
                self._tasks.clear()
                self._client = self._connected()
            return self._client

    def count(self, *, asking: bool = False) -> int:
        """How many jobs may be worked on at once: here, or on the cluster's workers as they were last seen; at least 1.

        Args:
            asking: Look at the cluster now. Pages do not: they would wait for a scheduler that is away.

        Raises:
            AquaDashError: The setting cannot be used, or the scheduler that is asked does not answer.
        """
        if settings.scheduler_address() is None:
            return settings.slots()
        if asking:
            client = self.client()
            with _scheduler_errors():
                self._count = max(1, sum(client.nthreads().values()))
        return self._count

    def close(self) -> None:
        """Let go of everything; workers go on by themselves. The slots may be used again afterwards."""
        self._ending.set()
        self._wake.set()
        with self._serving:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)
        with self._connecting:
            client, self._client = self._client, None
            self._tasks.clear()
        if client is not None:
            cluster = client.cluster
            client.close(timeout=2)
            if cluster is not None:
                cluster.close(timeout=2)

    def _serve(self) -> None:
        while True:
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()
            if self._ending.is_set():
                return
            try:
                self.look()
                self._complaint = ""
            except AquaDashError as error:
                # Said once: the scheduler may be away for hours.
                if str(error) != self._complaint:
                    _log.warning("%s", error)
                self._complaint = str(error)
            except Exception:
                _log.exception("the queue could not be looked after")

    def look(self) -> None:
        """Keep how jobs have ended whose worker could not, and give out what is free.

        Raises:
            AquaDashError: The scheduler or a store does not answer; the next look tries again.
        """
        self._keep_ends()
        self._work_at_home(self._jobs)
        if waiting := 0 if held() else len(self._jobs.queue(KIND)):
            self._give_out(waiting)

    def _keep_ends(self) -> None:
        """Keep how jobs have ended since the last look whose worker could not say so."""
        changes = self._jobs.changes(self._revision)
        for job in changes.jobs:
            kind = KINDS.get(job.kind)
            if kind and kind.max_worker_failures and job.status.ended and job.status is not JobStatus.FINISHED:
                now = self._jobs.get(job.id)
                if now is None or now.revision != job.revision:
                    continue  # It has been taken up again since.
                try:
                    record_end(kind, job.run, job.status, job.message)
                except AquaDashError as error:
                    if kind.name == KIND:
                        raise
                    _log.warning("%s: %s", job.id, error)
        self._revision = changes.revision

    def _give_out(self, waiting: int) -> None:
        """Send a task to each free slot, as many as jobs wait, but to no Dask worker that has just refused one."""
        client = self.client()
        with _scheduler_errors():
            threads, busy = client.nthreads(), client.processing()
        self._count = max(1, sum(threads.values()))
        self._clear(threads)
        for worker, slots in threads.items():
            if worker in self._refusals:
                continue
            mine = sum(1 for where in self._tasks.values() if where == worker)
            for _ in range(min(waiting, slots - max(mine, len(busy.get(worker, ()))))):
                waiting -= 1
                task = client.submit(
                    take_next, KIND, __version__, self._jobs.identity(),
                    workers=[worker], allow_other_workers=False, pure=False,
                )  # fmt: skip
                self._tasks[task] = worker
                task.add_done_callback(self._ended)
        if self._refusals and self._refusals.keys() >= threads.keys():
            self._jobs.explain(KIND, next(iter(self._refusals.values()))[1])

    def _clear(self, there: Container[str]) -> None:
        """Let go of the tasks that are done and of Dask workers that are not there any more."""
        for task, worker in list(self._tasks.items()):
            if task.done():
                del self._tasks[task]
                if task.status == "error":
                    self._refuse(worker, str(task.exception(timeout=5)))
            elif worker not in there:
                # Dask would keep it for that worker's return.
                task.cancel()
                del self._tasks[task]
        self._refusals = {
            worker: refusal
            for worker, refusal in self._refusals.items()
            if worker in there and time.monotonic() - refusal[0] < _REFUSED_SECONDS
        }

    def _ended(self, task: Future) -> None:
        """Look again, but where a slot has found nothing: what waits, waits for a graphics card, its pictures, or
        a slot that the worker of an earlier app still has."""
        if task.status != "finished" or task.result(timeout=5) != _NOTHING:
            self._wake.set()

    def _refuse(self, worker: str, said: str) -> None:
        """Give a Dask worker nothing for a while that has said why it takes nothing."""
        if self._refusals.get(worker, (0.0, ""))[1] != said:
            _log.warning("%s", said)
        self._refusals[worker] = (time.monotonic(), said)

    def _work_at_home(self, jobs: JobTable) -> None:
        """Have a process for each job that needs the files of this home, beside the slots."""
        self._at_home = [thread for thread in self._at_home if thread.is_alive()]
        for kind in (name for name, kind in KINDS.items() if kind.at_home):
            if not jobs.waiting([kind]):
                continue
            mine = [thread for thread in self._at_home if thread.name == f"aquadash-{kind}"]
            # Those that have no job yet are about to take one.
            idle = max(0, len(mine) - len(jobs.find(kind=kind, status=[JobStatus.RUNNING])))
            for _ in range(len(jobs.queue(kind)) - idle):
                thread = threading.Thread(target=self._take_at_home, args=(kind,), name=f"aquadash-{kind}", daemon=True)
                thread.start()
                self._at_home.append(thread)

    def _take_at_home(self, kind: str) -> None:
        try:
            take_next(kind, __version__, self._jobs.identity(), slot_ends=self._ending.is_set)
        except (AquaDashError, OSError) as error:
            _log.warning("%s", error)
