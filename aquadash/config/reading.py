"""The settings by dotted name; configs from and to flat values, JSON and YAML; the differences of configs.

Reading raises a ``ConfigError`` for text or values of another form, and an ``UnknownNameError`` for unknown names.
"""

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

#: The longest text of a config, in characters; a longer one is the wrong file.
MAX_CHARACTERS = 100_000

#: The definitions of saved pipelines, a long text that the program writes.
DEFINITIONS = "augmentation.definitions"


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    for section, info in RunConfig.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, ConfigSection):
            yield from ((f"{section}.{name}", field) for name, field in annotation.model_fields.items())
        else:
            yield section, info


def _completed(name: str, info: FieldInfo) -> Setting:
    """Return a field's record with its name and the limits in its annotation."""
    (record,) = (part for part in info.metadata if isinstance(part, Setting))
    limits: dict[str, Any] = {}
    for limit in info.metadata:
        for bound, key in (("ge", "low"), ("gt", "low"), ("le", "high"), ("lt", "high")):
            if (value := getattr(limit, bound, None)) is not None:
                limits |= {key: value, f"{key}_allowed": bound in ("ge", "le")}
    origin = get_origin(info.annotation)
    choices = get_args(info.annotation) if origin is Literal else ()
    kind: Any = str if choices else tuple if origin is tuple else info.annotation
    return replace(record, name=name, kind=kind, choices=choices, **limits)


#: Every setting by its dotted name, in the order of the sections.
SETTINGS: dict[str, Setting] = {name: _completed(name, info) for name, info in _fields()}


def setting(name: str) -> Setting:
    """Return the setting of a dotted name."""
    return look_up("setting", name, SETTINGS)


def flatten(config: RunConfig) -> dict[str, Any]:
    """Return the config as ``{"training.epochs": 200, ...}``, in the order of :data:`SETTINGS`."""
    values = config.model_dump()
    flat: dict[str, Any] = {}
    for name in SETTINGS:
        section, _, field = name.rpartition(".")
        flat[name] = (values[section] if section else values)[field]
    return flat


def config_diff(configs: Sequence[RunConfig]) -> dict[str, list[Any]]:
    """Return the values of the settings that differ, one for each config, by dotted name."""
    flat = [flatten(config) for config in configs]
    by_name = {name: [values[name] for values in flat] for name in SETTINGS}
    # Definitions differ only if two configs define different steps under one name.
    by_name[DEFINITIONS] = list(pipeline_versions(configs) or [""])
    return {name: values for name, values in by_name.items() if len({repr(value) for value in values}) > 1}


def pipeline_versions(configs: Sequence[RunConfig]) -> list[str] | None:
    """Return each config's versions of the pipelines that differ under one name; None if none does.

    A version is ``"my-flip (version 3fa2b1)"``, ``"my-flip (as saved)"`` without a definition, ``"none"`` if not named.
    """
    versions = []
    for config in configs:
        defined = digests(config.augmentation.definitions)
        versions.append({name: defined.get(name) for name, _ in config.augmentation.weights})
    names = dict.fromkeys(name for own in versions for name in own)
    differing = [name for name in names if len({own[name] for own in versions if name in own}) > 1]
    if not differing:
        return None
    return [
        ", ".join(
            f"{name} (version {own[name]})" if own[name] else f"{name} (as saved)" for name in differing if name in own
        )
        or "none"
        for own in versions
    ]


def from_json(text: str, *, base: RunConfig | None = None) -> RunConfig:
    """Read a config from JSON text.

    Args:
        base: Values of the sections and fields that are left out; None for the defaults.
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
        text: At most :data:`MAX_CHARACTERS`, without tags and aliases.
        base: As for :func:`from_json`.
    """
    import yaml  # It takes 10 ms, and most commands need none.

    class PlainLoader(yaml.SafeLoader):
        """A loader without aliases, since nested ones could expand to a billion values."""

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
    # PyYAML raises any of these for a wrong value with a tag, such as !!bool maybe.
    except (yaml.YAMLError, LookupError, AttributeError, RecursionError, ValueError) as error:
        raise ConfigError(f"The text is not valid YAML: {str(error).splitlines()[0][:200]}.") from None
    if values is None:
        raise ConfigError("The text is empty. Write a section and its settings, such as training: {epochs: 20}.")
    return from_mapping(values, base=base)


def to_yaml(config: RunConfig) -> str:
    """Return the config as YAML in the order of the sections; :func:`from_yaml` reads it back."""
    import yaml

    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, default_flow_style=False)


def from_mapping(values: object, *, base: RunConfig | None = None) -> RunConfig:
    """Build a config from plain values by section and name; ``base`` as for :func:`from_json`."""
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
    """Return a copy with values, or texts of them, by dotted name: ``with_values(config, {"training.epochs": 3})``."""
    values = config.model_dump()
    for name, value in changes.items():
        setting(name)
        section, _, field = name.rpartition(".")
        (values[section] if section else values)[field] = value
    return from_mapping(values)


def parse_assignments(assignments: Iterable[str], *, example: str = "training.epochs=20") -> dict[str, str]:
    """Split texts ``NAME=VALUE``."""
    changes: dict[str, str] = {}
    for text in assignments:
        name, sign, value = text.partition("=")
        if not sign:
            raise ConfigError(f"{text[:80]!r} is not of the form name=value, such as {example}.")
        changes[name.strip()] = value.strip()
    return changes


def _explained(error: ValidationError) -> ConfigError | UnknownNameError:
    """Turn pydantic's first error into one sentence; further ones usually repeat it."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    if first["type"] == "extra_forbidden":
        return UnknownNameError.of("setting", name, SETTINGS)
    try:
        value = repr(first.get("input"))[:80]
    except ValueError:  # Python converts no whole number of more than 4,300 digits to text.
        value = "a number of thousands of digits"
    # Pydantic puts a prefix before the messages of our own checks.
    message = first["msg"].removeprefix("Value error, ")
    help = SETTINGS[name].help if name in SETTINGS else ""
    return ConfigError(f"{name} is {value}: {message[:1].lower()}{message[1:]}. {help}".strip())
