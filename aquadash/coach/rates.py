"""The learning rates that usually work, by optimizer, for networks trained from nothing.

They were measured: see "The coach's thresholds" in ``docs/decisions.md``.
"""

from __future__ import annotations

from aquadash.config import WITH_MOMENTUM, RunConfig, TrainingConfig
from aquadash.models import uses

#: The optimizers' names in "with ...".
OPTIMIZER_NAMES = {
    "sgd": "SGD",
    "momentum": "SGD and momentum",
    "nesterov": "SGD and Nesterov momentum",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
}

#: Good first rates: the report's for SGD, that of Adam's authors for Adam and its relatives.
USUAL_RATE = {"sgd": 0.01, "momentum": 0.01, "nesterov": 0.01, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}

#: Effective rates above which training usually breaks down.
MAX_RATE = {"sgd": 0.3, "momentum": 0.3, "nesterov": 0.3, "rmsprop": 0.005, "adam": 0.005, "adamw": 0.005}

#: Factor of the largest rate with batch normalization: Ioffe and Szegedy 2015, section 4.2.1.
NORMALIZED_FACTOR = 5

#: Effective rates below which a network hardly learns in the epochs that people wait for.
MIN_RATE = {"sgd": 3e-4, "momentum": 3e-4, "nesterov": 3e-4, "rmsprop": 3e-5, "adam": 3e-5, "adamw": 3e-5}


def effective_rate(training: TrainingConfig) -> float:
    """Return the rate that steps in one direction add up to: 1 / (1 - m) times one step with momentum m."""
    rate = training.learning_rate
    return rate / (1 - training.momentum) if training.optimizer in WITH_MOMENTUM else rate


def largest(config: RunConfig) -> float:
    """Return the largest learning rate that usually works with the other settings, with two digits."""
    training = config.training
    normalizes = uses(config.model.name, "model.batch_normalization") and config.model.batch_normalization
    limit = MAX_RATE[training.optimizer] * (NORMALIZED_FACTOR if normalizes else 1)
    return float(f"{limit * training.learning_rate / effective_rate(training):.2g}")


def too_large(config: RunConfig) -> bool:
    """Return whether the rate usually breaks training."""
    return config.training.learning_rate > largest(config)


def too_small(config: RunConfig) -> bool:
    """Return whether the rate usually takes more epochs than people wait for."""
    return effective_rate(config.training) < MIN_RATE[config.training.optimizer]


def lower(config: RunConfig, factor: float) -> float:
    """Return the rate divided by ``factor``, or the usual one if that is still too large; one significant digit."""
    training = config.training
    rate, most = training.learning_rate / factor, largest(config)
    return rounded(rate if rate <= most else min(USUAL_RATE[training.optimizer], most))


def higher(config: RunConfig, factor: float) -> float:
    """Return the rate times ``factor``, at least the usual one if it is too small; one significant digit."""
    rate = config.training.learning_rate * factor
    if too_small(config):
        rate = max(rate, USUAL_RATE[config.training.optimizer])
    return rounded(min(rate, largest(config)))


def rounded(rate: float) -> float:
    """Round a rate to one significant digit."""
    return float(f"{rate:.1g}")


def text(rate: float) -> str:
    """Format a rate without an exponent: ``"0.00001"``."""
    return f"{rate:.10f}".rstrip("0").rstrip(".")
