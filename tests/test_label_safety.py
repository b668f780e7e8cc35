"""How far an augmentation can go before a model no longer sees what is in the picture."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from aquadash.augment import Branch, Range, op, operator_info
from aquadash.errors import AquaDashError
from aquadash.robustness.label_safety import SafetyRequest, Subjects, SweepRequest, measure
from aquadash.robustness.label_safety_result import (
    SafetyResult,
    Seen,
    StepSafety,
    Sweep,
    crossing,
    crossing_sentence,
    whole_sentence,
)
from tests.safety_fakes import ContrastReader, striped

#: Contrast at a factor leaves stripes of strength 100 at 100 times the factor, so that 0.4 is the last one to be seen.
CONTRAST = Branch("Flatter", (op("Fliplr", p=0.5), op("LinearContrast", alpha=Range(0.2, 1.0))))
SWEEP = SweepRequest((1,), "alpha", 0.0, 1.0)


def test_each_step_is_measured_alone_and_with_those_before_it() -> None:
    branch = Branch("Both", (op("LinearContrast", alpha=0.6), op("Add", value=3), op("LinearContrast", alpha=0.6)))
    found = measure(ContrastReader(), striped([100, 90]), SafetyRequest(branch, copies=4))
    assert found.clean.accuracy == 1.0
    assert [step.so_far.accuracy for step in found.steps] == [1.0, 1.0, 0.0]
    # Twice 0.6 is too much, either alone is not.
    assert [step.alone.accuracy for step in found.steps] == [1.0, 1.0, 1.0]
    assert found.whole == found.steps[-1].so_far
    assert [step.title for step in found.steps] == ["1. Contrast", "2. Add", "3. Contrast"]
    assert found.whole.read_as == (8, 0)
    assert found.whole.change > found.steps[0].so_far.change > 0


def test_the_sweep_finds_the_value_at_which_the_stripes_are_lost() -> None:
    found = measure(ContrastReader(), striped([100, 100, 100]), SafetyRequest(CONTRAST, copies=4, sweep=SWEEP))
    sweep = found.sweep
    assert sweep.values == pytest.approx([i / 10 for i in range(11)])
    assert [point.accuracy for point in sweep.points] == [0.0] * 4 + [1.0] * 7
    # Full contrast changes least, so that one walks down from there: 80 % is crossed between 0.4 and 0.3.
    assert sweep.values[sweep.harmless] == 1.0
    assert sweep.upwards is None
    assert sweep.downwards.value == pytest.approx(0.38)
    assert sweep.first_below() == 3
    assert {misread.subject for misread in found.sweep_misread[3]} == {0, 1, 2}
    assert found.sweep_misread[4] == ()


def test_images_that_differ_give_the_crossing_an_interval() -> None:
    subjects = striped([45, 55, 60, 70, 80, 90, 100, 110, 120, 125])
    found = measure(ContrastReader(), subjects, SafetyRequest(CONTRAST, copies=2, sweep=SWEEP))
    low, high = found.sweep.downwards.interval
    assert 0.3 < low < found.sweep.downwards.value < high < 0.9
    # And the accuracy has one that takes the images, not the copies, for what was drawn.
    middle = found.sweep.points[5]
    assert middle.interval[1] - middle.interval[0] > 0.4


def test_the_harmless_value_may_lie_in_the_middle() -> None:
    branch = Branch("Brighter or darker", (op("Add", value=0),))
    request = SafetyRequest(branch, copies=2, sweep=SweepRequest((0,), "value", -200, 200))
    found = measure(ContrastReader(), striped([60, 60]), request)
    sweep = found.sweep
    assert sweep.values[sweep.harmless] == 0
    # Clipping at both ends flattens the stripes.
    assert 80 < sweep.upwards.value < 160
    assert -160 < sweep.downwards.value < -80


def test_the_harmless_value_is_that_of_the_step_and_not_of_the_pipeline() -> None:
    # After Add(-60), adding 60 gives the picture back; the step itself is harmless at 0 all the same.
    branch = Branch("Back and forth", (op("Add", value=-60), op("Add", value=0)))
    request = SafetyRequest(branch, copies=2, sweep=SweepRequest((1,), "value", -60, 60, values=5))
    found = measure(ContrastReader(), striped([60, 60]), request)
    assert found.sweep.values[found.sweep.harmless] == 0
    assert found.sweep.off == found.sweep.points[2]


def test_the_threshold_is_a_share_of_the_clean_accuracy_or_of_all() -> None:
    subjects = striped([100, 100, 100, 10])
    relative = measure(ContrastReader(), subjects, SafetyRequest(CONTRAST, copies=2, sweep=SWEEP)).sweep
    absolute = measure(
        ContrastReader(), subjects, SafetyRequest(CONTRAST, copies=2, threshold=0.8, absolute=True, sweep=SWEEP)
    ).sweep
    assert relative.threshold == pytest.approx(0.6)
    assert not relative.below_at_once
    assert absolute.threshold == 0.8
    assert absolute.below_at_once
    assert absolute.downwards.value == 1.0


def test_the_same_seed_gives_the_same_figures_and_another_does_not() -> None:
    subjects = striped([70, 80, 90, 100])
    one, same, other = (
        measure(ContrastReader(), subjects, SafetyRequest(CONTRAST, copies=20, seed=seed)) for seed in (1, 1, 2)
    )
    assert one.to_dict() == same.to_dict()
    assert one.to_dict() != other.to_dict()


def test_an_image_keeps_its_copies_when_large_numbers_are_made_in_parts() -> None:
    reader = ContrastReader()
    found = measure(reader, striped([70] * 30), SafetyRequest(CONTRAST, copies=50))
    assert len(found.whole.right) == 30
    assert 30 + 30 < reader.asked <= 30 + 3 * 30 * 50
    assert len(set(found.whole.right)) > 1


def test_a_nested_step_and_a_probability_can_be_swept() -> None:
    branch = Branch("Nested", (op("Sometimes", p=1.0, then_list=op("LinearContrast", alpha=0.1)),))
    inner = SafetyRequest(branch, copies=2, sweep=SweepRequest((0, "then_list", 0), "alpha", 0.0, 1.0))
    found = measure(ContrastReader(), striped([100]), inner)
    assert found.steps[0].alone.accuracy == 0.0, "with what is inside it"
    sweep = found.sweep
    assert sweep.title == "1. Sometimes › Contrast"
    assert sweep.off.accuracy == 1.0
    assert sweep.downwards.interval is None
    chance = SafetyRequest(branch, copies=100, sweep=SweepRequest((0,), "probability", 0.0, 1.0, values=3))
    swept = measure(ContrastReader(), striped([100]), chance).sweep
    assert [swept.points[i].accuracy for i in (0, 2)] == [1.0, 0.0]
    assert 0.3 < swept.points[1].accuracy < 0.7


def test_nothing_is_measured_twice_and_the_progress_ends_at_all_of_it() -> None:
    told: list[tuple[int, int]] = []
    reader = ContrastReader()
    branch = Branch("One", (op("LinearContrast", alpha=0.5),))
    request = SafetyRequest(branch, copies=3)
    measure(reader, striped([100, 90]), request, report=lambda phase, done, total: told.append((done, total)))
    # The whole, the first step and the step alone are the same copies.
    # And copies that are the same are looked at once.
    assert reader.asked == 2 + 2
    assert told == [(0, 0), (0, 6), (6, 6)]
    told.clear()
    several = replace(request, branch=CONTRAST, sweep=SWEEP)
    measure(reader, striped([100, 90]), several, report=lambda phase, done, total: told.append((done, total)))
    assert {done for done, _ in told} >= {6, 12, 18}, "a stop is heard after each"


def test_a_branch_that_changes_nothing_costs_nothing() -> None:
    found = measure(ContrastReader(), striped([100, 10]), SafetyRequest(Branch("Original"), copies=3))
    assert found.steps == ()
    assert found.whole.accuracy == found.clean.accuracy == 0.5
    assert found.whole.change == 0.0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SafetyRequest(CONTRAST, copies=0), "0 copies"),
        (SafetyRequest(CONTRAST, threshold=1.5), "threshold is 1.5"),
        (SafetyRequest(CONTRAST, seed=-1), "seed is -1"),
        (SafetyRequest(CONTRAST, sweep=replace(SWEEP, low=2.0)), "the lower one first"),
        (SafetyRequest(CONTRAST, sweep=replace(SWEEP, high=99.0)), "from 0 to 10"),
        (SafetyRequest(CONTRAST, sweep=replace(SWEEP, values=1)), "1 values"),
        (SafetyRequest(CONTRAST, sweep=replace(SWEEP, path=(6,))), r"no step '7' that is switched on. It has: 1 \(Fl"),
        (SafetyRequest(CONTRAST, sweep=replace(SWEEP, parameter="alhpa")), "alpha"),
    ],
)
def test_numbers_out_of_range_and_unknown_steps_and_parameters_are_refused(
    request_: SafetyRequest, message: str
) -> None:
    with pytest.raises(AquaDashError, match=message):
        measure(ContrastReader(), striped([100]), request_)


def test_images_that_do_not_fit_the_network_are_refused() -> None:
    subjects = striped([100])
    with pytest.raises(AquaDashError, match="do not belong together"):
        measure(ContrastReader(), replace(subjects, images=np.zeros((1, 8, 8, 3), np.uint8)), SafetyRequest(CONTRAST))
    with pytest.raises(AquaDashError, match="classes that the network does not know"):
        measure(ContrastReader(), replace(subjects, labels=np.array([2])), SafetyRequest(CONTRAST))
    with pytest.raises(AquaDashError, match="0 images"):
        measure(ContrastReader(), striped([]), SafetyRequest(CONTRAST))


def test_the_first_crossing_counts_where_the_curve_goes_up_and_down() -> None:
    assert crossing([0, 1, 2, 3], [1.0, 0.5, 0.9, 0.1], 0.8) == pytest.approx(0.4)
    assert crossing([3, 2, 1], [0.9, 0.85, 0.8], 0.8) is None
    assert crossing([3, 2, 1], [0.7, 0.85, 0.8], 0.8) == 3.0


def test_requests_and_results_are_the_same_after_json() -> None:
    branch = Branch("Deep", (op("LinearContrast", alpha=Range(0.1, 1.0)), op("GaussianBlur", enabled=False)))
    sweep = SweepRequest((0,), "alpha", 0.1, 1.0)
    subjects, request = striped([100, 60]), SafetyRequest(branch, copies=4, seed=7, absolute=True, sweep=sweep)
    question = TypeAdapter(tuple[Subjects, SafetyRequest])
    told, asked = question.validate_json(question.dump_json((subjects, request)))
    assert asked == request and (told.positions, told.split) == (subjects.positions, subjects.split)
    np.testing.assert_array_equal(told.images, subjects.images)
    np.testing.assert_array_equal(told.labels, subjects.labels)
    assert (told.images.dtype, told.labels.dtype) == (np.uint8, np.int64)

    result = measure(ContrastReader(), subjects, SafetyRequest(CONTRAST, copies=4, sweep=SWEEP))
    answer = TypeAdapter(SafetyResult)
    read = answer.validate_json(answer.dump_json(result))
    assert read.to_dict() == result.to_dict()
    assert len(read.misread) == len(result.misread) > 0
    np.testing.assert_array_equal(read.misread[0].image, result.misread[0].image)
    assert [len(copies) for copies in read.sweep_misread] == [len(copies) for copies in result.sweep_misread]


SIGMA = operator_info("GaussianBlur").parameter("sigma")
CLEAN = Seen((1,) * 20, 1, 0.0, (20, 0))


def seen(right: int, of: int = 20) -> Seen:
    """So many of 20 images right in all of ten copies."""
    return Seen((10,) * right + (0,) * (of - right), 10, 1.0, (10 * right, 10 * (of - right)))


def sweep(*right: int, changes: tuple[float, ...] | None = None, relative: float | None = 0.8) -> Sweep:
    values = tuple(float(number) for number in range(len(right)))
    points = tuple(map(seen, right))
    return Sweep((0,), "1. Blur", "sigma", values, points, changes or values, points[0], CLEAN, 0.8, relative)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            sweep(20, 20, 0, 0),
            "1. Blur: up to sigma 1.2 the model keeps at least 80 % of what it saw on the unchanged images; beyond it, "
            "less.",
        ),
        (sweep(0, 20, 20, 0, changes=(9, 1, 0, 9)), "1. Blur: between sigma 0.8 and 2.2 the model.*"),
        (sweep(20, 20, 20, relative=None), ".*with every sigma from 0 to 2 the model classifies at least 80 %.*"),
        (sweep(3, 3, 3), ".*even at sigma 0, where this step changes least.*"),
        (sweep(20, 13, 13), ".*to beyond the range\\).*"),
    ],
)
def test_where_too_much_is_lost_in_words(given: Sweep, said: str) -> None:
    assert re.fullmatch(said, crossing_sentence(given, SIGMA))


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
    nothing = replace(lossy, steps=())
    assert "leaves the images as they are" in whole_sentence(nothing)
    # A model that guesses is no judge.
    weak = Seen((1,) * 10 + (0,) * 10, 1, 0.0, (10, 10))
    assert "poor judge" in whole_sentence(result(weak, seen(10)))
