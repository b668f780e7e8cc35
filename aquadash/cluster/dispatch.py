"""Gives the trainings that wait to the workers of a Dask cluster: each task means "take the next job".

A task is sent to a free slot only, so that Dask queues nothing and the order is that of the database.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from aquadash import __version__, settings
from aquadash.cluster.checks import AppState, connect, database_problem, read_app_state, write_app_state
from aquadash.errors import AquaDashError, RunError
from aquadash.store import Job, LeaseLostError, RunStatus, Worker, open_store
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND
from aquadash.work.slots import carry_out, held

if TYPE_CHECKING:
    from distributed import Client, Future

_log = logging.getLogger("aquadash.cluster")

#: Seconds for which a worker that has refused a task is sent none.
REFUSED_SECONDS = 30.0

#: Seconds that an attempt to reach the scheduler may take, and seconds between two attempts.
_CONNECT_SECONDS, _RETRY_SECONDS = 2.0, 5.0


def give_out(jobs: JobTable, wake: Callable[[], None]) -> None:
    """Send a task to each free slot of the cluster, as long as trainings wait; say on them why none can start."""
    address = settings.scheduler_address()
    assert address is not None
    _dispatcher(address).look(jobs, wake)


def slots() -> int:
    """Return the slots of the cluster as an app of this home last saw them, without asking the scheduler."""
    state = read_app_state()
    return state.slots if state else 0


def take_next(version: str, database: str) -> bool:
    """Take the next training and wait for its end; Dask calls this in a thread of a worker. Returns whether it did."""
    from distributed import Status, get_worker

    worker = get_worker()
    # A plain `dask worker`, as Slurm or Kubernetes start it, has not set these.
    os.environ.setdefault("AQUADASH_WORKER_NAME", str(worker.name))
    os.environ.setdefault("AQUADASH_SLOTS", str(worker.state.nthreads))
    if version != __version__:
        raise RunError(
            f"The worker {worker.name} has AquaDash {__version__}, and the app has {version}. Install the same version "
            "on every machine, and start the worker again."
        )
    if problem := database_problem():
        raise RunError(f"The worker {worker.name} cannot take runs. {problem}")
    store = open_store()
    if store.database.identity() != database:
        raise RunError(
            f"The worker {worker.name} has another database than the app. Give both the same AQUADASH_DATABASE "
            "(docs/cluster.md), and start the worker again."
        )
    if held():
        return False
    offers = ["gpu"] if worker.state.total_resources.get("GPU") else settings.offers()
    job = store.jobs.claim([KIND], Worker.of(os.getpid()), offers=offers)
    if job is None:
        return False
    # The training outlives a Dask worker that has lost its scheduler. The slot does not.
    running = (Status.running, Status.paused)
    with suppress(LeaseLostError):
        carry_out(store.jobs, job, slot_ends=lambda: worker.status not in running)
    return True


class Dispatcher:
    """Sends tasks to the workers of one scheduler. Used by one thread."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Client | None = None
        self._connect_at = 0.0
        #: Why the scheduler could not be reached.
        self._away = ""
        #: The tasks that have not ended, with the addresses of their workers.
        self._tasks: dict[Future, str] = {}
        #: The addresses of workers that have refused a task, with the time and the reason.
        self._refusals: dict[str, tuple[float, str]] = {}
        #: An earlier process may have left an explanation on the waiting runs.
        self._is_explained = True
        self._state: AppState | None = None

    def look(self, jobs: JobTable, wake: Callable[[], None]) -> None:
        """Do :func:`give_out` once."""
        waiting = jobs.queue(KIND)
        reason = self._give_out(jobs, waiting, wake)
        if waiting and (reason or self._is_explained):
            jobs.explain(KIND, reason)
            self._is_explained = bool(reason)

    def close(self) -> None:
        """Close the connection; workers go on with what they do."""
        client, self._client = self._client, None
        self._tasks.clear()
        if client is not None:
            client.close(timeout=1)

    def _give_out(self, jobs: JobTable, waiting: Sequence[Job], wake: Callable[[], None]) -> str:
        """Send the tasks; return why no run can start, or an empty text."""
        if problem := database_problem():
            return problem
        client = self._connected()
        if client is None:
            return self._away
        try:
            workers: Mapping[str, Any] = client.scheduler_info()["workers"]
        except (OSError, TimeoutError) as error:
            self._away = f"The Dask scheduler {self._address} does not answer ({error}). Runs wait until it does."
            return self._away
        state = AppState(__version__, sum(info["nthreads"] for info in workers.values()))
        if state != self._state:
            write_app_state(state)
            self._state = state
        self._clear(workers)
        if waiting:
            self._send(client, jobs, [job.needs for job in waiting], workers, wake)
        return self._why_none_starts(waiting, workers)

    def _connected(self) -> Client | None:
        if self._client is not None and self._client.status != "running":
            # Dask cancels the tasks of a lost connection, so a new client starts with none.
            self.close()
        if self._client is None and time.monotonic() >= self._connect_at:
            try:
                self._client = connect(self._address, seconds=_CONNECT_SECONDS)
            except RunError as error:
                self._away = f"{error} Runs wait until it answers."
                self._connect_at = time.monotonic() + _RETRY_SECONDS
        return self._client

    def _clear(self, workers: Mapping[str, Any]) -> None:
        """Forget the tasks that have ended, and workers that have left."""
        for task, worker in list(self._tasks.items()):
            if task.done():
                del self._tasks[task]
                if task.status == "error" and worker in workers:
                    self._refuse(worker, str(workers[worker]["name"]), task.exception(timeout=5))
            elif worker not in workers:
                # Dask would keep it until that worker returns.
                task.cancel()
                del self._tasks[task]
        now = time.monotonic()
        self._refusals = {
            worker: (at, reason)
            for worker, (at, reason) in self._refusals.items()
            if worker in workers and now - at < REFUSED_SECONDS
        }

    def _refuse(self, worker: str, name: str, error: BaseException) -> None:
        reason = str(error)
        if not isinstance(error, AquaDashError):
            # Dask wraps what an import fails with, over several lines.
            wrapped = " ".join(f"{type(error).__name__}: {error.__cause__ or error}".split())[:200]
            reason = (
                f"The worker {name} or the scheduler cannot import AquaDash ({wrapped}). Start them in the folder of "
                "the same version (docs/cluster.md)."
            )
        if self._refusals.get(worker, (0.0, ""))[1] != reason:
            _log.warning("%s", reason)
        self._refusals[worker] = (time.monotonic(), reason)

    def _send(
        self,
        client: Client,
        jobs: JobTable,
        needs: list[str],
        workers: Mapping[str, Any],
        wake: Callable[[], None],
    ) -> None:
        """Send a task for each of the jobs with these needs to a free slot, those of the least busy workers first."""
        running = Counter(
            job.worker.name for job in jobs.find(kind=KIND, status=[RunStatus.RUNNING]) if job.worker is not None
        )
        sent = Counter(self._tasks.values())
        # A training that has outlived its task takes a slot, too.
        busy = {address: max(sent[address], running[str(info["name"])]) for address, info in workers.items()}
        free = sorted(
            # Graphics cards last, so that they stay free for the runs that need one.
            (bool(info["resources"].get("GPU")), number, address)
            for address, info in workers.items()
            if address not in self._refusals
            for number in range(busy[address], info["nthreads"])
        )
        for has_gpu, _, address in free:
            need = next((need for need in needs if need == "" or (need == "gpu" and has_gpu)), None)
            if need is None:
                continue
            needs.remove(need)
            task = client.submit(
                take_next, __version__, open_store().database.identity(),
                workers=[address], allow_other_workers=False, pure=False,
            )  # fmt: skip
            self._tasks[task] = address
            task.add_done_callback(lambda ended: wake() if ended.status == "finished" and ended.result() else None)

    def _why_none_starts(self, waiting: Sequence[Job], workers: Mapping[str, Any]) -> str:
        if not workers:
            return f"No worker is connected to the scheduler {self._address}. Runs wait until one is."
        if self._refusals.keys() >= workers.keys():
            return next(iter(self._refusals.values()))[1]
        has_gpu = any(info["resources"].get("GPU") for info in workers.values())
        if waiting and not has_gpu and all(job.needs == "gpu" for job in waiting):
            return "The run needs a graphics card, and no worker of the cluster has one. It waits until one has."
        return ""


@cache
def _dispatcher(address: str) -> Dispatcher:
    return Dispatcher(address)
