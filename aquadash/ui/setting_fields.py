"""What each setting of a run is called, what it may be and how its value reads: for the form and for tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from aquadash.augment import PIPELINES, library
from aquadash.config import (
    DEFINITIONS,
    RunConfig,
    Setting,
    definitions_words,
    flatten,
    read_weights,
    setting,
    with_values,
)
from aquadash.data import SOURCES, title_of
from aquadash.errors import AquaDashError, ConfigError
from aquadash.models import MODELS
from aquadash.ui.glossary import GLOSSARY
from aquadash.ui.setting_words import LABELS, TERMS, VALUES

#: Step of the buttons and finest distance, for settings that are not whole numbers.
_STEPS: dict[str, tuple[float, float]] = {
    "augmentation.mixing_alpha": (0.1, 0.01),
    "model.dropout": (0.05, 0.01),
    "training.momentum": (0.01, 0.001),
    "training.schedule_epochs": (1.0, 0.1),
    "training.schedule_factor": (0.1, 0.01),
    "training.warmup_epochs": (1.0, 0.1),
    "training.validation_fraction": (0.05, 0.01),
    "training.label_smoothing": (0.05, 0.01),
    "training.body_learning_rate": (0.05, 0.01),
}

#: Settings that people try in powers of ten: their step follows their value. Finest distance, and the step from zero.
_BY_MAGNITUDE: dict[str, tuple[float, float]] = {
    "training.learning_rate": (1e-6, 1e-3),
    "training.weight_decay": (1e-6, 1e-4),
    "model.l1": (1e-7, 1e-5),
    "model.l2": (1e-7, 1e-4),
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


@cache
def kind(name: str) -> type:
    """The type of the setting's values: ``int``, ``float``, ``bool``, ``str``, or ``tuple`` for some whole numbers."""
    return setting(name).kind


@cache
def help_text(name: str) -> str:
    """What the setting does, and its term of art."""
    term = GLOSSARY.get(TERMS.get(name, ""), "")
    return "\n\n".join(text for text in (setting(name).help, term) if text)


def choices(name: str) -> tuple[str, ...]:
    """The values of a setting that takes one of a few names; empty for any other.

    Pipelines and data sets are those of this moment: somebody may just have saved one.
    """
    if name == "data.source":
        return tuple(SOURCES)
    if name == "augmentation.pipeline":
        return tuple(library().pipelines)
    return _fixed_choices(name)


@cache
def _fixed_choices(name: str) -> tuple[str, ...]:
    return tuple(MODELS) if name == "model.name" else setting(name).choices


def number(name: str, value: float | None = None) -> NumberField:
    """The limits of a setting that is a number, from the config's own checks.

    A limit that is itself excluded (more than 0, say) is moved in by the finest distance that the form shows.

    Args:
        name: The setting.
        value: What it is now, which the limits never exclude; settings that are tried in powers of ten step in tenths
            of its power.
    """
    limits, (step, finest) = _limits(name), _STEPS.get(name, (1, 1))
    if name in _BY_MAGNITUDE:
        finest, step = _BY_MAGNITUDE[name]
        # 0.001 steps to 0.0009, not to 0, and 0.0011 to 0.0021.
        step = 10.0 ** math.floor(math.log10(value / 1.0001)) if value else step
    low = 0 if limits.low is None else limits.low if limits.low_allowed else limits.low + finest
    high = (2**53 if limits.kind is int else 1e9) if limits.high is None else limits.high
    high = high if limits.high_allowed else high - finest
    if value is not None:
        # Text or a command may set what is finer than the form's own steps.
        low, high = min(low, value), max(high, value)
    if limits.kind is int:
        return NumberField(int(low), int(high), 1)
    return NumberField(float(low), float(high), float(step))


@cache
def _limits(name: str) -> Setting:
    return setting(name)


def value_text(name: str, value: Any) -> str:
    """A setting's value for people: ``"yes"``, ``"Adam"``, ``"0.01"``, ``"32, 64"``. Plain text, not markdown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    value = tuple(value) if isinstance(value, list) else value
    if value in (texts := VALUES.get(name, {})):
        return texts[value]
    if name == "data.source" and isinstance(value, str):
        return title_of(value)
    if name == "augmentation.pipeline" and isinstance(value, str):
        return _pipeline_text(value)
    if name == DEFINITIONS:
        return _definitions_text(value)
    if name == "model.name" and value in MODELS:
        return MODELS[value].title
    return f"{value:g}" if isinstance(value, float) else field_text(value)


def _pipeline_text(text: str) -> str:
    """A built-in pipeline's title, a saved one's name, or the shares of several: ``"75 % my-flip, 25 % none"``."""
    if text in PIPELINES:
        return PIPELINES[text].title
    try:
        weights = read_weights(text)
    except ValueError:
        return text
    if len(weights) == 1:
        return text
    total = sum(weight for _, weight in weights)
    return ", ".join(f"{100 * weight / total:.3g} % {name}" for name, weight in weights)


def _definitions_text(text: str) -> str:
    """Carried pipelines by name and version; what is in words already as it is."""
    try:
        return definitions_words(text)
    except ValueError:
        return text


def field_text(value: Any) -> str:
    """A value as a text field takes it and :func:`read` reads it back: ``"32, 64"``."""
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def read(name: str, text: str) -> Any:
    """The value that a text field holds, for a setting that is some whole numbers.

    Raises:
        ConfigError: The text is no such value; the message names the setting as people know it.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    strange = next((part for part in parts if not part.isdecimal()), None)
    try:
        if strange is not None:
            reason = f"“{strange[:40]}” is not a whole number"
        else:
            return flatten(with_values(RunConfig(), {name: parts}))[name]
    except AquaDashError as error:
        # Of the config's message the reason: before it stand the dotted name and the value, after it the help.
        reason = str(error).partition(": ")[2].partition(". ")[0]
        reason = reason.replace("value", "the list").replace(" after validation", "").replace("input", "each")
    raise ConfigError(f"{label(name)}: {reason}. Write whole numbers with commas between them, such as 32, 64.")
