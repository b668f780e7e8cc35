"""A run's accuracy as the test images get worse: one corruption, or the mean over all, by severity."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.figures.theme import (
    add_guessing_line,
    empty_figure,
    finish,
    hover_name,
    listed,
    percent,
    run_style,
    shorten,
    whiskers,
)
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.result import Mean, RobustnessResult

#: In pixels.
_HEIGHT = 380


def severity_curve(result: RobustnessResult, *, corruption: str | None) -> dict[int, Mean]:
    """The accuracy by severity, where 0 stands for the clean images: of a corruption or, for None, the mean over all.

    Empty if none is measured.
    """
    if corruption is None:
        return result.mean_curve()
    return {
        severity: Mean(condition.accuracy, condition.accuracy_ci95)
        for severity, condition in result.curve(corruption).items()
    }


def robustness_curves(
    runs: Sequence[tuple[str, RobustnessResult | None]], *, corruption: str | None, chance: float
) -> go.Figure:
    """Draw the runs' curves over one another.

    Args:
        runs: Name and figures of each run. The position decides the colour, so a run without figures keeps its place.
        corruption: Which one; None for the mean over all.
        chance: The accuracy of guessing, 0 to 1, drawn as a line.
    """
    title = CORRUPTIONS[corruption].title if corruption else "mean over the corruptions"
    curves = [
        (index, name, severity_curve(result, corruption=corruption))
        for index, (name, result) in enumerate(runs)
        if result is not None
    ]
    drawn = [(index, name, curve) for index, name, curve in curves if len(curve) > 1]
    if not drawn:
        return empty_figure("The curve appears here once this corruption is measured.", height=_HEIGHT)
    figure = go.Figure()
    for index, name, curve in drawn:
        fractions = [mean.value for mean in curve.values()]
        intervals = [mean.ci95 for mean in curve.values()]
        figure.add_scatter(
            x=list(curve),
            y=[100 * fraction for fraction in fractions],
            **run_style(index, name),
            mode="lines+markers",
            error_y=whiskers(fractions, intervals),
            customdata=[f"{percent(low)} to {percent(high)}".replace("%", "&#37;") for low, high in intervals],
            hovertemplate=f"<b>{hover_name(name)}</b><br>%{{x}}: %{{y:.1f}} % right<br>95 % interval %{{customdata}}"
            "<extra></extra>",
        )
    add_guessing_line(figure, chance)
    ticks = [0, *SEVERITIES]
    figure.update_xaxes(
        title="Severity",
        tickvals=ticks,
        ticktext=["clean", *map(str, SEVERITIES)],
        range=[-0.2, 5.2],
        fixedrange=True,
    )
    highest = max(mean.ci95[1] for _, _, curve in drawn for mean in curve.values())
    figure.update_yaxes(
        title="Test images right", ticksuffix=" %", range=[0, min(100.0, 100 * highest + 5)], fixedrange=True
    )
    figure.update_layout(hovermode="closest", showlegend=len(runs) > 1, dragmode=False)
    each = [
        f"{shorten(name)} from {percent(curve[0].value)} on clean images to {percent(curve[max(curve)].value)} at "
        f"severity {max(curve)}"
        for _, name, curve in drawn
    ]
    return finish(figure, alt=f"Accuracy by severity, {title}: {listed(each)}.", height=_HEIGHT)
