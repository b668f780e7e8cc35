from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from aquadash.augment import OPERATORS, Branch, Operator, Parameter, Range, apply, op
from aquadash.augment.check import check_operators
from aquadash.augment.operators import settings_of

_IMAGES = np.random.default_rng(5).integers(0, 256, (3, 9, 14, 3), dtype=np.uint8)


def _extremes() -> list[Any]:
    """Every parameter of every operator at its ends, as one value and as a range."""
    cases = []
    for info in OPERATORS.values():
        for parameter in info.parameters:
            if parameter.kind == "word":
                values: list[Any] = list(parameter.words)
            else:
                whole = parameter.kind == "integer"
                low, high = (int(parameter.low), int(parameter.high)) if whole else (parameter.low, parameter.high)
                values = [low, high]
                if parameter.drawn:
                    values += [Range(low, high), Range(low, low)]
            cases += [
                pytest.param(_with(info.name, parameter, value), id=f"{info.name}-{parameter.name}-{value}")
                for value in values
            ]
    return cases


def _with(name: str, parameter: Parameter, value: Any) -> Operator:
    required: dict[str, Any] = {"size_percent": 0.1, "to_colorspace": "HSV", "channels": 0, "px": 1}
    info = OPERATORS[name]
    arguments = {one.name: required[one.name] for one in info.parameters if one.default is None}
    arguments |= {slot: op("Multiply", mul=1.1) for slot, _ in info.slots}
    return op(name, **{**arguments, parameter.name: value})


@pytest.mark.parametrize("operator", _extremes())
def test_every_setting_works_at_its_ends(operator: Operator) -> None:
    check_operators([operator])
    result = apply(_IMAGES, Branch("one", (operator,)), seed=1)
    assert result.shape == _IMAGES.shape
    assert result.dtype == np.uint8


def test_names_and_defaults_are_imgaugs() -> None:
    import imgaug.augmenters as iaa

    for info in OPERATORS.values():
        known = inspect.signature(getattr(iaa, info.name)).parameters
        for slot, _ in info.slots:
            assert slot in known
        for parameter in info.parameters:
            default = parameter.default
            if default is not None:
                plain = (default.low, default.high) if isinstance(default, Range) else default
                assert known[parameter.name].default == plain, (info.name, parameter.name)


def test_every_entry_has_words_for_a_student() -> None:
    for info in OPERATORS.values():
        assert info.title and info.help.endswith(".")
        for parameter in info.parameters:
            assert parameter.help.endswith(".")


def test_settings_are_completed_by_defaults() -> None:
    assert settings_of(op("Multiply", mul=2.0)) == {"mul": 2.0, "per_channel": False}
