"""An operator's settings as the arguments of a call of imgaug."""

from __future__ import annotations

from typing import Any

from aquadash.augment.operator_types import Parameter
from aquadash.augment.operators import operator_info, settings_of
from aquadash.augment.spec import Operator, Range, Value

#: The part of an operator's seed that decides which images it is applied to.
SOMETIMES = 1_000_000


def arguments(operator: Operator) -> dict[str, Any]:
    """The arguments by name, those that nobody may change included; slots and seed are left to the caller."""
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
