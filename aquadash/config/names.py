"""The settings by their dotted names: a config as a flat mapping, and what differs between configs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from aquadash.config.definitions import digests
from aquadash.config.sections import RunConfig, Section
from aquadash.config.setting import Setting
from aquadash.errors import UnknownNameError

#: The saved pipelines that a config carries: long, and no setting that anybody chooses by itself.
DEFINITIONS = "augmentation.definitions"


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    for section, info in RunConfig.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
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
    if name not in SETTINGS:
        raise UnknownNameError.of("setting", name, SETTINGS)
    return SETTINGS[name]


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

    Carried definitions of pipelines only differ where the same name means something else, and are told in words.
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
