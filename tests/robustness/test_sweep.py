"""Tests of the sweep of a parameter, its safe range, its advice and its curve, and of the steps of a branch."""

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash.augment import Branch, Range, op, operator_info
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.figures.robustness import strength_curve
from aquadash.figures.theme import alt_text
from aquadash.robustness import steps as places
from aquadash.robustness.advice import advice, crossing, safe_range
from aquadash.robustness.corruptions import Subjects
from aquadash.robustness.measure import is_measured
from aquadash.robustness.measure import measure as measuring
from aquadash.robustness.measurement import Condition, Measurement, Scores
from aquadash.robustness.requests import SweepRequest

#: A contrast factor multiplies the strength of the stripes, so that 0.4 is the lowest one at which 100 is recognised.
FLATTER = Branch("Flatter", (op("Fliplr", p=0.5), op("LinearContrast", alpha=Range(0.2, 1.0))))
SWEEP = SweepRequest(FLATTER, "2", "alpha", 0.0, 1.0, copies=4)


class ContrastReader:
    """A network without TensorFlow that sees "striped" while the stripes are strong enough, else "plain"."""

    image_shape = (16, 16, 3)
    class_names = ("plain", "striped")

    def __init__(self) -> None:
        self.answered = 0

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.answered += len(images)
        striped = images.astype(float).std(axis=(1, 2, 3)) >= 40.0
        return np.eye(2, dtype=np.float32)[striped.astype(int)]


def striped(*strengths: int, seed: int = 0) -> Subjects:
    """Grey images with vertical stripes: the standard deviation of their pixels is the strength."""
    images = np.full((len(strengths), 16, 16, 3), 128, np.int64)
    for image, strength in zip(images, strengths, strict=True):
        image[:, ::2] += strength
        image[:, 1::2] -= strength
    count = len(strengths)
    labels, positions = np.ones(count, np.int64), np.arange(count, dtype=np.int64)
    return Subjects(images.clip(0, 255).astype(np.uint8), labels, positions, count, "f" * 64, seed)


def measure(subjects: Subjects, request: SweepRequest, reader: ContrastReader | None = None) -> Measurement:
    *_, measured = measuring(reader or ContrastReader(), subjects, request, model_sha256="m")
    return measured


def accuracies(measured: Measurement, parameter: str = "alpha") -> list[float]:
    return [scores.accuracy for scores in measured.curve("strength", parameter).values()]


def test_the_sweep_finds_the_value_at_which_the_stripes_are_lost() -> None:
    measured = measure(striped(100, 100, 100), SWEEP)
    assert list(measured.curve("strength", "alpha")) == pytest.approx([i / 10 for i in range(11)])
    assert accuracies(measured) == [0.0] * 4 + [1.0] * 7
    # Full contrast changes least. Downwards from there, 80 % is crossed between 0.4 and 0.3.
    assert measured.harmless == 1.0
    safe = safe_range(measured, "alpha", threshold=0.8)
    assert safe.low == pytest.approx(0.38) and safe.high is None and not safe.is_empty
    # The interval is over images, and over copies of a single image only.
    measured = measure(striped(45, 55, 60, 70, 80, 90, 100, 110, 120, 125), SWEEP)
    low, high = measured.curve("strength", "alpha")[0.5].accuracy_ci95
    assert high - low > 0.4 and Scores(np.array([7]), 10).accuracy_ci95[0] > 0.3


def test_the_harmless_value_may_lie_in_the_middle_and_is_that_of_the_step_and_not_of_the_pipeline() -> None:
    request = SweepRequest(Branch("Brighter or darker", (op("Add", value=0),)), "1", "value", -200, 200, copies=2)
    measured = measure(striped(60, 60), request)
    safe = safe_range(measured, "value", threshold=0.8)
    # Clipping at both ends flattens the stripes.
    assert measured.harmless == 0 and 80 < safe.high < 160 and -160 < safe.low < -80
    # Adding 60 after Add(-60) restores the picture, but the step itself is harmless at 0.
    branch = Branch("Back and forth", (op("Add", value=-60), op("Add", value=0)))
    request = SweepRequest(branch, "2", "value", -60, 60, values=5, copies=2)
    assert measure(striped(60, 60), request).harmless == 0


def test_a_nested_step_and_a_probability_can_be_swept() -> None:
    branch = Branch("Nested", (op("Sometimes", p=1.0, then_list=op("LinearContrast", alpha=0.1)),))
    inner = measure(striped(100), SweepRequest(branch, "1.then_list.1", "alpha", 0.0, 1.0, copies=2))
    assert accuracies(inner) == [0.0] * 4 + [1.0] * 7
    often = measure(striped(100), SweepRequest(branch, "1", "probability", 0.0, 1.0, values=3, copies=100))
    never, half, always = accuracies(often, "probability")
    assert (never, always) == (1.0, 0.0) and 0.3 < half < 0.7


def test_the_same_seed_gives_the_same_scores_and_another_does_not() -> None:
    def scores(seed: int) -> list[list[int]]:
        branch = Branch("", (op("LinearContrast", alpha=Range(0.2, 1.0)), op("Add", value=0)))
        request = SweepRequest(branch, "2", "value", -5, 5, values=3, copies=20, seed=seed)
        return [each.right.tolist() for each in measure(striped(70, 80, 90, 100), request).scores.values()]

    assert scores(1) == scores(1) != scores(2)


def test_large_numbers_are_made_in_parts_and_equal_copies_are_looked_at_once() -> None:
    reader = ContrastReader()
    branch = Branch("", (op("LinearContrast", alpha=Range(0.2, 1.0)), op("Add", value=0)))
    measured = measure(striped(*[70] * 30), SweepRequest(branch, "2", "value", 0, 1, values=2, copies=50), reader)
    for scores in measured.scores.values():
        assert len(scores.right) == 30 and len(set(scores.right.tolist())) > 1
    flips = ContrastReader()
    measure(striped(100, 90), replace(SWEEP, copies=50), flips)
    assert flips.answered <= 2 + 11 * 2 * 2, "each image as it is and flipped"


def test_progress_counts_copies_and_a_stopped_sweep_goes_on_from_its_file() -> None:
    reports: list[tuple[int, int]] = []

    def stop(phase: str, done: int, total: int) -> None:
        reports.append((done, total))
        if done > 3 * 8:
            raise InterruptedError

    subjects = striped(100, 90)
    with pytest.raises(InterruptedError):
        for part in measuring(ContrastReader(), subjects, SWEEP, model_sha256="m", report=stop):
            assert not is_measured(part, SWEEP)
    assert reports == sorted(reports) and {total for _, total in reports} == {2 + 11 * 8}
    stored = Measurement.from_json(part.to_json())
    assert 1 < len(stored.scores) < 11 and stored.to_json() == part.to_json() and stored.harmless == 1.0
    *_, resumed = measuring(ContrastReader(), subjects, SWEEP, model_sha256="m", so_far=stored)
    whole = measure(subjects, SWEEP)
    assert is_measured(resumed, SWEEP)
    for condition, scores in whole.scores.items():
        assert resumed.scores[condition].right.tolist() == scores.right.tolist()


SIGMA = operator_info("GaussianBlur").parameter("sigma")
BLUR = SweepRequest(Branch("", (op("GaussianBlur", sigma=0.0),)), "1", "sigma", 0, 3, copies=10)


def blurred(*right: int, harmless: float = 0.0, clean: int = 20) -> Measurement:
    """Return a measurement with so many of 20 images right at sigma 0, 1, 2 ... in all of ten copies."""
    scores = {
        Condition("strength", "sigma", float(value)): Scores(np.repeat([10, 0], [each, 20 - each]), 10)
        for value, each in enumerate(right)
    }
    return Measurement({}, 0.0, Scores(np.arange(20) < clean), scores, harmless=harmless)


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (
            blurred(20, 20, 0, 0),
            "1. Blur: safe up to sigma 1.2. The network keeps at least 80 % of its accuracy on unchanged images.",
        ),
        (blurred(0, 20, 20, 0, harmless=1.0), "1. Blur: safe between sigma 0.8 and 2.2. .*"),
        (blurred(0, 20, 20, harmless=2.0), "1. Blur: safe down to sigma 0.8. .*"),
        (blurred(20, 20, 20), "1. Blur: safe at every sigma from 0 to 2. .*"),
        (blurred(3, 3, 3), ".*even at sigma 0, where this step changes least.*"),
        (blurred(10, 5, clean=10), ".*only 50 % .* no better than guessing.*"),
    ],
)
def test_how_far_one_may_go_in_words(measured: Measurement, said: str) -> None:
    assert re.fullmatch(said, advice(measured, BLUR, threshold=0.8, classes=2))
    # The first crossing counts where the curve goes up and down.
    assert crossing([(0, 1.0), (1, 0.5), (2, 0.9), (3, 0.1)], 0.8) == pytest.approx(0.4)
    assert crossing([(3, 0.9), (2, 0.85), (1, 0.8)], 0.8) is None
    assert crossing([(3, 0.7), (2, 0.85), (1, 0.8)], 0.8) == 3


def test_the_curve_has_its_intervals_threshold_and_crossing() -> None:
    figure = strength_curve(blurred(20, 20, 0, 0), SIGMA, step="1. <b>Blur</b>", threshold=0.8, chance=0.2)
    line, crossed = figure.data[0], figure.data[-1]
    assert line.x == (0, 1, 2, 3) and line.y == (100, 100, 0, 0)
    assert crossed.x == pytest.approx([1.2]) and crossed.y == pytest.approx([80])
    assert "<b>Blur" not in figure.layout.xaxis.title.text
    assert alt_text(figure).endswith(
        "sigma of 1. <b>Blur</b>: 100 % at 0, 0 % at 3. The threshold is 80 %; the curve falls below it at 1.2."
    )
    # A fraction is drawn in per cent; one value alone is a curve, too.
    part = Measurement({}, 0.0, Scores(np.ones(20)), {Condition("strength", "p", 0.5): Scores(np.full(20, 9), 10)})
    percent = strength_curve(part, operator_info("Fliplr").parameter("p"), step="1. Flip", threshold=0.8, chance=0.2)
    assert percent.data[0].x == (50,) and "90 % at 50 %" in alt_text(percent)


NESTED = Branch(
    "Nested",
    (
        op("Fliplr", p=1.0, enabled=False),
        op("Sometimes", p=0.5, then_list=(op("GaussianBlur", sigma=Range(0.0, 1.0)), op("Add", value=5))),
        op("Multiply", mul=1.2),
    ),
)


def test_steps_that_are_switched_off_are_passed_over_and_an_unknown_one_is_named_with_them() -> None:
    assert {step.place: step.title for step in places.steps(NESTED)} == {
        "2": "2. Sometimes",
        "2.then_list.1": "2. Sometimes › 1. Blur",
        "2.then_list.2": "2. Sometimes › 2. Add",
        "3": "3. Multiply",
    }
    assert places.first_strength(NESTED).title == "2. Sometimes › 1. Blur"
    assert places.first_strength(Branch("", NESTED.operators[:1] + NESTED.operators[2:])).place == "2"
    for place in ("", "1", "4", "2.then_list", "2.then_list.3"):
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
    assert places.with_parameter(NESTED, "3", "probability", 0.25).operators[2].probability == 0.25


def test_values_to_try_are_even_and_whole_numbers_come_once() -> None:
    blur = places.find_step(NESTED, "2.then_list.1").parameter("sigma")
    assert places.grid(blur, low=0.0, high=2.0, count=5) == (0.0, 0.5, 1.0, 1.5, 2.0)
    add = places.find_step(NESTED, "2.then_list.2").parameter("value")
    assert places.grid(add, low=-1, high=2, count=11) == (-1, 0, 1, 2)
    side = operator_info("MedianBlur").parameter("k")
    assert set(places.grid(side, low=1, high=15, count=11)) <= {1, 3, 5, 7, 9, 11, 13, 15}
    with pytest.raises(ConfigError, match="expected two numbers from 0 to 10"):
        places.grid(blur, low=0.0, high=11.0, count=5)
    assert (places.text_of(blur, 1.2345), places.text_of(places.PROBABILITY, 0.5)) == ("1.23", "50 %")
