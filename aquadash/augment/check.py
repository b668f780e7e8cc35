"""Pipelines held against the catalogue, with messages that say how to mend them."""

from __future__ import annotations

from collections.abc import Iterable

from aquadash.augment.operators import OperatorInfo, Parameter, operator_info, settings_of
from aquadash.augment.spec import Operator, PipelineSpec, Range, Value
from aquadash.errors import ConfigError, UnknownNameError


def check(spec: PipelineSpec) -> None:
    """Check every operator of a pipeline against the catalogue.

    Raises:
        UnknownNameError: An operator, setting or slot that the catalogue does not know.
        ConfigError: A setting that is missing, of the wrong kind or out of bounds.
    """
    for branch in spec.branches:
        check_operators(branch.operators)


def check_operators(operators: Iterable[Operator]) -> None:
    """Check operators and those inside them; errors as in :func:`check`."""
    for operator in operators:
        info = operator_info(operator.name)
        for name, value in operator.settings:
            _check_value(info, info.parameter(name), value)
        settings_of(operator)
        known = [slot for slot, _ in info.slots]
        for slot, inner in operator.children:
            if slot not in known:
                raise UnknownNameError.of(f"slot of {operator.name}", slot, known)
            check_operators(inner)
        if known and not any(inner for _, inner in operator.children):
            raise ConfigError(f"{operator.name} steers other operators and has none; add one to {known[0]!r}.")


def _check_value(info: OperatorInfo, parameter: Parameter, value: Value) -> None:
    """Refuse a value of the wrong kind or out of bounds."""
    place = f"{info.name}: {parameter.name}"
    if parameter.kind == "word":
        if value not in parameter.words:
            raise ConfigError(f"{place} is {str(value)[:80]!r}; expected one of {', '.join(parameter.words)}.")
        return
    if isinstance(value, Range) and not parameter.drawn:
        raise ConfigError(f"{place} is a range; expected one fixed value. {parameter.help}")
    ends = (value.low, value.high) if isinstance(value, Range) else (value,)
    for end in ends:
        if isinstance(end, bool) and parameter.kind == "share":
            continue
        wanted = (
            f"{'a whole' if parameter.kind == 'integer' else 'a'} number from {parameter.low:g} to {parameter.high:g}"
        )
        fits = not isinstance(end, (bool, str)) and parameter.low <= end <= parameter.high
        if not fits or (parameter.kind == "integer" and int(end) != end):
            raise ConfigError(f"{place} is {str(end)[:80]!r}; expected {wanted}. {parameter.help}")
