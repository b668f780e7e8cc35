"""Learning rates, schedules and patience that usually work for networks trained from nothing.

The rates were measured: see "The coach's thresholds" in ``docs/decisions.md``.
"""

import math
from typing import NamedTuple

from aquadash.config import WITH_MOMENTUM, RunConfig, TrainingConfig, setting
from aquadash.models import uses

#: Schedules that lower the learning rate over all epochs, so that most of the gain comes at their end.
PLANNED = ("cosine", "one_cycle")

#: Patience without a schedule in epochs, four times the report's.
USUAL_PATIENCE = 20

#: Least patience of a planned schedule, as a fraction of its epochs; its rate is high during the first third.
PATIENCE_FRACTION = 0.25

#: Epochs without progress after which ``plateau`` usually cuts the rate, and the cuts that patience should wait for.
USUAL_WAIT, CUTS_BEFORE_STOP = 5, 3

#: Factor of the largest rate with batch normalization: Ioffe and Szegedy 2015, section 4.2.1.
NORMALIZED_FACTOR = 5


class _Rates(NamedTuple):
    #: A good first rate: the report's for SGD, that of Adam's authors for Adam and its relatives.
    usual: float
    #: Effective rate above which training usually breaks down.
    largest: float
    #: Effective rate below which a network hardly learns in the epochs that people wait for.
    smallest: float


_SGD, _ADAPTIVE = _Rates(0.01, 0.3, 3e-4), _Rates(0.001, 0.005, 3e-5)


def _rates(config: RunConfig) -> _Rates:
    return _SGD if config.training.optimizer in ("sgd", *WITH_MOMENTUM) else _ADAPTIVE


def optimizer_title(config: RunConfig) -> str:
    """Return the optimizer's name."""
    return setting("training.optimizer").texts[config.training.optimizer]


def effective_rate(training: TrainingConfig) -> float:
    """Return the rate of many steps in one direction: momentum m multiplies the rate by 1 / (1 - m)."""
    rate = training.learning_rate
    return rate / (1 - training.momentum) if training.optimizer in WITH_MOMENTUM else rate


def largest(config: RunConfig) -> float:
    """Return the largest learning rate that usually works with the other settings, with two digits."""
    training = config.training
    normalizes = uses(config.model.name, "model.batch_normalization") and config.model.batch_normalization
    limit = _rates(config).largest * (NORMALIZED_FACTOR if normalizes else 1)
    return float(f"{limit * training.learning_rate / effective_rate(training):.2g}")


def too_large(config: RunConfig) -> bool:
    """Return whether the rate usually breaks training."""
    return config.training.learning_rate > largest(config)


def too_small(config: RunConfig) -> bool:
    """Return whether the rate usually takes more epochs than people wait for."""
    return effective_rate(config.training) < _rates(config).smallest


def usual(config: RunConfig) -> float:
    """Return a good first rate; one significant digit."""
    return _rounded(min(_rates(config).usual, largest(config)))


def lower(config: RunConfig, factor: float) -> float:
    """Return the rate divided by ``factor``, or the usual one if that is still too large; one significant digit."""
    rate = config.training.learning_rate / factor
    return _rounded(rate) if rate <= largest(config) else usual(config)


def higher(config: RunConfig, factor: float) -> float:
    """Return the rate times ``factor``, at least the usual one if it is too small; one significant digit."""
    rate = min(config.training.learning_rate * factor, largest(config))
    return max(_rounded(rate), usual(config)) if too_small(config) else _rounded(rate)


def _rounded(rate: float) -> float:
    return float(f"{rate:.1g}")


def text(rate: float) -> str:
    """Format a rate without an exponent: ``"0.00001"``."""
    return f"{rate:.10f}".rstrip("0").rstrip(".")


def sensible_patience(training: TrainingConfig) -> int:
    """Return the least patience that does not cut the schedule short."""
    if training.schedule in PLANNED:
        return math.ceil(PATIENCE_FRACTION * training.epochs)
    if training.schedule == "plateau":
        return max(USUAL_PATIENCE, CUTS_BEFORE_STOP * math.ceil(training.schedule_epochs))
    return USUAL_PATIENCE
