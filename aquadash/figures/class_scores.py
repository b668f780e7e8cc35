"""Precision, recall and F1 of each class with their 95 % intervals."""

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.evaluation.metrics import ClassScores, Evaluation
from aquadash.figures.dot_rows import Dots, dot_rows
from aquadash.figures.theme import RUN_COLOURS, class_label, escape, listed, percent, shorten

#: With more classes only those with the lowest F1 are drawn.
MAX_DRAWN = 20

#: Field, title, colour and symbol of each score: a second sign beside the colour.
SCORES = (
    ("precision", "Precision", RUN_COLOURS[0], "circle"),
    ("recall", "Recall", RUN_COLOURS[1], "square"),
    ("f1", "F1", RUN_COLOURS[2], "diamond"),
)


def drawn_classes(scores: Sequence[ClassScores]) -> list[int]:
    """Return the classes to draw, in the order of the labels: all, or the :data:`MAX_DRAWN` with the lowest F1."""
    return sorted(sorted(range(len(scores)), key=lambda index: (scores[index].f1, index))[:MAX_DRAWN])


def class_scores(runs: Sequence[tuple[str, Evaluation]]) -> go.Figure:
    """Draw a row a class; ``customdata`` is ``[index into SCORES, class index]``. A second run's marks are hollow."""
    report = runs[0][1].report
    classes = drawn_classes(report)
    dots = []
    for position, (field, title, colour, symbol) in enumerate(SCORES):
        for number, (name, results) in enumerate(runs):
            values = [getattr(results.report[index], field) for index in classes]
            ends = [results.report[index].intervals[field] for index in classes]
            run = name if len(runs) > 1 else ""
            shape = symbol if number == 0 else f"{symbol}-open"
            marker = {"color": colour, "size": 9, "symbol": shape, "line": {"width": 2, "color": colour}}
            legend = f"{title}: {escape(shorten(run, length=18))}" if run else title
            style = {"name": legend, "marker": marker, "customdata": [[position, index] for index in classes]}
            hover = [
                _hover(title, class_label(report[index].label), value, end, run)
                for index, value, end in zip(classes, values, ends, strict=True)
            ]
            dots.append(Dots(range(len(classes)), values, ends, hover, style))
    f1_of_runs = [
        [f"{shorten(row.label)} {percent(row.f1, row.intervals['f1'])}" for row in results.report]
        for _, results in runs
    ]
    described = [listed([texts[index] for index in classes], most=10) for texts in f1_of_runs]
    figure = dot_rows(
        [class_label(report[index].label) for index in classes],
        dots,
        title="Score with its 95 % interval",
        alt=f"F1 of each class with its 95 % interval: {'. In the other run: '.join(described)}.",
        row_height=44 if len(runs) == 1 else 62,
    )
    return figure.update_xaxes(range=[-2, 102])


def _hover(title: str, label: str, value: float, end: tuple[float, float] | None, run: str) -> str:
    fraction, interval = percent(value, end)
    score = f"{title} of {label}: {fraction}" + (f"<br>{escape(shorten(run))}" if run else "")
    return f"{score}<br>95 % interval {interval}" if interval else f"{score}<br>There is no image to count"
