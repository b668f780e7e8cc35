"""Answering only when sure: the share of images answered against the share of answers that are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from aquadash.evaluation.threshold_curves import CoverageCurve, CoveragePoint
from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    SELECTED_COLOUR,
    finish,
    hover_name,
    listed,
    percent,
    run_style,
    shorten,
)

_MAX_POINTS = 400


def coverage_curve(runs: Sequence[tuple[str, CoverageCurve, CoveragePoint]]) -> go.Figure:
    """Draw a curve and the point of the threshold for each run.

    The ``customdata`` of a curve's points is ``[threshold]``.

    Args:
        runs: Name, curve and what the threshold in force gives, at least one. The position decides the colour.
    """
    figure = go.Figure()
    lowest = 100.0
    for number, (name, curve, point) in enumerate(runs):
        kept = np.unique(np.linspace(0, len(curve.thresholds) - 1, _MAX_POINTS).round().astype(int))
        x, y = 100 * curve.coverage[kept], 100 * curve.accuracy[kept]
        # The first few answers swing between all and nothing; the axis need not follow them.
        settled = y[x >= 5]
        lowest = min(lowest, float(settled.min()) if len(settled) else float(y.min()))
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines+markers",
            **run_style(number, name, size=7, width=2.5),
            marker_opacity=0.01,
            customdata=[[float(threshold)] for threshold in curve.thresholds[kept]],
            hovertext=[
                f"{hover_name(name)}<br>Sure by {100 * threshold:.0f} % or more: {a:.0f} % answered, {b:.0f} % of "
                "them right"
                for threshold, a, b in zip(curve.thresholds[kept], x, y, strict=True)
            ],
            hoverinfo="text",
        )
        if point.accuracy is not None:
            figure.add_scatter(
                x=[100 * point.coverage],
                y=[100 * point.accuracy],
                mode="markers",
                showlegend=False,
                marker={
                    "color": SELECTED_COLOUR,
                    "size": 15,
                    "symbol": "circle" if number == 0 else "diamond",
                    "line": {"color": OUTLINE_COLOUR, "width": 2},
                },
                hovertext=[f"{hover_name(name)}<br>At {100 * point.threshold:.0f} %"],
                hoverinfo="text",
            )
    figure.update_xaxes(title="Images answered (coverage)", range=[-2, 102], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(
        title="Of the answers, right", range=[max(0.0, lowest - 5), 102], ticksuffix=" %", fixedrange=True
    )
    figure.update_layout(hovermode="closest", dragmode=False, hoverdistance=60, showlegend=len(runs) > 1)
    return finish(figure, alt=_alt(runs), height=380)


def _alt(runs: Sequence[tuple[str, CoverageCurve, CoveragePoint]]) -> str:
    told = []
    for name, _, point in runs:
        right = "no answers" if point.accuracy is None else f"{percent(point.accuracy)} of the answers right"
        told.append(f"{shorten(name)} answers {percent(point.coverage)} of the images, {right}")
    return f"Answering only when at least {percent(runs[0][2].threshold)} sure: {listed(told)}."
