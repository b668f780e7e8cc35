"""Small parts used by several pages."""

import html
import mimetypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from aquadash.data import title_of
from aquadash.figures.theme import alt_text, isolated
from aquadash.lab.rights import Action
from aquadash.store.fields import validation_accuracy
from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import address, inputs
from aquadash.ui.kit.address import Codec
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.run_lists import own_first, owner_text
from aquadash.ui.kit.text import plain, short_moment, unique_titles

#: Icon, word and badge colour of each status: colour alone would not be accessible.
STATUS_SIGNS: dict[RunStatus, tuple[str, str, str]] = {
    RunStatus.QUEUED: ("⏳", "waiting", "gray"),
    RunStatus.RUNNING: ("🏊", "running", "blue"),
    RunStatus.FINISHED: ("✅", "finished", "green"),
    RunStatus.STOPPED: ("✋", "stopped", "violet"),
    RunStatus.FAILED: ("❌", "failed", "red"),
    RunStatus.INTERRUPTED: ("⚡", "interrupted", "orange"),
    RunStatus.UNREADABLE: ("💔", "unreadable", "red"),
}

#: Plotly's configuration of every chart.
PLOT_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "responsive": True,
}

#: An invisible component that reports clicked points of a chart (STREAMLIT.md, "Clicks on charts").
_CLICKS = st.components.v2.component(
    "aquadash.clicks",
    js="""
export default function ({ data, setTriggerValue }) {
  const tell = (event) => event.points[0]?.customdata && setTriggerValue("clicked", [...event.points[0].customdata]);
  const listen = () => {
    for (const chart of document.querySelectorAll(`.st-key-${CSS.escape(data.chart)} .js-plotly-plot`)) {
      // Plotly adds `on` a moment after the chart is in the page.
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


def render_status(status: RunStatus) -> None:
    """Draw a run's status as icon, word and colour."""
    icon, word, colour = STATUS_SIGNS[status]
    st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]


def status_text(status: RunStatus) -> str:
    """Return a run's status as icon and word."""
    icon, word, _ = STATUS_SIGNS[status]
    return f"{icon} {word}"


def run_label(run: Run) -> str:
    """Return a run's title in menus: name, validation accuracy, data, time and, in a class, its owner."""
    # A running run's accuracy changes with each epoch.
    accuracy = validation_accuracy(run) if run.status.ended else None
    validation = f"{100 * accuracy:.0f} % validation" if accuracy is not None else ""
    parts = (run.name, validation, title_of(run.config.data.source))
    shown = filter(None, (*parts, short_moment(run.created_at), owner_text(run.resource)))
    return " · ".join(map(isolated, shown))


def run_labels(runs: Iterable[Run]) -> dict[str, str]:
    """Return unique titles of runs by id."""
    return unique_titles({run.run_id: run_label(run) for run in runs})


def run_picker(runs: Sequence[Run], *, key: str = "run", label: str = "Run", **options: Any) -> Run | None:
    """Draw a menu of runs, in the address as ``?run=``; a stale or unreadable run gives a message and None."""
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
    titles: Mapping[str, str], *, key: str, label: str, thing: str, why_not: Callable[[str], str], **options: Any
) -> str | None:
    """Draw a menu of ids, which an address may shorten; return None after a stale link."""
    text = st.query_params.get(key, "")

    def parse(text: str) -> str | None:
        matches = [each for each in titles if text and each.startswith(text)]
        return matches[0] if len(matches) == 1 else None

    # The text of a stale link stays in the address until another id is chosen.
    codec = Codec[str | None](
        f"the id of a {thing}", parse, lambda held: held or text, lambda held: held if held in titles else None
    )
    if address.sync(key, codec, default=next(iter(titles), None), omitted="") is None:
        reason = why_not(text) or (
            f"There is no {thing} “{text[:40]}” here; it may have been deleted, or the link comes from another "
            "computer."
        )
        st.warning(f"{plain(reason)} Choose one below.", icon="🧭")
    chosen: str | None = inputs.selectbox(
        label, list(titles), key=key, format_func=titles.__getitem__, placeholder=f"Choose a {thing}", **options
    )
    return chosen


def _refusal(text: str) -> str:
    """Return why a run of the address is not in the menu, such as another student's."""
    matches = [run for run in lab().runs.all() if text and run.run_id.startswith(text)]
    if len(matches) != 1:
        return ""
    refused = lab().rights.refusal(Action.OPEN_MODEL, matches[0].resource)
    return refused or f"The run “{matches[0].name}” has no results to show here."


def ask_to_delete(what: str, consequence: str, *, key: str, delete: Callable[[], None]) -> None:
    """Open a dialog that asks before a final deletion."""

    @st.dialog(f"Delete “{plain(what)}”?", icon="🗑️")
    def ask() -> None:
        st.markdown(f"{consequence} This cannot be undone.")
        with st.container(horizontal=True):
            deleted = st.button("Delete", key=f"{key}-yes", type="primary", on_click=delete)
            if st.button("Cancel", key=f"{key}-no") or deleted:
                st.rerun()

    ask()


def render_download(
    label: str, content: str | bytes | Callable[[], bytes], *, file_name: str, key: str, **options: Any
) -> None:
    """Draw a download button that does not rerun the page; a function makes the content on the click."""
    kind = mimetypes.guess_type(file_name)[0] or "application/octet-stream"
    st.download_button(
        label, content, file_name, kind, key=key, icon=":material/download:", on_click="ignore", **options
    )


def render_empty_state(emoji: str, sentence: str, *, label: str) -> None:
    """Draw why a page is empty, in markdown, and a link to Train."""
    with st.container(border=True, horizontal_alignment="center"):
        st.html(f"<div style='font-size: 3rem' aria-hidden='true'>{html.escape(emoji)}</div>", width="content")
        st.markdown(sentence, width="content", text_alignment="center")
        st.page_link("pages/train.py", label=label, icon=":material/arrow_forward:")


def render_work_progress() -> Callable[[str, float | None], None]:
    """Draw a progress bar; return the function that sets its plain text and its fraction, 0 to 1 or unknown."""
    bar = st.progress(0.0, text="Starting ...")

    def show(text: str, fraction: float | None) -> None:
        bar.progress(min(fraction or 0.0, 1.0), text=plain(text))

    return show


def render_metric(label: str, value: str, *, note: str = "", help: str | None = None, **options: Any) -> None:
    """Draw a framed metric with a note below, such as its interval."""
    options = {"border": True, **options}
    st.metric(label, value, delta=note or None, delta_color="off", delta_arrow="off", help=help, **options)


def render_plot(figure: go.Figure, *, key: str, **options: Any) -> None:
    """Draw a figure with its text alternative; the key keeps its zoom over reruns."""
    config = {**PLOT_CONFIG, **options.pop("config", {})}
    st.plotly_chart(figure, key=key, alt=alt_text(figure), config=config, **options)


def new_click(chart: str, *below: int) -> tuple[int, ...] | None:
    """Return the ``customdata`` of the point just clicked, whole numbers from 0 to less than ``below``.

    Call it before the controls that a click sets.
    """
    key, taken = f"{chart}-clicks", f"{chart}-clicked"

    def take() -> None:
        # The runs are stored with the click: another click may choose other runs before the page is drawn.
        st.session_state[taken] = _runs_in_address(), st.session_state[key].get("clicked")

    _CLICKS(key=key, data={"chart": chart}, height=1, on_clicked_change=take)
    runs, point = st.session_state.pop(taken, (None, None))
    if point is None or runs != _runs_in_address():
        return None
    try:
        return tuple(range(limit).index(value) for value, limit in zip(point, below, strict=True))
    except (TypeError, ValueError):
        return None


def _runs_in_address() -> tuple[str | None, ...]:
    return tuple(map(st.query_params.get, ("run", "runs")))
