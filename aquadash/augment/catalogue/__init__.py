"""The catalogue of augmentation operators: what each does, which settings it takes and how far they may go.

Names and settings are imgaug's, so that a student can look them up in its documentation. Each family of operators is a
TOML file; a new operator is one table there. Its keys are fields of :class:`OperatorInfo`, and imgaug's names of its
settings. A setting is a list: a key of :data:`_KINDS`, title, help, then its limits or words, and its default unless a
pipeline must give one. A pair of numbers is a :class:`Range`. A text in place of the list names a setting of the file's
table ``settings``, which operators share. The table ``defaults`` holds fields that most operators of the file have.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from aquadash.augment.catalogue.parts import OperatorInfo, Parameter
from aquadash.augment.spec import Operator, Range, Value, op
from aquadash.errors import ConfigError, look_up

#: The families of operators and their titles, in the order of a menu; each is a TOML file of this folder.
FAMILIES: dict[str, str] = {
    "geometry": "Flip and geometry",
    "warp": "Warp and rearrange",
    "blur": "Blur",
    "edges": "Sharpen and edges",
    "colour": "Colour",
    "contrast": "Brightness and contrast",
    "noise": "Noise",
    "dropout": "Dropout",
    "blend": "Blend",
    "pooling": "Pooling and mosaics",
    "weather": "Weather",
    "corruption": "Corruption",
    "meta": "Steering other operators",
}

#: Kinds of settings in the files -> the fields of :class:`Parameter`.
_KINDS: dict[str, dict[str, Any]] = {
    "number": {},
    "percent": {"percent": True},
    "integer": {"kind": "integer"},
    "odd integer": {"kind": "integer", "step": 2},
    "fixed integer": {"kind": "integer", "drawn": False},
    "probability": {"kind": "probability", "high": 1.0, "drawn": False, "percent": True},
    "word": {"kind": "word", "drawn": False},
}

#: The fields that follow title and help.
_LIMITS = {"probability": ("default",), "word": ("words", "default")}

#: The settings that operators of several families share.
_SHARED = {
    "per_channel": [
        "probability",
        "red, green and blue each on their own",
        "Share of the images in which each colour channel gets a value of its own, which tints the picture.",
        False,
    ]
}

_FIELDS = {field.name for field in fields(OperatorInfo)}


def _read_family(family: str) -> Iterator[OperatorInfo]:
    tables = tomllib.loads((Path(__file__).parent / f"{family}.toml").read_text(encoding="utf-8"))
    defaults, shared = tables.pop("defaults", {}), _SHARED | tables.pop("settings", {})
    for name, table in tables.items():
        values = {**defaults, **table}
        settings = {key: values.pop(key) for key in list(values) if key not in _FIELDS}
        values |= {
            "parameters": tuple(
                _parameter(key, shared[setting] if isinstance(setting, str) else setting)
                for key, setting in settings.items()
            ),
            "example": _step(name, values["example"]),
            "slots": tuple(values.get("slots", {}).items()),
            "fixed": tuple(values.get("fixed", {}).items()),
        }
        yield OperatorInfo(name, family, **values)


def _parameter(name: str, setting: list[Any]) -> Parameter:
    kind, title, help, *limits = setting
    by_field = dict(zip(_LIMITS.get(kind, ("low", "high", "default")), map(_value, limits), strict=False))
    return Parameter(name, title, help, **_KINDS[kind], **by_field)


def _step(name: str, arguments: dict[str, Any]) -> Operator:
    """Build a step from its settings and slots; a slot holds the arguments of its steps by their names."""
    return op(name, **{key: _value(value) for key, value in arguments.items()})


def _value(value: Any) -> Any:
    """Return what a value of TOML stands for: a table for steps, a list of numbers for a range."""
    if isinstance(value, dict):
        return tuple(_step(name, arguments) for name, arguments in value.items())
    if isinstance(value, list):
        return tuple(value) if isinstance(value[0], str) else Range(*value)
    return value


#: Every operator by its name, in the order of a menu.
OPERATORS: dict[str, OperatorInfo] = {info.name: info for family in FAMILIES for info in _read_family(family)}


def operator_info(name: str) -> OperatorInfo:
    """Return the catalogue's entry of that name, or raise an ``UnknownNameError`` that names the nearest."""
    return look_up("operator", name, OPERATORS)


def settings_of(operator: Operator) -> dict[str, Value]:
    """Return all settings of an operator, defaults included; a missing one without default raises a ``ConfigError``."""
    values: dict[str, Value] = {}
    for parameter in operator_info(operator.name).parameters:
        value = dict(operator.settings).get(parameter.name, parameter.default)
        if value is None:
            raise ConfigError(f"{operator.name} needs its setting {parameter.name!r}: {parameter.help}")
        values[parameter.name] = value
    return values


def arguments(operator: Operator) -> dict[str, Any]:
    """Return the arguments by name, fixed ones included; the caller adds slots and seed."""
    info = operator_info(operator.name)
    settings = {name: _argument(info.parameter(name), value) for name, value in settings_of(operator).items()}
    return {**settings, **dict(info.fixed)}


def _argument(parameter: Parameter, value: Value) -> Any:
    """Return a setting as imgaug takes it: a range is a tuple of two different numbers."""
    if isinstance(value, Range):
        low, high = _number(parameter, value.low), _number(parameter, value.high)
        return (low, high) if low < high else low
    return value if isinstance(value, (bool, str)) else _number(parameter, value)


def _number(parameter: Parameter, value: float) -> float:
    """Return a number as an int or float by the setting's kind: imgaug treats 2 and 2.0 differently, JSON does not."""
    return int(value) if parameter.kind == "integer" else float(value)
