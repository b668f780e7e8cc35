"""The learning curves of compared runs over one another, and the legend that lights a run up in every chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.evaluation.curves import Metric, best_record
from aquadash.figures.compare_curves import TITLES, Axis, compare_curves, value_text
from aquadash.figures.theme import run_colour, run_dash, run_marker, shorten
from aquadash.lab.rights import Action
from aquadash.runs.types import EpochRecord, Run
from aquadash.ui import address, bound, components, inputs, run_lists, shell
from aquadash.ui.compared import Compared, labels
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import duration

#: Seconds between two looks at the curves while a picked run is at work.
_TICK_SECONDS = 5.0

_AXES: dict[str, str] = {"epoch": "by epoch", "time": "by training time"}

Named = list[tuple[str, list[EpochRecord]]]


def render_curves(compared: Compared) -> None:
    """Draw the curves, again and again while one of the runs is at work."""
    # Outside of what is drawn again and again: a click elsewhere closes it, and would go with that part alone.
    box = st.popover("Curves and axis", icon=":material/tune:", key="curves-box", on_change="rerun")
    metrics = _metrics(box)
    axis = cast(Axis, bound.choice("x", _AXES, label="Drawn", into=box))
    weight = bound.slider(
        "smooth", 0.0, 0.95, label="Smoothing", default=0.0, step=0.05, help=term("smoothing"), into=box
    )
    window = _window(_histories(compared.runs), axis, box)
    live = any(not run.status.ended for run in compared.runs)
    ids = [run.run_id for run in compared.runs]
    shell.live(_TICK_SECONDS if live else None)(_curves)(ids, metrics, axis, weight, window)


def value_rows(named: Sequence[tuple[str, Sequence[EpochRecord]]], metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """The curves as a table: a row a run, of each metric the best value with its epoch and the last one."""
    rows: list[dict[str, Any]] = []
    for name, history in named:
        row: dict[str, Any] = {"Run": name, "Epochs": len(history)}
        for metric in metrics:
            best = best_record(history, monitor=metric)
            last = next((record for record in reversed(history) if math.isfinite(getattr(record, metric))), None)
            row[f"{TITLES[metric]}: best"] = best and value_text(getattr(best, metric), metric)
            row[f"{TITLES[metric]}: at epoch"] = best and best.epoch
            row[f"{TITLES[metric]}: last"] = last and value_text(getattr(last, metric), metric)
        row["Training time"] = duration(sum(record.seconds for record in history)) if history else None
        rows.append(row)
    return rows


def _histories(runs: Sequence[Run]) -> Named:
    return [(name, lab().runs.history(run.run_id)) for name, run in zip(labels(runs), runs, strict=True)]


def _curves(
    run_ids: Sequence[str], metrics: Sequence[Metric], axis: Axis, weight: float, window: tuple[float, float] | None
) -> None:
    runs = [lab().runs.get(run_id) for run_id in run_ids]
    named = _histories(runs)
    _progress(runs, [name for name, _ in named])
    drawn = tuple(
        (run.run_id, run.ended_at, name, len(history)) for run, (name, history) in zip(runs, named, strict=True)
    )
    for metric in metrics:
        figure = _figure(drawn, metric, axis, weight, window, named)
        components.plot(figure, key=f"curves-{metric}", config={"scrollZoom": False})
    with st.expander("These curves as a table", icon="🔢"):
        st.dataframe(
            value_rows(named, metrics), hide_index=True, key="curve-values", placeholder="–",
            alt="The best and last values of the runs' curves, a row a run",
        )  # fmt: skip


def _progress(runs: Sequence[Run], names: Sequence[str]) -> None:
    """How far those are that are at work, and a button that stops those of them that the visitor may stop."""
    at_work = [(run, name) for run, name in zip(runs, names, strict=True) if not run.status.ended]
    for run, name in at_work:
        run_lists.progress_bar(run, lead=shorten(name))
    stoppable = [run for run, _ in at_work if lab().rights.allow(Action.STOP, run.resource)]

    def stop() -> None:
        for run in stoppable:
            lab().runs.stop(run.run_id)

    if stoppable:
        label, them = ("Stop", "it") if len(stoppable) == 1 else (f"Stop these {len(stoppable)}", "them")
        help = f"Complete epochs are kept, and Train can resume {them}."
        asked = all(run.stop_requested for run in stoppable)
        shell.stop_button(stop, asked=asked, key="stop-compared", label=label, help=help)


def _metrics(into: DeltaGenerator) -> list[Metric]:
    """Draw the choice of metrics; each has a chart."""
    titles = {str(metric): title for metric, title in TITLES.items()}
    chosen = bound.choices(
        "metric", titles, label="Curves", default=["val_accuracy"], widget=inputs.pills, selection_mode="multi",
        help=f"{term('accuracy')} {term('loss')}", into=into,
    )  # fmt: skip
    metrics = [metric for metric in TITLES if metric in (chosen or ["val_accuracy"])]
    # In one order, so that a view has one address.
    address.record("metric", ",".join(metrics), default="val_accuracy")
    return metrics


def _window(named: Named, axis: Axis, into: DeltaGenerator) -> tuple[float, float] | None:
    """Draw the slider for the part of the curves that is shown; a zoom in a chart moves it, too. None for all."""
    lengths = [
        sum(record.seconds for record in history) if axis == "time" else history[-1].epoch
        for _, history in named
        if history
    ]
    first, last = (0, math.ceil(max(lengths))) if axis == "time" and lengths else (1, int(max(lengths, default=1)))
    if last - first < 2:
        return None
    label = "Seconds of training shown" if axis == "time" else "Epochs shown"
    return zoom_window(first, last, kind=axis, label=label, into=into)


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(
    drawn: tuple[tuple[str, float | None, str, int], ...],
    metric: Metric,
    axis: Axis,
    weight: float,
    window: tuple[float, float] | None,
    _named: Named,
) -> go.Figure:
    """The chart, made once for everybody as long as none of the curves has grown."""
    return compare_curves(_named, metric=metric, axis=axis, weight=weight, window=window, legend=False, height=320)


_FOLDER = Path(__file__).resolve().parent

_KEY = "run-legend"
#: In the address and the session: the id of the run that stays lit, and the part of the curves that is shown.
LIT, ZOOM = "lit", "zoom"
_LIMITS = "zoom:limits"

#: Streamlit's charts know nothing of one another. This component listens to plotly's own events on every chart of the
#: page: whatever of a run the pointer touches, the same run is lit in all charts and the others are dimmed. Its buttons
#: do the same for the keyboard, and a pressed one stays lit, in the address, too.
_component = st.components.v2.component(
    "aquadash.run_legend",
    html='<div class="aqua-legend" role="group" aria-label="Light up a run in all charts"></div>',
    css=(_FOLDER / "run_legend.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "run_legend.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def render_legend(run_ids: Sequence[str], names: Sequence[str]) -> None:
    """Draw the legend; the lit run is in the address under ``lit``.

    Args:
        run_ids: The runs in the order that decides their colours.
        names: What to call them.
    """
    if st.session_state.get(LIT) not in (None, "", *run_ids):
        # The run that was lit is no longer among those compared.
        del st.session_state[LIT]
    expected = "the id of one of the runs"
    lit = address.restore(LIT, lambda text: address.one_id(text, run_ids), default="", expected=expected)
    address.record(LIT, lit, default="")
    entries = [
        {
            "id": run_id,
            "name": shorten(name, length=40),
            "colour": run_colour(index),
            "dash": run_dash(index),
            "marker": run_marker(index),
        }
        for index, (run_id, name) in enumerate(zip(run_ids, names, strict=True))
    ]
    _component(
        key=_KEY, data={"runs": entries, "lit": lit}, on_lit_change=_take_lit, on_zoom_change=_take_zoom
    )  # fmt: skip


def zoom_window(first: int, last: int, *, kind: str, label: str, into: DeltaGenerator) -> tuple[float, float] | None:
    """Draw the slider over the x axis of the curves, moved by zooms in a chart, too; in the address under ``zoom``.

    Args:
        first: Where the axis begins.
        last: Where it ends, at least two more.
        kind: What the axis is; the slider starts anew when it changes.
        label: What the slider is called.
        into: Where it is drawn.

    Returns:
        The part to show; None for all of it.
    """

    def decode(text: str) -> tuple[int, int]:
        low, _, high = text.partition("-")
        return _within((int(low), int(high)), first, last)

    if st.session_state.get(_LIMITS, (kind,))[0] != kind:
        st.session_state.pop(ZOOM, None)
        address.put(ZOOM, None)
    st.session_state[_LIMITS] = (kind, first, last)
    # Who looks at all goes on doing so when an epoch is added.
    address.follow(ZOOM, (first, last))
    if ZOOM in st.session_state:
        st.session_state[ZOOM] = _within(st.session_state[ZOOM], first, last)
    address.restore(ZOOM, decode, default=(first, last), expected=f"a part of {first} to {last}, as 3-10")
    help = "Drag over a chart to the same end; a double click shows all again."
    low, high = bound.draw(ZOOM, inputs.slider, label, first, last, help=help, into=into)
    address.record(ZOOM, f"{low}-{high}", default=f"{first}-{last}")
    return None if (low, high) == (first, last) else (float(low), float(high))


def _within(value: Any, first: int, last: int) -> tuple[int, int]:
    """A part of the axis, at least one step long."""
    low, high = sorted(int(end) for end in value)
    low = min(max(low, first), last - 1)
    return low, max(min(high, last), low + 1)


def _take_lit() -> None:
    st.session_state[LIT] = str(_told(LIT).get("id") or "")


def _take_zoom() -> None:
    limits = st.session_state.get(_LIMITS)
    if limits is None:
        return
    _, first, last = limits
    try:
        low, high = (float(end) for end in _told(ZOOM).get("range") or (first, last))
        st.session_state[ZOOM] = _within((round(low), round(high)), first, last)
    except (TypeError, ValueError, OverflowError):
        st.session_state[ZOOM] = (first, last)


def _told(name: str) -> Mapping[str, Any]:
    """What the browser has just said under a name; empty for anything that is not of the expected form."""
    state = st.session_state.get(_KEY)
    value = state.get(name) if isinstance(state, Mapping) else None
    return value if isinstance(value, Mapping) else {}
