"""Which classes are taken for which: the confusion matrix as a heat map whose cells report clicks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from aquadash.figures.theme import (
    add_clickable_cells,
    class_label,
    finish,
    frame_cell,
    listed,
    percent,
    shorten,
)

#: From shallow to deep water. Opaque, so that the numbers' contrast does not depend on the page behind.
OCEAN_SCALE = ["#DFF3F8", "#A9DCE8", "#62B8D3", "#2A8BB8", "#15608F", "#0B3A63"]

#: With more classes a number no longer fits its cell.
MAX_NUMBERED = 20
#: With more classes only every second, third ... name is on the axes; the others are in the hover labels.
_MAX_NAMED = 34

#: With more classes names on the axes are cut to so many letters.
_MAX_LONG_NAMES, _SHORT_NAME = 8, 16


def shares_by_row(matrix: ArrayLike) -> NDArray[np.float64]:
    """Each row of counts (rows, columns) as shares of its sum, float64, 0 to 1; a row of zeros stays one."""
    counts = np.asarray(matrix, dtype=np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)


def largest_confusions(matrix: ArrayLike, *, most: int = 3) -> list[tuple[int, int, int]]:
    """The most frequent mistakes as (true class, predicted class, images), most frequent first."""
    counts = np.array(matrix, dtype=np.int64)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    cells = [(int(row), int(column)) for row, column in zip(*np.unravel_index(order, counts.shape), strict=True)]
    return [(row, column, int(counts[row, column])) for row, column in cells if counts[row, column]]


def listed_confusions(matrix: ArrayLike, class_names: Sequence[str]) -> str:
    """The most frequent mistakes for a text alternative; empty where there are none."""
    return listed(
        [
            f"{shorten(class_names[row])} taken for {shorten(class_names[column])} ({count})"
            for row, column, count in largest_confusions(matrix)
        ]
    )


def confusion_matrix(
    matrix: ArrayLike,
    *,
    class_names: Sequence[str],
    by_row: bool = False,
    selected: tuple[int, int] | None = None,
) -> go.Figure:
    """Draw a confusion matrix.

    A selected point's ``customdata`` is ``[true index, predicted index]``.

    Args:
        matrix: Counts of at least one image, shape (k, k), k up to 100; rows are true classes, columns predicted ones.
        class_names: k names.
        by_row: Show shares of the true class instead of counts.
        selected: A (true, predicted) cell to frame.
    """
    counts = np.asarray(matrix, dtype=np.int64)
    k = len(counts)
    fractions = shares_by_row(counts)
    values = 100 * fractions if by_row else counts.astype(np.float64)
    labels = [class_label(name) for name in class_names]
    size = int(np.clip(k * 76, 380, 760))

    figure = go.Figure()
    figure.add_heatmap(
        z=values,
        zmin=0,
        zmax=100 if by_row else max(float(values.max()), 1.0),
        colorscale=OCEAN_SCALE,
        xgap=2 if k <= MAX_NUMBERED else 0,
        ygap=2 if k <= MAX_NUMBERED else 0,
        text=[[f"{value:.0f} %" if by_row else f"{value:.0f}" for value in row] for row in values],
        texttemplate="%{text}" if k <= MAX_NUMBERED else "",
        # Without a colour of its own plotly writes dark on light cells and light on dark ones.
        textfont={"size": 15 if k <= 10 else 10},
        hoverinfo="skip",
        colorbar={"title": {"text": "% of class" if by_row else "Images"}, "thickness": 12, "outlinewidth": 0},
    )
    cells = [(row, column) for row in range(k) for column in range(k)]
    add_clickable_cells(
        figure,
        cells,
        hovertext=[
            f"True: {labels[row]}<br>Predicted: {labels[column]}<br>{counts[row, column]} "
            f"image{'' if counts[row, column] == 1 else 's'}, {100 * fractions[row, column]:.1f} % of the true class"
            for row, column in cells
        ],
        size=max(0.7 * size / k, 4),
    )
    if selected is not None:
        frame_cell(figure, selected, width=4 if k <= 50 else 2)
    shown = list(range(0, k, -(-k // _MAX_NAMED)))
    # The more classes, the less room beside the cells for long names, which the hover labels have in full.
    short = labels if k <= _MAX_LONG_NAMES else [class_label(shorten(name, length=_SHORT_NAME)) for name in class_names]
    axis = {"tickvals": shown, "ticktext": [short[i] for i in shown], "fixedrange": True, "showgrid": False}
    figure.update_xaxes(axis, title="Predicted class", range=[-0.5, k - 0.5], tickangle=0 if k <= 6 else -60)
    figure.update_yaxes(axis, title="True class", range=[k - 0.5, -0.5])
    # -1: the nearest cell answers wherever the pointer is, so that no strip between the markers is deaf.
    figure.update_layout(dragmode=False, hovermode="closest", hoverdistance=-1)
    return finish(figure, alt=_alt(counts, class_names), height=size)


def _alt(counts: NDArray[np.int64], class_names: Sequence[str]) -> str:
    total, right = int(counts.sum()), int(counts.trace())
    start = (
        f"Confusion matrix of {total} images in {len(counts)} classes: {right} ({percent(right / total)}) are right."
    )
    mistakes = listed_confusions(counts, class_names)
    return f"{start} The most frequent mistakes: {mistakes}." if mistakes else start
