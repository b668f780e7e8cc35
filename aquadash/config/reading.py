"""The settings by their dotted names; configs from and to flat values, JSON and YAML, and what differs between some."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from aquadash.config.pipelines import digests
from aquadash.config.sections import ConfigSection, RunConfig
from aquadash.config.setting import Setting
from aquadash.errors import ConfigError, UnknownNameError, look_up

#: Longest text of a config; a longer one is the wrong file.
MAX_CHARACTERS = 100_000

#: The saved pipelines that a config carries, a long text that the program writes.
DEFINITIONS = "augmentation.definitions"


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    for section, info in RunConfig.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, ConfigSection):
            yield from ((f"{section}.{name}", field) for name, field in annotation.model_fields.items())
        else:
            yield section, info


def _completed(name: str, info: FieldInfo) -> Setting:
    """A field's record with what its annotation says."""
    (record,) = (part for part in info.metadata if isinstance(part, Setting))
    limits: dict[str, Any] = {}
    for limit in info.metadata:
        for bound, key, allowed in (
            ("ge", "low", True),
            ("gt", "low", False),
            ("le", "high", True),
            ("lt", "high", False),
        ):
            if (value := getattr(limit, bound, None)) is not None:
                limits |= {key: value, f"{key}_allowed": allowed}
    origin = get_origin(info.annotation)
    choices = get_args(info.annotation) if origin is Literal else ()
    kind: Any = str if choices else tuple if origin is tuple else info.annotation
    return replace(record, name=name, kind=kind, choices=choices, **limits)


#: Every setting by its dotted name, in the order of the sections.
SETTINGS: dict[str, Setting] = {name: _completed(name, info) for name, info in _fields()}


def setting(name: str) -> Setting:
    """The setting with this dotted name.

    Raises:
        UnknownNameError: There is none of that name.
    """
    return look_up("setting", name, SETTINGS)


def flatten(config: RunConfig) -> dict[str, Any]:
    """The config as ``{"training.epochs": 200, ...}``, in the order of :data:`SETTINGS`."""
    values = config.model_dump()
    flat: dict[str, Any] = {}
    for name in SETTINGS:
        section, _, field = name.rpartition(".")
        flat[name] = (values[section] if section else values)[field]
    return flat


def config_diff(configs: Sequence[RunConfig]) -> dict[str, list[Any]]:
    """Only the settings that differ: dotted name -> one value a config, in the order given.

    Carried pipelines count as differing where two configs carry different steps under one name.
    """
    flat = [flatten(config) for config in configs]
    found = {name: [values[name] for values in flat] for name in SETTINGS}
    found[DEFINITIONS] = list(pipeline_versions(configs) or [""])
    return {name: values for name, values in found.items() if len({repr(value) for value in values}) > 1}


def pipeline_versions(configs: Sequence[RunConfig]) -> list[str] | None:
    """Where the same pipeline's name means something else in the configs, each config's own versions of it.

    ``"my-flip (version 3fa2b1)"``, ``"my-flip (as saved)"`` where it is not carried, ``"none"`` where the config does
    not name it; None when nothing differs.
    """
    versions = []
    for config in configs:
        carried = digests(config.augmentation.definitions)
        versions.append({name: carried.get(name) for name, _ in config.augmentation.weights})
    names = dict.fromkeys(name for found in versions for name in found)
    differing = [name for name in names if len({found[name] for found in versions if name in found}) > 1]
    if not differing:
        return None
    return [
        ", ".join(
            f"{name} (version {found[name]})" if found[name] else f"{name} (as saved)"
            for name in differing
            if name in found
        )
        or "none"
        for found in versions
    ]


def from_json(text: str, *, base: RunConfig | None = None) -> RunConfig:
    """Read a config from JSON text.

    Args:
        base: Values of the sections and fields that the text leaves out; the defaults when None.

    Raises:
        ConfigError: The text is not JSON, or not of a config's form.
        UnknownNameError: A field's name is not known.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f'The configuration is not valid JSON ({error}). Write it as {{"training": {{...}}}}.'
        ) from None
    return from_mapping(values, base=base)


def from_yaml(text: str, *, base: RunConfig | None = None) -> RunConfig:
    """Read a config from YAML text, which JSON is a part of.

    Args:
        text: At most 100,000 characters.
        base: Values of the sections and fields that the text leaves out; the defaults when None.

    Raises:
        ConfigError: The text is not YAML, uses what a config has no need of, or is not of a config's form.
        UnknownNameError: A field's name is not known.
    """
    import yaml  # It takes 10 ms, and most commands need none.

    class PlainLoader(yaml.SafeLoader):
        """Plain values only: nested aliases could expand to a billion values."""

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("it has an alias (*name), which a configuration does not use")
            return super().compose_node(parent, index)

    if len(text) > MAX_CHARACTERS:
        raise ConfigError(
            f"The text has {len(text):,} characters; a configuration has a few thousand. Is it the right one?"
        )
    try:
        values = yaml.load(text, Loader=PlainLoader)
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"The text is not valid YAML{where}: {error.problem}.") from None
    # PyYAML raises any of these for a wrong tagged value, such as !!bool maybe.
    except (yaml.YAMLError, LookupError, AttributeError, RecursionError, ValueError) as error:
        raise ConfigError(f"The text is not valid YAML: {str(error).splitlines()[0][:200]}.") from None
    if values is None:
        raise ConfigError("The text is empty. Write a section and its settings, such as training: {epochs: 20}.")
    return from_mapping(values, base=base)


def to_yaml(config: RunConfig) -> str:
    """The config as YAML in the order of the form; :func:`from_yaml` reads it back."""
    import yaml

    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, default_flow_style=False)


def from_mapping(values: object, *, base: RunConfig | None = None) -> RunConfig:
    """Check plain values and build the config from them; errors as in :func:`from_json`.

    Args:
        values: By section and name.
        base: Values of the sections and fields that are left out; the defaults when None.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"The configuration is a {type(values).__name__}; expected an object with the sections "
            "data, augmentation, model, training and the number seed."
        )
    merged: dict[Any, Any] = base.model_dump() if base is not None else {}
    for section, content in values.items():
        known = merged.get(section)
        merged[section] = {**known, **content} if isinstance(known, dict) and isinstance(content, Mapping) else content
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        raise _explained(error) from None


def with_values(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """A copy with dotted names set: ``with_values(config, {"training.epochs": 3})``.

    Values may be text, as they come from a command line; they are converted to the field's type.
    """
    values = config.model_dump()
    for name, value in changes.items():
        setting(name)
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
    """Turn pydantic's first finding into one sentence; the others usually repeat it."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    if first["type"] == "extra_forbidden":
        return UnknownNameError.of("setting", name, SETTINGS)
    try:
        came = repr(first.get("input"))[:80]
    except ValueError:  # Python writes out no whole number of more than 4,300 digits.
        came = "a number of thousands of digits"
    # Pydantic puts a prefix before the messages of our own checks.
    message = first["msg"].removeprefix("Value error, ")
    help = SETTINGS[name].help if name in SETTINGS else ""
    return ConfigError(f"{name} is {came}: {message[:1].lower()}{message[1:]}. {help}".strip())
