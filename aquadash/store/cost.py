"""The cost of a run in time and network size, and forecasts for similar runs by the median of earlier ones."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.augment import plan
from aquadash.config import SETTINGS, AugmentationConfig, RunConfig
from aquadash.data import SOURCES, Source
from aquadash.data.folder.about import PREFIX, all_kept
from aquadash.errors import AquaDashError, StorageError
from aquadash.store.artifacts import MODEL
from aquadash.store.network_file import stored_weights
from aquadash.store.types import EpochRecord, Run

if TYPE_CHECKING:
    from aquadash.store.runs import RunStore

#: Seconds from a run's start to its first batch: the process, TensorFlow, the images.
STARTING_SECONDS = 5.0


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


def parameter_count(path: Path) -> int:
    """Return the number of weights in a ``.keras`` file, without the state of optimizer and random generators."""
    return sum(stored_weights(path, lambda one: int(one.size or 0)).values())


#: Settings of the network and the images; runs that share them take the same time an epoch.
_ALIKE = [name for name, one in SETTINGS.items() if one.affects_pace and name.startswith(("data.", "model."))]


class Paces:
    """Seconds an epoch, measured on the last 25 runs of a kind that were trained in this home."""

    def __init__(self, runs: Sequence[Run], head_epochs: Callable[[RunConfig], int]) -> None:
        self._head_epochs = head_epochs
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
        return statistics.median(paces) * _factor(config.augmentation) * (epochs - self._head_epochs(config)) / epochs


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
