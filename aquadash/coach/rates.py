"""What learning rates usually work for which optimizer.

The limits are for networks trained from nothing. They were checked with the report's network on CIFAR-100's photographs
without augmentation, in 10 to 40 epochs: SGD with 0.1 learns and with 0.5 breaks down in the first epoch; with a
momentum of 0.9, 0.01 learns and 0.1 breaks down; Adam with 0.003 learns and with 0.01 loses everything after five
epochs; SGD with 0.0001 has hardly moved after 20, and Adam with 0.00001 needs 30 for what 0.001 does in three.
"""

from __future__ import annotations

from aquadash.config import WITH_MOMENTUM, RunConfig, TrainingConfig
from aquadash.models import uses

#: What the optimizers are called in "with ...".
OPTIMIZER_NAMES = {
    "sgd": "SGD",
    "momentum": "SGD and momentum",
    "nesterov": "SGD and Nesterov momentum",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
}

#: Where to begin: the report's rate for SGD, the rate that the authors of Adam suggest for Adam and its relatives.
USUAL_RATE = {"sgd": 0.01, "momentum": 0.01, "nesterov": 0.01, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}

#: Effective rates (see :func:`effective_rate`) above these usually break training.
MAX_RATE = {"sgd": 0.3, "momentum": 0.3, "nesterov": 0.3, "rmsprop": 0.005, "adam": 0.005, "adamw": 0.005}

#: Batch normalization allows larger rates: Ioffe and Szegedy 2015, "Batch Normalization", section 4.2.1, trained with 5
#: times the rate of the network without it.
NORMALIZED_FACTOR = 5

#: With effective rates below these nothing much happens in the epochs that people wait for.
MIN_RATE = {"sgd": 3e-4, "momentum": 3e-4, "nesterov": 3e-4, "rmsprop": 3e-5, "adam": 3e-5, "adamw": 3e-5}


def effective_rate(training: TrainingConfig) -> float:
    """The learning rate that steps in one direction add up to.

    With momentum m each step keeps the fraction m of the last one, so that steps in the same direction grow to
    1 / (1 - m) times the size of one.
    """
    rate = training.learning_rate
    return rate / (1 - training.momentum) if training.optimizer in WITH_MOMENTUM else rate


def largest(config: RunConfig) -> float:
    """The largest learning rate that usually works with the other settings, as a person would type it."""
    training = config.training
    limit = MAX_RATE[training.optimizer] * (NORMALIZED_FACTOR if _normalizes(config) else 1)
    return float(f"{limit * training.learning_rate / effective_rate(training):.2g}")


def too_large(config: RunConfig) -> bool:
    """Whether the rate usually breaks training."""
    return config.training.learning_rate > largest(config)


def too_small(config: RunConfig) -> bool:
    """Whether the rate usually takes more epochs than people wait for."""
    return effective_rate(config.training) < MIN_RATE[config.training.optimizer]


def lower(config: RunConfig, factor: float) -> float:
    """The rate divided by ``factor``, or a usual one where that is still too large; one significant digit."""
    training = config.training
    rate, most = training.learning_rate / factor, largest(config)
    return rounded(rate if rate <= most else min(USUAL_RATE[training.optimizer], most))


def higher(config: RunConfig, factor: float) -> float:
    """The rate times ``factor``, or the usual one for a rate that is far too low; at most what usually works.

    One significant digit.
    """
    rate = config.training.learning_rate * factor
    if too_small(config):
        rate = max(rate, USUAL_RATE[config.training.optimizer])
    return rounded(min(rate, largest(config)))


def rounded(rate: float) -> float:
    """To one significant digit: what a person would type."""
    return float(f"{rate:.1g}")


def text(rate: float) -> str:
    """The rate without an exponent: ``"0.00001"``."""
    return f"{rate:.10f}".rstrip("0").rstrip(".")


def _normalizes(config: RunConfig) -> bool:
    return uses(config.model.name, "model.batch_normalization") and config.model.batch_normalization
