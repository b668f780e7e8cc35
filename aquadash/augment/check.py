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


def check_operators(operators: Iterable[Operator], *, one_channel: str = "") -> None:
    """Check operators and those inside them; errors as in :func:`check`.

    Args:
        operators: The operators.
        one_channel: The name of the operator around them that hands them a single channel; empty if there is none.
    """
    for operator in operators:
        info = operator_info(operator.name)
        if one_channel and info.needs_colour:
            raise ConfigError(
                f"{info.name} stands inside {one_channel}, which hands it one channel; it needs a picture in colour. "
                f"Move it out of {one_channel}."
            )
        for name, value in operator.settings:
            _check_value(info, info.parameter(name), value)
        settings_of(operator)
        known = [slot for slot, _ in info.slots]
        for slot, inner in operator.children:
            if slot not in known:
                raise UnknownNameError.of(f"slot of {operator.name}", slot, known)
            check_operators(inner, one_channel=info.name if info.one_channel else one_channel)
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
        kind = {"integer": "an odd number" if parameter.step == 2 and parameter.low % 2 else "a whole number"}
        wanted = f"{kind.get(parameter.kind, 'a number')} from {parameter.low:g} to {parameter.high:g}"
        fits = not isinstance(end, (bool, str)) and parameter.low <= end <= parameter.high
        if fits and parameter.kind == "integer":
            # In a range the values between the ends need not be on a step; imgaug mends those.
            fits = int(end) == end and (end - parameter.low) % parameter.step == 0
        if not fits:
            raise ConfigError(f"{place} is {str(end)[:80]!r}; expected {wanted}. {parameter.help}")
