"""ROC and precision-recall curves: each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aquadash.evaluation.threshold_curves import ClassCurves
from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    RUN_DASHES,
    SELECTED_COLOUR,
    class_colour,
    class_label,
    empty_figure,
    escape,
    finish,
    listed,
    percent,
    shorten,
)

Kind = Literal["roc", "precision-recall"]

#: With more classes only the chosen one and those with the smallest areas are drawn.
MAX_DRAWN = 8

#: A curve of more points is thinned for the screen; its ends and its area stay exact.
_MAX_POINTS = 400


def area(curves: ClassCurves, kind: Kind) -> float | None:
    """The number that sums the curve up: the area under the ROC, or average precision."""
    return curves.auc if kind == "roc" else curves.average_precision


def drawn_classes(curves: Sequence[ClassCurves], *, kind: Kind, chosen: int) -> list[int]:
    """Which classes are drawn, the chosen one last so that it lies on top; classes without a curve are not."""
    known = [index for index, row in enumerate(curves) if area(row, kind) is not None]
    smallest = sorted(known, key=lambda index: (area(curves[index], kind) or 0.0, index))[:MAX_DRAWN]
    shown = [index for index in known if index in smallest or index == chosen]
    return sorted(shown, key=lambda index: (index == chosen, index))


def threshold_curves(
    curves: Sequence[ClassCurves],
    *,
    kind: Kind,
    chosen: int,
    cut: float,
    other: tuple[str, Sequence[ClassCurves]] | None = None,
) -> go.Figure:
    """Draw the curves.

    A point's ``customdata`` is ``[class index, threshold]``.

    Args:
        curves: One a class, in the order of the labels.
        kind: ``"roc"`` or ``"precision-recall"``.
        chosen: The class to draw strongly; the others' lines are broken, each class's in one of three ways.
        cut: A threshold of the chosen class to mark, 0 to 1.
        other: The name and curves of a second run on the same classes, drawn dashed for the chosen class.
    """
    shown = drawn_classes(curves, kind=kind, chosen=chosen)
    if not shown:
        return empty_figure("The curves appear here once the model has predicted images of at least two classes.")
    figure = go.Figure()
    if kind == "roc":
        figure.add_scatter(
            x=[0, 100],
            y=[0, 100],
            mode="lines",
            line={"color": OUTLINE_COLOUR, "dash": "dot", "width": 1},
            showlegend=False,
            hoverinfo="skip",
        )
    for index in shown:
        _add(figure, curves[index], index, kind=kind, strong=index == chosen)
    theirs = None
    if other is not None and area(other[1][chosen], kind) is not None:
        theirs, suffix = other[1][chosen], f", {escape(shorten(other[0], length=18))}"
        _add(figure, theirs, chosen, kind=kind, strong=True, suffix=suffix, dash="dash")
    if chosen in shown:
        x, y = point_at(curves[chosen], kind=kind, cut=cut)
        figure.add_scatter(
            x=[x],
            y=[y],
            mode="markers",
            marker={"color": SELECTED_COLOUR, "size": 14, "line": {"color": OUTLINE_COLOUR, "width": 2}},
            showlegend=False,
            customdata=[[chosen, cut]],
            hovertext=[f"At a threshold of {100 * cut:.0f} %"],
            hoverinfo="text",
        )
    titles = (
        ("Others called this class (false alarms)", "Its images called this class (recall)")
        if kind == "roc"
        else ("Its images called this class (recall)", "Right among those called this class (precision)")
    )
    axis = {"range": [-2, 102], "ticksuffix": " %", "fixedrange": True, "showgrid": True}
    figure.update_xaxes(axis, title=titles[0]).update_yaxes(axis, title=titles[1])
    figure.update_layout(hovermode="closest", dragmode=False, hoverdistance=40, legend={"itemclick": False})
    return finish(figure, alt=_alt(curves, theirs, shown, kind, chosen, cut), height=460)


def point_at(curves: ClassCurves, *, kind: Kind, cut: float) -> tuple[float, float]:
    """Where a threshold is on the chart, in per cent."""
    at = int(np.searchsorted(-curves.thresholds, -(cut - 1e-6), side="right")) - 1
    x, y = _axes(curves, kind)
    return float(x[at]), float(y[at])


def thinned(x: NDArray[np.float64], y: NDArray[np.float64], *, most: int = _MAX_POINTS) -> NDArray[np.int64]:
    """Which points to draw: corners only, and of those about ``most`` at even distances; both ends stay."""
    if len(x) <= 2:
        return np.arange(len(x))
    bends = np.diff(x)[1:] * np.diff(y)[:-1] != np.diff(x)[:-1] * np.diff(y)[1:]
    kept = np.concatenate([[0], np.flatnonzero(bends) + 1, [len(x) - 1]])
    if len(kept) > most:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, most).round().astype(int))]
    return kept.astype(np.int64)


def _axes(curves: ClassCurves, kind: Kind) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if kind == "roc":
        return 100 * curves.false_positive_rate, 100 * curves.true_positive_rate
    return 100 * curves.true_positive_rate, 100 * curves.precision


def _add(
    figure: go.Figure,
    curves: ClassCurves,
    index: int,
    *,
    kind: Kind,
    strong: bool,
    suffix: str = "",
    dash: str = "solid",
) -> None:
    x, y = _axes(curves, kind)
    kept = thinned(x, y)
    label = f"{class_label(curves.label)}{suffix}"
    cuts = np.minimum(curves.thresholds[kept], 1.0)
    figure.add_scatter(
        x=x[kept],
        y=y[kept],
        # Points are what reports clicks; of the others only the lines are seen.
        mode="lines+markers",
        line={
            "color": class_colour(curves.label, index),
            "width": 3 if strong else 1.5,
            "dash": dash if strong else RUN_DASHES[1 + index % 3],
        },
        marker={"color": class_colour(curves.label, index), "size": 7, "opacity": 0.01},
        name=f"{label} {area(curves, kind):.2f}",
        customdata=[[index, float(cut)] for cut in cuts],
        hovertext=[
            f"{label}<br>Threshold {100 * cut:.1f} %<br>{'False alarms' if kind == 'roc' else 'Recall'} {a:.0f} %, "
            f"{'recall' if kind == 'roc' else 'precision'} {b:.0f} %"
            for cut, a, b in zip(cuts, x[kept], y[kept], strict=True)
        ],
        hoverinfo="text",
    )


def _alt(
    curves: Sequence[ClassCurves], theirs: ClassCurves | None, shown: Sequence[int], kind: Kind, chosen: int, cut: float
) -> str:
    what = "ROC curves, area" if kind == "roc" else "Precision-recall curves, average precision"
    told = [f"{shorten(curves[index].label)} {area(curves[index], kind) or 0:.2f}" for index in sorted(shown)]
    text = f"{what} of each class against the rest: {listed(told, most=10)}."
    if chosen in shown:
        x, y = point_at(curves[chosen], kind=kind, cut=cut)
        axes = ("false alarms", "recall") if kind == "roc" else ("recall", "precision")
        text += (
            f" At a threshold of {percent(cut)}, {shorten(curves[chosen].label)} has {x:.0f} % {axes[0]} and {y:.0f} % "
            f"{axes[1]}."
        )
    if theirs is not None:
        text += f" In the other run {shorten(curves[chosen].label)} has {area(theirs, kind):.2f}."
    return text
