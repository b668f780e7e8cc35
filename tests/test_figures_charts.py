"""The values in the charts of data, trainings and results are the right ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from aquadash.data.statistics import moments
from aquadash.evaluation import evaluate
from aquadash.figures import theme
from aquadash.figures.channels import channel_change, channel_histogram
from aquadash.figures.class_counts import class_counts
from aquadash.figures.compare_curves import compare_curves
from aquadash.figures.confidence_histogram import confidence_histogram
from aquadash.figures.confusion_matrix import confusion_matrix, largest_confusions, shares_by_row
from aquadash.figures.learning_curves import learning_curves
from aquadash.figures.metric_bars import metric_bars
from aquadash.store.types import EpochRecord

FIVE = ("beaver", "dolphin", "otter", "seal", "whale")
EVIL = '<a href="https://example.org">%{x}</a> $1$ and a name that goes on and on'
LABELS = np.array([0, 1, 2, 3, 4, 0])
PROBABILITIES = np.full((6, 5), 0.1) + 0.5 * np.eye(5)[[0, 1, 2, 3, 0, 1]]
EVALUATION = evaluate(LABELS, PROBABILITIES, class_names=FIVE)
MATRIX = EVALUATION.confusion_matrix


def history(n: int) -> list[EpochRecord]:
    return [
        EpochRecord(e, 1 / e, 1 - 0.5 / e, 0.5 + abs(e - 3) / 10, 0.6, learning_rate=0.01, seconds=2.0)
        for e in range(1, n + 1)
    ]


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "loss": lambda: learning_curves(history(8)),
    "accuracy": lambda: learning_curves(history(8), metric="accuracy"),
    "diverged": lambda: learning_curves([EpochRecord(1, np.nan, 0.2, np.nan, 0.2, 0.1, 1.0)]),
    "compare": lambda: compare_curves([("a", history(3)), ("b", []), (EVIL, history(9))]),
    "matrix": lambda: confusion_matrix(MATRIX, class_names=FIVE, selected=(4, 0)),
    "matrix of 100": lambda: confusion_matrix(np.eye(100, dtype=int), class_names=[EVIL] * 100),
    "counts": lambda: class_counts({"Training": [5, 4, 3, 2, 1], "Test": [1] * 5}, class_names=FIVE),
    "channels": lambda: channel_histogram(np.ones((3, 256)), bins=32),
    "channel change": lambda: channel_change(np.ones(256), np.arange(256), channel=1),
    "confidence": lambda: confidence_histogram(LABELS, PROBABILITIES),
    "metric": lambda: metric_bars([("a", EVALUATION), ("b", None), (EVIL, EVALUATION)]),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "loss": lambda: learning_curves([]),
    "compare": lambda: compare_curves([]),
    "counts": lambda: class_counts({}, class_names=[]),
    "channels": lambda: channel_histogram(np.zeros((3, 256))),
    "metric": lambda: metric_bars([("a", None)]),
}


def test_learning_curves_mark_the_best_epoch_by_validation_loss_in_both() -> None:
    # All epochs tie in accuracy, so that the first is the best.
    for monitor, best in (("val_loss", 3), ("val_accuracy", 1)):
        for metric, value in (("loss", 0.5 + abs(best - 3) / 10), ("accuracy", 60.0)):
            figure = learning_curves(history(8), metric=metric, monitor=monitor)  # type: ignore[arg-type]
            star = figure.data[2]
            assert (star.x, star.y, star.name) == ((best,), (value,), f"Best epoch ({best})")
            assert f"best epoch is {best}" in theme.alt_text(figure)
    assert figure.data[0].y[1] == pytest.approx(75.0)


def test_confusion_shares_and_largest_mistakes() -> None:
    counts = np.array([[3, 1, 0], [0, 0, 0], [2, 2, 4]])
    assert shares_by_row(counts) == pytest.approx(np.array([[0.75, 0.25, 0], [0, 0, 0], [0.25, 0.25, 0.5]]))
    assert largest_confusions(counts) == [(2, 0, 2), (2, 1, 2), (0, 1, 1)]
    assert largest_confusions(np.eye(3, dtype=int)) == []


def test_every_cell_of_the_matrix_reports_its_classes() -> None:
    figure = confusion_matrix(MATRIX, class_names=FIVE)
    heat, cells = figure.data
    assert [tuple(pair) for pair in cells.customdata] == [(row, column) for row in range(5) for column in range(5)]
    for x, y, (row, column) in zip(cells.x, cells.y, cells.customdata, strict=True):
        assert (x, y) == (column, row)
        assert heat.text[row][column] == str(MATRIX[row, column])
    by_row = confusion_matrix([[1, 3], [0, 2]], class_names=["a", "b"], by_row=True)
    assert by_row.data[0].text[0][1] == "75 %" and by_row.data[0].zmax == 100
    assert "75.0 % of the true class" in by_row.data[1].hovertext[1]
    many = FIGURES["matrix of 100"]()
    assert many.data[0].texttemplate == "" and len(many.layout.xaxis.ticktext) <= 34, "no room for numbers"


def test_confidence_counts_split_right_from_wrong() -> None:
    figure = confidence_histogram([0, 1, 0], [[1.0000001, 0.0], [0.75, 0.25], [0.65, 0.35]])
    right, wrong = (trace.y.tolist() for trace in figure.data)
    assert right == [0] * 6 + [1] + [0] * 2 + [1] and wrong == [0] * 7 + [1, 0, 0]
    alt = theme.alt_text(figure)
    assert "2 right with 82 % confidence on average; 1 wrong with 75 %" in alt
    assert "wrong" not in theme.alt_text(confidence_histogram([0], [[0.9, 0.1]]))


def test_a_channels_change_is_told_in_shares_means_and_ends() -> None:
    counts = np.zeros(256)
    counts[[0, 100, 103, 255]] = 10, 40, 40, 10
    figure = channel_change(np.ones(256), counts, channel=0)
    after = figure.data[1]
    assert after.y[25] == pytest.approx(80.0)
    assert after.y.sum() == pytest.approx(100.0)
    levels = np.repeat([0, 100, 103, 255], [10, 40, 40, 10])
    assert moments(counts) == pytest.approx((levels.mean(), levels.std()))
    assert after.name == f"after: {levels.mean():.0f} ± {levels.std():.0f}"
    assert "after 10.0 % and 10.0 %" in theme.alt_text(figure)
