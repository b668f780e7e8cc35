"""The engine: trainings are queued and resumed here. Dask is imported when the first one waits."""

from __future__ import annotations

import atexit
import logging
from threading import Condition

from cachetools import cached

from aquadash import augment, settings
from aquadash.config import RunConfig
from aquadash.data import SOURCES
from aquadash.data.folder import about
from aquadash.engine.slots import Slots
from aquadash.errors import AquaDashError, look_up
from aquadash.files import forget_oldest
from aquadash.jobs.kinds import KINDS
from aquadash.jobs.types import job_id
from aquadash.people import OWNER, Person
from aquadash.runs import Run, RunStatus, RunStore, open_store
from aquadash.runs import tags as tag
from aquadash.runs.artifacts import CHECKPOINTS
from aquadash.runs.reading import KIND

_log = logging.getLogger(__name__)


class Engine:
    """Queues runs and resumes them. Safe to use from several threads."""

    def __init__(self, store: RunStore, *, serving: bool = True) -> None:
        """Nothing is started yet."""
        self._store = store
        self._serving = serving
        self._slots = Slots(store.jobs)

    # -- what people do ----------------------------------------------------------------------------------------------

    def submit(
        self,
        config: RunConfig,
        *,
        name: str | None = None,
        search_id: str = "",
        repeats: str = "",
        owner: Person = OWNER,
        hidden: bool = False,
    ) -> Run:
        """Store a new run of somebody's and put it into the queue; see :meth:`aquadash.lab.runs.Runs.train`.

        Arguments are as of :meth:`aquadash.runs.RunStore.create`.
        """
        check(config)
        config = augment.embedded(config)
        self._reachable()
        run = self._store.create(config, name=name, search_id=search_id, repeats=repeats, owner=owner, hidden=hidden)
        return self._queue(run)

    def resume(self, run_id: str) -> Run:
        """Put a stopped, failed or interrupted run back into the queue; see :meth:`aquadash.lab.runs.Runs.resume`."""
        run = self._store.get(run_id)
        if run.status is RunStatus.QUEUED:
            self._reachable()
            self._store.jobs.bring_home(job_id(KIND, run_id))
            self.serve()
            return run
        check(run.config)
        self._reachable()
        if not run.dataset_fingerprint and (pictures := about.fingerprint_of(run.config.data.source)):
            # Of version 0.6.0, which wrote it down when a worker had loaded the images.
            self._store.set_tags(run_id, "note the pictures", {tag.FINGERPRINT: pictures})
            run = self._store.get(run_id)
        return self._queue(run)

    # -- slots -------------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Train what waits, also what others have queued, from now on until this process ends."""
        if self._serving:
            _sweep()
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
        """Put a run into the queue."""
        needs = "gpu" if run.config.training.device == "gpu" and self._cluster_has_gpus() else ""
        self._store.queue(run.run_id, needs=needs)
        self.serve()
        return self._store.get(run.run_id)

    def _cluster_has_gpus(self) -> bool:
        """Whether a worker says that it has a graphics card; plain ``dask worker`` does not say."""
        if settings.scheduler_address() is None:
            return False
        workers = self._slots.client().scheduler_info(n_workers=-1)["workers"].values()
        return any(worker.get("resources", {}).get("GPU") for worker in workers)


def check(config: RunConfig) -> None:
    """Refuse a config that no worker could train, before its run is queued.

    For weights that are not on this computer it asks the server that has them, which takes some seconds at most.

    Raises:
        UnknownNameError: A name is unknown.
        ConfigError: A network cannot be made as set, or a pipeline not be used.
        DataError: Pretrained weights cannot be had; says where they were looked for and how to mend it.
    """
    from aquadash.models import model_entry

    check_names(config)
    weights = model_entry(config.model.name).weights
    # On a cluster the workers fetch them, and say it if they cannot: what this computer has says nothing.
    if weights is not None and settings.scheduler_address() is None:
        weights(config.model).check()


def check_names(config: RunConfig) -> None:
    """Refuse a config that names a source, pipeline or model that is not there.

    Raises:
        UnknownNameError: With the nearest known name.
        ConfigError: A pipeline is carried or saved that cannot be used.
        StorageError: A saved pipeline cannot be read.
    """
    from aquadash.models import MODELS

    look_up("data source", config.data.source, SOURCES)
    look_up("model", config.model.name, MODELS)
    augment.plan(config.augmentation)


def _sweep() -> None:
    """Remove what killed processes have left half done, and what is kept for a day, a day after."""
    left = [
        (settings.home() / "tmp", "*"),
        (settings.exports(), "*"),
        (settings.label_safety(), ".*"),
        (settings.artifacts(), "*/artifacts/.*"),
        (settings.artifacts(), f"*/artifacts/{CHECKPOINTS}/.*"),
        (about.folder(), ".new-*"),
        (about.folder(), ".drafts/*"),  # Unfinished imports of version 0.7.0.dev0 and before.
        # Of jobs that are forgotten after a day, too.
        *((settings.home() / "logs", f"{kind.name}-*.log") for kind in KINDS.values() if kind.kept is not None),
    ]
    for folder, pattern in left:
        forget_oldest(folder, pattern, max_seconds=24 * 3600.0)


def open_engine() -> Engine:
    """The engine of this process for the store that the settings name.

    Raises:
        AquaDashError: The store cannot be opened.
    """
    return _engine_of(open_store())


@cached({}, condition=Condition())
def _engine_of(store: RunStore) -> Engine:
    engine = Engine(store)
    atexit.register(_close_quietly, engine)
    return engine


def _close_quietly(engine: Engine) -> None:
    try:
        engine.close()
    except (OSError, RuntimeError, TimeoutError, AquaDashError) as error:
        _log.debug("the engine did not close cleanly: %s", error)
