"""The facts about a run that the rules use: settings, epochs, results and training images."""

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
    """A run so far."""

    run: Run
    #: The complete epochs, in order.
    history: Sequence[EpochRecord]
    #: The results on the test images; None before the end.
    evaluation: Evaluation | None = None
    #: Returns the training images by class name; empty if they cannot be counted.
    count_training: Callable[[], Mapping[str, int]] = dict

    @property
    def config(self) -> RunConfig:
        """The run's settings."""
        return self.run.config

    @cached_property
    def verdict(self) -> CurveVerdict:
        """The verdict on the learning curves."""
        return overfit_verdict(self.history, self.config)

    @cached_property
    def best_epoch(self) -> int:
        """The best epoch by the value that early stopping monitors; 0 for none."""
        return best_epoch(self.history, monitor=self.config.training.monitor) or 0

    @property
    def used_all_epochs(self) -> bool:
        """Whether the run ended after its last planned epoch."""
        return self.run.status is RunStatus.FINISHED and len(self.history) >= self.config.training.epochs

    @property
    def stopped_by_patience(self) -> bool:
        """Whether early stopping ended it."""
        waited, patience = len(self.history) - self.best_epoch, self.config.training.patience
        ended = self.run.status is RunStatus.FINISHED and not self.used_all_epochs
        return ended and 0 < patience <= waited

    @property
    def is_warming_up(self) -> bool:
        """Whether the learning rate has not reached half of its peak yet."""
        return max(record.learning_rate for record in self.history) < 0.5 * self.config.training.learning_rate

    @property
    def losses(self) -> list[float]:
        """The finite training losses by epoch."""
        return [record.loss for record in self.history if math.isfinite(record.loss)]

    @property
    def _steps(self) -> list[float]:
        """The changes of the training loss from one epoch to the next."""
        return [after - before for before, after in zip(self.losses, self.losses[1:], strict=False)]

    @property
    def learned_little(self) -> bool:
        """Whether both accuracies of the last epoch are low; mixing and dropout lower the training accuracy alone."""
        last = self.history[-1]
        return max(last.accuracy, last.val_accuracy) < LOW_TRAINING_ACCURACY

    @cached_property
    def roughness(self) -> float:
        """The mean change of the training loss an epoch, as a fraction of its mean."""
        steps = [abs(step) for step in self._steps]
        return statistics.fmean(steps) / max(statistics.fmean(self.losses), 1e-12) if steps else 0.0

    @cached_property
    def backward(self) -> float:
        """The fraction of all movement of the training loss that went upwards, 0 to 1."""
        moved = sum(abs(step) for step in self._steps)
        return sum(step for step in self._steps if step > 0) / moved if moved else 0.0

    @cached_property
    def falling(self) -> float:
        """The fraction of epochs whose training loss is below that of the epoch before, 0 to 1."""
        return sum(step < 0 for step in self._steps) / len(self._steps) if self._steps else 0.0

    @cached_property
    def straightness(self) -> float:
        """The fall of the training loss in the second half of the epochs divided by that in the first; 1: a line."""
        # Without the first epoch, whose mean loss includes the untrained network.
        losses = self.losses[1:]
        if len(losses) < 3:
            return 0.0
        middle = losses[len(losses) // 2]
        first = losses[0] - middle
        return (middle - losses[-1]) / first if first > 0 else 0.0

    @cached_property
    def validation_noise(self) -> float:
        """The median change of the validation loss an epoch, as a fraction of its best."""
        values = [record.val_loss for record in self.history if math.isfinite(record.val_loss)]
        jumps = [abs(after - before) for before, after in zip(values, values[1:], strict=False)]
        return statistics.median(jumps) / max(min(values), 1e-12) if jumps else 0.0


def training_counts(run: Run, load: Callable[[str], Dataset]) -> Mapping[str, int]:
    """Count the training and validation images by class name; empty if the run's images are missing or replaced."""
    source = SOURCES.get(run.config.data.source)
    if source is None or source.key() is None:
        # Loading would start a download.
        return {}
    try:
        dataset = load(source.name)
    except AquaDashError:
        return {}
    if dataset.fingerprint != run.dataset_fingerprint:
        return {}
    counts = Counter(dataset.train.labels.tolist())
    return {name: counts[label] for label, name in enumerate(dataset.class_names)}
