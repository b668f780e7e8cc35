"""The live view of a run. All of it is read from the store, so that every browser sees the same training.

What changes every second is drawn in one fragment; what belongs to the run's status is drawn around it, and a change
of status draws the page again. Curves are read and drawn once an epoch and shared between sessions: training shares
its processor with whoever looks on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.evaluation.curves import best_epoch
from aquadash.figures.learning_curves import Metric, learning_curves
from aquadash.runs.types import EpochRecord, Run, RunStatus
from aquadash.ui import cache, components, shell
from aquadash.ui import setting_fields as fields
from aquadash.ui.glossary import term
from aquadash.ui.text import count, duration, percent, plain

#: Seconds between two looks at a run at work. Its worker reports once a second.
TICK_SECONDS = 2.0

#: Least seconds between two drawings of the curves. Drawing them takes a browser on the same computer a tenth of a
#: second, which the training then lacks; epochs may take less than two.
REDRAW_SECONDS = 5.0

#: What of which run is drawn in this session, and since when: (run id, stage, monotonic seconds).
_DRAWN = "live:drawn"

#: Seconds between two looks at the queue, whose reading costs more.
QUEUE_SECONDS = 5.0

#: So many of the last epochs can be looked at alone; 0 stands for all. Streamlit builds a chart anew when its data
#: changes, so that a zoom made with the mouse lasts only until the next epoch; this choice stays.
WINDOWS = (0, 50, 10)

#: A state of a run's history that changes whenever an epoch may have been added.
Stage = tuple[str, float | None, int, bool]


def order(runs: Sequence[Run]) -> list[Run]:
    """Runs at work first, the running before the waiting in their order; then the others as they came."""
    running = [run for run in runs if run.status is RunStatus.RUNNING]
    return [*running, *waiting(runs), *(run for run in runs if run.status.ended)]


def waiting(runs: Sequence[Run]) -> list[Run]:
    """The queue: the run that starts next first."""
    return sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.queued_at)


def watch(runs: Sequence[Run]) -> None:
    """Draw the menu of runs, bound to ``?run=``, and the chosen run; by default the one at work or the newest."""
    st.subheader("Watch", anchor=False)
    if sum(not run.status.ended for run in runs) > 1:
        shell.live(QUEUE_SECONDS)(_at_work)()
    chosen = components.run_picker(order(runs), label="Run to watch", help=term("run"))
    if chosen is not None:
        show(chosen.run_id)


def show(run_id: str) -> None:
    """Draw a run: what can be done with it, how far it is, its curves and its log."""
    run = cache.run(run_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        components.status_badge(run.status)
        st.caption(plain(_recipe(run)), width="content")
    _explanation(run)
    _actions(run)
    shell.live(None if run.status.ended else TICK_SECONDS)(_picture)(run_id, _signature(run))


def progress_text(run: Run) -> tuple[float | None, str, str]:
    """How far a run at work is.

    Returns:
        The share of the epoch that is done (0 to 1, None outside of epochs), what it does, and how fast and how long
        still; the texts are plain text, the last one may be empty.
    """
    progress = run.progress
    if progress is None:
        return None, "Starting the training process ...", ""
    if not progress.batches:
        return None, f"{progress.phase[:1].upper()}{progress.phase[1:]} ...", ""
    done = f"Epoch {progress.epoch} of at most {progress.epochs} · batch {progress.batch:,} of {progress.batches:,}"
    facts = []
    if progress.images_per_second > 0:
        facts.append(f"{progress.images_per_second:,.0f} images/s")
    if progress.eta_seconds is not None:
        sooner = "; early stopping may end it sooner" if run.config.training.patience else ""
        facts.append(f"at most {duration(progress.eta_seconds)} left{sooner}")
    return min(1.0, progress.batch / progress.batches), done, " · ".join(facts)


def queue_text(run: Run, runs: Sequence[Run]) -> str:
    """Who goes before a queued run, as plain text."""
    ids = [other.run_id for other in waiting(runs)]
    before = ids.index(run.run_id) if run.run_id in ids else 0
    running = sum(other.status is RunStatus.RUNNING for other in runs)
    if before:
        return f"Number {before + 1} in the queue: {count(before, 'run')} will start before it."
    return (
        "Next in the queue: it starts when a running one ends."
        if running
        else "Next in the queue: it starts in a moment."
    )


def _signature(run: Run) -> tuple[RunStatus, bool]:
    """What the parts around the fragment depend on."""
    return run.status, run.stop_requested


def _recipe(run: Run) -> str:
    values = (("data.source", run.config.data.source), ("augmentation.pipeline", run.config.augmentation.pipeline))
    return " · ".join([*(fields.value_text(name, value) for name, value in values), f"seed {run.config.seed}"])


def _explanation(run: Run) -> None:
    """Why the run is where it is, in words."""
    if run.status is RunStatus.INTERRUPTED:
        kept = len(cache.history(run.run_id))
        st.warning(
            "The training process has gone silent: it crashed, was ended, or its computer fell asleep. "
            f"**{count(kept, 'complete epoch')} kept**; at most the epoch under way is lost. "
            f"Resume goes on with epoch {kept + 1} as if there had been no break.",
            icon="⚡",
        )
    elif run.status is RunStatus.FAILED:
        st.error(
            plain(run.message or "The training failed and left no reason. The log below may tell more."), icon="❌"
        )
    elif run.status is RunStatus.STOPPED:
        st.info(plain(run.message or "Stopped by request. Complete epochs are kept."), icon="✋")


def _actions(run: Run) -> None:
    """Stop, resume, and the way to the results."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if not run.status.ended:
            _stop_button(run)
        if run.status.resumable and st.button("Resume", key=f"resume-{run.run_id}", type="primary", icon="▶️"):
            with shell.guard():
                cache.engine().resume(run.run_id)
                cache.refresh()
                st.rerun()
        if "test_accuracy" in run.metrics:
            st.page_link(
                "pages/evaluate.py",
                label="Evaluate this run",
                query_params={"run": run.run_id},
                icon=":material/arrow_forward:",
            )


def _stop_button(run: Run) -> None:
    if run.stop_requested:
        st.button("Stopping ...", key=f"stopping-{run.run_id}", icon="✋", disabled=True)
        return
    label = "Take out of the queue" if run.status is RunStatus.QUEUED else "Stop"
    if st.button(label, key=f"stop-{run.run_id}", icon="✋", help="Complete epochs are kept, and it can be resumed."):
        with shell.guard():
            cache.engine().stop(run.run_id)
            cache.refresh()
            st.rerun()


def _picture(run_id: str, seen: tuple[RunStatus, bool]) -> None:
    """The part that a run at work keeps drawing."""
    run = cache.run(run_id)
    if _signature(run) != seen:
        cache.refresh()
        st.rerun()
    if run.status is RunStatus.QUEUED:
        st.markdown(f"⏳ {plain(queue_text(run, cache.runs()))}")
    elif run.status is RunStatus.RUNNING:
        _progress(run)
    stage = _held(run_id, _stage(run))
    history = cache.history(run_id) if run.status.ended else _history(run_id, stage)
    _figures_of_best_epoch(run, history)
    last = _window(len(history))
    for metric in ("accuracy", "loss"):
        components.plot(_curves(run_id, stage, metric, last), key=f"live-{metric}")
    _log(run)


def _progress(run: Run) -> None:
    share, doing, facts = progress_text(run)
    if share is None:
        st.markdown(f"⚙️ {plain(doing)}")
        return
    st.progress(share, text=plain(doing))
    st.caption(plain(facts) or "Measuring the speed ...")


def _figures_of_best_epoch(run: Run, history: Sequence[EpochRecord]) -> None:
    number = best_epoch(history)
    best = next((record for record in history if record.epoch == number), None)
    if best is None:
        return
    with st.container(horizontal=True):
        st.metric(
            "Best epoch", f"{best.epoch} of {len(history)}", help=term("best epoch"), width="content", border=True
        )
        st.metric(
            "Validation accuracy",
            f"{100 * best.val_accuracy:.0f} %",
            help=term("accuracy"),
            width="content",
            border=True,
        )
        st.metric("Validation loss", f"{best.val_loss:.3f}", help=term("loss"), width="content", border=True)
        if run.status.ended and "test_accuracy" in run.metrics:
            _test_accuracy(run)


def _window(epochs: int) -> int:
    """Draw the choice of how many of the last epochs to show, and return it; 0 for all."""
    if epochs <= min(filter(None, WINDOWS)):
        return 0
    chosen = st.segmented_control(
        "Epochs shown",
        WINDOWS,
        key="live-window",
        default=0,
        required=True,
        format_func=lambda last: f"last {last}" if last else "all epochs",
        label_visibility="collapsed",
    )
    return chosen or 0


def _test_accuracy(run: Run) -> None:
    """With its interval, where the predictions can still be read."""
    try:
        found = cache.evaluation(run.run_id)
        accuracy, _, interval = percent(found.accuracy, found.accuracy_ci95).partition(" (")
    except AquaDashError:
        accuracy, interval = percent(run.metrics["test_accuracy"]), ""
    st.metric(
        "Test accuracy",
        accuracy,
        delta=f"95 % interval: {interval.rstrip(')')}" if interval else None,
        delta_color="off",
        delta_arrow="off",
        help=term("confidence interval"),
        width="content",
        border=True,
    )


def _log(run: Run) -> None:
    with st.expander("Log", icon="📜", key=f"log-{run.run_id}", on_change="rerun") as log:
        if log.open:
            st.code(run.log_tail or "Nothing yet.", language=None, wrap_lines=True, height=300)


def _at_work() -> None:
    """Who runs and who waits."""
    runs = cache.runs()
    at_work = [run for run in order(runs) if not run.status.ended]
    queue = [run.run_id for run in waiting(runs)]
    with st.expander(f"Running and waiting: {len(at_work)}", icon="🚦"):
        for run in at_work[:20]:
            with st.container(horizontal=True, vertical_alignment="center"):
                components.status_badge(run.status)
                place = f"{queue.index(run.run_id) + 1}. in the queue: " if run.run_id in queue else ""
                st.markdown(f"{place}**{plain(run.name)}**", width="content")
                st.page_link("pages/train.py", label="Watch", query_params={"run": run.run_id})
        if len(at_work) > 20:
            st.caption(f"and {len(at_work) - 20} more")


def _stage(run: Run) -> Stage:
    """An epoch's record is in the store before the worker reports the next one, so that the number under way tells."""
    progress = run.progress
    return (
        str(run.status),
        run.ended_at if run.status.ended else run.started_at,
        progress.epoch if progress else 0,
        bool(progress and progress.batches),
    )


def _held(run_id: str, stage: Stage) -> Stage:
    """The stage to draw: the present one, or the drawn one while that is fresh and only an epoch has been added."""
    drawn = st.session_state.get(_DRAWN)
    now = time.monotonic()
    if drawn is not None and drawn[0] == run_id and drawn[1][:2] == stage[:2] and drawn[1][3] == stage[3]:
        if drawn[1] == stage or now - drawn[2] < REDRAW_SECONDS:
            return drawn[1]
    st.session_state[_DRAWN] = (run_id, stage, now)
    return stage


@st.cache_resource(max_entries=64, show_spinner=False)
def _history(run_id: str, stage: Stage) -> tuple[EpochRecord, ...]:
    return tuple(cache.store().history(run_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _curves(run_id: str, stage: Stage, metric: Metric, last: int) -> go.Figure:
    history = _history(run_id, stage)
    figure = learning_curves(history, metric=metric, revision=run_id, height=260)
    shown = history[-last:]
    scale = 100.0 if metric == "accuracy" else 1.0
    values = [scale * getattr(record, name) for record in shown for name in (metric, f"val_{metric}")]
    values = [value for value in values if math.isfinite(value)]
    if 0 < last < len(history) and values:
        margin = 0.08 * (max(values) - min(values)) or 0.1
        figure.update_xaxes(range=[shown[0].epoch - 0.5, shown[-1].epoch + 0.5])
        figure.update_yaxes(range=[min(values) - margin, max(values) + margin])
    return figure
