"""The accuracy of compared runs, each with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.evaluation.metrics import Evaluation
from aquadash.figures.theme import (
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    percent,
    rows_axis,
    run_style,
    shorten,
    whiskers,
)


def metric_bars(runs: Sequence[tuple[str, Evaluation | None]], *, images: str = "test") -> go.Figure:
    """Draw a dot and its interval for each run, the most accurate on top.

    Args:
        runs: Name and evaluation of each run. The position decides the colour, as in the compared curves; a run that
            has no evaluation yet (None) is left out and keeps its place.
        images: Which images they were measured on: ``"test"`` or ``"validation"``.
    """
    shown = [(index, name, evaluation) for index, (name, evaluation) in enumerate(runs) if evaluation is not None]
    if not shown:
        return empty_figure(f"Pick runs that have predicted their {images} images to compare their accuracy here.")
    shown.sort(key=lambda entry: -entry[2].accuracy)
    figure = go.Figure()
    for position, (index, name, evaluation) in enumerate(shown):
        low, high = evaluation.accuracy_ci95
        figure.add_scatter(
            x=[100 * evaluation.accuracy],
            y=[position],
            **run_style(index, name, size=12),
            mode="markers",
            error_x=whiskers([evaluation.accuracy], [evaluation.accuracy_ci95]),
            hovertemplate=f"<b>{hover_name(name)}</b><br>%{{x:.1f}} % of {evaluation.n} {images} images right<br>"
            f"95 % interval {100 * low:.1f} % to {100 * high:.1f} %<extra></extra>",
            showlegend=False,
        )
    title = f"{images.capitalize()} accuracy with its 95 % interval"
    figure.update_xaxes(title=title, ticksuffix=" %", showgrid=True)
    figure.update_yaxes(rows_axis([escape(shorten(name)) for _, name, _ in shown]))
    figure.update_layout(hovermode="closest", margin={"t": 8}, dragmode=False)
    each = [f"{shorten(name)} {percent(run.accuracy, run.accuracy_ci95)}" for _, name, run in shown]
    return finish(figure, alt=f"{title}: {listed(each, most=10)}.", height=90 + 40 * len(shown))
