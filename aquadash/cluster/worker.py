"""A machine's part in a cluster: Dask workers that are set up as AquaDash needs them, started and looked after.

One process of Dask for each graphics card, or one for the whole machine; each trains as many runs at once as it has
threads, every one in a process of its own. Plain ``dask worker`` does the same for whoever prefers it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import psutil
from filelock import FileLock, Timeout

from aquadash import settings
from aquadash.errors import AquaDashError, ConfigError
from aquadash.store import Worker, open_jobs

_log = logging.getLogger("aquadash.cluster")

#: An environment variable by which a worker finds what was started for it, also by one that was killed before it.
_MARK = "AQUADASH_STARTED_BY"

#: Seconds until a Dask worker that ended is started again: the scheduler may be starting, too.
_RESTART_SECONDS = 2.0

#: Seconds that processes have to end after SIGTERM.
_END_SECONDS = 5.0


@dataclass(frozen=True)
class DaskProcess:
    """A process of Dask to be started."""

    #: Of the machine's worker that starts it, which is alone in having it in its cluster.
    worker: str
    #: What the cluster calls it.
    name: str
    #: Runs that it trains at once.
    threads: int
    #: The graphics card that its runs see, as in ``CUDA_VISIBLE_DEVICES``; None to leave that as it is, ``""`` for
    #: none.
    gpu: str | None
    #: Where it listens; 0 for any free port.
    port: int

    def command(self, scheduler: str, host: str | None) -> list[str]:
        """The command that starts it."""
        return [
            sys.executable, "-m", "dask", "worker", scheduler,
            "--name", self.name,
            "--nthreads", str(self.threads),
            # A nanny would start it again without what this room does then, and there is no data to limit.
            "--no-nanny", "--memory-limit", "0",
            "--no-dashboard", "--dashboard-address", "127.0.0.1:0",
            *(("--worker-port", str(self.port)) if self.port else ()),
            *(("--host", host) if host else ()),
            *(("--resources", "GPU=1") if self.gpu else ()),
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Its environment variables."""
        values = {**os.environ, **settings.whole_paths(), "AQUADASH_WORKER_NAME": self.name}
        values["AQUADASH_SLOTS"] = str(self.threads)
        values[_MARK] = self.worker
        # Each only waits for a process.
        values["DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"] = "False"
        if self.gpu is not None:
            values["CUDA_VISIBLE_DEVICES"] = self.gpu or "-1"
        return values


def plan_workers(*, name: str | None, slots: int | None, gpus: str, port: int) -> list[DaskProcess]:
    """Which processes a machine's worker starts."""
    name = name or socket.gethostname()
    if gpus == "auto":
        cards = find_gpus()
    elif gpus == "none":
        cards = []
    else:
        cards = [card.strip() for card in gpus.split(",")]
        if not all(card and card.replace("-", "").isalnum() for card in cards):
            raise ConfigError(f"--gpus is {gpus[:40]!r}; expected auto, none, or numbers such as 0,2.")
    if cards and slots is not None:
        raise ConfigError(
            f"--slots is for machines without graphics cards; each of the {len(cards)} cards here trains one run at a "
            "time. Leave it out, or say --gpus none."
        )
    if cards:
        return [
            DaskProcess(name, f"{name}-gpu{card}", 1, card, port + number if port else 0)
            for number, card in enumerate(cards)
        ]
    count = settings.slots() if slots is None else slots
    return [DaskProcess(name, name, count, "" if gpus == "none" else None, port)]


def find_gpus() -> list[str]:
    """The graphics cards of this machine: those of ``CUDA_VISIBLE_DEVICES`` if it is set, else NVIDIA's tool says."""
    visible = settings.visible_gpus()
    if visible is not None:
        return visible
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        asked = [tool, "--query-gpu=index", "--format=csv,noheader"]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in found.stdout.splitlines() if line.strip().isdigit()]


class ClusterWorker:
    """The Dask workers of this machine, for as long as it belongs to the cluster."""

    def __init__(self, scheduler: str, processes: Sequence[DaskProcess], *, host: str | None = None) -> None:
        """Nothing is started yet."""
        self._scheduler = scheduler
        self._name = processes[0].worker
        self._processes = processes
        self._host = host
        self._ending = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def end(self) -> None:
        """Let :meth:`run` come to its end; may be called from a signal's handler."""
        self._ending.set()

    def run(self) -> None:
        """Start the Dask workers and start again those that end, which they do when the scheduler is gone.

        Raises:
            ConfigError: Another worker has the same name.
        """
        lock = settings.home() / "locks" / f"cluster-worker-{quote(self._name, safe='')}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(lock, timeout=0):
                self._end_left_behind()
                self._run()
        except Timeout:
            raise ConfigError(
                f"Another worker of {settings.home()} is called {self._name}. End it, or give this one another --name."
            ) from None

    def _run(self) -> None:
        try:
            while True:
                for process in self._processes:
                    running = self._running.get(process.name)
                    if running is None or running.poll() is not None:
                        if running is not None:
                            _log.warning("%s has ended and is started again", process.name)
                        self._running[process.name] = subprocess.Popen(
                            process.command(self._scheduler, self._host),
                            stdin=subprocess.DEVNULL,
                            cwd=settings.PROJECT_ROOT,
                            env=process.environment(),
                            # Ctrl-C is for this process, which ends the others in order.
                            start_new_session=True,
                        )
                        _log.info("%s is started (process %d)", process.name, self._running[process.name].pid)
                if self._ending.wait(_RESTART_SECONDS):
                    return
        finally:
            self._end_all()

    def _end_all(self) -> None:
        """End the Dask workers first, so that they take no more runs, then the trainings, and hand those over."""
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                # It waits for its trainings, whose turn is next.
                process.kill()
                process.wait()
        self._end_trainings()

    def _started(self, *words: str) -> Iterator[psutil.Process]:
        """The processes ``python -m WORDS ...`` that this worker, or an earlier one of its name, has started here."""
        for process in psutil.process_iter():
            try:
                if process.cmdline()[1 : 2 + len(words)] == ["-m", *words]:
                    values = process.environ()
                    if (values.get(_MARK), values.get("AQUADASH_HOME")) == (self._name, str(settings.home())):
                        yield process
            except psutil.Error:
                continue

    def _end_left_behind(self) -> None:
        """End the Dask workers of a worker that was killed: the scheduler takes no two of one name.

        What they train goes on, in a slot that the next one waits for.
        """
        found = list(self._started("dask", "worker"))
        for process in found:
            _log.info("process %d was left behind by an earlier worker and is ended", process.pid)
        _end(found)

    def _end_trainings(self) -> None:
        """End what this worker is doing, and let others go on with it."""
        # What stands by is looked at for the workers that it has forked.
        found = [
            *self._started("aquadash.work.worker"), *self._started("aquadash.work.standby"),
        ]  # fmt: skip
        _end(found)
        host = socket.gethostname()
        try:
            for process in found:
                if open_jobs().requeue(
                    Worker(host, process.pid), f"The worker on {host} was shut down", is_failure=False
                ):
                    _log.info("what process %d was doing is handed over", process.pid)
        except AquaDashError as error:
            _log.warning("the jobs of this machine are taken up elsewhere within a minute: %s", error)


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(list(processes), timeout=_END_SECONDS)
    for process in alive:
        process.kill()
