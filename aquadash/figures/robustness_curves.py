"""A run's accuracy as the test images get worse: one corruption, or the mean over all, by severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aquadash.figures.theme import (
    add_guessing_line,
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    percent,
    run_colour,
    run_dash,
    shorten,
    whiskers,
)
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.result import RobustnessResult

#: In pixels.
_HEIGHT = 380


@dataclass(frozen=True)
class SeverityCurve:
    """One run's points.

    Attributes:
        severities: Ascending; 0 stands for the clean images.
        accuracies: Shares, 0 to 1.
        intervals: 95 % intervals of the shares.
    """

    severities: tuple[int, ...]
    accuracies: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]


def compute(result: RobustnessResult, *, corruption: str | None) -> SeverityCurve:
    """The points of a corruption, or of the mean over them when it is None; no points if none is measured."""
    if corruption is None:
        means = result.mean_curve()
        return SeverityCurve(
            tuple(means), tuple(mean.value for mean in means.values()), tuple(mean.ci95 for mean in means.values())
        )
    curve = result.curve(corruption)
    return SeverityCurve(
        tuple(curve),
        tuple(condition.accuracy for condition in curve.values()),
        tuple(condition.accuracy_ci95 for condition in curve.values()),
    )


def robustness_curves(
    runs: Sequence[tuple[str, RobustnessResult | None]], *, corruption: str | None = None, chance: float | None = None
) -> go.Figure:
    """Draw the runs' curves over one another.

    Args:
        runs: Name and figures of each run. The position decides the colour, so a run without figures keeps its place.
        corruption: Which one; None for the mean over all.
        chance: The accuracy of guessing, 0 to 1, drawn as a line; None for no line.
    """
    title = CORRUPTIONS[corruption].title if corruption else "mean over the corruptions"
    curves = [
        (index, name, compute(result, corruption=corruption))
        for index, (name, result) in enumerate(runs)
        if result is not None
    ]
    drawn = [(index, name, curve) for index, name, curve in curves if len(curve.severities) > 1]
    if not drawn:
        return empty_figure("The curve appears here once this corruption is measured.", height=_HEIGHT)
    figure = go.Figure()
    for index, name, curve in drawn:
        told = [f"{percent(low)} to {percent(high)}".replace("%", "&#37;") for low, high in curve.intervals]
        figure.add_scatter(
            x=curve.severities,
            y=[100 * fraction for fraction in curve.accuracies],
            name=escape(shorten(name)),
            mode="lines+markers",
            line={"color": run_colour(index), "width": 2, "dash": run_dash(index)},
            marker={"color": run_colour(index), "size": 8},
            error_y=whiskers(curve.accuracies, curve.intervals, colour=run_colour(index), thickness=1.2),
            customdata=told,
            hovertemplate=f"<b>{hover_name(name)}</b><br>%{{x}}: %{{y:.1f}} % right<br>95 % interval %{{customdata}}"
            "<extra></extra>",
        )
    if chance is not None:
        add_guessing_line(figure, chance)
    ticks = [0, *SEVERITIES]
    figure.update_xaxes(
        title="Severity",
        tickvals=ticks,
        ticktext=["clean", *map(str, SEVERITIES)],
        range=[-0.2, 5.2],
        fixedrange=True,
    )
    highest = max(high for _, _, curve in drawn for _, high in curve.intervals)
    figure.update_yaxes(
        title="Test images right", ticksuffix=" %", range=[0, min(100.0, 100 * highest + 5)], fixedrange=True
    )
    figure.update_layout(hovermode="closest", showlegend=len(runs) > 1, dragmode=False)
    return finish(figure, alt=_alt(drawn, title), height=_HEIGHT)


def _alt(drawn: Sequence[tuple[int, str, SeverityCurve]], title: str) -> str:
    each = [
        f"{shorten(name)} from {percent(curve.accuracies[0])} on clean images to {percent(curve.accuracies[-1])} at "
        f"severity {curve.severities[-1]}"
        for _, name, curve in drawn
    ]
    return f"Accuracy by severity, {title}: {listed(each)}."
