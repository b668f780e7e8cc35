"""Learning-rate schedules, and the rule of Keras's ``EarlyStopping`` as a value that a checkpoint can store.

Schedules are factors of ``training.learning_rate`` as functions of the position in training, in epochs, and of nothing
else, so a resumed run has the same rates as one without a break.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aquadash.config import TrainingConfig
from aquadash.store.types import EpochRecord

#: One cycle (Smith and Topin 2018, "Super-Convergence"): the rate rises from 1/25 of the peak over 30 % of the training
#: and ends at 1/10,000 of its start.
_RISE = 0.3
_ONE_CYCLE_START = 1 / 25
_ONE_CYCLE_END = _ONE_CYCLE_START / 10_000


def _step(training: TrainingConfig, position: float) -> float:
    # Rounding errors must not delay a step: 9.999999 counts as 10.
    return training.schedule_factor ** math.floor(position / training.schedule_epochs + 1e-9)


def _cosine(training: TrainingConfig, position: float) -> float:
    """Follow half a cosine from the end of the warm-up to the last epoch (Loshchilov and Hutter 2017, "SGDR")."""
    begin = min(training.warmup_epochs, training.epochs)
    fraction = (position - begin) / max(training.epochs - begin, 1e-9)
    return _half_cosine(1.0, 0.0, fraction)


def _one_cycle(training: TrainingConfig, position: float) -> float:
    fraction = position / training.epochs
    if fraction < _RISE:
        return _half_cosine(_ONE_CYCLE_START, 1.0, fraction / _RISE)
    return _half_cosine(1.0, _ONE_CYCLE_END, (fraction - _RISE) / (1 - _RISE))


SCHEDULES: dict[str, Callable[[TrainingConfig, float], float]] = {
    "constant": lambda training, position: 1.0,
    "step": _step,
    "exponential": lambda training, position: training.schedule_factor ** (position / training.schedule_epochs),
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    # learning_rates applies its cuts, which depend on the history.
    "plateau": lambda training, position: 1.0,
}


def learning_rates(
    training: TrainingConfig, *, epoch: int, batches: int, history: Sequence[EpochRecord]
) -> NDArray[np.float32]:
    """Return the learning rate of each weight update of an epoch."""
    # Positions in the middle of each update, so that no rate is 0 in a warm-up or at the end of a cosine.
    positions = epoch - 1 + (np.arange(batches) + 0.5) / batches
    factor = training.schedule_factor ** plateau_cuts(training, history) if training.schedule == "plateau" else 1.0
    return np.array([_rate(training, position) * factor for position in positions], dtype=np.float32)


def preview(training: TrainingConfig, *, points: int = 200) -> tuple[list[float], list[float]]:
    """Return epochs from 0 to the maximum and the learning rate at each, without cuts of ``plateau``."""
    epochs = np.linspace(0.0, training.epochs, points)
    # A step at the very end would come after the last update.
    last = training.epochs - 1e-6 if training.schedule == "step" else training.epochs
    return epochs.tolist(), [_rate(training, min(float(epoch), last)) for epoch in epochs]


def plateau_cuts(training: TrainingConfig, history: Sequence[EpochRecord]) -> int:
    """Count the cuts of ``plateau`` by the rule of Keras's ``ReduceLROnPlateau`` without cooldown and ``min_delta``."""
    cuts, state = 0, EarlyStopping(math.ceil(training.schedule_epochs), training.monitor)
    for record in history:
        state = state.after(record.epoch, getattr(record, training.monitor))
        if state.should_stop:
            cuts, state = cuts + 1, replace(state, wait=0)
    return cuts


def _rate(training: TrainingConfig, position: float) -> float:
    warmup = min(1.0, position / training.warmup_epochs) if training.warmup_epochs else 1.0
    return training.learning_rate * SCHEDULES[training.schedule](training, position) * warmup


def _half_cosine(start: float, end: float, fraction: float) -> float:
    fraction = min(max(fraction, 0.0), 1.0)
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2


@dataclass(frozen=True)
class EarlyStopping:
    """Counts epochs without a better validation figure, as ``keras.callbacks.EarlyStopping(min_delta=0)`` does."""

    #: Epochs without a better figure before it stops; 0 never stops.
    patience: int
    #: ``val_loss`` or ``val_accuracy``.
    monitor: str = "val_loss"
    #: The epoch with the best figure so far, from 1; 0 before the first.
    best_epoch: int = 0
    #: The best figure; NaN before the first epoch.
    best: float = math.nan
    #: Epochs since the best.
    wait: int = 0

    def after(self, epoch: int, value: float) -> EarlyStopping:
        """Return the state after an epoch with that figure; NaN is never the best."""
        is_better = value < self.best if self.monitor == "val_loss" else value > self.best
        if is_better or (math.isnan(self.best) and not math.isnan(value)):
            return replace(self, best_epoch=epoch, best=value, wait=0)
        return replace(self, wait=self.wait + 1)

    @property
    def should_stop(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.patience <= self.wait
