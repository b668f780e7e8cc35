"""When to stop: the rule of Keras's ``EarlyStopping``, as a value that can be stored in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class EarlyStopping:
    """Counts epochs without a better validation loss.

    The rule is that of ``keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0)``; a test holds the two against
    each other. It is a frozen record because Keras's callback cannot be saved and brought back in the middle of a run.

    Attributes:
        patience: Epochs without a better loss before it stops; 0 never stops.
        best_epoch: The epoch with the lowest loss so far, from 1; 0 before the first.
        best_loss: That loss.
        wait: Epochs since then.
    """

    patience: int
    best_epoch: int = 0
    best_loss: float = float("inf")
    wait: int = 0

    def after(self, epoch: int, val_loss: float) -> EarlyStopping:
        """The state after an epoch. A loss that is not a number is never better."""
        if val_loss < self.best_loss:
            return replace(self, best_epoch=epoch, best_loss=val_loss, wait=0)
        return replace(self, wait=self.wait + 1)

    @property
    def should_stop(self) -> bool:
        """True once patience has run out."""
        return 0 < self.patience <= self.wait
