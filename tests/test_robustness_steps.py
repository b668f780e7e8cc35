"""The steps of a branch by their place, and the same branch with one of them changed."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.augment import PIPELINES, Branch, Range, op, operator_info
from aquadash.errors import ConfigError
from aquadash.robustness import steps as places
from tests.augmented import augmented

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
    assert [places.path_text(step.path) for step in found] == ["2", "2.then_list.1", "2.then_list.2", "3"]
    assert [step.title for step in found] == [
        "2. Sometimes",
        "2. Sometimes › 1. Blur",
        "2. Sometimes › 2. Add",
        "3. Multiply",
    ]
    assert [step.path for step in places.steps(NESTED, nested=False)] == [(1,), (2,)]


def test_paths_are_read_back() -> None:
    for step in places.steps(NESTED):
        assert places.read_path(places.path_text(step.path)) == step.path
    for text in ("", "0", "1.then_list", "then_list", "1..1", "-1", "1.then_list.x", "²"):
        with pytest.raises(ConfigError, match="no place of a step"):
            places.read_path(text)


def test_one_parameter_is_fixed_and_all_else_stays() -> None:
    changed = places.with_parameter(NESTED, (1, "then_list", 0), "sigma", 0.7)
    inner = places.find_step(changed, (1, "then_list", 0)).operator
    assert inner.setting("sigma", 0) == 0.7
    assert places.with_parameter(changed, (1, "then_list", 0), "sigma", 0.7) == changed
    assert changed.operators[2] is NESTED.operators[2]
    whole = places.find_step(places.with_parameter(NESTED, (1, "then_list", 1), "value", 6.6), (1, "then_list", 1))
    assert whole.value("value") == 7
    rare = places.with_parameter(NESTED, (2,), "probability", 0.25)
    assert rare.operators[2].probability == 0.25


def test_the_other_steps_draw_the_same_random_numbers() -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    branch = PIPELINES["notebook-2"].branches[0]
    # At an amount of 0 the step changes nothing, so that switching it off gives the same bytes.
    path = (3, "children", 0, "children", 0)
    still = places.with_parameter(branch, path, "value", 0)
    assert np.array_equal(augmented(images, still, seed=3), augmented(images, places.without(branch, path), seed=3))
    assert not np.array_equal(augmented(images, still, seed=3), augmented(images, branch, seed=3))


def test_values_to_try_are_even_and_whole_numbers_come_once() -> None:
    blur = places.find_step(NESTED, (1, "then_list", 0)).parameter("sigma")
    assert places.grid(blur, low=0.0, high=2.0, count=5) == (0.0, 0.5, 1.0, 1.5, 2.0)
    add = places.find_step(NESTED, (1, "then_list", 1)).parameter("value")
    assert places.grid(add, low=-1, high=2, count=11) == (-1, 0, 1, 2)
    side = operator_info("MedianBlur").parameter("k")
    assert set(places.grid(side, low=1, high=15, count=11)) <= {1, 3, 5, 7, 9, 11, 13, 15}
    with pytest.raises(ConfigError, match="expected two numbers from 0 to 10"):
        places.grid(blur, low=0.0, high=11.0, count=5)
    assert places.text_of(blur, 1.2345) == "1.23"
    assert places.text_of(places.PROBABILITY, 0.5) == "50 %"
