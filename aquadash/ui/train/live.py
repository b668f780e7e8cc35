"""The live view of a run: what can be done with it, how far it is, its figures, curves and log."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.evaluation.curves import best_epoch
from aquadash.figures.learning_curves import Metric, Monitor, learning_curves
from aquadash.lab.rights import Action
from aquadash.runs.fields import FIGURES
from aquadash.runs.types import EpochRecord, Guess, Run, RunStatus
from aquadash.ui import components, inputs, run_lists, shell
from aquadash.ui import hyperparameters as fields
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, joined, plain, sentence, time_left
from aquadash.ui.train import clone, coach_notes, guess_box

#: Seconds between two looks at a run at work. Its worker reports once a second; with the age of what is looked at, a
#: report is on the screen within two.
TICK_SECONDS = 1.4

#: The same until a run has its first batch, for which whoever has clicked is waiting.
STARTING_SECONDS = 0.3

#: Seconds between two drawings of the curves and of what is said of them. Drawing them takes a browser on the same
#: computer a tenth of a second, which the training then lacks; epochs may take less than two.
CURVES_SECONDS = 5.0

#: Seconds between two looks at the queue, whose reading costs more.
QUEUE_SECONDS = 5.0


def watch_runs(runs: Sequence[Run]) -> None:
    """Draw the menu of runs, bound to ``?run=``, and the chosen run; by default the one at work or the newest."""
    st.subheader("Watch", anchor=False)
    if sum(not run.status.ended for run in runs) > 1:
        shell.live(QUEUE_SECONDS)(_at_work)()
    chosen = components.run_picker(run_lists.active_first(runs), label="Run to watch", help=term("run"))
    if chosen is not None:
        render_run(chosen.run_id)


def render_run(run_id: str) -> None:
    """Draw a run: what can be done with it, how far it is, its curves and its log."""
    run = lab().runs.get(run_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        components.status_badge(run.status)
        st.caption(plain(_recipe(run)), width="content")
    _explanation(run)
    _actions(run)
    guess_box.render_guess(run)
    if not run.status.ended:
        shell.live(STARTING_SECONDS if _is_starting(run) else TICK_SECONDS)(_now)(run_id, _signature(run))
    shell.live(None if run.status.ended else CURVES_SECONDS)(_epochs)(run_id)


def progress_text(run: Run) -> tuple[float | None, str, str]:
    """How far a run at work is.

    Returns:
        The fraction of the epoch that is done (0 to 1, None outside of epochs), what it does, and how fast and how long
        still; the texts are plain text, the last one may be empty.
    """
    progress = run.progress
    if progress is None:
        return None, "Starting the training process ...", ""
    if not progress.batches:
        return None, f"{sentence(progress.phase)} ...", ""
    done = f"Epoch {progress.epoch} of at most {progress.epochs} · batch {progress.batch:,} of {progress.batches:,}"
    pace = f"{progress.images_per_second:,.0f} images/s" if progress.images_per_second > 0 else ""
    left = time_left(progress.eta_seconds, at_most=True)
    if left and run.config.training.patience:
        left += "; early stopping may end it sooner"
    return min(1.0, progress.batch / progress.batches), done, joined(pace, left)


def queue_text(run: Run, runs: Sequence[Run]) -> str:
    """Who goes before a queued run, as plain text."""
    if run.rank > 1:
        text = f"Number {run.rank} in the queue: {count(run.rank - 1, 'run')} will start before it."
    elif any(other.status is RunStatus.RUNNING for other in runs):
        text = "Next in the queue: it starts when a running one ends."
    else:
        text = "Next in the queue: it starts in a moment."
    return f"{text} {run.message}".rstrip()


def _signature(run: Run) -> tuple[RunStatus, bool, bool, Guess | None]:
    """What the parts around the fragment depend on, and how often it looks."""
    # The guess is kept a moment after the run, and the page may have been drawn in between.
    return run.status, run.stop_requested, _has_begun(run), run.guess


def _is_starting(run: Run) -> bool:
    if run.status is RunStatus.QUEUED:
        return run.rank == 1 and all(other.status is not RunStatus.RUNNING for other in lab().runs.all())
    return not _has_begun(run)


def _has_begun(run: Run) -> bool:
    return run.progress is not None and run.progress.batches > 0


def _recipe(run: Run) -> str:
    values = (("data.source", run.config.data.source), ("augmentation.pipeline", run.config.augmentation.pipeline))
    return " · ".join([*(fields.value_text(name, value) for name, value in values), f"seed {run.config.seed}"])


def _explanation(run: Run) -> None:
    """Why the run is where it is, in words."""
    if run.status is RunStatus.INTERRUPTED:
        kept = len(lab().runs.history(run.run_id))
        st.warning(
            "It was cut off before its end, and nothing goes on with it by itself. "
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
    """Stop, resume, and the ways to the results and to another run like it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        run_lists.owner_badge(run.resource)
        if not run.status.ended and lab().rights.allow(Action.STOP, run.resource):
            _stop_button(run)
        may_resume = run.status.resumable and lab().rights.allow(Action.RESUME, run.resource)
        if may_resume and st.button("Resume", key=f"resume-{run.run_id}", type="primary", icon="▶️"):
            with shell.guard():
                lab().runs.resume(run.run_id)
                st.rerun()
        if "test_accuracy" in run.metrics:
            st.page_link(
                "pages/evaluate.py",
                label="Evaluate this run",
                query_params={"run": run.run_id},
                icon=":material/arrow_forward:",
            )
        clone.link(run.run_id)


def _stop_button(run: Run) -> None:
    if run.stop_requested:
        st.button("Stopping ...", key=f"stopping-{run.run_id}", icon="✋", disabled=True)
        return
    label = "Take out of the queue" if run.status is RunStatus.QUEUED else "Stop"
    if st.button(label, key=f"stop-{run.run_id}", icon="✋", help="Complete epochs are kept, and it can be resumed."):
        with shell.guard():
            lab().runs.stop(run.run_id)
            st.rerun()


def _now(run_id: str, seen: tuple[RunStatus, bool, bool, Guess | None]) -> None:
    """How far a run at work is; the page again when its status has changed."""
    run = lab().runs.get(run_id)
    if _signature(run) != seen:
        lab().refresh()
        st.rerun()
    if run.status is RunStatus.QUEUED:
        st.markdown(f"⏳ {plain(queue_text(run, lab().runs.all()))}")
    else:
        _progress(run)


def _epochs(run_id: str) -> None:
    """What a run's complete epochs have brought, and its log."""
    run = lab().runs.get(run_id)
    stage = stage_of(run)
    history = history_at(run, stage)
    _figures(run, history)
    render_live_curves(run, stage, epochs=len(history))
    coach_notes.run_notes_box(run, history)
    _log(run)


def _progress(run: Run) -> None:
    fraction, doing, facts = progress_text(run)
    if fraction is None:
        st.markdown(f"⚙️ {plain(doing)}")
        return
    st.progress(fraction, text=plain(doing))
    st.caption(plain(facts) or "Measuring the speed ...")


def _figures(run: Run, history: Sequence[EpochRecord]) -> None:
    """Of the best epoch so far; once the run has ended, of the epoch whose weights it has."""
    best = best_epoch(history, monitor=run.config.training.monitor)
    # A run that goes on after a stop still has the figures that it stopped with.
    number = run.metrics.get("kept_epoch", best) if run.status.ended else best
    kept = next((record for record in history if record.epoch == number), None)
    if kept is None:
        return
    with st.container(horizontal=True):
        components.metric(
            FIGURES["best_epoch"].title if number == best else "Kept epoch",
            f"{kept.epoch} of {len(history)}",
            help=term("best epoch") if number == best else "The settings keep the weights of the last epoch.",
        )
        accuracy = f"{100 * kept.val_accuracy:.0f} %"
        components.metric(FIGURES["val_accuracy"].title, accuracy, help=term("accuracy"))
        components.metric(FIGURES["val_loss"].title, f"{kept.val_loss:.3f}", help=term("loss"))
        if run.status.ended and "test_accuracy" in run.metrics:
            _test_accuracy(run)


def _test_accuracy(run: Run) -> None:
    """With its interval, where the predictions can still be read."""
    try:
        found = lab().runs.evaluation(run.run_id)
        accuracy, interval = found.accuracy, found.accuracy_ci95
    except AquaDashError:
        accuracy, interval = run.metrics["test_accuracy"], None
    components.fraction_metric(FIGURES["test_accuracy"].title, accuracy, interval, help=term("confidence interval"))


def _log(run: Run) -> None:
    with st.expander("Log", icon="📜", key=f"log-{run.run_id}", on_change="rerun") as log:
        if log.open:
            st.code(run.log_tail or "Nothing yet.", language=None, wrap_lines=True, height=300)


def _at_work() -> None:
    """Who runs and who waits."""
    runs = lab().runs.all()
    at_work = [run for run in run_lists.active_first(runs) if not run.status.ended]
    with st.expander(f"Running and waiting: {len(at_work)}", icon="🚦"):
        for run in at_work[:20]:
            with st.container(horizontal=True, vertical_alignment="center"):
                components.status_badge(run.status)
                place = f"{run.rank}. in the queue: " if run.rank else ""
                st.markdown(f"{place}**{plain(run.name)}**", width="content")
                run_lists.owner_badge(run.resource)
                st.page_link("pages/train.py", label="Watch", query_params={"run": run.run_id})
        if len(at_work) > 20:
            st.caption(f"and {len(at_work) - 20} more")


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


def history_at(run: Run, stage: Stage) -> Sequence[EpochRecord]:
    """The run's epochs at that stage."""
    return lab().runs.history(run.run_id) if run.status.ended else _cached_history(run.run_id, stage)


def render_live_curves(run: Run, stage: Stage, *, epochs: int) -> None:
    """Draw accuracy and loss by epoch, all ``epochs`` of them or the last ones that are chosen."""
    last = _window(epochs)
    for metric in ("accuracy", "loss"):
        components.plot(
            _cached_curves(run.run_id, run.config.training.monitor, stage, metric, last), key=f"live-{metric}"
        )


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
def _cached_history(run_id: str, stage: Stage) -> tuple[EpochRecord, ...]:
    return tuple(lab().runs.history(run_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _cached_curves(run_id: str, monitor: Monitor, stage: Stage, metric: Metric, last: int) -> go.Figure:
    history = _cached_history(run_id, stage)
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
