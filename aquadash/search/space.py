"""The space of a search: which settings vary, and between what."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from aquadash.config import RunConfig, fields, flatten, setting, with_values
from aquadash.errors import ConfigError, UnknownNameError

#: What a trial may set a setting to. Lists of numbers are kept as the text that the settings understand: ``"32, 64"``.
Value: TypeAlias = int | float | bool | str

#: Settings that decide what is measured rather than how well: trials that differ in them cannot be compared.
NOT_COMPARABLE: dict[str, str] = {
    "seed": "The best seed is only the luckiest one; it says nothing about the next training.",
    "data.source": "Figures on different images cannot be compared.",
    "training.validation": "Figures on different validation images cannot be compared.",
    "training.validation_fraction": "Figures on different validation images cannot be compared.",
    "training.device": "It decides where the training runs, not what comes out.",
    "augmentation.definitions": "It holds the pipelines that the other settings name.",
}

#: More values of one setting than anybody tries.
MOST_CHOICES = 50

_FORM = (
    "Write a range as training.learning_rate=1e-4..1e-1:log (or without :log), or values as "
    "training.optimizer=adam,adamw; lists of numbers have | between them: model.filters=32,64|64,128."
)


@dataclass(frozen=True)
class Range:
    """A setting that takes any number between two.

    Attributes:
        name: The setting's dotted name.
        low: The least value.
        high: The greatest value.
        log: Whether each factor of ten gets the same attention, rather than each unit.
        whole: Whether only whole numbers are taken.
    """

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        """The text that :func:`parse` reads back."""
        return f"{self.name}={_number_text(self.low)}..{_number_text(self.high)}{':log' if self.log else ''}"

    def contains(self, value: Any) -> bool:
        """Whether a trial may take the value."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choices:
    """A setting that takes one of a few values.

    Attributes:
        name: The setting's dotted name.
        values: At least two, all different.
    """

    name: str
    values: tuple[Value, ...]

    def __str__(self) -> str:
        """The text that :func:`parse` reads back."""
        return f"{self.name}={separator(self.name, self.values).join(_value_text(value) for value in self.values)}"

    def contains(self, value: Any) -> bool:
        """Whether a trial may take the value."""
        return value in self.values


Parameter: TypeAlias = Range | Choices


def searchable(name: str) -> bool:
    """Whether a search may vary the setting."""
    return name in fields() and name not in NOT_COMPARABLE


def separator(name: str, values: Iterable[object] = ()) -> str:
    """What stands between a setting's choices: ``|`` where the values themselves have commas."""
    return "|" if setting(name).kind is tuple or any("," in str(value) for value in values) else ","


def parse(text: str) -> Parameter:
    """Read ``name=low..high``, ``name=low..high:log`` or ``name=a,b,c``, as ``--over`` takes them.

    Raises:
        UnknownNameError: There is no such setting.
        ConfigError: The text is not of that form, or the values are outside the setting's limits.
    """
    name, sign, values = (part.strip() for part in text.partition("="))
    if not sign or not values:
        raise ConfigError(f"{text[:80]!r} is not of the form name=values. {_FORM}")
    if name not in fields():
        raise UnknownNameError.of("setting", name, fields())
    if ".." in values:
        return _parse_range(name, values)
    mark = "|" if "|" in values else separator(name)
    texts = [part.strip() for part in values.split(mark) if part.strip()]
    return checked(Choices(name, tuple(_typed(name, part) for part in texts)))


def parse_all(texts: Iterable[str]) -> tuple[Parameter, ...]:
    """:func:`parse` each, and refuse a setting that is named twice."""
    space = tuple(parse(text) for text in texts)
    names = [parameter.name for parameter in space]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"{twice} is named twice. Give all its values in one place.")
    return space


def checked(parameter: Parameter) -> Parameter:
    """The parameter itself, if a search can use it.

    Raises:
        ConfigError: Its values are too few, in the wrong order or outside the setting's limits, or trials that differ
            in this setting cannot be compared.
    """
    name = parameter.name
    if name in NOT_COMPARABLE:
        raise ConfigError(f"A search cannot vary {name}. {NOT_COMPARABLE[name]}")
    if isinstance(parameter, Choices):
        if not 2 <= len(set(parameter.values)) == len(parameter.values) <= MOST_CHOICES:
            raise ConfigError(
                f"{name} has the values {_value_list(parameter)}; a search needs from 2 to {MOST_CHOICES} different "
                "ones."
            )
        for value in parameter.values:
            _typed(name, value)
        return parameter
    if setting(name).kind not in (int, float):
        raise ConfigError(f"{name} is not a number, so it has no range. {_FORM}")
    for bound in (parameter.low, parameter.high):
        _typed(name, int(bound) if parameter.whole else bound)
    if not parameter.low < parameter.high:
        raise ConfigError(f"{parameter} is no range: the first number must be less than the second.")
    if parameter.log and parameter.low <= 0:
        raise ConfigError(f"{parameter} starts at {parameter.low:g}; a logarithmic range starts above 0.")
    return parameter


def grid(parameter: Parameter, *, points: int) -> list[Value]:
    """The values of a parameter on a grid: all choices, or evenly spaced numbers from end to end.

    Args:
        parameter: What varies.
        points: How many numbers of a range, at least 2; fewer whole ones where there are no more.
    """
    if isinstance(parameter, Choices):
        return list(parameter.values)
    low, high = (math.log(bound) if parameter.log else bound for bound in (parameter.low, parameter.high))
    spaced = [low + (high - low) * step / (points - 1) for step in range(points)]
    values = [math.exp(value) if parameter.log else value for value in spaced]
    if parameter.whole:
        return list(dict.fromkeys(min(max(round(value), int(parameter.low)), int(parameter.high)) for value in values))
    # The ends as they were given, the others to as many digits as anybody reads.
    return [parameter.low, *(float(f"{value:.4g}") for value in values[1:-1]), parameter.high]


def base_value(config: RunConfig, name: str) -> Value:
    """What the config has for a setting, in a search's own form."""
    value = flatten(config)[name]
    return ", ".join(str(part) for part in value) if isinstance(value, tuple | list) else value


def widened(parameter: Parameter, value: Value) -> Parameter:
    """The parameter with one more value in it, so that the settings to start from lie within the space.

    A logarithmic range cannot reach zero; it stays as it is then.
    """
    if parameter.contains(value):
        return parameter
    if isinstance(parameter, Choices):
        values = (*parameter.values, value)
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
        return Choices(parameter.name, tuple(sorted(values)) if numbers else values)
    number = float(value)
    if parameter.log and number <= 0:
        return parameter
    low, high = min(parameter.low, number), max(parameter.high, number)
    return Range(parameter.name, low, high, log=parameter.log, whole=parameter.whole)


def _parse_range(name: str, values: str) -> Range:
    ends, _, scale = values.partition(":")
    if scale.strip() not in ("", "log", "linear"):
        raise ConfigError(f"{scale[:40]!r} is not a scale of {name}; it is log or linear. {_FORM}")
    try:
        low, high = (float(end) for end in ends.split(".."))
    except ValueError:
        raise ConfigError(f"{ends[:80]!r} is not a range of {name}. {_FORM}") from None
    whole = setting(name).kind is int
    if whole and not (math.isfinite(low) and math.isfinite(high) and low.is_integer() and high.is_integer()):
        raise ConfigError(f"{name} takes whole numbers; {ends[:80]} is not a range of them.")
    found = checked(Range(name, low, high, log=scale.strip() == "log", whole=whole))
    assert isinstance(found, Range)
    return found


def _typed(name: str, value: Value) -> Value:
    """The value as the setting has it; refuses one outside its limits."""
    return base_value(with_values(RunConfig(), {name: value}), name)


def _value_list(parameter: Choices) -> str:
    return ", ".join(_value_text(value) for value in parameter.values) or "(none)"


def _value_text(value: Value) -> str:
    return _number_text(value) if isinstance(value, float) else str(value)


def _number_text(number: float) -> str:
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(float(number))
