"""The cost of a training in time and network size."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquadash.errors import StorageError
from aquadash.models.network_file import parameter_count
from aquadash.store.artifacts import MODEL
from aquadash.store.types import EpochRecord

if TYPE_CHECKING:
    from aquadash.store.runs import RunStore


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
