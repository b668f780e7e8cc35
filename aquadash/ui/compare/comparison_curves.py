"""The learning curves of compared runs in one chart."""

import math
from collections.abc import Sequence
from typing import Any, cast

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.evaluation.curves import EpochMetric, best_record
from aquadash.figures.compare_curves import TITLES, Axis, compare_curves
from aquadash.figures.theme import shorten
from aquadash.lab.rights import Action
from aquadash.store.fields import figure_named
from aquadash.store.types import EpochRecord, Run
from aquadash.ui.kit import bound, components, inputs, run_lists, shell
from aquadash.ui.kit.compared import Compared, labels
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import duration

#: Seconds between two drawings of the curves while a run is at work.
_TICK_SECONDS = 5.0

_AXES: dict[str, str] = {"epoch": "Epoch", "time": "Training time"}

Named = list[tuple[str, Sequence[EpochRecord]]]


def render_curves(compared: Compared) -> None:
    """Draw the curves, live while one of the runs is at work."""
    # Outside the live part: each of its redraws would close the popover.
    box = st.popover("Curves and axis", icon=":material/tune:", key="curves-box", on_change="rerun")
    metrics = _metrics(box)
    axis = cast(Axis, bound.choice("x", _AXES, label="Horizontal axis", into=box))
    weight = bound.slider(
        "smooth", 0.0, 0.95, label="Smoothing", default=0.0, step=0.05, help=term("smoothing"), into=box
    )
    live = any(not run.status.ended for run in compared.runs)
    ids = [run.run_id for run in compared.runs]
    shell.live(_TICK_SECONDS if live else None)(_curves)(ids, metrics, axis, weight)


def value_rows(named: Named, metrics: Sequence[EpochMetric]) -> list[dict[str, Any]]:
    """Return a row a run, with the best value of each metric, its epoch, and the last value."""
    rows: list[dict[str, Any]] = []
    for name, history in named:
        row: dict[str, Any] = {"Run": name, "Epochs": len(history)}
        for metric in metrics:
            best = best_record(history, monitor=metric)
            last = next((record for record in reversed(history) if math.isfinite(getattr(record, metric))), None)
            row[f"{TITLES[metric]}: best"] = best and figure_named(metric).text(getattr(best, metric))
            row[f"{TITLES[metric]}: at epoch"] = best and best.epoch
            row[f"{TITLES[metric]}: last"] = last and figure_named(metric).text(getattr(last, metric))
        row["Training time"] = duration(sum(record.seconds for record in history)) if history else None
        rows.append(row)
    return rows


def _curves(run_ids: Sequence[str], metrics: Sequence[EpochMetric], axis: Axis, weight: float) -> None:
    runs = [lab().runs.get(run_id) for run_id in run_ids]
    named = [(name, lab().runs.history(run.run_id)) for name, run in zip(labels(runs), runs, strict=True)]
    _progress(runs, [name for name, _ in named])
    drawn = tuple(
        (run.run_id, run.ended_at, name, len(history)) for run, (name, history) in zip(runs, named, strict=True)
    )
    figure = _figure(drawn, tuple(metrics), axis, weight, named)
    components.render_plot(figure, key="curves", config={"scrollZoom": False})
    with st.expander("These curves as a table", icon="🔢"):
        alt = "The best and last values of the runs' curves, a row a run"
        st.dataframe(value_rows(named, metrics), hide_index=True, key="curve-values", placeholder="–", alt=alt)


def _progress(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Draw the progress of the runs at work, and a button that stops those that the visitor may stop."""
    at_work = [(run, name) for run, name in zip(runs, names, strict=True) if not run.status.ended]
    for run, name in at_work:
        run_lists.render_progress(run, lead=shorten(name))
    stoppable = [run for run, _ in at_work if lab().rights.allow(Action.STOP, run.resource)]

    def stop() -> None:
        for run in stoppable:
            lab().runs.stop(run.run_id)

    if stoppable:
        label, them = ("Stop", "it") if len(stoppable) == 1 else (f"Stop these {len(stoppable)}", "them")
        help = f"Complete epochs are kept, and Train can resume {them}."
        stop_requested = all(run.stop_requested for run in stoppable)
        shell.render_stop_button(stop, stop_requested=stop_requested, key="stop-compared", label=label, help=help)


def _metrics(into: DeltaGenerator) -> list[EpochMetric]:
    titles = {str(metric): title for metric, title in TITLES.items()}
    pills: dict[str, Any] = {
        "widget": inputs.pills,
        "selection_mode": "multi",
        "help": f"{term('accuracy')} {term('loss')}",
    }
    default = ["val_accuracy"]
    chosen = bound.choices("metric", titles, label="Curves", default=default, into=into, **pills) or default
    return [metric for metric in TITLES if metric in chosen]


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(
    drawn: tuple[tuple[str, float | None, str, int], ...],
    metrics: tuple[EpochMetric, ...],
    axis: Axis,
    weight: float,
    _named: Named,
) -> go.Figure:
    return compare_curves(_named, metrics=metrics, axis=axis, weight=weight, height=320)
