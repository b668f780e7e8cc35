"""ROC and precision-recall curves: each class against the rest."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aquadash.evaluation.ranking import ClassCurves
from aquadash.figures.theme import OUTLINE_COLOUR, class_colour, class_label, escape, finish, listed, shorten

Kind = Literal["roc", "precision-recall"]

#: With more classes, only those with the smallest areas are drawn: they have something to improve.
MAX_DRAWN = 8

#: Titles of the axes and of the legend's number.
_TITLES = {
    "roc": ("False positive rate", "True positive rate (recall)", "area"),
    "precision-recall": ("Recall", "Precision", "average precision"),
}


def area(curves: ClassCurves, kind: Kind) -> float | None:
    """Return the area under the ROC curve, or the average precision; None for a class without images."""
    return curves.auc if kind == "roc" else curves.average_precision


def drawn_classes(curves: Sequence[ClassCurves], kind: Kind) -> list[int]:
    """Return the indices of the classes that are drawn; a class without images has no curve."""
    areas = {index: value for index, row in enumerate(curves) if (value := area(row, kind)) is not None}
    return sorted(sorted(areas, key=lambda index: (areas[index], index))[:MAX_DRAWN])


def ranking_curves_figure(
    curves: Sequence[ClassCurves], *, kind: Kind, other: tuple[str, Sequence[ClassCurves]] | None = None
) -> go.Figure:
    """Draw a curve a class."""
    indices = drawn_classes(curves, kind)
    figure = go.Figure()
    if kind == "roc":
        chance = {"color": OUTLINE_COLOUR, "dash": "dot", "width": 1}
        figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=chance, showlegend=False, hoverinfo="skip")
    x_title, y_title, number = _TITLES[kind]
    runs = [("", "solid", curves)]
    if other is not None:
        runs.append((f", {escape(shorten(other[0], length=18))}", "dash", other[1]))
    for index in indices:
        for run, dash, of_run in runs:
            if (value := area(of_run[index], kind)) is not None:
                label, (x, y) = of_run[index].label, points(of_run[index], kind)
                name = f"{class_label(label)}{run} {value:.2f}"
                line = {"color": class_colour(label, index), "width": 2, "dash": dash}
                hover = f"{x_title} %{{x:.0f}} %, {y_title.lower()} %{{y:.0f}} %"
                figure.add_scatter(x=x, y=y, mode="lines", line=line, name=name, hovertemplate=hover)
    axis = {"range": [-2, 102], "ticksuffix": " %", "showgrid": True}
    figure.update_xaxes(axis, title=x_title).update_yaxes(axis, title=y_title)
    figure.update_layout(hovermode="closest")
    name = "ROC curves" if kind == "roc" else "Precision-recall curves"
    values = [f"{shorten(curves[index].label)} {area(curves[index], kind):.2f}" for index in indices]
    alt = f"{name} of each class against the rest, {number}: {listed(values, most=MAX_DRAWN)}."
    return finish(figure, alt=alt, height=460, zoom=False)


def points(curves: ClassCurves, kind: Kind) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the x and y values in per cent."""
    if kind == "roc":
        return 100 * curves.false_positive_rate, 100 * curves.true_positive_rate
    return 100 * curves.recall, 100 * curves.precision
