"""The charts of compared runs: their values, their words, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from aquadash.evaluation import paired_change as compared
from aquadash.evaluation import pairwise
from aquadash.evaluation.records import Predictions
from aquadash.figures import paired_change, theme
from aquadash.figures.compare_curves import compare_curves, exponential_average
from aquadash.figures.confusion_matrix import small_confusion
from aquadash.figures.cost_accuracy import cost_accuracy
from aquadash.figures.metric_bars import metric_bars
from aquadash.figures.pair_matrix import difference_matrix, pair_matrix
from aquadash.figures.right_counts import right_counts
from aquadash.figures.theme import alt_text, class_colour
from aquadash.store import EpochRecord
from tests.test_evaluation_compare import stored
from tests.test_figures_charts import EVALUATION, EVIL

TESTS = pairwise([stored("1" * 20 + "0" * 40), stored("1" * 50 + "0" * 10), None], sets=["a"] * 3)
MANY = [f"{EVIL} {number}" for number in range(100)]


def history(n: int, *, seconds: float = 2.0) -> list[EpochRecord]:
    return [EpochRecord(e, 1 / e, 0.5, 1.0, 0.4 + 0.1 * (e % 2), 0.01, seconds) for e in range(1, n + 1)]


def costs(*runs: tuple[float | None, float]) -> go.Figure:
    """Of runs with so many seconds and such an accuracy."""
    measured = [
        (f"{EVIL} {index}", replace(EVALUATION, accuracy=accuracy), cost) for index, (cost, accuracy) in enumerate(runs)
    ]
    return cost_accuracy(measured, cost="Seconds", title="Accuracy", text="{} s".format)


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "curves by time, smoothed": lambda: compare_curves(
        [(EVIL, history(9)), ("b", history(90, seconds=9.0))], metrics=["val_loss", "accuracy"], axis="time", weight=0.6
    ),
    "ten runs": lambda: compare_curves(
        [(name, history(100) if index != 1 else []) for index, name in enumerate(MANY[:10])], metrics=["val_loss"]
    ),
    "accuracies": lambda: metric_bars([("a", EVALUATION), (EVIL, EVALUATION)]),
    "pairs": lambda: pair_matrix(TESTS, names=["a", EVIL, "c"], selected=(1, 0)),
    "matrix": lambda: small_confusion(np.eye(5, dtype=int) + 1, class_names=list(theme.CLASS_COLOURS), name=EVIL),
    "matrix of 100": lambda: small_confusion(np.eye(100, dtype=int), class_names=MANY, name=EVIL),
    "right counts": lambda: right_counts([3, 1, 0, 4], selected=1),
    "costs": lambda: costs((10, 0.5), (100, 0.7), (120, 0.6)),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {"costs": lambda: costs((None, 0.5))}


def test_a_run_has_the_colour_of_its_place_in_every_chart() -> None:
    ten = [trace.line.color for trace in FIGURES["ten runs"]().data]
    assert ten == [theme.run_colour(index) for index in (0, *range(2, 10))], "one without epochs keeps its place"
    points = [trace for trace in FIGURES["costs"]().data if trace.name]
    assert [trace.marker.color for trace in points][-3:] == [theme.run_colour(index) for index in range(3)]


def test_curves_by_time_add_the_epochs_up() -> None:
    raw, smooth = compare_curves([("a", history(4))], axis="time", weight=0.5).data
    assert raw.x.tolist() == [2.0, 4.0, 6.0, 8.0]
    assert raw.y == pytest.approx([50, 40, 50, 40]) and smooth.customdata == pytest.approx(raw.y)
    assert smooth.y[0] == 50 and 40 < smooth.y[1] < 50 and raw.hoverinfo == "skip"


def test_the_pair_matrix_is_skew_and_stars_what_is_more_than_luck() -> None:
    values = difference_matrix(TESTS, runs=3)
    assert values[1, 0] == pytest.approx(50) and values[0, 1] == pytest.approx(-50)
    assert np.isnan(values[0, 0]) and np.isnan(values[2]).all()
    figure = pair_matrix(TESTS, names=["a", "b", "c"])
    assert figure.data[0].text[1][0] == "+50.0*" and figure.data[0].text[2][0] == ""
    assert [tuple(cell) for cell in figure.data[1].customdata] == [(0, 1), (1, 0)]
    assert "b over a by 50.0 points" in theme.alt_text(figure)


def test_the_front_is_cheapest_first_and_leaves_out_what_is_beaten() -> None:
    figure = costs((100, 0.7), (None, 0.9), (10, 0.5), (120, 0.6))
    assert figure.data[0].x == (10, 100) and figure.layout.xaxis.type == "log"
    assert [trace.marker.color for trace in figure.data[1:]] == [theme.run_colour(index) for index in (0, 2, 3)]


def test_smoothing_has_no_pull_towards_zero_and_leaves_gaps() -> None:
    assert exponential_average([3.0] * 5, weight=0.9) == pytest.approx([3.0] * 5)
    assert exponential_average([1.0, 5.0], weight=0.0).tolist() == [1.0, 5.0]
    # By hand: (0.5 * 0.5 * 1 + 0.5 * 5) / (1 - 0.25).
    assert exponential_average([1.0, 5.0], weight=0.5) == pytest.approx([1.0, 2.75 / 0.75])
    gap = exponential_average([1.0, float("nan"), 5.0], weight=0.5)
    assert np.isnan(gap[1]) and gap[2] == pytest.approx(2.75 / 0.75)


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
    assert "all classes +25 points" in alt_text(figure)
