"""A model's accuracy on augmented copies as one parameter grows: curve with band, threshold and crossings."""

from __future__ import annotations

import plotly.graph_objects as go

from aquadash.figures.theme import (
    WRONG_COLOUR,
    add_guessing_line,
    escape,
    finish,
    percent,
    run_colour,
    shorten,
)
from aquadash.robustness.label_safety_result import Sweep

_BAND = "rgba(1, 139, 197, 0.18)"

#: In pixels.
_HEIGHT = 380


def label_safety_curve(sweep: Sweep, *, parameter: str, percent_axis: bool, chance: float) -> go.Figure:
    """Draw the curve.

    Args:
        sweep: What was measured.
        parameter: The parameter's name for people.
        percent_axis: True for a parameter that is a share.
        chance: The accuracy of guessing, 0 to 1, drawn as a line.
    """
    scale = 100 if percent_axis else 1
    values = [scale * value for value in sweep.values]
    lows, highs = zip(*(point.interval for point in sweep.points), strict=True)
    figure = go.Figure()
    colour = run_colour(0)
    figure.add_scatter(
        x=[*values, *reversed(values)],
        y=[100 * fraction for fraction in (*highs, *reversed(lows))],
        fill="toself",
        fillcolor=_BAND,
        line={"width": 0, "color": colour},
        hoverinfo="skip",
        name="95 % interval",
    )
    unit = "&#37;" if percent_axis else ""
    figure.add_scatter(
        x=values,
        y=[100 * point.accuracy for point in sweep.points],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 8},
        name="augmented copies classified correctly",
        customdata=[f"{100 * low:.0f} to {100 * high:.0f} &#37;" for low, high in zip(lows, highs, strict=True)],
        hovertemplate=f"{escape(parameter)} %{{x:.3~g}} {unit}<br>%{{y:.1f}} % right<br>95 % interval %{{customdata}}"
        "<extra></extra>",
    )
    figure.add_hline(
        y=100 * sweep.threshold,
        line={"color": WRONG_COLOUR, "width": 1.5, "dash": "dash"},
        annotation={"text": f"threshold {sweep.threshold * 100:.0f} %", "font": {"size": 11}},
        annotation_position="top right",
    )
    add_guessing_line(figure, chance)
    crossed = _crossed(sweep, scale)
    if crossed:
        figure.add_scatter(
            x=[value for value, _, _ in crossed],
            y=[100 * sweep.threshold] * len(crossed),
            mode="markers+text",
            marker={"color": WRONG_COLOUR, "size": 13, "symbol": "x"},
            text=[f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}" for value, _, _ in crossed],
            textposition="bottom center",
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - value for value, _, high in crossed],
                "arrayminus": [value - low for value, low, _ in crossed],
                "thickness": 2,
                "width": 5,
            },
            name="falls below the threshold",
            hovertemplate=f"below the threshold from {escape(parameter)} %{{x:.3~g}} {unit}<extra></extra>",
        )
    figure.update_xaxes(
        title=escape(f"{shorten(sweep.title, length=48)}: {parameter}"),
        ticksuffix=" %" if percent_axis else "",
        fixedrange=True,
    )
    figure.update_yaxes(title="Copies classified correctly", ticksuffix=" %", range=[0, 104], fixedrange=True)
    figure.update_layout(hovermode="closest", dragmode=False)
    ends = [
        f"{percent(point.accuracy)} at {value:.3g}{' %' if percent_axis else ''}"
        for point, value in ((sweep.points[0], values[0]), (sweep.points[-1], values[-1]))
    ]
    told = " and ".join(f"{value:.3g}{' %' if percent_axis else ''}" for value, _, _ in crossed)
    alt = (
        f"Copies classified correctly by {parameter} of {shorten(sweep.title, length=48)}: {', '.join(ends)}. The "
        f"threshold is {percent(sweep.threshold)}; the curve "
        f"{f'falls below it at {told}' if told else 'does not cross it'}."
    )
    return finish(figure, alt=alt, height=_HEIGHT)


def _crossed(sweep: Sweep, scale: int) -> list[tuple[float, float, float]]:
    """Where the accuracy falls below the threshold: value and interval, of which an open end is the range's."""
    crossed = []
    for found in (sweep.downwards, sweep.upwards):
        if found is not None and found.value is not None and not sweep.below_at_once:
            low, high = found.interval or (found.value, found.value)
            low, high = sweep.values[0] if low is None else low, sweep.values[-1] if high is None else high
            crossed.append((scale * found.value, scale * low, scale * high))
    return crossed
