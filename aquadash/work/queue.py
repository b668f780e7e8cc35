"""The engine: queues and resumes runs, starts other jobs, and gives them their slots."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from threading import Condition
from typing import Any

from cachetools import cached

from aquadash import augment, settings
from aquadash.config import RunConfig
from aquadash.data import SOURCES
from aquadash.data.folder import about
from aquadash.data.folder import store as folder_store
from aquadash.errors import look_up
from aquadash.files import forget_oldest
from aquadash.people import OWNER, Person
from aquadash.store import Job, Run, RunStatus, RunStore, open_store
from aquadash.store.artifacts import CHECKPOINTS
from aquadash.store.kinds import KINDS, named
from aquadash.store.runs import KIND
from aquadash.work.slots import Slots
from aquadash.work.standby import STANDBY

#: Functions of the cluster room, imported by name because that room imports Dask: watch the cluster, count its slots.
_CLUSTER_WATCH, _CLUSTER_SLOTS = "aquadash.cluster.checks:watch", "aquadash.cluster.checks:slots"


class Engine:
    """Queues and resumes runs, and gives jobs their slots from :meth:`serve` on. Safe to use from several threads."""

    def __init__(self, store: RunStore, *, serving: bool = True) -> None:
        self._store = store
        self._serving = serving
        self._slots = Slots(lambda: store.jobs, self._kinds)

    def submit(self, config: RunConfig, *, name: str | None = None, owner: Person = OWNER, **about: Any) -> Run:
        """Store a new run and its place in the queue; arguments as for :func:`aquadash.store.runs.new_run`."""
        check(config)
        run = self._store.submit(augment.embedded(config), needs=_needs(config), name=name, owner=owner, **about)
        self.serve()
        return run

    def resume(self, run_id: str) -> Run:
        """Put a stopped, failed or interrupted run back into the queue; see :meth:`aquadash.lab.runs.Runs.resume`."""
        run = self._store.get(run_id)
        if run.status is not RunStatus.QUEUED:
            check(run.config)
            if not run.dataset_fingerprint and (pictures := about.fingerprint_of(run.config.data.source)):
                # Runs of version 0.6.0 did not name their pictures before a worker had loaded them.
                self._store.update(run_id, dataset_fingerprint=pictures)
            self._store.queue(run_id, needs=_needs(run.config))
        self.serve()
        return self._store.get(run_id)

    def serve(self) -> None:
        """Start the slots, which do the queued jobs of all processes until this process ends."""
        if self._serving:
            _sweep()
            self._slots.serve()

    def _kinds(self) -> set[str]:
        """Return the kinds of jobs that this process does. With a cluster, watch it and leave the trainings to it."""
        if settings.scheduler_address() is None:
            return set(KINDS)
        named(_CLUSTER_WATCH)(self._store.jobs)
        return set(KINDS) - {KIND}

    def prepare(self) -> None:
        """Start the standby process, unless a cluster trains, so that the next run begins at once."""
        if settings.scheduler_address() is None:
            STANDBY.keep_ready()

    def slots(self) -> int:
        """Return how many runs may train at once, at least 1; for a cluster its last known slots."""
        if settings.scheduler_address() is None:
            return settings.slots()
        count: int = named(_CLUSTER_SLOTS)()
        return max(1, count)

    def close(self) -> None:
        """End the slots; workers go on by themselves. :meth:`serve` starts the slots again."""
        self._slots.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _needs(config: RunConfig) -> str:
    """Return the requirement of a run on its worker; only machines of a cluster differ."""
    return "gpu" if config.training.device == "gpu" and settings.scheduler_address() is not None else ""


def check(config: RunConfig) -> None:
    """Refuse a config that no worker could train; asking the server for missing weights may take some seconds.

    Raises:
        UnknownNameError: A name is unknown.
        ConfigError: The network or a pipeline is impossible.
        DataError: Pretrained weights are neither on this computer nor on their server.
    """
    from aquadash.models import model_entry

    check_names(config)
    weights = model_entry(config.model.name).weights
    # On a cluster each worker fetches the weights itself.
    if weights is not None and settings.scheduler_address() is None:
        weights(config.model).check()


def check_names(config: RunConfig) -> None:
    """Refuse a config with an unknown source, pipeline or model; the error has the nearest known name."""
    from aquadash.models import MODELS

    look_up("data source", config.data.source, SOURCES)
    look_up("model", config.model.name, MODELS)
    augment.plan(config.augmentation)


def _sweep() -> None:
    """Remove files older than a day that killed processes left behind or that are kept for a day only."""
    leftovers = [
        (settings.home() / "tmp", "*"),
        (settings.exports(), "*"),
        (settings.label_safety(), ".*"),
        (settings.runs_folder(), "*/.*.part"),
        (settings.runs_folder(), f"*/{CHECKPOINTS}/.*"),
        (about.folder(), ".new-*"),
        # Logs of jobs whose rows are deleted after a day.
        *((settings.home() / "logs", f"{kind.name}-*.log") for kind in KINDS.values() if kind.kept is not None),
    ]
    for folder, pattern in leftovers:
        forget_oldest(folder, pattern, max_seconds=24 * 3600.0)
    folder_store.recover()


def open_engine() -> Engine:
    """Return this process's engine for the store that the settings name; raise ``StorageError`` if it cannot open."""
    return engine_of(open_store())


def start_job(kind: str, run: str, request: Mapping[str, Any], *, owner: str = "") -> Job:
    """Submit a job and have it done; arguments and errors as of :meth:`aquadash.store.jobs.JobTable.submit`."""
    job = open_store().jobs.submit(kind, run, request, owner=owner)
    open_engine().serve()
    return job


@cached({}, condition=Condition())
def engine_of(store: RunStore) -> Engine:
    """Return this process's engine for a store."""
    engine = Engine(store)
    atexit.register(engine.close)
    return engine
