"""The rule of Keras's ``EarlyStopping`` as a value that a checkpoint can store."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


def improves(monitor: str, value: float, best: float) -> bool:
    """Return whether a validation figure is better than the best so far; NaN never is."""
    if math.isnan(value):
        return False
    return math.isnan(best) or (value < best if monitor == "val_loss" else value > best)


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
        """Return the state after an epoch with that figure."""
        if improves(self.monitor, value, self.best):
            return replace(self, best_epoch=epoch, best=value, wait=0)
        return replace(self, wait=self.wait + 1)

    @property
    def should_stop(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.patience <= self.wait
