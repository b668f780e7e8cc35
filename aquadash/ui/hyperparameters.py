"""Settings as people see them: what a form needs beside their record, and how their values read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from aquadash.augment import PIPELINES
from aquadash.config import (
    DEFINITIONS,
    SETTINGS,
    RunConfig,
    describe_definitions,
    flatten,
    read_weights,
    setting,
    with_values,
)
from aquadash.data import title_of
from aquadash.errors import AquaDashError, ConfigError
from aquadash.models import MODELS
from aquadash.models import effective as effective
from aquadash.ui.glossary import GLOSSARY
from aquadash.ui.lab import lab


@dataclass(frozen=True)
class NumberField:
    """The limits of a number, both allowed, and what its plus and minus buttons add."""

    low: int | float
    high: int | float
    step: int | float


def label(name: str) -> str:
    """The setting's name for people; of what is no setting, the name itself."""
    return SETTINGS[name].label if name in SETTINGS else name


def help_text(name: str) -> str:
    """What the setting does, and its term of art."""
    record = setting(name)
    return "\n\n".join(text for text in (record.help, GLOSSARY.get(record.term, "")) if text)


def group(key: str) -> tuple[str, ...]:
    """The settings of a group of the form, in their order."""
    records = [record for record in SETTINGS.values() if record.group == key]
    return tuple(record.name for record in sorted(records, key=lambda record: record.order))


def choices(name: str) -> tuple[str, ...]:
    """The values of a setting that takes one of a few names; empty for any other.

    Pipelines and data sets are those of this moment: somebody may just have saved one.
    """
    if name == "data.source":
        return tuple(lab().data.sources())
    if name == "augmentation.pipeline":
        return tuple(lab().pipelines.all().pipelines)
    return tuple(MODELS) if name == "model.name" else setting(name).choices


def number(name: str, value: float | None = None) -> NumberField:
    """The limits of a setting that is a number, from the config's own checks.

    A limit that is itself excluded (more than 0, say) is moved in by a little. The limits never exclude the present
    ``value``; settings that are tried in powers of ten step in tenths of its power.
    """
    record = setting(name)
    low = 0 if record.low is None else record.low
    high = (2**53 if record.kind is int else 1e9) if record.high is None else record.high
    if record.kind is float:
        margin = record.step / 10 if record.step else 1e-6
        low, high = low + margin * (not record.low_allowed), high - margin * (not record.high_allowed)
    if value is not None:
        # Text or a command may set what is finer than the form's own steps.
        low, high = min(low, value), max(high, value)
    if record.kind is int:
        return NumberField(int(low), int(high), 1)
    # 0.001 steps to 0.0009, not to 0, and 0.0011 to 0.0021.
    step = record.step or (10.0 ** math.floor(math.log10(value / 1.0001)) if value else 1e-4)
    return NumberField(float(low), float(high), float(step))


def value_text(name: str, value: Any) -> str:
    """A setting's value for people: ``"yes"``, ``"Adam"``, ``"0.01"``, ``"32, 64"``. Plain text, not markdown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) or (value == "" and setting(name).kind is tuple):
        # A search keeps lists as text: the empty one is no text at all.
        value = tuple(value)
    if value in (texts := setting(name).texts):
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
        return describe_definitions(text)
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
