"""A model's accuracy on augmented copies, step by step: each with those before it, and each alone."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    empty_figure,
    escape,
    finish,
    listed,
    percent,
    rows_axis,
    run_colour,
    shorten,
    whiskers,
)
from aquadash.robustness.label_safety_result import SafetyResult, Seen


@dataclass(frozen=True)
class StepRow:
    """One line of the chart.

    Attributes:
        title: The step's name, or what else was done with the images.
        so_far: With the steps before it.
        alone: By itself; None for the unchanged images.
    """

    title: str
    so_far: Seen
    alone: Seen | None


def compute(result: SafetyResult) -> tuple[StepRow, ...]:
    """The lines, the unchanged images first."""
    rows = [StepRow("unchanged", result.clean, None)]
    rows += [StepRow(step.title, step.so_far, step.alone) for step in result.steps]
    return tuple(rows)


def label_safety_steps(result: SafetyResult | None) -> go.Figure:
    """Draw a pair of dots with their 95 % intervals for each step, in the order in which they are applied.

    Args:
        result: What was measured; None, or one without steps, gives a hint instead.
    """
    if result is None or not result.steps:
        return empty_figure("What each step costs appears here once a pipeline with steps is measured.")
    rows = compute(result)
    figure = go.Figure()
    figure.add_vline(x=100 * result.clean.accuracy, line={"color": OUTLINE_COLOUR, "width": 1.5, "dash": "dot"})
    kinds = (("this step and those before it", 0, -0.14, "circle"), ("this step alone", 1, 0.14, "diamond"))
    for name, colour, offset, symbol in kinds:
        points = [
            (position, row.title, seen)
            for position, row in enumerate(rows)
            if (seen := row.so_far if colour == 0 else row.alone) is not None
        ]
        fractions = [seen.accuracy for _, _, seen in points]
        figure.add_scatter(
            x=[100 * fraction for fraction in fractions],
            y=[position + offset for position, _, _ in points],
            name=name,
            mode="markers",
            marker={"color": run_colour(colour), "size": 11, "symbol": symbol},
            error_x=whiskers(
                fractions, [seen.interval for _, _, seen in points], colour=run_colour(colour), thickness=2, width=5
            ),
            customdata=[
                [escape(title), f"{100 * seen.interval[0]:.0f} to {100 * seen.interval[1]:.0f} &#37;"]
                for _, title, seen in points
            ],
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{name}: %{{x:.1f}} % right<br>95 % interval %{{customdata[1]}}"
            "<extra></extra>",
        )
    figure.update_xaxes(
        title="Copies classified correctly", ticksuffix=" %", range=[0, 104], showgrid=True, fixedrange=True
    )
    figure.update_yaxes(rows_axis([escape(shorten(row.title)) for row in rows]))
    figure.update_layout(hovermode="closest", dragmode=False)
    each = [
        f"{shorten(step.title)} {percent(step.so_far.accuracy)} so far, {percent(step.alone.accuracy)} alone"
        for step in result.steps
    ]
    return finish(
        figure,
        alt=f"Copies classified correctly: unchanged {percent(result.clean.accuracy)}; {listed(each)}.",
        height=110 + 46 * len(rows),
    )
