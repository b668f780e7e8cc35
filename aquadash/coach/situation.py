"""What the rules on a run look at: its settings, its complete epochs, what follows from both, its training images."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from aquadash.config import RunConfig
from aquadash.data import SOURCES, Dataset
from aquadash.errors import AquaDashError
from aquadash.evaluation import CurveVerdict, Evaluation, best_epoch, overfit_verdict
from aquadash.evaluation.curves import LOW_TRAINING_ACCURACY
from aquadash.store import EpochRecord, Run, RunStatus


@dataclass(frozen=True, eq=False)
class Situation:
    """A run as far as it has come."""

    run: Run
    #: Its complete epochs, in order.
    history: Sequence[EpochRecord]
    #: The results on the test images; None before the end.
    evaluation: Evaluation | None = None
    #: Gives the training images by class name; nothing where they cannot be counted.
    count_training: Callable[[], Mapping[str, int]] = dict

    @property
    def config(self) -> RunConfig:
        """What the run was made from."""
        return self.run.config

    @cached_property
    def verdict(self) -> CurveVerdict:
        """What the curves say of overfitting."""
        return overfit_verdict(self.history, self.config)

    @cached_property
    def best_epoch(self) -> int:
        """The epoch with the best figure of those that early stopping looks at; 0 where there is none."""
        return best_epoch(self.history, monitor=self.config.training.monitor) or 0

    @property
    def used_all_epochs(self) -> bool:
        """Whether the run ended because it had trained all the epochs that it was to train."""
        return self.run.status is RunStatus.FINISHED and len(self.history) >= self.config.training.epochs

    @property
    def stopped_by_patience(self) -> bool:
        """Whether early stopping ended it."""
        waited, patience = len(self.history) - self.best_epoch, self.config.training.patience
        ended = self.run.status is RunStatus.FINISHED and not self.used_all_epochs
        return ended and 0 < patience <= waited

    @property
    def losses(self) -> list[float]:
        """Training loss by epoch, epochs where it is no number left out."""
        return [record.loss for record in self.history if math.isfinite(record.loss)]

    @property
    def learned_little(self) -> bool:
        """Whether the last epoch was poor, by validation accuracy too: mixing and dropout hold the training's down."""
        last = self.history[-1]
        return max(last.accuracy, last.val_accuracy) < LOW_TRAINING_ACCURACY

    @cached_property
    def roughness(self) -> float:
        """By what fraction of itself the training loss changes from one epoch to the next, on average."""
        steps = [abs(after - before) for before, after in zip(self.losses, self.losses[1:], strict=False)]
        return statistics.fmean(steps) / max(statistics.fmean(self.losses), 1e-12) if steps else 0.0

    @cached_property
    def backward(self) -> float:
        """The fraction of all movement of the training loss that went upwards, 0 to 1."""
        steps = [after - before for before, after in zip(self.losses, self.losses[1:], strict=False)]
        moved = sum(abs(step) for step in steps)
        return sum(step for step in steps if step > 0) / moved if moved else 0.0

    @cached_property
    def falling(self) -> float:
        """The fraction of epochs whose training loss is below that of the epoch before, 0 to 1."""
        steps = [after < before for before, after in zip(self.losses, self.losses[1:], strict=False)]
        return sum(steps) / len(steps) if steps else 0.0

    @cached_property
    def straightness(self) -> float:
        """How much the training loss fell in the second half of the epochs for what it fell in the first.

        Near 1 for a straight line, near 0 for a curve that has become flat. The first epoch is left out, whose loss is
        an average from the very first weights on.
        """
        losses = self.losses[1:]
        if len(losses) < 3:
            return 0.0
        middle = losses[len(losses) // 2]
        first = losses[0] - middle
        return (middle - losses[-1]) / first if first > 0 else 0.0

    @cached_property
    def validation_noise(self) -> float:
        """By what fraction of its best value the validation loss typically jumps between two epochs (the median)."""
        values = [record.val_loss for record in self.history if math.isfinite(record.val_loss)]
        jumps = [abs(after - before) for before, after in zip(values, values[1:], strict=False)]
        return statistics.median(jumps) / max(min(values), 1e-12) if jumps else 0.0


def training_counts(run: Run, load: Callable[[str], Dataset]) -> Mapping[str, int]:
    """Training images by class name, validation images among them; empty where the run's images are not here any more.

    Args:
        load: Gives the data set of a source.
    """
    source = SOURCES.get(run.config.data.source)
    if source is None or source.key() is None:
        # Loading would begin a download, which nobody has asked for.
        return {}
    try:
        dataset = load(source.name)
    except AquaDashError:
        return {}
    if dataset.fingerprint != run.dataset_fingerprint:
        return {}
    counts = Counter(dataset.train.labels.tolist())
    return {name: counts[label] for label, name in enumerate(dataset.class_names)}
