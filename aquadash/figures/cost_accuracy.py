"""Accuracy against what it costs: which runs are worth their price?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aquadash.evaluation.compare import pareto_front
from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    run_colour,
    run_marker,
    run_meta,
    shorten,
    spans_powers,
    whiskers,
)

#: In pixels.
_HEIGHT = 420


@dataclass(frozen=True)
class Priced:
    """A run with its price.

    Attributes:
        index: Its position among those compared.
        name: What it is called.
        cost: In the unit of the axis, more than 0.
        accuracy: 0 to 1.
        interval: Its 95 % interval, (low, high), 0 to 1.
        text: The cost for people.
    """

    index: int
    name: str
    cost: float
    accuracy: float
    interval: tuple[float, float]
    text: str


def front(runs: Sequence[Priced]) -> list[Priced]:
    """The runs that no other beats in both cost and accuracy, the cheapest first."""
    marked = pareto_front([run.cost for run in runs], [run.accuracy for run in runs])
    return sorted((run for run, best in zip(runs, marked, strict=True) if best), key=lambda run: run.cost)


def cost_accuracy(runs: Sequence[Priced], *, cost: str, title: str) -> go.Figure:
    """Draw a point with its interval for each run, and a stair through the runs on the Pareto front.

    Args:
        runs: With a cost that is known.
        cost: The cost and its unit, for the axis.
        title: What the accuracy is, for its axis.
    """
    if not runs:
        return empty_figure("Once runs have results and their cost is known, each is a point here.", height=_HEIGHT)
    best = front(runs)
    figure = go.Figure()
    figure.add_scatter(
        x=[run.cost for run in best],
        y=[100 * run.accuracy for run in best],
        mode="lines+markers",
        name="Pareto front",
        line={"color": OUTLINE_COLOUR, "width": 2, "dash": "dot", "shape": "hv"},
        marker={"color": "rgba(0, 0, 0, 0)", "size": 22, "line": {"color": OUTLINE_COLOUR, "width": 2}},
        hoverinfo="skip",
    )
    for run in runs:
        figure.add_scatter(
            x=[run.cost],
            y=[100 * run.accuracy],
            meta=run_meta(run.index),
            mode="markers",
            name=escape(shorten(run.name)),
            showlegend=False,
            marker={"color": run_colour(run.index), "size": 12, "symbol": run_marker(run.index)},
            error_y=whiskers([run.accuracy], [run.interval], colour=run_colour(run.index)),
            hovertemplate=f"<b>{hover_name(run.name)}</b><br>{escape(run.text)}<br>%{{y:.1f}} %"
            f"{', on the Pareto front' if run in best else ''}<extra></extra>",
        )
    costs = [run.cost for run in runs]
    figure.update_xaxes(title=escape(cost), showgrid=True)
    if spans_powers(costs):
        figure.update_xaxes(type="log", dtick="D2" if max(costs) < 1000 * min(costs) else 1)
    else:
        figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(title=title, ticksuffix=" %")
    figure.update_layout(hovermode="closest")
    told = [f"{shorten(run.name)} ({run.text}, {100 * run.accuracy:.1f} %)" for run in best]
    alt = f"{title} of {len(runs)} runs against {cost}. On the Pareto front: {listed(told, most=10)}."
    return finish(figure, alt=alt, height=_HEIGHT)
