"""The catalogue of augmentation operators: what each does, which settings it takes and how far they may go.

Names and settings are imgaug's, so that what a student reads here can be looked up in its documentation. Each family
of operators is a file; a new operator is one entry there.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from aquadash.augment.catalogue.parts import OperatorInfo, Parameter
from aquadash.augment.spec import Operator, Range, Value
from aquadash.errors import ConfigError, look_up

#: The families of operators and their titles, in the order of a menu; each is a module of this folder.
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

#: Every operator by its name, in the order of a menu.
OPERATORS: dict[str, OperatorInfo] = {
    entry.name: replace(entry, family=family)
    for family in FAMILIES
    for entry in import_module(f"{__name__}.{family}").ENTRIES
}


def operator_info(name: str) -> OperatorInfo:
    """The catalogue's entry of that name.

    Raises:
        UnknownNameError: There is none; the message names the nearest.
    """
    return look_up("operator", name, OPERATORS)


def settings_of(operator: Operator) -> dict[str, Value]:
    """All settings of an operator, defaults included, in the catalogue's order.

    Raises:
        ConfigError: A setting that has no default is left out.
    """
    given = dict(operator.settings)
    values: dict[str, Value] = {}
    for parameter in operator_info(operator.name).parameters:
        value = given.get(parameter.name, parameter.default)
        if value is None:
            raise ConfigError(f"{operator.name} needs its setting {parameter.name!r}: {parameter.help}")
        values[parameter.name] = value
    return values


def arguments(operator: Operator) -> dict[str, Any]:
    """The arguments by name, fixed ones included; the caller adds slots and seed."""
    info = operator_info(operator.name)
    given = {name: _argument(info.parameter(name), value) for name, value in settings_of(operator).items()}
    return {**given, **dict(info.fixed)}


def _argument(parameter: Parameter, value: Value) -> Any:
    """A setting as imgaug takes it: a tuple is a range there, which must not be empty."""
    if isinstance(value, Range):
        low, high = _number(parameter, value.low), _number(parameter, value.high)
        return (low, high) if low < high else low
    return value if isinstance(value, (bool, str)) else _number(parameter, value)


def _number(parameter: Parameter, value: float) -> float:
    """A number of the setting's own type: to imgaug 2 and 2.0 are not always the same, in JSON they are."""
    return int(value) if parameter.kind == "integer" else float(value)
