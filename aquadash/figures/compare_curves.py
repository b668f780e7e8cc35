"""One metric by epoch, or by training time, for several runs."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from aquadash.evaluation.curves import EpochMetric, best_record
from aquadash.evaluation.records import EpochRecord
from aquadash.figures.learning_curves import values_by_epoch
from aquadash.figures.theme import empty_figure, epoch_axis, finish, hover_name, listed, run_style, shorten
from aquadash.store.fields import FIGURES, figure_named

TITLES: dict[EpochMetric, str] = {
    "val_accuracy": FIGURES["val_accuracy"].title,
    "val_loss": FIGURES["val_loss"].title,
    "accuracy": "Training accuracy",
    "loss": "Training loss",
}

Axis = Literal["epoch", "time"]

#: Points of a curve that carry the run's marker.
_MARKERS = 7
#: Longer trainings, in seconds, have an axis in minutes.
_MINUTES_FROM = 180.0


def exponential_average(values: Sequence[float] | NDArray[np.float64], *, weight: float) -> NDArray[np.float64]:
    """Return the exponential average without its bias towards 0 at the start; ``weight`` is that of earlier points."""
    # `adjust` divides by 1 - weight ** t, as D. P. Kingma and J. Ba, "Adam" (2015), arXiv:1412.6980, section 3.
    curve = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(curve)
    numbers = pd.Series(curve).where(finite)
    return np.where(finite, numbers.ewm(alpha=1 - weight, adjust=True, ignore_na=True).mean(), curve)


def compare_curves(
    runs: Sequence[tuple[str, Sequence[EpochRecord]]],
    *,
    metrics: Sequence[EpochMetric] = ("val_accuracy",),
    axis: Axis = "epoch",
    weight: float = 0.0,
    height: int = 400,
) -> go.Figure:
    """Draw a chart for each metric on one x axis with one legend; faint raw curves lie behind smoothed ones."""
    drawn = [(index, name, history) for index, (name, history) in enumerate(runs) if history]
    if not drawn:
        return empty_figure("Pick runs that have finished at least one epoch to see their curves here.", height=height)
    figure = make_subplots(rows=len(metrics), shared_xaxes=True, vertical_spacing=0.06)
    seconds = max(sum(record.seconds for record in history) for _, _, history in drawn)
    unit, divisor = ("min", 60.0) if axis == "time" and seconds >= _MINUTES_FROM else ("s", 1.0)
    when = f"after %{{x:.1f}} {unit}" if axis == "time" else "epoch %{x}"
    for row, metric in enumerate(metrics, start=1):
        is_accuracy = metric.endswith("accuracy")
        number, raw = ("%{y:.1f} %", "%{customdata:.1f} %") if is_accuracy else ("%{y:.3f}", "%{customdata:.3f}")
        for index, name, history in drawn:
            steps = [record.epoch for record in history]
            x = np.cumsum([record.seconds for record in history]) / divisor if axis == "time" else np.array(steps)
            y = values_by_epoch(history, metric)
            of_run = {"x": x, "legendgroup": str(index), "row": row, "col": 1}
            if weight:
                faint = {"mode": "lines", "opacity": 0.22, "hoverinfo": "skip", "showlegend": False}
                figure.add_scatter(**of_run, **faint, y=y, **run_style(index, name, width=1.2), line_dash="solid")
            figure.add_scatter(
                **of_run,
                y=exponential_average(y, weight=weight),
                customdata=y,
                **run_style(index, name, size=7),
                marker_maxdisplayed=_MARKERS,
                mode="lines+markers",
                showlegend=row == 1,
                hovertemplate=f"<b>{hover_name(name)}</b><br>{when}: {number}{f' (unsmoothed {raw})' if weight else ''}"
                "<extra></extra>",
            )
        figure.update_yaxes(title=TITLES[metric], ticksuffix=" %" if is_accuracy else "", row=row)
    if axis == "time":
        figure.update_xaxes(rangemode="tozero").update_xaxes(title=f"Training time, {unit}", row=len(metrics))
    else:
        ticks = epoch_axis(max(history[-1].epoch for _, _, history in drawn))
        figure.update_xaxes(ticks | {"title": None}).update_xaxes(title=ticks["title"], row=len(metrics))
    figure.update_layout(hovermode="closest", uirevision=f"compare-curves-{axis}")
    alt = " ".join(_alt([(name, history) for _, name, history in drawn], metric, axis) for metric in metrics)
    return finish(figure, alt=alt, height=height * len(metrics))


def _alt(runs: Sequence[tuple[str, Sequence[EpochRecord]]], metric: EpochMetric, axis: Axis) -> str:
    bests = [
        f"{shorten(name)} {figure_named(metric).text(getattr(best, metric))}"
        for name, history in runs
        if (best := best_record(history, monitor=metric)) is not None
    ]
    extreme = "highest" if metric.endswith("accuracy") else "lowest"
    by = "training time" if axis == "time" else "epoch"
    return (
        f"{TITLES[metric]} by {by} of {len(runs)} run{'s' if len(runs) > 1 else ''}. The {extreme} values: "
        f"{listed(bests, most=10)}."
    )
