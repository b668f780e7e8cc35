"""Lets a Dask worker take runs: the app gives this plugin to the scheduler, and the scheduler to each worker."""

from __future__ import annotations

import asyncio
import os

from distributed import Worker, WorkerPlugin

from aquadash import settings
from aquadash.cluster.checks import worker_problem
from aquadash.errors import RunError
from aquadash.store import open_jobs
from aquadash.store.runs import KIND
from aquadash.work.slots import Slots


class TakeRuns(WorkerPlugin):
    """The slots of a Dask worker, which take the next training from the database by themselves."""

    name = "aquadash"
    #: The scheduler keeps the first one: a second one would end the slots of the first.
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Begin to take runs."""
        # A plain `dask worker`, as Slurm or Kubernetes start it, has not set these.
        os.environ.setdefault("AQUADASH_WORKER_NAME", str(worker.name))
        os.environ.setdefault("AQUADASH_SLOTS", str(worker.state.nthreads))
        offers = ("gpu",) if worker.state.total_resources.get("GPU") else settings.offers()
        self._slots = Slots(open_jobs, _kinds, offers=lambda: offers)
        self._slots.serve()

    async def teardown(self, worker: Worker) -> None:
        """End the slots; their trainings outlive a worker that has lost its scheduler."""
        await asyncio.to_thread(self._slots.close)


def _kinds() -> set[str]:
    """Return the kinds of jobs that a worker takes; raise ``RunError`` if it can take none."""
    if problem := worker_problem():
        raise RunError(problem)
    return {KIND}
