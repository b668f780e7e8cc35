"""The catalogue of augmentation operators: what each does, which settings it takes and how far they may go.

Names and settings are imgaug's, so that a student can look them up in its documentation. Each family of operators is a
TOML file; a new operator is one table there. Its keys are fields of :class:`OperatorInfo`, and imgaug's names of its
settings. A setting is a list: a key of :data:`_KINDS`, title, help, then its limits or words, and its default unless a
pipeline must give one. A pair of numbers is a :class:`Range`. A text in place of the list names a setting of the file's
table ``settings``, which operators share. The table ``defaults`` holds fields that most operators of the file have.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from aquadash.augment.spec import Operator, Range, Value, op
from aquadash.errors import ConfigError, look_up

Kind = Literal["number", "integer", "probability", "word"]


@dataclass(frozen=True)
class Parameter:
    """A setting of an operator."""

    #: imgaug's name for it.
    name: str
    #: Its name within a sentence; empty where the value suffices.
    title: str
    #: Its effect, in a sentence.
    help: str
    #: The value where a pipeline leaves it out; None if a pipeline must give one.
    default: Value | None = None
    #: The least value; unused for ``word``, as is ``high``.
    low: float = 0.0
    #: The greatest value.
    high: float = 0.0
    #: ``number`` and ``integer``; ``probability``, or yes and no; ``word`` for one of ``words``.
    kind: Kind = "number"
    #: True if a :class:`Range` is allowed.
    drawn: bool = True
    #: True if 0 to 1 reads best as 0 % to 100 %.
    percent: bool = False
    #: The values a ``word`` may have.
    words: tuple[str, ...] = ()
    #: Whole numbers go from ``low`` in steps of this size; 2 for the odd sides of a kernel.
    step: int = 1


@dataclass(frozen=True)
class OperatorInfo:
    """An operator of the catalogue."""

    #: imgaug's name for it.
    name: str
    #: The family it belongs to, a key of :data:`aquadash.augment.catalogue.FAMILIES`.
    family: str
    #: A short name for people.
    title: str
    #: Its effect on a picture, in a sentence.
    help: str
    #: Its effect on an animal in a picture of 32 x 32 pixels, in a sentence.
    effect: str
    #: The operator with telling settings, for its thumbnail.
    example: Operator
    #: When it makes the label wrong or the animal unrecognisable, in a sentence; empty for a harmless one.
    harm: str = ""
    parameters: tuple[Parameter, ...] = ()
    #: The places for other operators: pairs of imgaug's name and a title; empty for an operator that steers none.
    slots: tuple[tuple[str, str], ...] = ()
    #: Pairs of imgaug's argument and a value, passed along with the settings.
    fixed: tuple[tuple[str, Value], ...] = ()
    #: True if its slot holds steps to choose from, False if they are applied in order.
    choices: bool = False
    #: True if the operators inside it get pictures of a single channel.
    one_channel: bool = False
    #: True if it works on pictures of three channels only.
    needs_colour: bool = False
    #: True if imgaug makes augmenters inside it that have to be seeded as well.
    hidden_parts: bool = False
    #: ``module:function`` of this room that makes it from the settings, the slots and ``seed``, where imgaug's class
    #: is slow or fails. Its source goes into exported code.
    maker: str = ""
    #: ``module:class`` of this room that gives imgaug's bytes in less time.
    quick: str = ""

    def parameter(self, name: str) -> Parameter:
        """Return the setting of that name; an unknown one raises an ``UnknownNameError``."""
        return look_up(f"setting of {self.name}", name, {parameter.name: parameter for parameter in self.parameters})


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
