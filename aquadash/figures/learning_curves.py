"""Loss or accuracy by epoch for training and validation, with the best epoch marked; the same while the run trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from aquadash.evaluation.curves import best_epoch
from aquadash.evaluation.records import EpochRecord
from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    TRAINING_COLOUR,
    VALIDATION_COLOUR,
    add_guessing_line,
    empty_figure,
    epoch_axis,
    finish,
)

PlainMetric = Literal["loss", "accuracy"]
Monitor = Literal["val_loss", "val_accuracy"]

#: With more epochs the markers would touch one another.
_MAX_MARKERS = 60

#: Ends of the epoch axis of a run at work: the first that the run has not passed, so that the axis seldom moves.
_HORIZONS = tuple(size * 10**power for power in range(1, 5) for size in (1, 2, 5))

#: Ends of its loss axis, likewise.
_LOSS_TOPS = tuple(size * 10.0**power for power in range(-1, 4) for size in (1, 2, 3, 5))


def learning_curves(
    history: Sequence[EpochRecord],
    *,
    metric: PlainMetric = "loss",
    monitor: Monitor = "val_loss",
    revision: str = "",
    height: int = 320,
) -> go.Figure:
    """Draw a run's learning curves.

    The best epoch is the same in both charts: that of the monitored figure, which decides which weights are kept.

    Args:
        history: One record an epoch, ascending.
        metric: ``"loss"`` or ``"accuracy"``.
        monitor: The run's setting ``training.monitor``.
        revision: While it stays the same, a zoom survives new points; a run's id, say.
        height: In pixels.
    """
    if not history:
        return empty_figure(f"The {metric} of each epoch appears here once the first epoch is finished.", height=height)
    epochs, best = [row.epoch for row in history], best_epoch(history, monitor=monitor)
    training, validation = values_by_epoch(history, metric), values_by_epoch(history, f"val_{metric}")
    traces: list[dict[str, object]] = [
        {
            "type": "scatter",
            "x": epochs,
            "y": values,
            "name": name,
            "mode": "lines+markers" if len(epochs) <= _MAX_MARKERS else "lines",
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"color": colour, "size": 6, "symbol": symbol},
            "hovertemplate": "%{y:.1f} %" if metric == "accuracy" else "%{y:.3f}",
        }
        for name, values, colour, dash, symbol in (
            ("Training", training, TRAINING_COLOUR, "dot", "circle"),
            ("Validation", validation, VALIDATION_COLOUR, "solid", "diamond"),
        )
    ]
    layout = _layout(metric, revision, last_epoch=epochs[-1])

    def text(value: float) -> str:
        return f"{value:.1f} %" if metric == "accuracy" else f"{value:.3f}"

    alt = (
        f"Training and validation {metric} over {len(epochs)} epoch{'s' if len(epochs) > 1 else ''}; in the last, "
        f"training {text(training[-1])} and validation {text(validation[-1])}."
    )
    if best is not None:
        value = validation[epochs.index(best)]
        traces.append(_star(best, value))
        ends = {"x0": best, "x1": best, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
        layout["shapes"] = [{"type": "line", **ends, "line": {"color": OUTLINE_COLOUR, "width": 1, "dash": "dash"}}]
        alt += f" The best epoch is {best}, with a validation {metric} of {text(value)}."
    # One call: each call that adds to a figure costs milliseconds, and a live chart is drawn again with each epoch.
    return finish(go.Figure(traces, layout), alt=alt, height=height)


def values_by_epoch(history: Sequence[EpochRecord], column: str) -> list[float]:
    """Return a column of a run's history, an accuracy in per cent."""
    return [(100.0 if column.endswith("accuracy") else 1.0) * getattr(row, column) for row in history]


def live_curves(
    history: Sequence[EpochRecord],
    under_way: Sequence[tuple[float, float]],
    *,
    metric: PlainMetric,
    monitor: Monitor,
    max_epochs: int,
    classes: int,
    revision: str,
) -> go.Figure:
    """Draw the curves of a run at work, on axes that hardly move: :func:`learning_curves` with a horizon."""
    figure = learning_curves(history, metric=metric, monitor=monitor, revision=revision, height=260)
    if not history:
        hint = f"Training {metric} so far; validation follows with the first complete epoch."
        figure = finish(
            go.Figure(layout=_layout(metric, revision, last_epoch=0)), alt=hint, height=figure.layout.height
        )
    # The star's name would add a line to the legend, and two charts share the screen.
    figure.update_traces(showlegend=False, selector={"mode": "markers"})
    done = len(history)
    parts = [(epoch, (100.0 if metric == "accuracy" else 1.0) * value) for epoch, value in under_way if epoch > done]
    if parts:
        # The line starts at the last complete epoch, whose training value stands at its end.
        start = [(done, values_by_epoch(history, metric)[-1])] if history else []
        figure.add_trace(_under_way([*start, *parts], named=not history))
    horizon = max_epochs if max_epochs <= _HORIZONS[1] else next((h for h in _HORIZONS if h > done), done + 1)
    axis = epoch_axis(min(horizon, max_epochs)) | {"range": [0, 1.04 * min(horizon, max_epochs)], "tick0": 0}
    figure.update_layout(xaxis=axis)
    if metric == "accuracy":
        figure.update_layout(yaxis={"range": [0, 100], "dtick": 20})
        if classes:
            add_guessing_line(figure, 1 / classes)
        return figure
    values = [value for row in history for value in (row.loss, row.val_loss)] + [value for _, value in parts]
    largest = max([math.log(max(classes, 2)), *filter(math.isfinite, values)])
    figure.update_layout(yaxis={"range": [0, next((top for top in _LOSS_TOPS if top >= largest), largest)]})
    return figure


def _under_way(points: Sequence[tuple[float, float]], *, named: bool) -> dict[str, object]:
    """Return the training line of the epoch that is not complete."""
    x, y = zip(*points, strict=True)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": "Training",
        "mode": "lines+markers",
        "line": {"color": TRAINING_COLOUR, "width": 2, "dash": "dot"},
        "marker": {"color": TRAINING_COLOUR, "size": [*[0] * (len(x) - 1), 7], "opacity": 1},
        "showlegend": named,
        "hoverinfo": "skip",
    }


def _layout(metric: PlainMetric, revision: str, *, last_epoch: int) -> dict[str, object]:
    return {
        "xaxis": {**epoch_axis(last_epoch), "hoverformat": "d", "unifiedhovertitle": {"text": "Epoch %{x}"}},
        "yaxis": {
            "title": "Accuracy" if metric == "accuracy" else "Loss",
            "ticksuffix": " %" if metric == "accuracy" else "",
            "rangemode": "tozero" if metric == "loss" else "normal",
        },
        "hovermode": "x unified",
        "uirevision": f"learning-curves-{metric}-{revision}",
    }


def _star(epoch: int, value: float) -> dict[str, object]:
    """Return the mark of the best epoch."""
    edge = {"color": "rgba(255, 255, 255, 0.9)", "width": 1}
    return {
        "type": "scatter",
        "x": [epoch],
        "y": [value],
        "name": f"Best epoch ({epoch})",
        "mode": "markers",
        "marker": {"symbol": "star", "size": 15, "color": VALIDATION_COLOUR, "line": edge},
        "hoverinfo": "skip",
    }
