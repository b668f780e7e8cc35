"""The steps of a branch by their place, and the same branch with one of them changed."""

from __future__ import annotations

import pytest

from aquadash.augment import Branch, Range, op, operator_info
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.robustness import steps as places

NESTED = Branch(
    "Nested",
    (
        op("Fliplr", p=1.0, enabled=False),
        op("Sometimes", p=0.5, then_list=(op("GaussianBlur", sigma=Range(0.0, 1.0)), op("Add", value=5))),
        op("Multiply", mul=1.2),
    ),
)


def test_steps_that_are_switched_off_are_passed_over() -> None:
    found = places.steps(NESTED)
    assert [step.place for step in found] == ["2", "2.then_list.1", "2.then_list.2", "3"]
    assert [step.title for step in found] == [
        "2. Sometimes",
        "2. Sometimes › 1. Blur",
        "2. Sometimes › 2. Add",
        "3. Multiply",
    ]
    assert places.first_strength(NESTED).title == "2. Sometimes › 1. Blur"
    assert places.first_strength(Branch("", NESTED.operators[:1] + NESTED.operators[2:])).place == "2"


def test_a_step_that_is_not_there_or_off_is_named_with_those_that_are() -> None:
    for place in ("", "0", "1", "4", "2.then_list", "2.then_list.3", "²"):
        with pytest.raises(UnknownNameError, match=r"It has: 2 \(Sometimes\), 2.then_list.1 \(GaussianBlur\)"):
            places.find_step(NESTED, place)


def test_one_parameter_is_fixed_and_all_else_stays() -> None:
    changed = places.with_parameter(NESTED, "2.then_list.1", "sigma", 0.7)
    inner = places.find_step(changed, "2.then_list.1").operator
    assert inner.setting("sigma", 0) == 0.7
    assert places.with_parameter(changed, "2.then_list.1", "sigma", 0.7) == changed
    assert changed.operators[2] == NESTED.operators[2]
    whole = places.find_step(places.with_parameter(NESTED, "2.then_list.2", "value", 6.6), "2.then_list.2")
    assert whole.value("value") == 7
    rare = places.with_parameter(NESTED, "3", "probability", 0.25)
    assert rare.operators[2].probability == 0.25


def test_values_to_try_are_even_and_whole_numbers_come_once() -> None:
    blur = places.find_step(NESTED, "2.then_list.1").parameter("sigma")
    assert places.grid(blur, low=0.0, high=2.0, count=5) == (0.0, 0.5, 1.0, 1.5, 2.0)
    add = places.find_step(NESTED, "2.then_list.2").parameter("value")
    assert places.grid(add, low=-1, high=2, count=11) == (-1, 0, 1, 2)
    side = operator_info("MedianBlur").parameter("k")
    assert set(places.grid(side, low=1, high=15, count=11)) <= {1, 3, 5, 7, 9, 11, 13, 15}
    with pytest.raises(ConfigError, match="expected two numbers from 0 to 10"):
        places.grid(blur, low=0.0, high=11.0, count=5)
    assert places.text_of(blur, 1.2345) == "1.23"
    assert places.text_of(places.PROBABILITY, 0.5) == "50 %"
