"""When to stop: the rule of Keras's ``EarlyStopping``, as a value that can be stored in a checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


def improves(monitor: str, value: float, best: float) -> bool:
    """Whether a validation figure is better than the best so far; one that is not a number never is."""
    if math.isnan(value):
        return False
    return math.isnan(best) or (value < best if monitor == "val_loss" else value > best)


@dataclass(frozen=True)
class EarlyStopping:
    """Counts epochs without a better validation figure.

    The rule is that of ``keras.callbacks.EarlyStopping(monitor=..., min_delta=0)``; a test holds the two against
    each other. It is a frozen record because Keras's callback cannot be saved and brought back in the middle of a run.
    """

    #: Epochs without a better figure before it stops; 0 never stops.
    patience: int
    #: ``val_loss`` or ``val_accuracy``.
    monitor: str = "val_loss"
    #: The epoch with the best figure so far, from 1; 0 before the first.
    best_epoch: int = 0
    #: That figure; not a number before the first.
    best: float = math.nan
    #: Epochs since then.
    wait: int = 0

    def after(self, epoch: int, value: float) -> EarlyStopping:
        """The state after an epoch with that figure."""
        if improves(self.monitor, value, self.best):
            return replace(self, best_epoch=epoch, best=value, wait=0)
        return replace(self, wait=self.wait + 1)

    @property
    def should_stop(self) -> bool:
        """True once patience has run out."""
        return 0 < self.patience <= self.wait
