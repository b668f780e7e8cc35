"""The cost of a training, and forecasts: about how many seconds one takes, and how many until a queued one starts.

A training is expected to take the median time of earlier ones with the same network and images.
"""

import functools
import heapq
import math
import statistics
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from aquadash.augment import plan
from aquadash.config import SETTINGS, AugmentationConfig, RunConfig
from aquadash.data import SOURCES, Source
from aquadash.data.folder.about import PREFIX, all_kept
from aquadash.errors import AquaDashError, StorageError
from aquadash.models import head_epochs
from aquadash.models.network_file import parameter_count
from aquadash.store import EpochRecord, Run, RunStatus, RunStore
from aquadash.store.artifacts import MODEL

#: Seconds from a run's start to its first batch: the process, TensorFlow, the images.
STARTING_SECONDS = 5.0

#: The message of queued runs while the queue is paused.
PAUSED = "The queue is paused: no run starts until the teacher resumes it."

#: Settings of the network and the images; runs that share them take the same time an epoch.
_ALIKE = [name for name, one in SETTINGS.items() if one.affects_pace and name.startswith(("data.", "model."))]


class Paces:
    """Seconds an epoch, measured on the last 25 runs of a kind that were trained in this home."""

    def __init__(self, runs: Sequence[Run]) -> None:
        #: Seconds an epoch and augmented copy by kind of run.
        self._paces: dict[Hashable, list[float]] = {}
        # Read once: the list of own pictures is on the disk.
        own, source_of = all_kept(), functools.cache(SOURCES.get)
        for run in sorted(runs, key=lambda run: run.ended_at or 0.0, reverse=True):
            epochs, seconds = run.metrics.get("epochs", 0.0), run.metrics.get("seconds", 0.0)
            whole = epochs - head_epochs(run.config)
            if run.origin or not run.status.ended or whole < 1 or seconds <= 0:
                continue
            name = run.config.data.source
            if name.startswith(PREFIX):
                about = own.get(name.removeprefix(PREFIX))
                if about is None or about.fingerprint != run.dataset_fingerprint:
                    continue  # The pictures are gone, and with them their number and size.
            paces = self._paces.setdefault(_key(run.config, source_of(name)), [])
            if len(paces) < 25:
                paces.append(seconds / whole / _factor(run.config.augmentation))

    def seconds_per_epoch(self, config: RunConfig) -> float | None:
        """Return the median of earlier runs with the same network and images; None without such a run.

        The time grows with the augmented copies of each image. Epochs that train a new head alone count as 0.
        """
        paces = self._paces.get(_key(config, SOURCES.get(config.data.source)))
        if not paces:
            return None
        epochs = config.training.epochs
        return statistics.median(paces) * _factor(config.augmentation) * (epochs - head_epochs(config)) / epochs


def _key(config: RunConfig, source: Source | None) -> Hashable:
    """Return the properties that runs with the same pace share."""
    trains_head_only = config.training.head_epochs >= config.training.epochs
    return attrgetter(*_ALIKE)(config), source and (source.side, source.train), trains_head_only


def _factor(augmentation: AugmentationConfig) -> int:
    """Return the augmented copies of each image; 1 for a pipeline that was deleted."""
    try:
        return plan(augmentation).factor
    except AquaDashError:
        return 1


@dataclass(frozen=True)
class Waiting:
    """A queued run's rank and start."""

    #: The rank in the queue: 1 for the run that starts next.
    rank: int
    #: The expected seconds until the start; None while unknown.
    seconds: float | None


def waiting_times(
    runs: Sequence[Run], *, slots: int, paused: bool = False, now: float | None = None
) -> dict[str, Waiting]:
    """Return the forecast of each queued run by its id, the next run first."""
    now = time.time() if now is None else now
    waiting = sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.rank)
    if paused:
        return {run.run_id: Waiting(rank, None) for rank, run in enumerate(waiting, start=1)}
    paces = Paces(runs if waiting else ())
    # After a change of AQUADASH_SLOTS more runs may be running than there are slots.
    left = sorted(_left(run, paces, now) for run in runs if run.status is RunStatus.RUNNING)
    frees = left[max(0, len(left) - slots) :] + [0.0] * (slots - len(left))
    heapq.heapify(frees)
    times: dict[str, Waiting] = {}
    for rank, run in enumerate(waiting, start=1):
        starts = heapq.heappop(frees)
        times[run.run_id] = Waiting(rank, starts if math.isfinite(starts) else None)
        heapq.heappush(frees, starts + _takes(run, paces))
    return times


def _left(run: Run, paces: Paces, now: float) -> float:
    """Return the seconds until a running run ends; infinite if they are unknown or the run is overdue."""
    if run.progress is not None and run.progress.eta_seconds is not None:
        left = run.progress.eta_seconds - max(0.0, now - run.progress.time)
    else:
        left = _takes(run, paces) - max(0.0, now - (run.started_at or now))
    return left if left > 0 else math.inf


def _takes(run: Run, paces: Paces) -> float:
    """Return the seconds from a run's start to its last possible epoch; infinite while unknown."""
    seconds = paces.seconds_per_epoch(run.config)
    if seconds is None:
        return math.inf
    # The curve is thinned to 60 points, so take the epoch of a running run from its progress.
    done = max(len(run.curve), run.progress.epoch - 1 if run.progress is not None else 0)
    epochs = run.config.training.epochs
    if run.started_at is None or done >= epochs:
        done = 0
    # The epochs that train a new head alone take almost no time, so the remaining epochs take nearly all of it.
    fraction = min(1.0, (epochs - done) / (epochs - head_epochs(run.config)))
    return STARTING_SECONDS + seconds * epochs * fraction


@dataclass(frozen=True)
class Cost:
    """The cost of a run; None stands for an unknown value."""

    #: The number of trained epochs.
    epochs: int | None = None
    #: Training time of all epochs, validation included.
    seconds: float | None = None
    #: The median over the epochs, which leaves out the compiling of the first epoch.
    seconds_per_epoch: float | None = None
    #: The number of weights of the network, frozen ones included.
    parameters: int | None = None
    #: The size of the network's file, in 10^6 bytes.
    megabytes: float | None = None


def network_size(store: RunStore, run_id: str) -> tuple[int, float] | None:
    """Return the number of weights and the megabytes of a run's network; None for a missing or damaged file."""
    path = store.artifact(run_id, MODEL)
    try:
        return None if path is None else (parameter_count(path), path.stat().st_size / 1e6)
    except (StorageError, OSError):
        return None


def cost_of(history: Sequence[EpochRecord], network: tuple[int, float] | None) -> Cost:
    """Return the cost of a run from its epochs and the size of its network."""
    seconds = [record.seconds for record in history]
    parameters, megabytes = network or (None, None)
    return Cost(
        epochs=len(history) or None,
        seconds=sum(seconds) if seconds else None,
        seconds_per_epoch=statistics.median(seconds) if seconds else None,
        parameters=parameters,
        megabytes=megabytes,
    )
