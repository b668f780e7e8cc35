"""The learning curves of compared runs over one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from aquadash.evaluation.curves import Metric
from aquadash.figures.compare_curves import TITLES, Axis, compare_curves
from aquadash.runs.types import EpochRecord
from aquadash.ui import address, bound, components, inputs, shell
from aquadash.ui.compare import run_legend
from aquadash.ui.compared import Compared, labels
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import duration

#: Seconds between two looks at the curves while a picked run is at work.
_TICK_SECONDS = 5.0

_AXES: dict[str, str] = {"epoch": "by epoch", "time": "by training time"}
_MOST_SMOOTH = 0.95

Named = list[tuple[str, list[EpochRecord]]]


def show(compared: Compared) -> None:
    """Draw the curves, again and again while one of the runs is at work."""
    live = any(not run.status.ended for run in compared.runs)
    shell.live(_TICK_SECONDS if live else None)(_curves)([run.run_id for run in compared.runs])


def value_rows(named: Sequence[tuple[str, Sequence[EpochRecord]]], metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """The curves as a table: a row a run, of each metric the best value with its epoch and the last one."""
    rows: list[dict[str, Any]] = []
    for name, history in named:
        row: dict[str, Any] = {"Run": name, "Epochs": len(history)}
        for metric in metrics:
            values = [
                (getattr(record, metric), record.epoch) for record in history if math.isfinite(getattr(record, metric))
            ]
            is_accuracy = metric.endswith("accuracy")
            best = (max if is_accuracy else min)(values, key=lambda pair: pair[0], default=None)
            last = values[-1] if values else None
            row[f"{TITLES[metric]}: best"] = None if best is None else _value(best[0], is_accuracy)
            row[f"{TITLES[metric]}: at epoch"] = None if best is None else best[1]
            row[f"{TITLES[metric]}: last"] = None if last is None else _value(last[0], is_accuracy)
        row["Training time"] = duration(sum(record.seconds for record in history)) if history else None
        rows.append(row)
    return rows


def _curves(run_ids: Sequence[str]) -> None:
    runs = [lab().runs.get(run_id) for run_id in run_ids]
    named: Named = [(name, lab().runs.history(run.run_id)) for name, run in zip(labels(runs), runs, strict=True)]
    metrics = _metrics()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        axis = _axis()
        weight = _smoothing()
        window = _window(named, axis)
    drawn = tuple(
        (run.run_id, run.ended_at, name, len(history)) for run, (name, history) in zip(runs, named, strict=True)
    )
    columns = st.columns(2, gap="medium") if len(metrics) > 1 else [st.container()]
    for place, metric in enumerate(metrics):
        with columns[place % len(columns)]:
            height = 420 if len(metrics) == 1 else 320
            figure = _figure(drawn, metric, axis, weight, window, height, named)
            components.plot(figure, key=f"curves-{metric}", config={"scrollZoom": False})
    st.caption("Drag over a chart to look at a part of it, in all charts; a double click shows all again.")
    with st.expander("These curves as a table", icon="🔢"):
        st.dataframe(
            value_rows(named, metrics), hide_index=True, key="curve-values", placeholder="–",
            alt="The best and last values of the runs' curves, a row a run",
        )  # fmt: skip


def _metrics() -> list[Metric]:
    """Draw the choice of metrics; each has a chart."""
    address.choices("metric", list(TITLES), default=["val_accuracy"])
    chosen = inputs.pills(
        "Curves", list(TITLES), key="metric", selection_mode="multi", format_func=lambda name: TITLES[name],
        help=f"{term('accuracy')} {term('loss')}",
    )  # fmt: skip
    metrics = [metric for metric in TITLES if metric in (chosen or ["val_accuracy"])]
    address.record("metric", ",".join(metrics), default="val_accuracy")
    return metrics


def _axis() -> Axis:
    """Draw the choice of what the curves are drawn by."""
    return "time" if bound.choice("x", _AXES, label="Drawn") == "time" else "epoch"


def _smoothing() -> float:
    """Draw the slider for the weight of the smoothing."""
    return bound.slider(
        "smooth", 0.0, _MOST_SMOOTH, label="Smoothing", default=0.0, step=0.05, width=200, help=term("smoothing")
    )


def _window(named: Named, axis: Axis) -> tuple[float, float] | None:
    """Draw the slider for the part of the curves that is shown; a zoom in a chart moves it, too. None for all."""
    lengths = [
        sum(record.seconds for record in history) if axis == "time" else history[-1].epoch
        for _, history in named
        if history
    ]
    first, last = (0, math.ceil(max(lengths))) if axis == "time" and lengths else (1, int(max(lengths, default=1)))
    if last - first < 2:
        return None
    return run_legend.window(
        first, last, kind=axis, label="Seconds of training shown" if axis == "time" else "Epochs shown"
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(
    drawn: tuple[tuple[str, float | None, str, int], ...],
    metric: Metric,
    axis: Axis,
    weight: float,
    window: tuple[float, float] | None,
    height: int,
    _named: Named,
) -> go.Figure:
    """The chart, made once for everybody as long as none of the curves has grown."""
    return compare_curves(_named, metric=metric, axis=axis, weight=weight, window=window, legend=False, height=height)


def _value(value: float, is_accuracy: bool) -> str:
    return f"{100 * value:.1f} %" if is_accuracy else f"{value:.3f}"
