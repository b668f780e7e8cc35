"""The table of optimizers."""

from collections.abc import Callable
from typing import Any

import keras

from aquadash.config import TrainingConfig
from aquadash.training.faster import OnePassSGD

#: By name: the Keras class and its arguments.
OPTIMIZERS: dict[str, tuple[str, Callable[[TrainingConfig], dict[str, Any]]]] = {
    "sgd": ("SGD", lambda training: {}),
    "momentum": ("SGD", lambda training: {"momentum": training.momentum}),
    "nesterov": ("SGD", lambda training: {"momentum": training.momentum, "nesterov": True}),
    "rmsprop": ("RMSprop", lambda training: {}),
    "adam": ("Adam", lambda training: {}),
    "adamw": ("AdamW", lambda training: {}),
}

#: Names of variables without weight decay: smaller biases and normalisation scales do not reduce overfitting.
_NOT_DECAYED = ["bias", "gamma", "beta"]


def build_optimizer(config: TrainingConfig) -> keras.Optimizer:
    """Build the optimizer that the config names, at its learning rate."""
    kind, arguments = OPTIMIZERS[config.optimizer]
    # Keras's AdamW has a default decay, so a decay of 0 is passed on; for the others, None means no decay.
    decay = config.weight_decay if kind == "AdamW" else config.weight_decay or None
    build: type[keras.Optimizer] = OnePassSGD if kind == "SGD" else getattr(keras.optimizers, kind)
    optimizer = build(config.learning_rate, weight_decay=decay, **arguments(config))
    if config.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    return optimizer
