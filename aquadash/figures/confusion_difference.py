"""What one run confuses more, or less, than another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from aquadash.figures.confusion_matrix import MAX_NUMBERED, confusion_matrix, shares_by_row
from aquadash.figures.theme import class_label, finish, listed, shorten

#: From fewer to more, white where nothing changed; told apart by colour-blind people too.
DIFFERENCE_SCALE = ["#A8430A", "#F2B48C", "#FFFFFF", "#9CCBE8", "#0F5C94"]


def difference(matrix: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.float64], bool]:
    """Cell by cell, the first less the second: in images, or in points of per cent where the classes' sizes differ.

    Returns:
        The differences, shape (k, k), and whether they are images.
    """
    a, b = np.asarray(matrix, dtype=np.int64), np.asarray(other, dtype=np.int64)
    if np.array_equal(a.sum(axis=1), b.sum(axis=1)):
        return (a - b).astype(np.float64), True
    return 100 * (shares_by_row(a) - shares_by_row(b)), False


def confusion_difference(
    matrix: ArrayLike,
    other: ArrayLike,
    *,
    class_names: Sequence[str],
    selected: tuple[int, int] | None = None,
) -> go.Figure:
    """Draw the difference; cells report clicks as those of :func:`.confusion_matrix.confusion_matrix` do.

    Args:
        matrix: Counts of the run in question, shape (k, k); rows are true classes, columns predicted ones.
        other: Counts of the run to compare with, likewise.
        class_names: k names.
        selected: A (true, predicted) cell to frame.
    """
    counts, compared = np.asarray(matrix, dtype=np.int64), np.asarray(other, dtype=np.int64)
    values, images = difference(counts, compared)
    figure = confusion_matrix(counts, class_names=class_names, selected=selected)
    largest = max(float(np.abs(values).max()), 1.0)
    unit = "Images" if images else "Points"
    text = [[f"{value:+.0f}" if round(value) else "0" for value in row] for row in values]
    labels = [class_label(name) for name in class_names]
    figure.update_traces(
        z=values,
        zmin=-largest,
        zmax=largest,
        colorscale=DIFFERENCE_SCALE,
        text=text,
        texttemplate="%{text}" if len(counts) <= MAX_NUMBERED else "",
        colorbar={"title": {"text": unit}},
        selector={"type": "heatmap"},
    )
    figure.update_traces(
        hovertext=[
            f"True: {labels[row]}<br>Predicted: {labels[column]}<br>{unit}: {text[row][column]} "
            f"({counts[row, column]} of {counts[row].sum()} less {compared[row, column]} of {compared[row].sum()})"
            for row, column in np.ndindex(counts.shape)
        ],
        selector={"type": "scatter"},
    )
    return finish(figure, alt=_alt(values, images, class_names), height=figure.layout.height)


def _alt(values: NDArray[np.float64], images: bool, class_names: Sequence[str]) -> str:
    order = np.argsort(-np.abs(values), axis=None, kind="stable")[:4]
    unit = "images" if images else "points"
    told = [
        f"{shorten(class_names[row])} called {shorten(class_names[column])} {values[row, column]:+.0f} {unit}"
        for row, column in zip(*np.unravel_index(order, values.shape), strict=True)
        if round(values[row, column])
    ]
    return f"Difference of two confusion matrices. The largest changes: {listed(told) or 'none'}."
