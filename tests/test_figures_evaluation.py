"""The charts of the Evaluate page: their values are the right ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from aquadash.evaluation import Evaluation, class_intervals, evaluate, ranking_curves, reliability
from aquadash.figures.class_scores import MAX_DRAWN, class_scores, drawn_classes
from aquadash.figures.confusion_matrix import confusion_difference, difference
from aquadash.figures.ranking_curves import MAX_DRAWN as MAX_CURVES
from aquadash.figures.ranking_curves import drawn_classes as drawn_curves
from aquadash.figures.ranking_curves import ranking_curves_figure
from aquadash.figures.reliability_diagram import reliability_diagram
from tests.test_evaluation_metrics import drawn
from tests.test_figures_charts import EVIL, FIVE


def scored(name: str, classes: int = 5, seed: int = 0) -> tuple[str, Evaluation]:
    names = [*FIVE, *(f"{EVIL} {index}" for index in range(classes - 5))]
    return name, evaluate(*drawn(300, classes, seed, sharp=2.0), class_names=names)


ONE, TWO = drawn(300, sharp=2.0), drawn(300, seed=1, sharp=2.0)
FOUND, OTHER_FOUND = reliability(*ONE), reliability(*TWO)
MATRIX, OTHER_MATRIX = (evaluate(*data, class_names=FIVE).confusion_matrix for data in (ONE, TWO))
CURVES, OTHER_CURVES = (ranking_curves(*data, class_names=FIVE) for data in (ONE, TWO))

FIGURES: dict[str, Callable[[], go.Figure]] = {
    "class scores": lambda: class_scores([scored("a")]),
    "class scores of two": lambda: class_scores([scored("a"), scored(EVIL, seed=1)]),
    "class scores of 60": lambda: class_scores([scored("a", classes=60)]),
    "roc": lambda: ranking_curves_figure(CURVES, kind="roc"),
    "precision-recall of two": lambda: ranking_curves_figure(
        CURVES, kind="precision-recall", other=(EVIL, OTHER_CURVES)
    ),
    "reliability": lambda: reliability_diagram(FOUND),
    "reliability of three": lambda: reliability_diagram(FOUND, lines=[("t", FOUND), (EVIL, OTHER_FOUND)], selected=14),
    "difference": lambda: confusion_difference(MATRIX, OTHER_MATRIX, class_names=FIVE, selected=(1, 2)),
}


def test_class_scores_are_drawn_with_their_whiskers() -> None:
    _, found = scored("a")
    figure = class_scores([("a", found)])
    precision = figure.data[0]
    assert precision.name == "Precision" and list(precision.x) == pytest.approx(
        [100 * row.precision for row in found.report]
    )
    low, high = class_intervals(found.confusion_matrix, class_names=FIVE)[3].precision
    assert precision.x[3] - precision.error_x.arrayminus[3] == pytest.approx(100 * low)
    assert precision.x[3] + precision.error_x.array[3] == pytest.approx(100 * high)
    assert list(figure.data[1].customdata[4]) == [1, 4]


def test_of_many_classes_the_worst_are_drawn() -> None:
    _, found = scored("a", classes=60)
    shown = drawn_classes(found.report)
    assert len(shown) == MAX_DRAWN and shown == sorted(shown)
    others = [row.f1 for index, row in enumerate(found.report) if index not in shown]
    assert max(found.report[index].f1 for index in shown) <= min(others)


def test_of_many_curves_those_with_the_smallest_areas_are_drawn() -> None:
    many = ranking_curves(*drawn(400, 40, sharp=2.0), class_names=[f"class {index}" for index in range(40)])
    shown = drawn_curves(many, "roc")
    assert len(shown) == MAX_CURVES
    others = [row.auc for index, row in enumerate(many) if index not in shown]
    assert max(many[index].auc for index in shown) <= min(others)
    chance, first, *_ = ranking_curves_figure(CURVES, kind="roc").data
    assert list(first.x) == pytest.approx(list(100 * CURVES[0].false_positive_rate)) and list(chance.x) == [0, 100]
    assert not ranking_curves_figure(ranking_curves([0], [[1.0]], class_names=["a"]), kind="roc").data


def test_the_bars_of_the_diagram_say_which_bin_they_are() -> None:
    bars, dots, *_ = reliability_diagram(FOUND).data
    filled = np.flatnonzero(FOUND.counts)
    assert [row[0] for row in bars.customdata] == filled.tolist()
    assert list(bars.y) == list(dots.y) == pytest.approx((100 * FOUND.accuracy[filled]).tolist())
    # Held against the diagonal, a dot says what the table says: the middle of a bin is not how sure its answers are.
    assert list(dots.x) == pytest.approx((100 * FOUND.confidence[filled]).tolist())


def test_the_difference_is_in_images_or_in_points() -> None:
    values, images = difference([[8, 2], [1, 9]], [[6, 4], [1, 9]])
    assert images and values.tolist() == [[2, -2], [0, 0]]
    values, images = difference([[8, 2], [1, 9]], [[3, 2], [0, 5]])
    assert not images and values == pytest.approx(np.array([[20, -20], [10, -10]]))
    cells = confusion_difference([[8, 2], [1, 9]], [[3, 2], [0, 5]], class_names=["a", "b"]).data[1]
    assert list(cells.customdata[1]) == [0, 1]
