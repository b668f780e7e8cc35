"""What each setting of a run is called, what it may be and how its value reads: for the form and for tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from aquadash.augment import PIPELINES
from aquadash.config import RunConfig, Section
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


@cache
def field_info(name: str) -> FieldInfo:
    """The config's own record of the setting with this dotted name; ``KeyError`` if there is none."""
    section, _, field = name.rpartition(".")
    model: type[Section] = RunConfig
    if section:
        annotation = RunConfig.model_fields[section].annotation
        assert isinstance(annotation, type) and issubclass(annotation, Section)
        model = annotation
    return model.model_fields[field]


def label(name: str) -> str:
    """The setting's name for people; its dotted name while it has no other."""
    return LABELS.get(name, name)


def help_text(name: str) -> str:
    """What the setting does, and its term of art."""
    term = GLOSSARY.get(_TERMS.get(name, ""), "")
    return "\n\n".join(text for text in (field_info(name).description or "", term) if text)


def choices(name: str) -> tuple[str, ...]:
    """The values of a setting that takes one of a few names; empty for any other."""
    tables: dict[str, Any] = {"data.source": SOURCES, "augmentation.pipeline": PIPELINES, "model.name": MODELS}
    if name in tables:
        return tuple(tables[name])
    annotation = field_info(name).annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


@cache
def number(name: str) -> NumberField:
    """The limits of a setting that is a number, from the config's own checks.

    A limit that is itself excluded (more than 0, say) is moved in by the finest distance that the form shows.
    """
    info = field_info(name)
    whole = info.annotation is int
    step, finest = (1, 1) if whole else _STEPS.get(name, (0.1, 0.01))
    low: float = 0
    high: float = 2**53 if whole else 1e9
    for limit in info.metadata:
        if isinstance(limit, Ge):
            low = limit.ge  # type: ignore[assignment]
        elif isinstance(limit, Gt):
            low = limit.gt + finest  # type: ignore[operator]
        elif isinstance(limit, Le):
            high = limit.le  # type: ignore[assignment]
        elif isinstance(limit, Lt):
            high = limit.lt - finest  # type: ignore[operator]
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
