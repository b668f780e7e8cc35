"""From text and plain values to a checked :class:`RunConfig`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from aquadash.config.names import SETTINGS
from aquadash.config.sections import RunConfig
from aquadash.errors import ConfigError, UnknownNameError

#: A config is a page of text; more is a mistaken file.
MOST_TEXT = 100_000


def from_json(text: str) -> RunConfig:
    """Read a config from JSON text; sections and fields that are left out take their defaults.

    Raises:
        ConfigError: The text is not JSON, or not of a config's form.
        UnknownNameError: A field's name is not known.
    """
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(
            f'The configuration is not valid JSON ({error}). Write it as {{"training": {{...}}}}.'
        ) from None
    return from_mapping(values)


def from_yaml(text: str, *, base: RunConfig | None = None) -> RunConfig:
    """Read a config from YAML text, which JSON is a part of.

    Args:
        text: At most 100,000 characters.
        base: What sections and fields take that the text leaves out; the defaults when None.

    Raises:
        ConfigError: The text is not YAML, uses what a config has no need of, or is not of a config's form.
        UnknownNameError: A field's name is not known.
    """
    if len(text) > MOST_TEXT:
        raise ConfigError(
            f"The text has {len(text):,} characters; a configuration has a few thousand. Is it the right one?"
        )
    try:
        values = yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"The text is not valid YAML{where}: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"The text is not valid YAML: {str(error).splitlines()[0][:200]}.") from None
    if values is None:
        raise ConfigError("The text is empty. Write a section and its settings, such as training: {epochs: 20}.")
    if base is None or not isinstance(values, Mapping):
        return from_mapping(values)
    merged: dict[Any, Any] = base.model_dump()
    for section, content in values.items():
        known = merged.get(section)
        merged[section] = {**known, **content} if isinstance(known, dict) and isinstance(content, Mapping) else content
    return from_mapping(merged)


def to_yaml(config: RunConfig) -> str:
    """The config as YAML in the order of the form; :func:`from_yaml` reads it back."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, default_flow_style=False)


class _PlainLoader(yaml.SafeLoader):
    """Plain values only: an alias may stand for itself a billion times over, and no config needs one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias (*name), which a configuration does not use")
        return super().compose_node(parent, index)


def from_mapping(values: object) -> RunConfig:
    """Check plain values and build the config from them; errors as in :func:`from_json`."""
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"The configuration is a {type(values).__name__}; expected an object with the sections "
            "data, augmentation, model, training and the number seed."
        )
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise _explained(error) from None


def with_values(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """A copy with dotted names set: ``with_values(config, {"training.epochs": 3})``.

    Values may be text, as they come from a command line; they are converted to the field's type.
    """
    values = config.model_dump()
    for name, value in changes.items():
        if name not in SETTINGS:
            raise UnknownNameError.of("setting", name, SETTINGS)
        section, _, field = name.rpartition(".")
        (values[section] if section else values)[field] = value
    return from_mapping(values)


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Split ``a.b=value`` texts, as ``--set`` takes them.

    Raises:
        ConfigError: A text has no ``=``.
    """
    changes: dict[str, str] = {}
    for text in assignments:
        name, sign, value = text.partition("=")
        if not sign:
            raise ConfigError(f"{text[:80]!r} is not of the form name=value, such as training.epochs=20.")
        changes[name.strip()] = value.strip()
    return changes


def _explained(error: ValidationError) -> ConfigError | UnknownNameError:
    """Turn pydantic's first finding into one sentence; the others are usually its echo."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    if first["type"] == "extra_forbidden":
        return UnknownNameError.of("setting", name, SETTINGS)
    came = repr(first.get("input"))[:80]
    # Our own checks are told without pydantic's words before them.
    message = first["msg"].removeprefix("Value error, ")
    help = SETTINGS[name].help if name in SETTINGS else ""
    return ConfigError(f"{name} is {came}: {message[:1].lower()}{message[1:]}. {help}".strip())
