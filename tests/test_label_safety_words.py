"""What the label-safety meter found, in sentences."""

from __future__ import annotations

from dataclasses import replace

from aquadash.augment import operator_info
from aquadash.robustness.label_safety_result import (
    SafetyResult,
    Seen,
    StepSafety,
    Sweep,
    crossing_sentence,
    mistaken_for,
    named,
    whole_sentence,
)
from aquadash.robustness.steps import PROBABILITY

SIGMA = operator_info("GaussianBlur").parameter("sigma")
CLEAN = Seen((1,) * 20, 1, 0.0, (20, 0))


def seen(right: int, of: int = 20) -> Seen:
    """So many of 20 images right in all of ten copies."""
    return Seen((10,) * right + (0,) * (of - right), 10, 1.0, (10 * right, 10 * (of - right)))


def sweep(*right: int, changes: tuple[float, ...] | None = None, relative: float | None = 0.8) -> Sweep:
    values = tuple(float(number) for number in range(len(right)))
    points = tuple(map(seen, right))
    return Sweep((0,), "1. Blur", "sigma", values, points, changes or values, points[0], CLEAN, 0.8, relative)


def test_up_to_a_value_beyond_which_too_much_is_lost() -> None:
    text = crossing_sentence(sweep(20, 20, 0, 0), SIGMA)
    kept = "the model keeps at least 80 % of what it saw on the unchanged images"
    assert text == f"1. Blur: up to sigma 1.2 {kept}; beyond it, less."


def test_both_sides_of_a_harmless_value_in_the_middle() -> None:
    text = crossing_sentence(sweep(0, 20, 20, 0, changes=(9, 1, 0, 9)), SIGMA)
    assert text.startswith("1. Blur: between sigma 0.8 and 2.2 the model")
    down = crossing_sentence(sweep(0, 20, 20, changes=(9, 1, 0)), SIGMA)
    assert down.startswith("1. Blur: down to sigma 0.8 the model")


def test_never_and_at_once() -> None:
    assert (
        "with every sigma from 0 to 2 the model classifies at least 80 % of the copies correctly"
        in crossing_sentence(sweep(20, 20, 20, relative=None), SIGMA)
    )
    assert "even at sigma 0, where this step changes least" in crossing_sentence(sweep(3, 3, 3), SIGMA)


def test_an_interval_with_an_end_beyond_the_range_says_so() -> None:
    assert "to beyond the range)" in crossing_sentence(sweep(20, 13, 13), SIGMA)


def result(clean: Seen, whole: Seen) -> SafetyResult:
    return SafetyResult(
        ("cat", "dog"), (0,) * 20, (), "", 10, 0, clean, whole, (StepSafety((0,), "1. Blur", whole, whole),)
    )


def test_the_whole_pipeline() -> None:
    assert whole_sentence(result(CLEAN, seen(20))).endswith("Hardly anything is lost.")
    lossy = result(CLEAN, seen(10))
    assert "and 50 % of their augmented copies (95 % interval" in whole_sentence(lossy)
    two = replace(lossy, steps=(*lossy.steps, StepSafety((1,), "2. Add", seen(10), seen(19))))
    assert "The step that costs most by itself is 1. Blur: it alone leaves 50 %" in whole_sentence(two)
    assert mistaken_for(lossy) == "What it no longer recognises, it mostly calls dog."
    assert mistaken_for(result(CLEAN, seen(20))) == ""
    nothing = replace(lossy, steps=())
    assert "leaves the images as they are" in whole_sentence(nothing)


def test_a_model_that_guesses_is_no_judge() -> None:
    weak = Seen((1,) * 10 + (0,) * 10, 1, 0.0, (10, 10))
    assert "poor judge" in whole_sentence(result(weak, seen(10)))


def test_shares_are_named() -> None:
    assert named(PROBABILITY) == "probability"
    assert named(operator_info("Fliplr").parameter("p")) == "share of the images"
