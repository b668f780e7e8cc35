"""The engine: trainings are queued, stopped, resumed and reordered here. Dask is imported when the first one waits."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Sequence

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.data.folder import about
from aquadash.engine.checks import check
from aquadash.engine.pairs import pair_configs, pipeline_title
from aquadash.engine.slots import Slots, held
from aquadash.engine.waiting import Waiting, waiting_times
from aquadash.errors import AquaDashError, RunError
from aquadash.jobs.types import job_id
from aquadash.people import OWNER, Person
from aquadash.runs import Run, RunStatus, RunStore, open_store
from aquadash.runs.live import KIND
from aquadash.runs.pairs import WITH, WITHOUT, half_name, new_pair_id

_log = logging.getLogger(__name__)


class Engine:
    """Queues runs, stops and resumes them, and changes their order. Safe to use from several threads."""

    def __init__(self, store: RunStore, *, serving: bool = True) -> None:
        """Nothing is started yet.

        Args:
            store: Where runs are kept.
            serving: False for a process that only puts runs into the queue, for others to train.
        """
        self._store = store
        self._serving = serving
        self._slots = Slots(KIND, store.jobs)

    # -- what people do ----------------------------------------------------------------------------------------------

    def submit(
        self,
        config: RunConfig,
        *,
        name: str | None = None,
        search_id: str = "",
        repeats: str = "",
        owner: Person = OWNER,
    ) -> Run:
        """Store a new run and put it into the queue. In a class everybody takes turns.

        The saved pipelines that the config names are written into it, as they are now.

        Args:
            config: What it is made from.
            name: What to call it; a friendly one is made up when it is empty.
            search_id: The search that it is a trial of.
            repeats: The id of the run that it repeats.
            owner: Whose it is.

        Raises:
            AquaDashError: A name in the config is unknown, pretrained weights cannot be had, the store cannot be
                written or the scheduler not reached.
        """
        from aquadash.augment import embedded

        check(config)
        config = embedded(config)
        self._reachable()
        return self._queue(self._store.create(config, name=name, search_id=search_id, repeats=repeats, owner=owner))

    def repeat(self, run_id: str, *, owner: Person = OWNER) -> Run:
        """Queue a finished run once more, with its stored config, to see whether the same comes out.

        Args:
            run_id: The run.
            owner: Whose the repeat is.

        Raises:
            RunError: The run has not finished by itself: nobody could stop a repeat at the same moment.
            AquaDashError: As in :meth:`submit`.
        """
        run = self._store.get(run_id)
        if run.status is not RunStatus.FINISHED:
            raise RunError(
                f"{run.name} is {run.status}. Only a run that finished by itself can be repeated; a stopped one ended "
                "at a moment that no repeat can meet."
            )
        return self.submit(run.config, name=f"{run.name[:100]} again", repeats=run_id, owner=owner)

    def submit_pair(
        self,
        config: RunConfig,
        pipeline: str,
        *,
        same_updates: bool = False,
        name: str | None = None,
        owner: Person = OWNER,
    ) -> tuple[Run, Run]:
        """Store and queue two runs that differ in their augmentation alone: both, or none.

        Args:
            config: What both are made from; its own pipeline is left aside.
            pipeline: The pipeline that one of them trains with.
            same_updates: Let the run without it train for as many more epochs as the pipeline multiplies the images,
                so that both change their weights as often.
            name: What the two are about; the pipeline's title if it is empty.
            owner: Whose they are.

        Returns:
            The run without the pipeline, which is trained first, and the one with it.

        Raises:
            AquaDashError: As for :meth:`submit`; nothing is queued then.
        """
        from aquadash.augment import embedded

        without, with_it = pair_configs(config, pipeline, same_updates=same_updates)
        for each in (without, with_it):
            check(each)
        without, with_it = embedded(without), embedded(with_it)
        self._reachable()
        about_pair = name or pipeline_title(pipeline)
        pair_id = new_pair_id()
        made: list[Run] = []
        try:
            for each, role in ((without, WITHOUT), (with_it, WITH)):
                title = half_name(about_pair, role)
                made.append(self._store.create(each, name=title, pair=(pair_id, role), owner=owner))
            first, second = map(self._queue, made)
        except AquaDashError:
            for run in made:
                if not self._store.get(run.run_id).status.ended:
                    self._store.request_stop(run.run_id)
                self._store.delete(run.run_id)
            raise
        return first, second

    def stop(self, run_id: str) -> None:
        """Ask a run to stop: a queued one at once, a running one within seconds. Complete epochs are kept."""
        self._store.request_stop(run_id)

    def resume(self, run_id: str) -> Run:
        """Put a stopped, failed or interrupted run back into the queue, to go on after its last complete epoch.

        One that waits already, as after the end of the app that had it trained, keeps its place.
        """
        run = self._store.get(run_id)
        if run.status is RunStatus.QUEUED:
            self._reachable()
            self.serve()
            return run
        check(run.config)
        self._reachable()
        return self._queue(run)

    def reorder(self, run_ids: Sequence[str]) -> list[str]:
        """Let some waiting runs start first, in the order given; the others follow as they stand.

        Args:
            run_ids: Runs that wait.

        Returns:
            The ids of all waiting runs in their new order.

        Raises:
            RunError: One of them does not wait (any more).
        """
        waiting = self._store.places()
        for run_id in run_ids:
            if run_id not in waiting:
                run = self._store.get(run_id)
                raise RunError(f"{run.name} does not wait: it is {run.status}. Only waiting runs have a place.")
        self._store.jobs.reorder(KIND, [job_id(KIND, run_id) for run_id in run_ids])
        return list(self._store.places())

    def move(self, run_id: str, place: int) -> list[str]:
        """Give one waiting run another place.

        Args:
            run_id: A run that waits.
            place: 1 for the one that starts next; beyond the last is the last.

        Returns:
            The ids of all waiting runs in their new order.

        Raises:
            RunError: The run does not wait (any more), or there is no such place.
        """
        if place < 1:
            raise RunError(f"The place is {place}; expected 1 for the run that starts next, 2 for the one after it ...")
        others = [other for other in self._store.places() if other != run_id]
        return self.reorder([*others[: place - 1], run_id])

    def waiting(self) -> dict[str, Waiting]:
        """The place and the time until it starts of each waiting run, in their order."""
        from aquadash.runs.snapshot import snapshot_of

        return waiting_times(snapshot_of(self._store).runs(), slots=self.slots(), paused=held())

    # -- slots -------------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Train what waits, also what others have queued, from now on until this process ends."""
        if self._serving:
            self._slots.serve()

    def prepare(self) -> None:
        """Have everything ready so that the next run begins at once. Takes seconds, the first time."""
        self._slots.prepare()

    def slots(self) -> int:
        """How many runs may train at once, at least 1; see :meth:`~aquadash.engine.slots.Slots.count`."""
        return self._slots.count(asking=not self._serving)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything; workers go on by themselves. The engine may be used again afterwards."""
        self._slots.close()

    # -- within ------------------------------------------------------------------------------------------------------

    def _reachable(self) -> None:
        """Raise where a cluster is named whose scheduler does not answer, before anything is stored."""
        if settings.scheduler_address() is not None:
            self._slots.client()

    def _queue(self, run: Run) -> Run:
        """Put a run into the queue; own pictures that the cluster does not have are sent first, in a thread."""
        needs = "gpu" if run.config.training.device == "gpu" and self._cluster_has_gpus() else ""
        name = run.config.data.source.removeprefix(about.PREFIX)
        to_send = (
            name != run.config.data.source and settings.store_is_shared() and not self._store.data_sent(run.run_id)
        )
        job = self._store.queue(run.run_id, needs=needs, held=to_send)
        if to_send:
            from aquadash.engine.cluster import sending

            sending.start(self._store, job, name, needs=needs)
        self.serve()
        return self._store.get(run.run_id)

    def _cluster_has_gpus(self) -> bool:
        """Whether a worker says that it has a graphics card; plain ``dask worker`` does not say."""
        if settings.scheduler_address() is None:
            return False
        workers = self._slots.client().scheduler_info(n_workers=-1)["workers"].values()
        return any(worker.get("resources", {}).get("GPU") for worker in workers)


_engines: dict[int, Engine] = {}
_opening = threading.Lock()


def open_engine() -> Engine:
    """The engine of this process for the store that the settings name.

    Raises:
        AquaDashError: The store cannot be opened.
    """
    store = open_store()
    with _opening:
        if id(store) not in _engines:
            engine = Engine(store)
            atexit.register(_close_quietly, engine)
            _engines[id(store)] = engine
        return _engines[id(store)]


def _close_quietly(engine: Engine) -> None:
    try:
        engine.close()
    except (OSError, RuntimeError, TimeoutError, AquaDashError) as error:
        _log.debug("the engine did not close cleanly: %s", error)
