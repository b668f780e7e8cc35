"""Augmentations written down as data: operators, branches and pipelines, with a JSON round trip.

These records only hold values. What an operator's settings may be is in :mod:`aquadash.augment.operators`, which also
builds the imgaug augmenters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from aquadash.errors import ConfigError

#: Operators nested deeper than this are refused; nobody can read such a pipeline, and a file could be made to hang.
_DEEPEST = 8
#: Bounds for a pipeline's file: its length in characters, its branches and the size of its numbers.
_LONGEST = 100_000
_MOST_BRANCHES = 20
_GREATEST = 1e9


@dataclass(frozen=True)
class Range:
    """A value drawn anew for each image, anywhere from ``low`` to ``high``."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ConfigError(f"A range from {self.low!r} to {self.high!r} is upside down; put the lower number first.")


#: A setting of an operator: fixed (number, yes or no, text) or drawn anew for each image.
Value: TypeAlias = bool | int | float | str | Range


@dataclass(frozen=True)
class Operator:
    """One step of a pipeline. Build it with :func:`op`.

    Attributes:
        name: Its name in the catalogue, which is imgaug's name.
        settings: Pairs of setting and value; settings that are left out take the catalogue's default.
        children: Pairs of slot and the operators in it, for operators that steer others.
    """

    name: str
    settings: tuple[tuple[str, Value], ...] = ()
    children: tuple[tuple[str, tuple[Operator, ...]], ...] = ()

    def setting(self, name: str, default: Value) -> Value:
        """The value of a setting, or ``default`` where it is left out."""
        return dict(self.settings).get(name, default)

    def slot(self, name: str) -> tuple[Operator, ...]:
        """The operators in a slot, in order; empty where it is left out."""
        return dict(self.children).get(name, ())


def op(name: str, /, **arguments: Value | Operator | tuple[Operator, ...]) -> Operator:
    """Write an operator down: ``op("Sometimes", p=0.5, then_list=op("ChannelShuffle", p=0.5))``.

    Args:
        name: The operator's name.
        **arguments: Its settings, and its slots with one operator or a tuple of them.
    """
    settings: list[tuple[str, Value]] = []
    children: list[tuple[str, tuple[Operator, ...]]] = []
    for key, value in arguments.items():
        if isinstance(value, Operator):
            children.append((key, (value,)))
        elif isinstance(value, tuple):
            children.append((key, value))
        else:
            settings.append((key, value))
    return Operator(name, tuple(settings), tuple(children))


@dataclass(frozen=True)
class Branch:
    """A way to make one image out of each image: the operators in the order in which they are applied.

    Attributes:
        title: A short name for people.
        operators: Empty for the branch that hands the images on as they are.
    """

    title: str
    operators: tuple[Operator, ...] = ()

    @property
    def is_original(self) -> bool:
        """True if the images pass unchanged."""
        return not self.operators


@dataclass(frozen=True)
class PipelineSpec:
    """What becomes of a set of training images: each branch makes one image out of every image.

    Attributes:
        name: Its name in configurations and on the command line.
        title: A short name for a menu.
        summary: What it does and how many images it yields, in a sentence or two.
        branches: At least one; the images of the first come first in the training set.
    """

    name: str
    title: str
    summary: str
    branches: tuple[Branch, ...]

    def __post_init__(self) -> None:
        if not self.branches:
            raise ConfigError(f"The pipeline {self.name!r} has no branch; it would leave no training images.")

    @property
    def factor(self) -> int:
        """How many images come out for each that goes in."""
        return len(self.branches)

    def to_json(self) -> str:
        """The pipeline as indented JSON; :func:`aquadash.augment.pipelines.from_json` reads and checks it."""
        values = {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "branches": [
                {"title": branch.title, "operators": [_operator_values(operator) for operator in branch.operators]}
                for branch in self.branches
            ],
        }
        return json.dumps(values, indent=2, ensure_ascii=False)


def parse(text: str) -> PipelineSpec:
    """Read a pipeline's records from JSON text, checking the form but not the operators' names and settings.

    Raises:
        ConfigError: The text is not JSON or not of a pipeline's form; the message names the place.
    """
    if len(text) > _LONGEST:
        raise ConfigError(f"The pipeline has {len(text):,} characters; expected at most {_LONGEST:,}.")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The pipeline is not valid JSON ({error}).") from None
    fields = _record(values, "the pipeline", ("name", "title", "summary", "branches"))
    branches = []
    entries = _list(fields["branches"], "branches")
    if len(entries) > _MOST_BRANCHES:
        raise ConfigError(f"The pipeline has {len(entries)} branches; expected at most {_MOST_BRANCHES}.")
    for number, entry in enumerate(entries, start=1):
        place = f"branch {number}"
        branch = _record(entry, place, ("title", "operators"))
        operators = _list(branch["operators"], f"{place}: operators")
        branches.append(
            Branch(_text(branch["title"], f"{place}: title"), tuple(_operator(item, place, 1) for item in operators))
        )
    name, title, summary = (_text(fields[key], key) for key in ("name", "title", "summary"))
    return PipelineSpec(name, title, summary, tuple(branches))


def _operator_values(operator: Operator) -> dict[str, Any]:
    """An operator as plain values; empty parts are left out."""
    values: dict[str, Any] = {"name": operator.name}
    if operator.settings:
        values["settings"] = {name: _plain(value) for name, value in operator.settings}
    if operator.children:
        values["children"] = {slot: [_operator_values(child) for child in inner] for slot, inner in operator.children}
    return values


def _plain(value: Value) -> Any:
    """A setting as JSON holds it."""
    if isinstance(value, Range):
        return {"low": value.low, "high": value.high}
    return value


def _operator(values: object, place: str, depth: int) -> Operator:
    """Read an operator and those inside it."""
    if depth > _DEEPEST:
        raise ConfigError(f"{place}: operators are nested more than {_DEEPEST} deep.")
    fields = _record(values, f"{place}: an operator", ("name",), optional=("settings", "children"))
    name = _text(fields["name"], f"{place}: an operator's name")
    place = f"{place}: {name}"
    settings = _mapping(fields.get("settings", {}), f"{place}: settings")
    children = _mapping(fields.get("children", {}), f"{place}: children")
    return Operator(
        name,
        tuple((key, _value(value, f"{place}: {key}")) for key, value in settings.items()),
        tuple(
            (slot, tuple(_operator(item, place, depth + 1) for item in _list(inner, f"{place}: {slot}")))
            for slot, inner in children.items()
        ),
    )


def _value(value: object, place: str) -> Value:
    """Read a setting."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return _number(value, place)
    if isinstance(value, Mapping) and set(value) == {"low", "high"}:
        return Range(_number(value["low"], place), _number(value["high"], place))
    raise ConfigError(
        f'{place} is {str(value)[:80]!r}; expected a number, true or false, a text, or a range {{"low": 0, "high": 1}}.'
    )


def _number(value: object, place: str) -> int | float:
    """A number of sane size; JSON readers also let NaN and infinity pass."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_GREATEST <= value <= _GREATEST:
        raise ConfigError(f"{place} is {str(value)[:80]!r}; expected a number.")
    return value


def _record(
    values: object, place: str, required: Sequence[str], *, optional: Sequence[str] = ()
) -> Mapping[str, object]:
    """A mapping with exactly these keys, give or take the optional ones."""
    fields = _mapping(values, place)
    missing = [key for key in required if key not in fields]
    unknown = [key for key in fields if key not in (*required, *optional)]
    if missing or unknown:
        fault = f"lacks {missing[0]!r}" if missing else f"has the unknown field {unknown[0][:80]!r}"
        raise ConfigError(f"{place} {fault}; expected the fields {', '.join((*required, *optional))}.")
    return fields


def _mapping(values: object, place: str) -> Mapping[str, object]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{place} is a {type(values).__name__}; expected an object {{...}}.")
    return values


def _list(values: object, place: str) -> Sequence[object]:
    if not isinstance(values, list):
        raise ConfigError(f"{place} is a {type(values).__name__}; expected a list [...].")
    return values


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or len(value) > 500:
        raise ConfigError(f"{place} must be a text of at most 500 characters.")
    return value
