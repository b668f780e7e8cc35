"""Loss or accuracy by epoch for training and validation, with the best epoch marked; the same while the run trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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

Metric = Literal["loss", "accuracy"]
Monitor = Literal["val_loss", "val_accuracy"]

#: More points than this would touch one another.
_MAX_MARKERS = 60

#: Where the epoch axis of a run at work ends: at the first that is not passed yet, so that it seldom moves.
_HORIZONS = tuple(size * 10**power for power in range(1, 5) for size in (1, 2, 5))

#: Likewise for the loss: the scale ends at the first that nothing has passed.
_LOSS_TOPS = tuple(size * 10.0**power for power in range(-1, 4) for size in (1, 2, 3, 5))


@dataclass(frozen=True)
class LearningCurves:
    """The values of the chart."""

    #: Epoch numbers, ascending.
    epochs: tuple[int, ...]
    #: The training metric by epoch: loss in nats, accuracy in per cent.
    training: tuple[float, ...]
    #: The validation metric likewise.
    validation: tuple[float, ...]
    #: The epoch with the best value of the monitored figure, None if none is a number.
    best: int | None


def compute(
    history: Sequence[EpochRecord], *, metric: Metric = "loss", monitor: Monitor = "val_loss"
) -> LearningCurves:
    """The chart's values from a run's history."""
    scale = 100.0 if metric == "accuracy" else 1.0
    return LearningCurves(
        epochs=tuple(row.epoch for row in history),
        training=tuple(scale * getattr(row, metric) for row in history),
        validation=tuple(scale * getattr(row, f"val_{metric}") for row in history),
        best=best_epoch(history, monitor=monitor),
    )


def learning_curves(
    history: Sequence[EpochRecord],
    *,
    metric: Metric = "loss",
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
    curves = compute(history, metric=metric, monitor=monitor)
    number = "%{y:.1f} %" if metric == "accuracy" else "%{y:.3f}"
    mode = "lines+markers" if len(curves.epochs) <= _MAX_MARKERS else "lines"
    traces: list[dict[str, object]] = [
        {
            "type": "scatter",
            "x": curves.epochs,
            "y": values,
            "name": name,
            "mode": mode,
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"color": colour, "size": 6, "symbol": symbol},
            "hovertemplate": number,
        }
        for name, values, colour, dash, symbol in (
            ("Training", curves.training, TRAINING_COLOUR, "dot", "circle"),
            ("Validation", curves.validation, VALIDATION_COLOUR, "solid", "diamond"),
        )
    ]
    layout = _layout(metric, revision, last_epoch=curves.epochs[-1])
    if curves.best is not None:
        traces.append(_star(curves))
        layout["shapes"] = [_line_at(curves.best)]
    # All at once: a live chart is drawn for each epoch, and each call that adds to a figure costs milliseconds.
    return finish(go.Figure(traces, layout), alt=_alt(curves, metric), height=height)


def live_curves(
    history: Sequence[EpochRecord],
    under_way: Sequence[tuple[float, float]],
    *,
    metric: Metric,
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
    # Named, the star would give the legend another line where two charts share a screen.
    figure.update_traces(showlegend=False, selector={"mode": "markers"})
    scale = 100.0 if metric == "accuracy" else 1.0
    done = len(history)
    parts = [(epoch, scale * value) for epoch, value in under_way if epoch > done]
    if parts:
        # From the last complete epoch on, whose training figure stands at its end.
        start = [(done, scale * getattr(history[-1], metric))] if history else []
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
    """The training line of the epoch that is not complete."""
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


def _layout(metric: Metric, revision: str, *, last_epoch: int) -> dict[str, object]:
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


def _star(curves: LearningCurves) -> dict[str, object]:
    """The mark of the best epoch."""
    return {
        "type": "scatter",
        "x": [curves.best],
        "y": [curves.validation[curves.epochs.index(curves.best or 0)]],
        "name": f"Best epoch ({curves.best})",
        "mode": "markers",
        "marker": {
            "symbol": "star",
            "size": 15,
            "color": VALIDATION_COLOUR,
            "line": {"color": "rgba(255, 255, 255, 0.9)", "width": 1},
        },
        "hoverinfo": "skip",
    }


def _line_at(epoch: int) -> dict[str, object]:
    """A line from the bottom to the top of the chart."""
    ends = {"x0": epoch, "x1": epoch, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
    return {"type": "line", **ends, "line": {"color": OUTLINE_COLOUR, "width": 1, "dash": "dash"}}


def _alt(curves: LearningCurves, metric: Metric) -> str:
    def value(number: float) -> str:
        return f"{number:.1f} %" if metric == "accuracy" else f"{number:.3f}"

    last = (
        f"Training and validation {metric} over {len(curves.epochs)} epoch{'s' if len(curves.epochs) > 1 else ''}; in "
        f"the last, training {value(curves.training[-1])} and validation {value(curves.validation[-1])}."
    )
    if curves.best is None:
        return last
    best = curves.validation[curves.epochs.index(curves.best)]
    return f"{last} The best epoch is {curves.best}, with a validation {metric} of {value(best)}."
