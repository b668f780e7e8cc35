"""Confusion matrices, their differences, and the most frequent confusions. Cells and bars report clicks."""

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation import wilson_interval
from aquadash.figures.cells import cells
from aquadash.figures.theme import (
    WRONG_COLOUR,
    class_emoji,
    class_label,
    escape,
    finish,
    listed,
    percent,
    rows_axis,
    shorten,
)

#: Maximum number of names on an axis: with more classes, every second, third ... name. Hover labels have all names.
_MAX_NAMED, _MAX_NAMED_SMALL = 34, 12

#: With more classes than the first number, names on the axes are cut to the second number of letters.
_MAX_LONG_NAMES, _SHORT_NAME = 8, 16

#: With more classes the names below the columns are turned.
_MAX_UPRIGHT = 6

#: Fraction of a class at which a mistake has the darkest colour: the same in all matrices, so that they are comparable.
_WORST = 0.25

#: Number of frequent confusions that are drawn.
MOST = 10
#: Height of a bar with its gap, and of axis and margins, in pixels.
_ROW, _FRAME = 26, 64


def shares_by_row(matrix: ArrayLike) -> NDArray[np.float64]:
    """Divide each row of counts (rows, columns) by its sum, float64, 0 to 1; a row of zeros stays one."""
    counts = np.asarray(matrix, dtype=np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)


def largest_confusions(matrix: ArrayLike, *, most: int = 3) -> list[tuple[int, int, int]]:
    """Return the most frequent mistakes as (true class, predicted class, images), most frequent first."""
    counts = np.array(matrix, dtype=np.int64)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    cells = [(int(row), int(column)) for row, column in zip(*np.unravel_index(order, counts.shape), strict=True)]
    return [(row, column, int(counts[row, column])) for row, column in cells if counts[row, column]]


def confusion_matrix(
    matrix: ArrayLike, *, class_names: Sequence[str], by_row: bool = False, selected: tuple[int, int] | None = None
) -> go.Figure:
    """Draw a confusion matrix. A selected point's ``customdata`` is ``[true index, predicted index]``.

    Args:
        matrix: Counts of at least one image, shape (k, k), k up to 100; rows are true classes, columns predicted ones.
        by_row: Show per cent of the true class instead of counts.
        selected: A (true, predicted) cell to frame.
    """
    counts = np.asarray(matrix, dtype=np.int64)
    percents = 100 * shares_by_row(counts)
    values = percents if by_row else counts.astype(np.float64)
    total, right = int(counts.sum()), int(counts.trace())
    accuracy = percent(right / total, wilson_interval(right, total))

    def describe(row: int, column: int) -> str:
        n = counts[row, column]
        return f"{n} image{'' if n == 1 else 's'}, {percents[row, column]:.1f} % of the true class"

    figure = cells(
        _shades(counts, percents),
        text=lambda row, column: f"{values[row, column]:.0f}{' %' if by_row else ''}" if counts[row, column] else "",
        hover=_hover(class_names, describe),
        alt=f"Confusion matrix of {total} images in {len(counts)} classes: {right} ({accuracy.value}) are right."
        f"{_mistakes(counts, class_names)}",
        height=_height(counts),
        selected=selected,
    )
    return _name_axes(figure, class_names)


def small_confusion(matrix: ArrayLike, *, class_names: Sequence[str], name: str) -> go.Figure:
    """Draw per cent of the true class. The scale is always 0 to 100, so that matrices side by side are comparable."""
    counts = np.asarray(matrix, dtype=np.int64)
    k, percents = len(counts), 100 * shares_by_row(counts)
    right = int(counts.trace()) / int(counts.sum())

    def describe(row: int, column: int) -> str:
        return f"{counts[row, column]} of {counts[row].sum()} images, {percents[row, column]:.1f} %"

    figure = cells(
        _shades(counts, percents),
        text=lambda row, column: f"{percents[row, column]:.0f}" if counts[row, column] else "",
        hover=_hover(class_names, describe),
        alt=f"Confusion matrix of {shorten(name)} in per cent of each true class: {percent(right)} right."
        f"{_mistakes(counts, class_names)}",
        height=250,
        max_numbered=6,
    )
    shown = list(range(0, k, -(-k // _MAX_NAMED_SMALL)))
    ticks = [class_emoji(class_names[index]) or escape(shorten(class_names[index], length=9)) for index in shown]
    axis = {"tickvals": shown, "ticktext": ticks, "tickfont": {"size": 14}}
    figure.update_xaxes(axis, tickangle=0 if all(map(class_emoji, class_names)) else -90)
    return figure.update_yaxes(axis).update_layout(margin={"t": 6, "l": 4, "r": 4, "b": 4})


def difference(matrix: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.float64], bool]:
    """Subtract the second from the first, and say whether the unit is images; else it is points of per cent."""
    a, b = np.asarray(matrix, dtype=np.int64), np.asarray(other, dtype=np.int64)
    if np.array_equal(a.sum(axis=1), b.sum(axis=1)):
        return (a - b).astype(np.float64), True
    return 100 * (shares_by_row(a) - shares_by_row(b)), False


def confusion_difference(
    matrix: ArrayLike, other: ArrayLike, *, class_names: Sequence[str], selected: tuple[int, int] | None = None
) -> go.Figure:
    """Draw what one run confuses more, or less, than another; cells report clicks as :func:`confusion_matrix`'s do."""
    counts, compared = np.asarray(matrix, dtype=np.int64), np.asarray(other, dtype=np.int64)
    values, images = difference(counts, compared)
    unit = "Images" if images else "Points"
    order = np.argsort(-np.abs(values), axis=None, kind="stable")[:4]
    changes = [
        f"{shorten(class_names[row])} called {shorten(class_names[column])} {values[row, column]:+.0f} {unit.lower()}"
        for row, column in zip(*np.unravel_index(order, values.shape), strict=True)
        if round(values[row, column])
    ]

    def text(row: int, column: int) -> str:
        return f"{values[row, column]:+.0f}" if round(values[row, column]) else ""

    def describe(row: int, column: int) -> str:
        one, other = (f"{each[row, column]} of {each[row].sum()}" for each in (counts, compared))
        return f"{unit}: {text(row, column) or 0} ({one} minus {other})"

    # More is better on the diagonal, fewer elsewhere.
    better = np.where(np.eye(len(values), dtype=bool), values, -values) / max(float(np.abs(values).max()), 1.0)

    figure = cells(
        np.where(np.round(values) == 0, np.nan, better),
        text=text,
        hover=_hover(class_names, describe),
        alt=f"Difference of two confusion matrices. The largest changes: {listed(changes) or 'none'}.",
        height=_height(counts),
        selected=selected,
    )
    return _name_axes(figure, class_names)


def frequent_confusions(matrix: ArrayLike, *, class_names: Sequence[str]) -> go.Figure:
    """Draw a bar a pair of classes, the most frequent on top; ``customdata`` is ``[true index, predicted index]``.

    Args:
        matrix: Counts, shape (k, k); rows are true classes, columns predicted ones.
    """
    confusions = largest_confusions(matrix, most=MOST)
    sizes = np.asarray(matrix, dtype=np.int64).sum(axis=1)
    rows = range(len(confusions))
    figure = go.Figure()
    figure.add_bar(
        x=[number for *_, number in confusions],
        y=list(rows),
        orientation="h",
        customdata=[[true, predicted] for true, predicted, _ in confusions],
        marker={"color": WRONG_COLOUR},
        text=[f"{number:,}" for *_, number in confusions],
        textposition="outside",
        cliponaxis=False,
        hovertext=[
            f"True: {class_label(class_names[true])}<br>Predicted: {class_label(class_names[predicted])}"
            f"<br>Images: {number:,} of {sizes[true]:,}"
            for true, predicted, number in confusions
        ],
        hoverinfo="text",
    )
    short = [class_label(shorten(name, length=16)) for name in class_names]
    figure.update_yaxes(rows_axis([f"{short[true]} → {short[predicted]}" for true, predicted, _ in confusions]))
    figure.update_xaxes(title="Images", rangemode="tozero").update_layout(margin={"t": 8})
    described = [
        f"{shorten(class_names[true])} taken for {shorten(class_names[predicted])} {number}"
        for true, predicted, number in confusions
    ]
    alt = f"The most frequent confusions, in images: {listed(described, most=MOST)}."
    return finish(figure, alt=alt, height=_FRAME + _ROW * len(confusions), zoom=False)


def _shades(counts: NDArray[np.int64], percents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cells' values for :data:`aquadash.figures.cells.SHADES`; NaN for a count of 0."""
    fractions = percents / 100
    shades = np.where(np.eye(len(counts), dtype=bool), fractions, np.maximum(-fractions / _WORST, -1))
    return np.where(counts == 0, np.nan, shades)


def _height(counts: NDArray[np.int64]) -> int:
    return int(np.clip(len(counts) * 76, 380, 760))


def _mistakes(counts: NDArray[np.int64], class_names: Sequence[str]) -> str:
    """Return the most frequent mistakes as a sentence of a text alternative; empty where there are none."""
    mistakes = [
        f"{shorten(class_names[row])} taken for {shorten(class_names[column])} ({count})"
        for row, column, count in largest_confusions(counts)
    ]
    return f" The most frequent mistakes: {listed(mistakes)}." if mistakes else ""


def _hover(class_names: Sequence[str], describe: Callable[[int, int], str]) -> Callable[[int, int], str]:
    """Make hover labels of a cell's classes and the text that ``describe`` returns."""
    labels = [class_label(name) for name in class_names]
    return lambda row, column: f"True: {labels[row]}<br>Predicted: {labels[column]}<br>{describe(row, column)}"


def _name_axes(figure: go.Figure, class_names: Sequence[str]) -> go.Figure:
    k = len(class_names)
    shown = list(range(0, k, -(-k // _MAX_NAMED)))
    # Many cells leave little room for long names; the hover labels have them in full.
    short = class_names if k <= _MAX_LONG_NAMES else [shorten(name, length=_SHORT_NAME) for name in class_names]
    labels = [class_label(short[index]) for index in shown]
    figure.update_yaxes(title="True class", tickvals=shown, ticktext=labels)
    # Few names stand upright, the emoji above its name; many are turned by 90 degrees.
    upright = [label.replace(" ", "<br>", 1) for label in labels] if k <= _MAX_UPRIGHT else labels
    angle = 0 if k <= _MAX_UPRIGHT else -90
    return figure.update_xaxes(title="Predicted class", tickvals=shown, ticktext=upright, tickangle=angle)
