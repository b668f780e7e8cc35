"""The space of a search: the settings that vary and their values, with suggestions."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from aquadash.config import SETTINGS, RunConfig, SearchRange, Setting, Value, flatten, setting, with_values
from aquadash.errors import ConfigError
from aquadash.models import MODELS, uses

#: The most values of a setting.
MAX_CHOICES = 50

_FORM = (
    "Write a range as training.learning_rate=1e-4..1e-1:log (or without :log), or values as "
    "training.optimizer=adam,adamw; lists of numbers have | between them: model.filters=32,64|64,128, "
    "and one without any is none: model.dense_units=128|none."
)


#: The settings to vary first; each further one needs more trials.
_FIRST = ("training.learning_rate", "training.batch_size", "training.optimizer", "model.dropout")
_FIRST_OF_YOUR_OWN = (*_FIRST, "model.activation", "model.batch_normalization")
#: The settings to vary first for a pretrained network, which large learning rates damage.
_FIRST_PRETRAINED = ("training.learning_rate", "training.weight_decay", "training.label_smoothing", "model.dropout")
_PRETRAINED_RATES = SearchRange(1e-4, 1e-2, log=True)


@dataclass(frozen=True)
class SearchParameter:
    """A setting that varies."""

    #: The setting's dotted name.
    name: str
    #: A range of numbers, or at least two different values.
    values: SearchRange | tuple[Value, ...]

    def __str__(self) -> str:
        """Return the text that :func:`parse` reads."""
        if isinstance(self.values, SearchRange):
            low, high = _value_text(self.values.low), _value_text(self.values.high)
            return f"{self.name}={low}..{high}{':log' if self.values.log else ''}"
        return f"{self.name}={separator(self.name, self.values).join(_value_text(value) for value in self.values)}"

    def contains(self, value: Any) -> bool:
        """Return whether the value is in the range or among the values."""
        if isinstance(self.values, SearchRange):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and self.values.low <= value <= self.values.high
        return value in self.values


def separator(name: str, values: Iterable[object] = ()) -> str:
    """Return the mark between a setting's choices: ``|`` if the values have commas."""
    return "|" if setting(name).kind is tuple or any("," in str(value) for value in values) else ","


def parse(text: str) -> SearchParameter:
    """Read ``name=low..high``, ``name=low..high:log`` or ``name=a,b,c``, as in ``--over``.

    Raises:
        UnknownNameError: The setting is unknown.
        ConfigError: The text has another form, or the values are outside the setting's limits.
    """
    name, sign, values = (part.strip() for part in text.partition("="))
    if not sign or not values:
        raise ConfigError(f"{text[:80]!r} is not of the form name=values. {_FORM}")
    setting(name)
    if ".." in values:
        return _parse_range(name, values)
    mark = "|" if "|" in values else separator(name)
    texts = [part.strip() for part in values.split(mark) if part.strip()]
    if setting(name).kind is tuple:
        texts = ["" if part == "none" else part for part in texts]
    return checked(SearchParameter(name, tuple(_typed(name, part) for part in texts)))


def parse_all(texts: Iterable[str]) -> tuple[SearchParameter, ...]:
    """Do :func:`parse` for each text, and refuse a setting that comes twice."""
    space = tuple(parse(text) for text in texts)
    names = [parameter.name for parameter in space]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"{twice} is named twice. Give all its values in one place.")
    return space


def checked(parameter: SearchParameter) -> SearchParameter:
    """Return the parameter itself; raise ``ConfigError`` if a search cannot vary it or its values are impossible."""
    name, values, record = parameter.name, parameter.values, setting(parameter.name)
    if record.incomparable:
        raise ConfigError(f"A search cannot vary {name}. {record.incomparable}")
    if not isinstance(values, SearchRange):
        if not 2 <= len(set(values)) == len(values) <= MAX_CHOICES:
            listed = ", ".join(_value_text(value) for value in values) or "(none)"
            raise ConfigError(f"{name} has the values {listed}; a search needs from 2 to {MAX_CHOICES} different ones.")
        for value in values:
            _typed(name, value)
        return parameter
    if record.kind not in (int, float):
        raise ConfigError(f"{name} is not a number, so it has no range. {_FORM}")
    for bound in (values.low, values.high):
        _typed(name, record.kind(bound))
    if not values.low < values.high:
        raise ConfigError(f"{parameter} is no range: the first number must be less than the second.")
    if values.log and values.low <= 0:
        raise ConfigError(f"{parameter} starts at {values.low:g}; a logarithmic range starts above 0.")
    return parameter


def ends(parameter: SearchParameter) -> list[Value]:
    """Return all choices of a parameter, or the two ends of its range."""
    values = parameter.values
    if not isinstance(values, SearchRange):
        return list(values)
    kind = int if setting(parameter.name).kind is int else float
    return [kind(values.low), kind(values.high)]


def base_value(config: RunConfig, name: str) -> Value:
    """Return the config's value of a setting; a list as a text with commas."""
    value = flatten(config)[name]
    return ", ".join(str(part) for part in value) if isinstance(value, tuple | list) else value


def widened(parameter: SearchParameter, value: Value) -> SearchParameter:
    """Return the parameter with the value in it; a logarithmic range stays as it is for a value of 0 or less."""
    if parameter.contains(value):
        return parameter
    ends = parameter.values
    if not isinstance(ends, SearchRange):
        values = (*ends, value)
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
        return SearchParameter(parameter.name, tuple(sorted(values)) if numbers else values)
    number = float(value)
    if ends.log and number <= 0:
        return parameter
    return SearchParameter(parameter.name, replace(ends, low=min(ends.low, number), high=max(ends.high, number)))


def _parse_range(name: str, values: str) -> SearchParameter:
    ends, _, scale = values.partition(":")
    if scale.strip() not in ("", "log", "linear"):
        raise ConfigError(f"{scale[:40]!r} is not a scale of {name}; it is log or linear. {_FORM}")
    try:
        low, high = (float(end) for end in ends.split(".."))
    except ValueError:
        raise ConfigError(f"{ends[:80]!r} is not a range of {name}. {_FORM}") from None
    if setting(name).kind is int and not (low.is_integer() and high.is_integer()):
        raise ConfigError(f"{name} takes whole numbers; {ends[:80]} is not a range of them.")
    return checked(SearchParameter(name, SearchRange(low, high, log=scale.strip() == "log")))


def _typed(name: str, value: Value) -> Value:
    """Return the value in the setting's type; refuse one outside its limits."""
    return base_value(with_values(RunConfig(), {name: value}), name)


def _value_text(value: Value) -> str:
    """Return the text of a value for :func:`parse`; an empty list of layers is "none"."""
    if not isinstance(value, float):
        return str(value) or "none"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def suggested(config: RunConfig) -> dict[str, SearchParameter]:
    """Return a parameter with the config's own value for each setting that a search may vary and the network uses."""
    entry = MODELS.get(config.model.name)
    parameters = {}
    for name, record in SETTINGS.items():
        if record.incomparable or not uses(config.model.name, name):
            continue
        values = record.search or _from_limits(record, flatten(config)[name])
        if name == "training.learning_rate" and entry is not None and entry.pretrained:
            values = _PRETRAINED_RATES
        if values is not None:
            parameters[name] = widened(SearchParameter(name, values), base_value(config, name))
    return parameters


def default_space(config: RunConfig) -> tuple[SearchParameter, ...]:
    """Return the default space of a search that starts from this config."""
    entry = MODELS.get(config.model.name)
    names = _FIRST_OF_YOUR_OWN if config.model.name == "cnn" else _FIRST
    if entry is not None and entry.pretrained:
        names = _FIRST_PRETRAINED
    parameters = suggested(config)
    return tuple(parameters[name] for name in names if name in parameters)


def _from_limits(record: Setting, value: Any) -> SearchRange | tuple[Value, ...] | None:
    """Return a setting's choices, or half to twice its number within its limits; None if there is nothing to vary."""
    if record.kind is bool:
        return (False, True)
    if record.kind not in (int, float):
        return record.choices if len(record.choices) > 1 else None
    low, high = value / 2, value * 2
    if record.low is not None and record.low_allowed:
        low = max(low, record.low)
    if record.high is not None:
        high = min(high, record.high if record.high_allowed else (value + record.high) / 2)
    if record.kind is int:
        low, high = math.floor(low), math.ceil(high)
    return SearchRange(low, high) if low < high else None
