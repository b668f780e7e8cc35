"""The dotted names of settings: what each may be, a config as a flat mapping, and what differs between configs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from aquadash.config.definitions import edited_between
from aquadash.config.sections import RunConfig, Section
from aquadash.errors import UnknownNameError

#: The saved pipelines that a config carries: long, and no setting that anybody chooses by itself.
DEFINITIONS = "augmentation.definitions"


def fields() -> dict[str, str]:
    """Every dotted setting name with its one-line help, in the order of the form."""
    names: dict[str, str] = {}
    for section, info in RunConfig.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            names.update(
                {f"{section}.{name}": field.description or "" for name, field in annotation.model_fields.items()}
            )
        else:
            names[section] = info.description or ""
    return names


@dataclass(frozen=True)
class Setting:
    """What a setting may be, as its checks have it.

    Attributes:
        kind: The type of its values: ``int``, ``float``, ``bool``, ``str``, or ``tuple`` for a few whole numbers.
        help: Its one-line help.
        choices: The values it may take, where it takes one of a few; empty otherwise.
        low: The least number, None where there is none.
        low_allowed: Whether that number itself is allowed.
        high: The greatest number, None where there is none.
        high_allowed: Whether that number itself is allowed.
    """

    kind: type
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    low_allowed: bool = True
    high: float | None = None
    high_allowed: bool = True


def setting(name: str) -> Setting:
    """What the setting with this dotted name may be.

    Raises:
        UnknownNameError: There is none of that name.
    """
    if name not in fields():
        raise UnknownNameError.of("setting", name, fields())
    section, _, field_name = name.rpartition(".")
    model: Any = RunConfig.model_fields[section].annotation if section else RunConfig
    info = model.model_fields[field_name]
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
    kind = str if choices else tuple if origin is tuple else info.annotation
    return Setting(kind, info.description or "", choices, **limits)


def flatten(config: RunConfig) -> dict[str, Any]:
    """The config as ``{"training.epochs": 200, ...}``, in the order of :func:`fields`."""
    values = config.model_dump()
    flat: dict[str, Any] = {}
    for name in fields():
        section, _, field = name.rpartition(".")
        flat[name] = (values[section] if section else values)[field]
    return flat


def config_diff(configs: Sequence[RunConfig]) -> dict[str, list[Any]]:
    """Only the settings that differ: dotted name -> one value a config, in the order given.

    Carried definitions of pipelines only differ where the same name means something else, and are told in words.
    """
    flat = [flatten(config) for config in configs]
    found = {name: [values[name] for values in flat] for name in fields() if len({repr(v[name]) for v in flat}) > 1}
    found.pop(DEFINITIONS, None)
    versions = pipeline_versions(configs)
    # In its place in the order of the form.
    return {
        name: found.get(name, versions or [])
        for name in fields()
        if name in found or (versions and name == DEFINITIONS)
    }


def pipeline_versions(configs: Sequence[RunConfig]) -> list[str] | None:
    """Where pipelines were edited between configs, each config's versions in words; None where none was."""
    return edited_between(
        [([name for name, _ in config.augmentation.weights], config.augmentation.definitions) for config in configs]
    )
