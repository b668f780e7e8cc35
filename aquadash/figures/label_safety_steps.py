"""A model's accuracy on augmented copies, step by step: each with those before it, and each alone."""

from __future__ import annotations

import plotly.graph_objects as go

from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    escape,
    finish,
    listed,
    percent,
    rows_axis,
    run_colour,
    shorten,
    whiskers,
)
from aquadash.robustness.label_safety_result import SafetyResult


def label_safety_steps(result: SafetyResult) -> go.Figure:
    """Draw a pair of dots with their 95 % intervals for each step, in the order in which they are applied.

    Args:
        result: What was measured, of at least one step.
    """
    titles = ["unchanged", *(step.title for step in result.steps)]
    figure = go.Figure()
    figure.add_vline(x=100 * result.clean.accuracy, line={"color": OUTLINE_COLOUR, "width": 1.5, "dash": "dot"})
    for name, seen, colour, offset, symbol in (
        ("this step and those before it", [result.clean, *(step.so_far for step in result.steps)], 0, -0.14, "circle"),
        ("this step alone", [step.alone for step in result.steps], 1, 0.14, "diamond"),
    ):
        first = len(titles) - len(seen)
        fractions = [each.accuracy for each in seen]
        figure.add_scatter(
            x=[100 * fraction for fraction in fractions],
            y=[first + row + offset for row in range(len(seen))],
            name=name,
            mode="markers",
            marker={"color": run_colour(colour), "size": 11, "symbol": symbol},
            error_x=whiskers(fractions, [each.interval for each in seen]),
            customdata=[
                [escape(title), f"{100 * each.interval[0]:.0f} to {100 * each.interval[1]:.0f} &#37;"]
                for title, each in zip(titles[first:], seen, strict=True)
            ],
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{name}: %{{x:.1f}} % right<br>95 % interval %{{customdata[1]}}"
            "<extra></extra>",
        )
    figure.update_xaxes(
        title="Copies classified correctly", ticksuffix=" %", range=[0, 104], showgrid=True, fixedrange=True
    )
    figure.update_yaxes(rows_axis([escape(shorten(title)) for title in titles]))
    figure.update_layout(hovermode="closest", dragmode=False)
    each = [
        f"{shorten(step.title)} {percent(step.so_far.accuracy)} so far, {percent(step.alone.accuracy)} alone"
        for step in result.steps
    ]
    return finish(
        figure,
        alt=f"Copies classified correctly: unchanged {percent(result.clean.accuracy)}; {listed(each)}.",
        height=110 + 46 * len(titles),
    )
