"""Loss or accuracy by epoch for training and validation, with the kept epoch marked; the same while the run trains."""

import math
from collections.abc import Mapping, Sequence
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

#: Possible ends of a running run's epoch axis. It has the first that the run has not passed, so it seldom moves.
_HORIZONS = tuple(size * 10**power for power in range(1, 5) for size in (1, 2, 5))

#: Possible ends of a running run's loss axis.
_LOSS_TOPS = tuple(size * 10.0**power for power in range(-1, 4) for size in (1, 2, 3, 5))


def learning_curves(
    history: Sequence[EpochRecord],
    *,
    metric: PlainMetric = "loss",
    monitor: Monitor = "val_loss",
    kept_epoch: float | None = None,
    revision: str = "",
    height: int = 320,
) -> go.Figure:
    """Draw a run's learning curves.

    The marked epoch is the same in both charts: the one whose weights were kept, or the best so far.

    Args:
        history: One record an epoch, ascending.
        metric: ``"loss"`` or ``"accuracy"``.
        monitor: The run's setting ``training.monitor``.
        kept_epoch: The epoch whose weights the run has kept; None while it trains.
        revision: While it stays the same, a zoom survives new points; a run's id, say.
        height: In pixels.
    """
    if not history:
        return empty_figure(f"The {metric} of each epoch appears here once the first epoch is finished.", height=height)
    epochs, best = [row.epoch for row in history], best_epoch(history, monitor=monitor)
    marked = next((epoch for epoch in epochs if epoch == kept_epoch), best)
    mark = "best epoch" if marked == best else "kept epoch"
    training, validation = values_by_epoch(history, metric), values_by_epoch(history, f"val_{metric}")
    mode = "lines+markers" if len(epochs) <= _MAX_MARKERS else "lines"
    hover = "%{y:.1f} %" if metric == "accuracy" else "%{y:.3f}"
    circle, diamond = ({"size": 6, "symbol": symbol} for symbol in ("circle", "diamond"))
    traces = [
        _line(epochs, training, "Training", TRAINING_COLOUR, "dot", circle, mode=mode, hovertemplate=hover),
        _line(epochs, validation, "Validation", VALIDATION_COLOUR, "solid", diamond, mode=mode, hovertemplate=hover),
    ]
    layout = _layout(metric, revision, last_epoch=epochs[-1])

    def text(value: float) -> str:
        return f"{value:.1f} %" if metric == "accuracy" else f"{value:.3f}"

    alt = (
        f"Training and validation {metric} over {len(epochs)} epoch{'s' if len(epochs) > 1 else ''}; in the last, "
        f"training {text(training[-1])} and validation {text(validation[-1])}."
    )
    if marked is not None:
        value = validation[epochs.index(marked)]
        edge = {"color": "rgba(255, 255, 255, 0.9)", "width": 1}
        star = {"symbol": "star", "size": 15, "line": edge}
        name, more = f"{mark.capitalize()} ({marked})", {"mode": "markers", "hoverinfo": "skip"}
        traces.append(_line([marked], [value], name, VALIDATION_COLOUR, "solid", star, **more))
        ends = {"x0": marked, "x1": marked, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
        layout["shapes"] = [{"type": "line", **ends, "line": {"color": OUTLINE_COLOUR, "width": 1, "dash": "dash"}}]
        alt += f" The {mark} is {marked}, with a validation {metric} of {text(value)}."
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
    kept_epoch: float | None,
    max_epochs: int,
    classes: int,
    full_scale: bool,
    revision: str,
) -> go.Figure:
    """Draw the curves of a run at work, on axes that hardly move: :func:`learning_curves` with a horizon.

    The axis of accuracy follows the values in steps of 10 %; with ``full_scale`` it goes from 0 to 100 %.
    """
    figure = learning_curves(
        history, metric=metric, monitor=monitor, kept_epoch=kept_epoch, revision=revision, height=300
    )
    if not history:
        hint = f"Training {metric} so far; validation follows with the first complete epoch."
        figure = finish(go.Figure(layout=_layout(metric, revision, last_epoch=0)), alt=hint, height=300)
    # The star's name would add a line to the legend, and two charts share the screen.
    figure.update_traces(showlegend=False, selector={"mode": "markers"})
    done = len(history)
    parts = [(epoch, (100.0 if metric == "accuracy" else 1.0) * value) for epoch, value in under_way if epoch > done]
    if parts:
        # The line starts at the last complete epoch, whose training value stands at its end.
        start = [(done, values_by_epoch(history, metric)[-1])] if history else []
        x, y = zip(*start, *parts, strict=True)
        last = {"size": [*[0] * (len(x) - 1), 7], "opacity": 1}
        more = {"mode": "lines+markers", "showlegend": not history, "hoverinfo": "skip"}
        figure.add_trace(_line(x, y, "Training", TRAINING_COLOUR, "dot", last, **more))
    horizon = max_epochs if max_epochs <= _HORIZONS[1] else next((h for h in _HORIZONS if h > done), done + 1)
    axis = epoch_axis(min(horizon, max_epochs)) | {"range": [0, 1.04 * min(horizon, max_epochs)], "tick0": 0}
    figure.update_layout(xaxis=axis)
    columns = (metric, f"val_{metric}")
    complete = [value for column in columns for value in values_by_epoch(history, column)]
    values = [value for value in [*complete, *(value for _, value in parts)] if math.isfinite(value)]
    if metric == "accuracy":
        lowest, highest = (0, 100) if full_scale or not values else (min(values) - 1, max(values) + 1)
        ends = [max(0, 10 * math.floor(lowest / 10)), min(100, 10 * math.ceil(highest / 10))]
        figure.update_layout(yaxis={"range": ends, "dtick": 20 if ends[1] - ends[0] > 50 else 10})
        # At an end of the axis the line's name would cover the numbers of the epochs.
        if classes and ends[0] < 100 / classes < ends[1]:
            add_guessing_line(figure, 1 / classes)
        return figure
    largest = max([math.log(max(classes, 2)), *values])
    figure.update_layout(yaxis={"range": [0, next((top for top in _LOSS_TOPS if top >= largest), largest)]})
    return figure


def _line(
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    dash: str,
    marker: Mapping[str, object],
    **more: object,
) -> dict[str, object]:
    drawn = {"line": {"color": colour, "width": 2, "dash": dash}, "marker": {"color": colour, **marker}, **more}
    return {"type": "scatter", "x": x, "y": y, "name": name, **drawn}


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
