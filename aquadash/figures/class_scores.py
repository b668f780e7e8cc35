"""Precision, recall and F1 of each class with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aquadash.evaluation.intervals import ClassIntervals
from aquadash.evaluation.metrics import ClassScores
from aquadash.figures.theme import (
    RUN_COLOURS,
    class_label,
    empty_figure,
    escape,
    finish,
    listed,
    percent,
    rows_axis,
    shorten,
    whiskers,
)

#: With more classes only those with the lowest F1 are drawn.
MAX_DRAWN = 20

#: Field, title, colour and symbol of each score: the colour never stands alone.
SCORES = (
    ("precision", "Precision", RUN_COLOURS[0], "circle"),
    ("recall", "Recall", RUN_COLOURS[1], "square"),
    ("f1", "F1", RUN_COLOURS[2], "diamond"),
)


@dataclass(frozen=True)
class ScoredRun:
    """What is drawn of a run.

    Attributes:
        name: As typed.
        scores: Of each class, in the order of the labels.
        intervals: Likewise.
    """

    name: str
    scores: Sequence[ClassScores]
    intervals: Sequence[ClassIntervals]


def drawn_classes(scores: Sequence[ClassScores]) -> list[int]:
    """The classes to draw, in the order of the labels: all, or the :data:`MAX_DRAWN` with the lowest F1."""
    lowest = sorted(range(len(scores)), key=lambda index: (scores[index].f1, index))[:MAX_DRAWN]
    return sorted(lowest)


def class_scores(run: ScoredRun, other: ScoredRun | None = None) -> go.Figure:
    """Draw a line a class with a mark and a whisker for each score; a second run's marks are hollow, below.

    A mark's ``customdata`` is ``[index into SCORES, class index]``.

    Args:
        run: The run that decides which classes are drawn.
        other: A run on the same classes to lay over it.
    """
    if not run.scores:
        return empty_figure("The scores of each class appear here once the model has predicted the test images.")
    classes = drawn_classes(run.scores)
    figure = go.Figure()
    runs = [run] if other is None else [run, other]
    lanes = len(SCORES) * len(runs)
    for position, (field, title, colour, symbol) in enumerate(SCORES):
        for number, one in enumerate(runs):
            offset = ((position * len(runs) + number) - (lanes - 1) / 2) * 0.8 / lanes
            values = [getattr(one.scores[index], field) for index in classes]
            ends = [getattr(one.intervals[index], field) for index in classes]
            figure.add_scatter(
                x=[100 * value for value in values],
                y=[row + offset for row in range(len(classes))],
                mode="markers",
                name=title if other is None else f"{title}: {escape(shorten(one.name, length=18))}",
                marker={
                    "color": colour,
                    "size": 9,
                    "symbol": symbol if number == 0 else f"{symbol}-open",
                    "line": {"width": 2, "color": colour},
                },
                error_x=whiskers(values, ends, colour=colour, width=3),
                customdata=[[position, index] for index in classes],
                hovertext=[
                    _hover(title, class_label(one.scores[index].label), value, end, one.name if other else "")
                    for index, value, end in zip(classes, values, ends, strict=True)
                ],
                hoverinfo="text",
            )
    title = "Score with its 95 % interval"
    figure.update_xaxes(title=title, range=[-2, 102], ticksuffix=" %", showgrid=True, fixedrange=True)
    figure.update_yaxes(rows_axis([class_label(run.scores[index].label) for index in classes]))
    figure.update_layout(hovermode="closest", dragmode=False, hoverdistance=30)
    return finish(figure, alt=_alt(run, other, classes), height=110 + len(classes) * (44 if other is None else 62))


def _hover(title: str, label: str, value: float, end: tuple[float, float] | None, run: str) -> str:
    which = f"<br>{escape(shorten(run))}" if run else ""
    if end is None:
        return f"{title} of {label}: {percent(value)}{which}<br>There is no image to count"
    return f"{title} of {label}: {percent(value)}{which}<br>95 % interval {percent(end[0])} to {percent(end[1])}"


def _alt(run: ScoredRun, other: ScoredRun | None, classes: Sequence[int]) -> str:
    def told(one: ScoredRun, index: int) -> str:
        row, interval = one.scores[index], one.intervals[index].f1
        ends = "" if interval is None else f" ({percent(interval[0])} to {percent(interval[1])})"
        return f"{shorten(row.label)} {percent(row.f1)}{ends}"

    text = f"F1 of each class with its 95 % interval: {listed([told(run, index) for index in classes], most=10)}."
    if other is not None:
        text += f" In the other run: {listed([told(other, index) for index in classes], most=10)}."
    return text
