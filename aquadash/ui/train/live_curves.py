"""The curves of a run at work: read and drawn once every few seconds, for all sessions together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from aquadash.figures.learning_curves import Metric, Monitor, learning_curves
from aquadash.runs.types import EpochRecord, Run
from aquadash.ui import components, inputs
from aquadash.ui.lab import lab

#: So many of the last epochs can be looked at alone; 0 stands for all. Streamlit builds a chart anew when its data
#: changes, so that a zoom made with the mouse lasts only until the next epoch; this choice stays.
WINDOWS = (0, 50, 10)

#: For so many seconds all sessions are shown the same stage of a run: of short epochs each would otherwise be read and
#: drawn for the one session that happens to look in it. Less than the time between two looks of the same session.
SHARED_SECONDS = 4.0

#: A state of a run's history that changes whenever an epoch may have been added.
Stage = tuple[str, float | None, int, bool]


def stage_of(run: Run) -> Stage:
    """The stage of a run at which it is shown now.

    An epoch's record is in the store before the worker reports the next one, so that the number under way tells.
    """
    since = run.ended_at if run.status.ended else run.started_at
    return shared_stage(run.run_id, str(run.status), since, run)


@st.cache_resource(ttl=SHARED_SECONDS, max_entries=64, show_spinner=False)
def shared_stage(run_id: str, status: str, since: float | None, _run: Run) -> Stage:
    """What :func:`stage_of` says, the same for a while."""
    progress = _run.progress
    return status, since, progress.epoch if progress else 0, bool(progress and progress.batches)


def history(run: Run, stage: Stage) -> Sequence[EpochRecord]:
    """The run's epochs at that stage."""
    return lab().runs.history(run.run_id) if run.status.ended else _history(run.run_id, stage)


def draw(run: Run, stage: Stage, *, epochs: int) -> None:
    """Draw accuracy and loss by epoch, all ``epochs`` of them or the last ones that are chosen."""
    last = _window(epochs)
    for metric in ("accuracy", "loss"):
        components.plot(_curves(run.run_id, run.config.training.monitor, stage, metric, last), key=f"live-{metric}")


def _window(epochs: int) -> int:
    """Draw the choice of how many of the last epochs to show, and return it; 0 for all."""
    if epochs <= min(filter(None, WINDOWS)):
        return 0
    chosen = inputs.segmented_control(
        "Epochs shown",
        WINDOWS,
        key="live-window",
        default=0,
        required=True,
        format_func=lambda last: f"last {last}" if last else "all epochs",
        label_visibility="collapsed",
    )
    return chosen or 0


@st.cache_resource(max_entries=64, show_spinner=False)
def _history(run_id: str, stage: Stage) -> tuple[EpochRecord, ...]:
    return tuple(lab().runs.history(run_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _curves(run_id: str, monitor: Monitor, stage: Stage, metric: Metric, last: int) -> go.Figure:
    history = _history(run_id, stage)
    figure = learning_curves(history, metric=metric, monitor=monitor, revision=run_id, height=260)
    shown = history[-last:]
    scale = 100.0 if metric == "accuracy" else 1.0
    values = [scale * getattr(record, name) for record in shown for name in (metric, f"val_{metric}")]
    values = [value for value in values if math.isfinite(value)]
    if 0 < last < len(history) and values:
        margin = 0.08 * (max(values) - min(values)) or 0.1
        figure.update_xaxes(range=[shown[0].epoch - 0.5, shown[-1].epoch + 0.5])
        figure.update_yaxes(range=[min(values) - margin, max(values) + margin])
    return figure
