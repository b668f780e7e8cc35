"""Operators of the catalogue at the ends of their settings' ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aquadash.augment import Operator, OperatorInfo, Parameter, Range
from aquadash.augment.spec import Value


def ends(parameter: Parameter) -> tuple[Value, ...]:
    """The least and the greatest value of a setting, and the range from the one to the other where it may be drawn."""
    if parameter.kind == "word":
        return parameter.words
    whole = parameter.kind == "integer"
    low, high = (int(parameter.low), int(parameter.high)) if whole else (parameter.low, parameter.high)
    return (low, high, Range(low, high)) if parameter.drawn else (low, high)


def with_settings(info: OperatorInfo, **changed: Value) -> Operator:
    """The entry's example with some settings changed."""
    assert info.example is not None
    return replace(info.example, settings=tuple({**dict(info.example.settings), **changed}.items()))


def each_end(info: OperatorInfo) -> Iterator[Operator]:
    """The example with one setting at an end, for each setting and end."""
    for parameter in info.parameters:
        for value in ends(parameter):
            yield with_settings(info, **{parameter.name: value})


def all_ends(info: OperatorInfo) -> Iterator[Operator]:
    """The example with all settings at their least, all at their greatest, and all drawn from the whole range."""
    assert info.example is not None
    yield info.example
    for position in (0, 1, -1):
        if info.parameters:
            yield with_settings(info, **{one.name: ends(one)[position] for one in info.parameters})
