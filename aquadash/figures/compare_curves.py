"""One metric by epoch for several runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.evaluation.curves import EpochLike, Metric
from aquadash.figures.theme import (
    empty_figure,
    epoch_axis,
    escape,
    finish,
    hover_name,
    listed,
    run_colour,
    run_dash,
    shorten,
)

TITLES: dict[Metric, str] = {
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "accuracy": "Training accuracy",
    "loss": "Training loss",
}


def best_value(history: Sequence[EpochLike], *, metric: Metric) -> float | None:
    """The highest accuracy (in per cent) or the lowest loss of a history; None when it has no number."""
    values = [value for row in history if math.isfinite(value := getattr(row, metric))]
    if not values:
        return None
    return 100 * max(values) if metric.endswith("accuracy") else min(values)


def compare_curves(
    runs: Sequence[tuple[str, Sequence[EpochLike]]], *, metric: Metric = "val_accuracy", height: int = 400
) -> go.Figure:
    """Draw the runs' curves over one another.

    Args:
        runs: Name and history of each run. The position decides the colour, so a run without epochs keeps its place.
        metric: What to draw.
        height: In pixels.
    """
    drawn = [(index, name, history) for index, (name, history) in enumerate(runs) if history]
    if not drawn:
        return empty_figure("Pick runs that have finished at least one epoch to see their curves here.", height=height)
    is_accuracy = metric.endswith("accuracy")
    scale, number = (100.0, "%{y:.1f} %") if is_accuracy else (1.0, "%{y:.3f}")
    figure = go.Figure()
    for index, name, history in drawn:
        figure.add_scatter(
            x=[row.epoch for row in history],
            y=[scale * getattr(row, metric) for row in history],
            name=escape(shorten(name)),
            mode="lines" if len(history) > 1 else "markers",
            line={"color": run_colour(index), "width": 2, "dash": run_dash(index)},
            marker={"color": run_colour(index), "size": 8},
            hovertemplate=f"<b>{hover_name(name)}</b><br>Epoch %{{x}}: {number}<extra></extra>",
        )
    figure.update_xaxes(epoch_axis(max(history[-1].epoch for _, _, history in drawn)))
    figure.update_yaxes(title=TITLES[metric], ticksuffix=" %" if is_accuracy else "")
    figure.update_layout(hovermode="closest", showlegend=True, uirevision=f"compare-curves-{metric}")
    return finish(figure, alt=_alt([(name, history) for _, name, history in drawn], metric), height=height)


def _alt(runs: Sequence[tuple[str, Sequence[EpochLike]]], metric: Metric) -> str:
    bests = []
    for name, history in runs:
        best = best_value(history, metric=metric)
        if best is not None:
            bests.append(f"{shorten(name)} {f'{best:.1f} %' if metric.endswith('accuracy') else f'{best:.3f}'}")
    which = "highest" if metric.endswith("accuracy") else "lowest"
    title = TITLES[metric]
    return f"{title} by epoch of {len(runs)} run{'s' if len(runs) > 1 else ''}. The {which} values: {listed(bests)}."
