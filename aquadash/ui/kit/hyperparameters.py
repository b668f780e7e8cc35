"""Settings for people: limits of form fields, and values in words."""

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
from aquadash.ui.kit.glossary import GLOSSARY
from aquadash.ui.kit.lab import lab


@dataclass(frozen=True)
class NumberField:
    """The inclusive limits of a number, and the step of its buttons."""

    low: int | float
    high: int | float
    step: int | float


def label(name: str) -> str:
    """Return a setting's label, or the name itself for anything else."""
    return SETTINGS[name].label if name in SETTINGS else name


def help_text(name: str) -> str:
    """Return a setting's help with its term of art."""
    record = setting(name)
    return "\n\n".join(text for text in (record.help, GLOSSARY.get(record.term, "")) if text)


def group(key: str) -> tuple[str, ...]:
    """Return the settings of a group of the form in order."""
    records = [record for record in SETTINGS.values() if record.group == key]
    return tuple(record.name for record in sorted(records, key=lambda record: record.order))


def choices(name: str) -> tuple[str, ...]:
    """Return a setting's possible words, for pipelines and data sets those of now; empty for others."""
    if name == "data.source":
        return tuple(lab().data.sources())
    if name == "augmentation.pipeline":
        return tuple(lab().pipelines.all().pipelines)
    return tuple(MODELS) if name == "model.name" else setting(name).choices


def number(name: str, value: float | None = None) -> NumberField:
    """Return a number's limits from its record, widened to ``value``, and a step a tenth of its power of ten."""
    record = setting(name)
    low = 0 if record.low is None else record.low
    high = (2**53 if record.kind is int else 1e9) if record.high is None else record.high
    if record.kind is float:
        margin = record.step / 10 if record.step else 1e-6
        low, high = low + margin * (not record.low_allowed), high - margin * (not record.high_allowed)
    if value is not None:
        # A command may have set a value beyond the form's limits.
        low, high = min(low, value), max(high, value)
    if record.kind is int:
        return NumberField(int(low), int(high), 1)
    # 0.001 steps to 0.0009, not to 0, and 0.0011 to 0.0021.
    step = record.step or (10.0 ** math.floor(math.log10(value / 1.0001)) if value else 1e-4)
    return NumberField(float(low), float(high), float(step))


def value_text(name: str, value: Any) -> str:
    """Return a value in words as plain text: ``"yes"``, ``"Adam"``, ``"0.01"``, ``"32, 64"``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) or (value == "" and setting(name).kind is tuple):
        # A search stores lists as text, an empty list as an empty text.
        value = tuple(value)
    if value in (texts := setting(name).texts):
        return texts[value]
    if name == "data.source" and isinstance(value, str):
        return title_of(value)
    if name == "augmentation.pipeline" and isinstance(value, str):
        return _pipeline_text(value)
    if name == DEFINITIONS:
        try:
            return describe_definitions(value)
        except ValueError:
            return str(value)  # Already in words.
    if name == "model.name" and value in MODELS:
        return MODELS[value].title
    return f"{value:g}" if isinstance(value, float) else field_text(value)


def _pipeline_text(text: str) -> str:
    """Return a pipeline's title, the name of a deleted one, or fractions: ``"75 % my-flip, 25 % none"``."""
    pipelines = PIPELINES if text in PIPELINES else lab().pipelines.all().pipelines
    if text in pipelines:
        return pipelines[text].title
    try:
        weights = read_weights(text)
    except ValueError:
        return text
    if len(weights) == 1:
        return text
    total = sum(weight for _, weight in weights)
    return ", ".join(f"{100 * weight / total:.3g} % {name}" for name, weight in weights)


def field_text(value: Any) -> str:
    """Return a value as the text that :func:`read` reads: ``"32, 64"``."""
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def read(name: str, text: str) -> Any:
    """Read a list of whole numbers from a text field; refuse others by the setting's label."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    wrong = next((part for part in parts if not part.isdecimal()), None)
    try:
        if wrong is not None:
            reason = f"“{wrong[:40]}” is not a whole number"
        else:
            return flatten(with_values(RunConfig(), {name: parts}))[name]
    except AquaDashError as error:
        # The message is "name and value: reason. help"; keep the reason.
        reason = str(error).partition(": ")[2].partition(". ")[0]
        reason = reason.replace("value", "the list").replace(" after validation", "").replace("input", "each")
    raise ConfigError(f"{label(name)}: {reason}. Write whole numbers with commas between them, such as 32, 64.")
