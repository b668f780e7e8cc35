"""The charts of the label-safety meter and of paired runs: what they compute, and what they say in words."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.augment import Branch, Range, op
from aquadash.evaluation import paired_change as compared
from aquadash.evaluation.records import Predictions
from aquadash.figures import label_safety_curve, label_safety_steps, paired_change
from aquadash.figures.theme import alt_text, class_colour
from aquadash.robustness.label_safety import SafetyRequest, SweepRequest, measure
from aquadash.robustness.label_safety_result import SafetyResult
from tests.safety_fakes import ContrastReader, striped


@pytest.fixture(scope="module")
def result() -> SafetyResult:
    branch = Branch("Flatter", (op("Fliplr", p=0.5), op("LinearContrast", alpha=Range(0.2, 1.0))))
    request = SafetyRequest(branch, copies=4, sweep=SweepRequest((1,), "alpha", 0.0, 1.0))
    return measure(ContrastReader(), striped([60, 80, 100, 120]), request)


def test_the_curve_has_its_band_and_its_crossing(result: SafetyResult) -> None:
    assert result.sweep is not None
    whole = label_safety_curve.label_safety_curve(result.sweep, parameter="factor", percent_axis=True, chance=0.5)
    band, line, crossing = whole.data
    assert line.x == pytest.approx([10 * i for i in range(11)])
    highs, lows = band.y[:11], band.y[:10:-1]
    assert all(low <= share <= high for low, share, high in zip(lows, line.y, highs, strict=True))
    (crossed,) = crossing.x
    assert crossing.error_x.array[0] >= 0 and crossing.error_x.arrayminus[0] >= 0
    figure = label_safety_curve.label_safety_curve(
        result.sweep, parameter="<b>factor</b>", percent_axis=False, chance=0.5
    )
    assert "<b>factor" not in figure.layout.xaxis.title.text
    assert "The threshold is 80 %; the curve falls below it at 0." in alt_text(figure)
    assert figure.data[-1].x == pytest.approx([crossed / 100])


def test_the_steps_come_in_order_under_the_unchanged_images(result: SafetyResult) -> None:
    figure = label_safety_steps.label_safety_steps(result)
    assert figure.layout.yaxis.ticktext == ("unchanged", "1. Flip left-right", "2. Contrast")
    assert len(figure.data[0].x) == 3 and len(figure.data[1].x) == 2
    assert figure.data[0].x[0] == 100 * result.clean.accuracy and figure.data[1].y[0] == pytest.approx(1.14)
    assert alt_text(figure).startswith(
        "Copies classified correctly: unchanged 100 %; 1. Flip left-right 100 % so far, 100 %"
    )


def test_the_change_of_accuracy_by_class() -> None:
    labels, names = np.repeat([0, 2], 40), ("cat <b>", "without images", "dog")
    worse = np.zeros((80, 3))
    worse[:, 0] = np.where(np.arange(80) < 60, 0.9, 0.2)
    worse[:, 2] = 1 - worse[:, 0]
    better = np.eye(3)[labels]
    before, after = (Predictions(np.arange(80), labels, answers) for answers in (worse, better))
    figure = paired_change.paired_change(compared(before, after, class_names=names), class_names=names, images="test")
    # Filled where the interval leaves no change out.
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "circle-open", "circle"]
    assert [trace.marker.color for trace in figure.data[1:]] == [class_colour("cat", 0), class_colour("dog", 2)]
    assert "<b>" not in figure.layout.yaxis.ticktext[1]
    low, high = figure.layout.xaxis.range
    assert low == -high
    assert "all classes +25 points" in alt_text(figure)
    assert "on test images" in alt_text(figure)
