"""A plugin of Dask workers that takes runs; ``dask worker --preload aquadash.cluster.plugin`` loads it."""

import asyncio
import os

from distributed import Status, Worker, WorkerPlugin

from aquadash import settings
from aquadash.cluster.checks import PLUGIN, worker_problem
from aquadash.errors import RunError
from aquadash.store import open_jobs
from aquadash.store.runs import KIND
from aquadash.work.slots import Slots


class TakeRuns(WorkerPlugin):
    """The slots of a Dask worker, which take the next training from the database by themselves."""

    name = PLUGIN

    def setup(self, worker: Worker) -> None:
        """Begin to take runs."""
        # A plain `dask worker`, as Slurm starts it, has not set these.
        os.environ.setdefault("AQUADASH_WORKER_NAME", str(worker.name))
        os.environ.setdefault("AQUADASH_SLOTS", str(worker.state.nthreads))
        offers = ("gpu",) if worker.state.total_resources.get("GPU") else settings.offers()
        self._slots = Slots(open_jobs, lambda: _kinds(worker), offers=lambda: offers)
        self._slots.serve()

    async def teardown(self, worker: Worker) -> None:
        """End the slots; their trainings outlive a worker that has lost its scheduler."""
        await asyncio.to_thread(self._slots.close)


async def dask_setup(worker: Worker) -> None:
    """Give the plugin to a worker; Dask calls this in a worker that has this module as a preload."""
    await worker.plugin_add(TakeRuns())


def _kinds(worker: Worker) -> set[str]:
    """Return the kinds of jobs that a worker takes; raise ``RunError`` if it can take none."""
    # Dask sets plugins up before the scheduler has accepted the worker.
    if worker.status is not Status.running:
        return set()
    if problem := worker_problem():
        raise RunError(problem)
    return {KIND}
