"""What each setting of a run is called, what it may be and how its value reads: for the form and for tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aquadash.augment import PIPELINES
from aquadash.config import Setting, setting
from aquadash.data import SOURCES
from aquadash.models import MODELS
from aquadash.ui.glossary import GLOSSARY

LABELS: dict[str, str] = {
    "data.source": "Data set",
    "augmentation.pipeline": "Augmentation",
    "augmentation.mode": "Variants are drawn",
    "model.name": "Network",
    "model.dropout": "Dropout",
    "training.epochs": "Most epochs",
    "training.batch_size": "Batch size",
    "training.optimizer": "Optimizer",
    "training.learning_rate": "Learning rate",
    "training.patience": "Patience",
    "training.validation": "Validation images",
    "training.validation_fraction": "Share held out for validation",
    "training.drop_remainder": "Leave out a last batch that is not full",
    "training.restore_best_weights": "Keep the best epoch's weights",
    "training.from_logits": "Tell the loss to expect raw scores",
    "seed": "Seed",
}

_VALUES: dict[str, dict[Any, str]] = {
    "augmentation.mode": {"copies": "once, before training", "fresh": "anew for every epoch"},
    "training.optimizer": {
        "sgd": "SGD, plain steps downhill",
        "momentum": "SGD with momentum",
        "rmsprop": "RMSprop",
        "adam": "Adam",
    },
    "training.validation": {
        "training": "held out of the training images",
        "test": "the first 400 test images, as in the report",
    },
}

#: Which line of the glossary explains a setting's term of art.
_TERMS: dict[str, str] = {
    "augmentation.pipeline": "augmentation",
    "training.epochs": "epoch",
    "training.batch_size": "batch",
    "training.patience": "early stopping",
    "training.validation": "validation",
    "training.restore_best_weights": "best epoch",
    "training.from_logits": "softmax",
    "seed": "seed",
}

#: Step of the buttons and finest distance, for settings that are not whole numbers.
_STEPS: dict[str, tuple[float, float]] = {
    "training.learning_rate": (0.001, 0.00001),
    "model.dropout": (0.05, 0.01),
    "training.validation_fraction": (0.05, 0.01),
}


@dataclass(frozen=True)
class NumberField:
    """The limits of a number, both allowed.

    Attributes:
        low: The least value.
        high: The greatest value.
        step: What the plus and minus buttons add.
    """

    low: int | float
    high: int | float
    step: int | float


def label(name: str) -> str:
    """The setting's name for people; its dotted name while it has no other."""
    return LABELS.get(name, name)


def help_text(name: str) -> str:
    """What the setting does, and its term of art."""
    term = GLOSSARY.get(_TERMS.get(name, ""), "")
    return "\n\n".join(text for text in (setting(name).help, term) if text)


def choices(name: str) -> tuple[str, ...]:
    """The values of a setting that takes one of a few names; empty for any other."""
    tables: dict[str, Any] = {"data.source": SOURCES, "augmentation.pipeline": PIPELINES, "model.name": MODELS}
    if name in tables:
        return tuple(tables[name])
    return setting(name).choices


@cache
def number(name: str) -> NumberField:
    """The limits of a setting that is a number, from the config's own checks.

    A limit that is itself excluded (more than 0, say) is moved in by the finest distance that the form shows.
    """
    limits: Setting = setting(name)
    whole = limits.kind is int
    step, finest = (1, 1) if whole else _STEPS.get(name, (0.1, 0.01))
    low = 0 if limits.low is None else limits.low if limits.low_allowed else limits.low + finest
    high = (2**53 if whole else 1e9) if limits.high is None else limits.high
    high = high if limits.high_allowed else high - finest
    return NumberField(int(low), int(high), 1) if whole else NumberField(float(low), float(high), float(step))


def value_text(name: str, value: Any) -> str:
    """A setting's value for people: ``"yes"``, ``"Adam"``, ``"0.01"``. Plain text, not markdown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _VALUES:
        return _VALUES[name].get(value, str(value))
    if name == "data.source" and value in SOURCES:
        return SOURCES[value].title
    if name == "augmentation.pipeline" and value in PIPELINES:
        return PIPELINES[value].title
    if name == "model.name" and value in MODELS:
        return MODELS[value].title
    return f"{value:g}" if isinstance(value, float) else str(value)
