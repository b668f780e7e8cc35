"""A model's accuracy on augmented copies as one parameter grows: curve with band, threshold and crossings."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from aquadash.figures.theme import (
    WRONG_COLOUR,
    add_guessing_line,
    empty_figure,
    escape,
    finish,
    percent,
    run_colour,
    shorten,
)
from aquadash.robustness.label_safety_result import Crossing, Sweep

_BAND = "rgba(1, 139, 197, 0.18)"

#: In pixels.
_HEIGHT = 380


@dataclass(frozen=True)
class SafetyCurve:
    """The points of the curve.

    Attributes:
        values: Of the parameter, ascending, in the unit of the axis.
        accuracies: Shares, 0 to 1.
        lows: Lower ends of their 95 % intervals.
        highs: Upper ends.
        crossings: Where the accuracy falls below the threshold, in the unit of the axis, with their intervals.
    """

    values: tuple[float, ...]
    accuracies: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    crossings: tuple[tuple[float, tuple[float | None, float | None] | None], ...]


def compute(sweep: Sweep, *, percent_axis: bool) -> SafetyCurve:
    """The points; a parameter that is a share is drawn from 0 to 100 on a ``percent_axis``."""
    scale = 100.0 if percent_axis else 1.0
    crossed = []
    for found in (sweep.downwards, sweep.upwards):
        if found is not None and found.value is not None and not sweep.below_at_once:
            crossed.append((scale * found.value, _scaled(found, scale)))
    return SafetyCurve(
        values=tuple(scale * value for value in sweep.values),
        accuracies=tuple(point.accuracy for point in sweep.points),
        lows=tuple(point.interval[0] for point in sweep.points),
        highs=tuple(point.interval[1] for point in sweep.points),
        crossings=tuple(crossed),
    )


def label_safety_curve(
    sweep: Sweep | None, *, parameter: str, percent_axis: bool = False, chance: float | None = None
) -> go.Figure:
    """Draw the curve.

    Args:
        sweep: What was measured; None gives a hint instead.
        parameter: The parameter's name for people.
        percent_axis: True for a parameter that is a share.
        chance: The accuracy of guessing, 0 to 1, drawn as a line; None for no line.
    """
    if sweep is None:
        return empty_figure("The curve appears here once a step's parameter is tried out.", height=_HEIGHT)
    curve = compute(sweep, percent_axis=percent_axis)
    figure = go.Figure()
    colour = run_colour(0)
    figure.add_scatter(
        x=[*curve.values, *reversed(curve.values)],
        y=[100 * fraction for fraction in (*curve.highs, *reversed(curve.lows))],
        fill="toself",
        fillcolor=_BAND,
        line={"width": 0, "color": colour},
        hoverinfo="skip",
        name="95 % interval",
    )
    unit = "&#37;" if percent_axis else ""
    figure.add_scatter(
        x=curve.values,
        y=[100 * fraction for fraction in curve.accuracies],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 8},
        name="augmented copies classified correctly",
        customdata=[
            f"{100 * low:.0f} to {100 * high:.0f} &#37;" for low, high in zip(curve.lows, curve.highs, strict=True)
        ],
        hovertemplate=f"{escape(parameter)} %{{x:.3~g}} {unit}<br>%{{y:.1f}} % right<br>95 % interval %{{customdata}}"
        "<extra></extra>",
    )
    figure.add_hline(
        y=100 * sweep.threshold,
        line={"color": WRONG_COLOUR, "width": 1.5, "dash": "dash"},
        annotation={"text": f"threshold {sweep.threshold * 100:.0f} %", "font": {"size": 11}},
        annotation_position="top right",
    )
    if chance is not None:
        add_guessing_line(figure, chance)
    if curve.crossings:
        figure.add_scatter(
            x=[value for value, _ in curve.crossings],
            y=[100 * sweep.threshold] * len(curve.crossings),
            mode="markers+text",
            marker={"color": WRONG_COLOUR, "size": 13, "symbol": "x"},
            text=[f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}" for value, _ in curve.crossings],
            textposition="bottom center",
            error_x=_bars(curve),
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
    return finish(figure, alt=_alt(sweep, curve, parameter, percent_axis), height=_HEIGHT)


def _scaled(crossing: Crossing, scale: float) -> tuple[float | None, float | None] | None:
    if crossing.interval is None:
        return None
    low, high = crossing.interval
    return (None if low is None else scale * low, None if high is None else scale * high)


def _bars(curve: SafetyCurve) -> dict[str, object]:
    """The crossings' intervals as horizontal bars; an end beyond the range is drawn to the edge."""
    more, less = [], []
    for value, interval in curve.crossings:
        low, high = interval or (value, value)
        more.append((curve.values[-1] if high is None else high) - value)
        less.append(value - (curve.values[0] if low is None else low))
    return {
        "type": "data",
        "symmetric": False,
        "array": more,
        "arrayminus": less,
        "color": WRONG_COLOUR,
        "thickness": 2,
        "width": 5,
    }


def _alt(sweep: Sweep, curve: SafetyCurve, parameter: str, percent_axis: bool) -> str:
    unit = " %" if percent_axis else ""
    ends = (
        f"Copies classified correctly by {parameter} of {shorten(sweep.title, length=48)}: "
        f"{percent(curve.accuracies[0])} at {curve.values[0]:.3g}{unit}, "
        f"{percent(curve.accuracies[-1])} at {curve.values[-1]:.3g}{unit}"
    )
    crossed = " and ".join(f"{value:.3g}{unit}" for value, _ in curve.crossings)
    below = f"falls below it at {crossed}" if crossed else "does not cross it"
    return f"{ends}. The threshold is {percent(sweep.threshold)}; the curve {below}."
