"""The table of optimizers: a config's name to a Keras optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aquadash.config import TrainingConfig

if TYPE_CHECKING:
    import keras


def _sgd(learning_rate: float) -> keras.Optimizer:
    import keras

    return keras.optimizers.SGD(learning_rate)


def _momentum(learning_rate: float) -> keras.Optimizer:
    import keras

    # 0.9 is the usual choice since Sutskever et al. 2013, "On the importance of initialization and momentum".
    return keras.optimizers.SGD(learning_rate, momentum=0.9)


def _rmsprop(learning_rate: float) -> keras.Optimizer:
    import keras

    return keras.optimizers.RMSprop(learning_rate)


def _adam(learning_rate: float) -> keras.Optimizer:
    import keras

    return keras.optimizers.Adam(learning_rate)


OPTIMIZERS: dict[str, Callable[[float], keras.Optimizer]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "rmsprop": _rmsprop,
    "adam": _adam,
}


def build_optimizer(config: TrainingConfig) -> keras.Optimizer:
    """The optimizer that the config names, at its learning rate."""
    return OPTIMIZERS[config.optimizer](config.learning_rate)
