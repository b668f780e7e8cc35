"""What a run has cost, time and the size of its network, and what one like it will take: the median of earlier runs."""

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

#: Seconds from its start until a run trains: a process, TensorFlow, the images.
STARTING_SECONDS = 5.0


@dataclass(frozen=True)
class Cost:
    """The price of a run; None is unknown."""

    #: How many it trained for.
    epochs: int | None = None
    #: Training time, all epochs together, validation included.
    seconds: float | None = None
    #: The median over the epochs, so that a first one that was busy with compiling does not count.
    seconds_per_epoch: float | None = None
    #: How many numbers the network holds, frozen ones too.
    parameters: int | None = None
    #: The size of its file, in 10^6 bytes.
    megabytes: float | None = None


def network_size(store: RunStore, run_id: str) -> tuple[int, float] | None:
    """How many numbers a run's stored network holds, and its megabytes; None for one that is missing or damaged."""
    path = store.artifact(run_id, MODEL)
    try:
        return None if path is None else (parameter_count(path), path.stat().st_size / 1e6)
    except (StorageError, OSError):
        return None


def cost_of(history: Sequence[EpochRecord], network: tuple[int, float] | None) -> Cost:
    """A run's price by its epochs and the size of its network; one without a network has still cost its time."""
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
    """How many numbers the network in a ``.keras`` file holds, without the optimizer's and the random generators'."""
    return sum(stored_weights(path, lambda one: int(one.size or 0)).values())


#: Settings that decide which network works on which images; an epoch takes as long in runs that share them.
_ALIKE = [name for name, one in SETTINGS.items() if one.affects_pace and name.startswith(("data.", "model."))]


class Paces:
    """Seconds an epoch of the runs that have finished here."""

    def __init__(self, runs: Sequence[Run], head_epochs: Callable[[RunConfig], int]) -> None:
        """Takes what is known from runs in any order: the last 25 of a kind, none that were trained elsewhere, or
        on own pictures that are gone.
        """
        self._head_epochs = head_epochs
        self._known: dict[Hashable, list[float]] = {}
        # Asked once: own pictures are looked for on the disk.
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
                    continue  # How many those were, and how large, is not known any more.
            kept = self._known.setdefault(_key(run.config, source_of(name)), [])
            if len(kept) < 25:
                kept.append(seconds / whole / _factor(run.config.augmentation))

    def seconds_per_epoch(self, config: RunConfig) -> float | None:
        """The median of earlier runs with the same network and images; None where there is none.

        Runs count by how many images their augmentation makes of each, and epochs of a new head alone as nothing.
        """
        kept = self._known.get(_key(config, SOURCES.get(config.data.source)))
        if not kept:
            return None
        epochs = config.training.epochs
        return statistics.median(kept) * _factor(config.augmentation) * (epochs - self._head_epochs(config)) / epochs


def _key(config: RunConfig, source: Source | None) -> Hashable:
    """What runs share that are alike; their images are always as many and as large."""
    return attrgetter(*_ALIKE)(config), source and (source.side, source.train), _head_alone(config)


def _head_alone(config: RunConfig) -> bool:
    """Whether a new head learns alone to the end; of networks without one, it parts what need not be parted."""
    return config.training.head_epochs >= config.training.epochs


def _factor(augmentation: AugmentationConfig) -> int:
    try:
        return plan(augmentation).factor
    except AquaDashError:
        return 1  # A pipeline that is no longer there tells nothing.
