"""Reads pipelines from JSON text that may come from anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aquadash.augment.spec import FORMAT, VERSION, Branch, Operator, PipelineSpec, Range, Value, walk
from aquadash.errors import ConfigError

#: Operators nested deeper than this are refused; nobody can read such a pipeline, and a file could be made to hang.
DEEPEST = 8
#: Bounds for a pipeline's file: its length in characters, its branches, its operators
#: and the size of its numbers.
LONGEST = 100_000
MOST_BRANCHES = 20
MOST_OPERATORS = 200
_GREATEST = 1e9


def parse(text: str) -> PipelineSpec:
    """Read a pipeline's records from JSON text, checking the form but not the operators' names and settings.

    Raises:
        ConfigError: The text is not JSON or not of a pipeline's form; the message names the place.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"The pipeline has {len(text):,} characters; expected at most {LONGEST:,}.")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The pipeline is not valid JSON ({error}).") from None
    fields = _record(values, "the pipeline", ("format", "version", "name", "title", "summary", "branches"))
    if fields["format"] != FORMAT:
        raise ConfigError(
            f"The format is {str(fields['format'])[:80]!r}; expected {FORMAT!r}. Export it from AquaDash."
        )
    if fields["version"] != VERSION or isinstance(fields["version"], bool):
        raise ConfigError(
            f"The pipeline is of version {str(fields['version'])[:20]} of the format; this AquaDash reads version "
            f"{VERSION}. Update AquaDash, or export the pipeline again."
        )
    branches = []
    entries = _list(fields["branches"], "branches")
    if len(entries) > MOST_BRANCHES:
        raise ConfigError(f"The pipeline has {len(entries)} branches; expected at most {MOST_BRANCHES}.")
    for number, entry in enumerate(entries, start=1):
        place = f"branch {number}"
        branch = _record(entry, place, ("title", "operators"))
        operators = _list(branch["operators"], f"{place}: operators")
        branches.append(
            Branch(_text(branch["title"], f"{place}: title"), tuple(_operator(item, place, 1) for item in operators))
        )
    if (count := sum(1 for branch in branches for _ in walk(branch.operators))) > MOST_OPERATORS:
        raise ConfigError(f"The pipeline has {count} steps; expected at most {MOST_OPERATORS}.")
    name, title, summary = (_text(fields[key], key) for key in ("name", "title", "summary"))
    return PipelineSpec(name, title, summary, tuple(branches))


def _operator(values: object, place: str, depth: int) -> Operator:
    """Read an operator and those inside it."""
    if depth > DEEPEST:
        raise ConfigError(f"{place}: operators are nested more than {DEEPEST} deep.")
    fields = _record(
        values, f"{place}: an operator", ("name",), optional=("settings", "children", "probability", "enabled")
    )
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
        _number(fields.get("probability", 1.0), f"{place}: probability"),
        _yes_or_no(fields.get("enabled", True), f"{place}: enabled"),
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


def _yes_or_no(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{place} is {str(value)[:80]!r}; expected true or false.")
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
