"""The engine: runs are queued and resumed here."""

from __future__ import annotations

import atexit
import logging
from threading import Condition

from cachetools import cached

from aquadash import augment, settings
from aquadash.config import RunConfig
from aquadash.data import SOURCES
from aquadash.data.folder import about
from aquadash.errors import AquaDashError, look_up
from aquadash.files import forget_oldest
from aquadash.people import OWNER, Person
from aquadash.store import Run, RunStatus, RunStore, open_store
from aquadash.store.artifacts import CHECKPOINTS
from aquadash.store.kinds import KINDS, named
from aquadash.store.types import TrialOf
from aquadash.work.slots import Slots
from aquadash.work.standby import STANDBY

_log = logging.getLogger(__name__)

#: Returns how many slots a cluster has; imported where ``AQUADASH_SCHEDULER`` names one.
_CLUSTER_SLOTS = "aquadash.cluster.dispatch:slots"


class Engine:
    """Queues runs, resumes them, and has them trained. Safe to use from several threads."""

    def __init__(self, store: RunStore, *, serving: bool = True) -> None:
        """Start nothing yet."""
        self._store = store
        self._serving = serving
        self._slots = Slots(store.jobs)

    def submit(
        self,
        config: RunConfig,
        *,
        name: str | None = None,
        search_id: str = "",
        trial: TrialOf | None = None,
        repeats: str = "",
        owner: Person = OWNER,
        hidden: bool = False,
    ) -> Run:
        """Store a new run and its place in the queue; see :meth:`aquadash.lab.runs.Runs.train`.

        Arguments are as of :meth:`aquadash.store.RunStore.submit`.
        """
        check(config)
        run = self._store.submit(
            augment.embedded(config),
            name=name,
            search_id=search_id,
            trial=trial,
            repeats=repeats,
            owner=owner,
            hidden=hidden,
            needs=_needs(config),
        )
        self.serve()
        return run

    def resume(self, run_id: str) -> Run:
        """Put a stopped, failed or interrupted run back into the queue; see :meth:`aquadash.lab.runs.Runs.resume`."""
        run = self._store.get(run_id)
        if run.status is not RunStatus.QUEUED:
            check(run.config)
            if not run.dataset_fingerprint and (pictures := about.fingerprint_of(run.config.data.source)):
                # Runs of version 0.6.0 did not name their pictures before a worker had loaded them.
                self._store.describe(run_id, dataset_fingerprint=pictures)
            self._store.queue(run_id, needs=_needs(run.config))
        self.serve()
        return self._store.get(run_id)

    def serve(self) -> None:
        """Train what waits, also what other processes have queued, from now on until this process ends."""
        if self._serving:
            _sweep()
            self._slots.serve()

    def prepare(self) -> None:
        """Have a worker stand by, unless a cluster trains, so that the next run begins at once."""
        if settings.scheduler_address() is None:
            STANDBY.keep_ready()

    def slots(self) -> int:
        """Return how many runs may train at once, at least 1; of a cluster, as it was seen last."""
        if settings.scheduler_address() is None:
            return settings.slots()
        count: int = named(_CLUSTER_SLOTS)()
        return max(1, count)

    def close(self) -> None:
        """Stop giving out slots; workers go on by themselves. The engine may be used again afterwards."""
        self._slots.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _needs(config: RunConfig) -> str:
    """Return what a worker must have for a run; only machines of a cluster differ in it."""
    return "gpu" if config.training.device == "gpu" and settings.scheduler_address() is not None else ""


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
    """Remove what killed processes left half done, and what is kept for a day, a day after."""
    leftovers = [
        (settings.home() / "tmp", "*"),
        (settings.exports(), "*"),
        (settings.label_safety(), ".*"),
        (settings.runs_folder(), "*/.*.part"),
        (settings.runs_folder(), f"*/{CHECKPOINTS}/.*"),
        (about.folder(), ".new-*"),
        # Logs of jobs that are forgotten after a day, too.
        *((settings.home() / "logs", f"{kind.name}-*.log") for kind in KINDS.values() if kind.kept is not None),
    ]
    for folder, pattern in leftovers:
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
