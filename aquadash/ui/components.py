"""Small parts that several pages are made of."""

from __future__ import annotations

import html
import mimetypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from aquadash.data import title_of
from aquadash.figures.cells import MAX_NUMBERED
from aquadash.figures.theme import alt_text, isolated
from aquadash.lab.rights import Action
from aquadash.store.fields import validation_accuracy
from aquadash.store.types import Run, RunStatus
from aquadash.ui import address, inputs
from aquadash.ui.lab import lab
from aquadash.ui.run_lists import own_first, owner_text
from aquadash.ui.text import named, percent, plain, short_moment, unique_titles

#: Icon, word and badge colour of each status: the colour never stands alone.
STATUS_SIGNS: dict[RunStatus, tuple[str, str, str]] = {
    RunStatus.QUEUED: ("⏳", "waiting", "gray"),
    RunStatus.RUNNING: ("🏊", "running", "blue"),
    RunStatus.FINISHED: ("✅", "finished", "green"),
    RunStatus.STOPPED: ("✋", "stopped", "violet"),
    RunStatus.FAILED: ("❌", "failed", "red"),
    RunStatus.INTERRUPTED: ("⚡", "interrupted", "orange"),
    RunStatus.UNREADABLE: ("💔", "unreadable", "red"),
}

#: How every chart behaves: no logo, and only the tools that help here.
PLOT_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "responsive": True,
}

#: Has no size: it tells which point of a chart was clicked. Streamlit's own selection takes the point that was below
#: the pointer before, which a finger has none of; a second click takes the point back; and no finger can scroll on it.
_CLICKS = st.components.v2.component(
    "aquadash.clicks",
    js="""
export default function ({ data, setTriggerValue }) {
  const tell = (event) => event.points[0]?.customdata && setTriggerValue("clicked", [...event.points[0].customdata]);
  const listen = () => {
    for (const chart of document.querySelectorAll(`.st-key-${CSS.escape(data.chart)} .js-plotly-plot`)) {
      // Plotly lets a chart listen a moment after it is in the page.
      if (!chart.aquaClicked && chart.on) chart.on("plotly_click", (event) => chart.aquaClicked(event));
      if (chart.on) chart.aquaClicked = tell;
    }
  };
  const observer = new MutationObserver(listen);
  observer.observe(document.body, { childList: true, subtree: true });
  listen();
  return () => observer.disconnect();
}
""",
)


def status_badge(status: RunStatus) -> None:
    """A run's status as icon, word and colour."""
    icon, word, colour = STATUS_SIGNS[status]
    st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]


def status_text(status: RunStatus) -> str:
    """A run's status as icon and word, for tables and menus."""
    icon, word, _ = STATUS_SIGNS[status]
    return f"{icon} {word}"


def run_label(run: Run) -> str:
    """A run in a menu, told from others: name, validation accuracy, data, when it was made, in a class whose it is."""
    # That of a run at work changes with each epoch.
    accuracy = validation_accuracy(run) if run.status.ended else None
    parts = (run.name, f"{100 * accuracy:.0f} %" if accuracy is not None else "", title_of(run.config.data.source))
    told = filter(None, (*parts, short_moment(run.created_at), owner_text(run.resource)))
    return " · ".join(map(isolated, told))


def run_labels(runs: Iterable[Run]) -> dict[str, str]:
    """:func:`run_label` by id, for a menu."""
    return unique_titles({run.run_id: run_label(run) for run in runs})


def run_picker(runs: Sequence[Run], *, key: str = "run", label: str = "Run", **options: Any) -> Run | None:
    """A menu of runs, bound to the address: ``?run=`` and a run's id, or the start of one.

    A link to a run that is not there gets a message instead of another run's results. Show :func:`empty_state` instead
    of a menu without runs.
    """
    by_id = {run.run_id: run for run in own_first(runs)}
    chosen = id_picker(run_labels(by_id.values()), key=key, label=label, thing="run", why_not=_refusal, **options)
    if chosen is None:
        return None
    run = by_id[chosen]
    if run.status is RunStatus.UNREADABLE:
        st.error(plain(run.message), icon="💔")
        st.page_link("pages/compare.py", label="Go to Compare, to delete it", query_params={"runs": run.run_id})
        return None
    return run


def id_picker(
    titles: Mapping[str, str],
    *,
    key: str,
    label: str,
    thing: str,
    why_not: Callable[[str], str] = lambda text: "",
    **options: Any,
) -> str | None:
    """A menu of things with ids, bound to the address, where the start of an id will do; None after a stale link."""
    if st.session_state.get(key) not in (None, *titles):
        del st.session_state[key]

    def decode(text: str) -> str | None:
        matches = [each for each in titles if text and each.startswith(text)]
        return matches[0] if len(matches) == 1 else None

    if address.restore(key, decode, default=next(iter(titles), None), expected=f"the id of a {thing}") is None:
        asked = st.query_params.get(key, "")
        reason = why_not(asked) or (
            f"There is no {thing} “{asked[:40]}” here; it may have been deleted, or the link comes from another "
            "computer."
        )
        st.warning(f"{plain(reason)} Choose one below.", icon="🧭")
    chosen: str | None = inputs.selectbox(
        label, list(titles), key=key, format_func=titles.__getitem__, placeholder=f"Choose a {thing}", **options
    )
    if chosen is not None:
        address.record(key, chosen, default="")
    return chosen


def _refusal(text: str) -> str:
    """Why a menu has not the run of an address: because its network is another student's, for example."""
    found = [run for run in lab().runs.all() if text and run.run_id.startswith(text)]
    if len(found) != 1:
        return ""
    refused = lab().rights.refusal(Action.OPEN_MODEL, found[0].resource)
    return refused or f"The run “{found[0].name}” has no results to show here."


def undo_bar(what: str, *, key: str, on_undo: Callable[[], None], on_dismiss: Callable[[], None]) -> None:
    """Say that something was deleted, with a button that brings it back and one that takes the message away."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"🗑️ Deleted **{plain(what)}**.", width="content")
        st.button(named("Undo", what), key=f"undo-{key}", icon="↩️", on_click=on_undo)
        st.button(named("Dismiss", what), key=f"dismiss-{key}", type="tertiary", on_click=on_dismiss)


def ask_to_delete(what: str, consequence: str, *, key: str, delete: Callable[[], None]) -> None:
    """Open a dialog that asks before something is deleted for good."""

    @st.dialog(f"Delete “{plain(what)}”?", icon="🗑️")
    def ask() -> None:
        st.markdown(f"{consequence} This cannot be undone.")
        with st.container(horizontal=True):
            deleted = st.button("Delete", key=f"{key}-yes", type="primary", on_click=delete)
            if st.button("Cancel", key=f"{key}-no") or deleted:
                st.rerun()

    ask()


def download(
    label: str, content: str | bytes | Callable[[], bytes], *, file_name: str, key: str, **options: Any
) -> None:
    """A button that downloads a file; the page is not drawn again. A function makes the content on the click."""
    kind = mimetypes.guess_type(file_name)[0] or "application/octet-stream"
    st.download_button(
        label, content, file_name, kind, key=key, icon=":material/download:", on_click="ignore", **options
    )


def empty_state(emoji: str, sentence: str, *, label: str) -> None:
    """What a page shows while nothing is trained: why it is empty, in markdown, and a link to Train."""
    with st.container(border=True, horizontal_alignment="center"):
        st.html(f"<div style='font-size: 3rem' aria-hidden='true'>{html.escape(emoji)}</div>", width="content")
        st.markdown(sentence, width="content", text_alignment="center")
        st.page_link("pages/train.py", label=label, icon=":material/arrow_forward:")


def metric(label: str, value: str, *, note: str = "", help: str | None = None, **options: Any) -> None:
    """Draw a figure in a frame, and a note below it, such as its interval; ``options`` are for ``st.metric``."""
    options = {"border": True, **options}
    st.metric(label, value, delta=note or None, delta_color="off", delta_arrow="off", help=help, **options)


def fraction_metric(
    label: str, fraction: float | None, interval: tuple[float, float] | None, *, help: str, note: str = ""
) -> None:
    """Draw a fraction from 0 to 1 in per cent with its 95 % interval below it, or the note where there is none."""
    value, _, ends = percent(fraction, interval).rstrip(")").partition(" (")
    metric(label, value, note=f"95 % interval: {ends}" if ends else note, help=help)


def compact_matrix(figure: go.Figure, *, classes: int) -> go.Figure:
    """A confusion matrix for half a page or a phone, where level names would run into one another.

    Where every cell says its number, the colour bar's room is better spent on the cells.
    """
    figure.update_xaxes(tickangle=-35)
    if classes <= MAX_NUMBERED:
        figure.update_traces(showscale=False, selector={"type": "heatmap"})
    return figure


def plot(figure: go.Figure, *, key: str, **options: Any) -> None:
    """Draw a figure of :mod:`aquadash.figures` with its text alternative; the key keeps its zoom over reruns."""
    config = {**PLOT_CONFIG, **options.pop("config", {})}
    st.plotly_chart(figure, key=key, alt=alt_text(figure), config=config, **options)


def new_click(chart: str, *below: int | None) -> tuple[Any, ...] | None:
    """Let a chart's points be clicked, and tell the numbers in the ``customdata`` of the one that just was.

    Call it before the controls that the click sets are drawn.
    """
    key, taken = f"{chart}-clicks", f"{chart}-clicked"

    def take() -> None:
        # Before the page is drawn, which another click may cut off: one that chooses other runs, too.
        st.session_state[taken] = _runs_in_address(), st.session_state[key].get("clicked")

    _CLICKS(key=key, data={"chart": chart}, height=1, on_clicked_change=take)
    runs, point = st.session_state.pop(taken, (None, None))
    if runs != _runs_in_address() or not isinstance(point, (list, tuple)) or len(point) != len(below):
        return None
    numbers = tuple(_number(value, limit) for value, limit in zip(point, below, strict=True))
    return None if None in numbers else numbers


def _runs_in_address() -> tuple[str | None, ...]:
    return tuple(map(st.query_params.get, ("run", "runs")))


def _number(value: Any, below: int | None) -> int | float | None:
    """As :func:`new_click` expects it; None for anything else that a chart may hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if below is None:
        return float(value) if 0 <= value <= 1 else None
    return int(value) if 0 <= value < below and value == int(value) else None
