"""The live view of a run: what can be done with it, how far it is, its curves, figures and log."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from aquadash.coach import Note
from aquadash.evaluation.curves import best_epoch
from aquadash.figures.learning_curves import Metric, live_curves
from aquadash.lab.rights import Action
from aquadash.store.fields import FIGURES, validation_accuracy
from aquadash.store.types import EpochRecord, Guess, Progress, Run, RunStatus
from aquadash.ui import address, components, inputs, run_lists, shell
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, duration, joined, named, percent, plain, sentence, time_left
from aquadash.ui.train import clone, coach_notes, guess_box
from aquadash.work.slots import held
from aquadash.work.waiting import HELD

#: Seconds between two looks at a run at work. Its worker reports once a second; with the age of what is looked at, a
#: report is on the screen within two.
TICK_SECONDS = 1.7

#: The same until a run has its first batch, for which whoever has clicked is waiting.
STARTING_SECONDS = 0.3

#: Seconds between two looks at what grows with the epochs, and at the queue. Drawing the curves takes a browser on the
#: same computer a tenth of a second, and drawing any part the server seven milliseconds, which the training lacks.
EPOCHS_SECONDS = 4.0

#: The same where a class looks on, so that the training keeps its speed, and how many looks within that time, of all
#: sessions together, make it a class.
CLASS_EPOCHS_SECONDS = 8.0
CLASS_LOOKS = 12


def watch_runs(runs: Sequence[Run]) -> None:
    """Draw the menu of runs, bound to ``?run=``, and the chosen run: the one at work, or the best.

    Trials stand with their searches; one that the address names is shown all the same.
    """
    asked = st.query_params.get("run") or "-"
    own = [run for run in runs if not run.search_id or run.run_id.startswith(asked)]
    at_work = [run for run in run_lists.active_first(own) if not run.status.ended]
    listed = [*at_work, *run_lists.best_first([run for run in own if run.status.ended])]
    if not listed:
        nothing_yet()
        return
    with st.container(horizontal=True, vertical_alignment="center", key="run-head"):
        chosen = components.run_picker(listed, label="Run", label_visibility="collapsed")
        if chosen is not None:
            _head(chosen)
    if chosen is not None:
        render_run(chosen)
    if sum(not run.status.ended for run in runs) > 1:
        shell.live(EPOCHS_SECONDS)(_at_work)()


def nothing_yet() -> None:
    """Say how a first run comes about."""
    st.info("Press **Train**, and watch the network learn.", icon="🌱")


def render_run(run: Run) -> None:
    """Draw how far a run is, its curves, its figures, what the coach says, and its log."""
    at_work = not run.status.ended
    with st.container(key="run-status"):
        if at_work:
            shell.live(STARTING_SECONDS if _is_starting(run) else TICK_SECONDS)(_now)(run.run_id, _signature(run))
        else:
            _outcome(run)
    shell.live(_epochs_seconds() if at_work else None)(_epochs)(run.run_id)


def _epochs_seconds() -> float:
    """How often a page that is drawn now looks at its run's epochs."""
    looks = recent_looks()
    many = len(looks) == CLASS_LOOKS and looks[0] > time.monotonic() - CLASS_EPOCHS_SECONDS
    return CLASS_EPOCHS_SECONDS if many else EPOCHS_SECONDS


@st.cache_resource(show_spinner=False)
def recent_looks() -> deque[float]:
    """When sessions last drew the epochs of runs at work, the earliest first."""
    return deque(maxlen=CLASS_LOOKS)


def progress_text(run: Run) -> str:
    """How far a run at work is, how fast it goes and how long it still takes, as plain text."""
    progress = run.progress
    if progress is None:
        return "Starting the training process ..."
    if not progress.batches:
        return f"{sentence(progress.phase)} ..."
    pace = f"{progress.images_per_second:,.0f} images/s" if progress.images_per_second > 0 else ""
    left = time_left(progress.eta_seconds, at_most=True)
    batch = f"batch {progress.batch:,} of {progress.batches:,}"
    return joined(f"Epoch {progress.epoch} of {progress.epochs}", batch, pace, left)


def queue_text(run: Run, *, others_train: bool, is_held: bool = False) -> str:
    """Who goes before a queued run, or that the queue is held, as plain text."""
    if is_held:
        text = f"Number {run.rank} in the queue. {HELD}"
    elif run.rank > 1:
        text = f"Number {run.rank} in the queue: {count(run.rank - 1, 'run')} will start before it."
    elif others_train:
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
        return run.rank == 1 and not held() and not lab().runs.some_train()
    return not _has_begun(run)


def _has_begun(run: Run) -> bool:
    return run.progress is not None and run.progress.epoch > 0


def _outcome(run: Run) -> None:
    """How a run ended, and what helps."""
    done = len(lab().runs.history(run.run_id))
    if run.status is RunStatus.INTERRUPTED:
        may = lab().rights.allow(Action.RESUME, run.resource)
        # Perhaps with the measurement: all epochs may be complete, or it may have stopped early.
        going = "; Resume goes on from there, as if there had been no break" if may else ""
        st.warning(f"It was cut off. **{count(done, 'complete epoch')}** kept{going}.", icon="⚡")
    elif note := _broke_down(run):
        coach_notes.note_box(note)
        coach_notes.form_link(run, note)
    elif run.status is RunStatus.FAILED:
        st.error(plain(run.message or "The training failed without a reason. Look into its log."), icon="❌")
    else:
        said = f"{count(done, 'epoch')} in {duration(run.metrics.get('seconds'))}"
        if run.status is RunStatus.STOPPED:
            said = run.message or "Stopped. Complete epochs are kept."
        epochs = run.config.training.epochs
        st.progress(1.0 if run.status is RunStatus.FINISHED else min(1.0, done / epochs), text=plain(said))


def _broke_down(run: Run) -> Note | None:
    """What the coach says of a failed run whose learning rate was too high."""
    if run.status is not RunStatus.FAILED:
        return None
    notes = coach_notes.notes_on(run, lab().runs.history(run.run_id))
    return next((note for note in notes if note.key == "broke-down"), None)


def _head(run: Run) -> None:
    """Beside the menu: the run's status, its button, and the ways to its results and to another run like it.

    A run that broke down would do so again: in place of going on it offers the learning rate that would have worked.
    """
    with st.container(width=104):
        components.status_badge(run.status)
    run_lists.owner_badge(run.resource)
    rights = lab().rights
    if note := _broke_down(run):
        coach_notes.train_button(run, note, f"Train with {coach_notes.fix_text(note, run.config)}", type="primary")
    elif run.status.resumable and rights.allow(Action.RESUME, run.resource):
        resume = partial(lab().runs.resume, run.run_id)
        shell.action_button("Resume", resume, key=f"resume-{run.run_id}", type="primary", icon="▶️")
    else:
        shell.stop_button(
            partial(lab().runs.stop, run.run_id),
            asked=run.stop_requested,
            key=f"stop-{run.run_id}",
            help="Complete epochs are kept, and it can be resumed.",
            may=not run.status.ended and rights.allow(Action.STOP, run.resource),
        )
    st.page_link(
        "pages/evaluate.py",
        label="Evaluate",
        query_params={"run": run.run_id},
        icon=":material/arrow_forward:",
        disabled="test_accuracy" not in run.metrics,
    )
    clone.button(run.run_id)


def _now(run_id: str, seen: tuple[RunStatus, bool, bool, Guess | None]) -> None:
    """How far a run at work is; the page again when its status has changed."""
    run = lab().runs.get(run_id)
    if _signature(run) != seen:
        lab().refresh()
        address.draw_again()
    if run.status is RunStatus.QUEUED:
        st.progress(0.0, text=plain(queue_text(run, others_train=lab().runs.some_train(), is_held=held())))
        return
    _remember(run)
    st.progress(run.progress.fraction if run.progress else 0.0, text=plain(progress_text(run)))


def _curves(run: Run, stage: Stage) -> None:
    """Accuracy and loss, side by side where there is room."""
    last = st.session_state.get(_WINDOW) or 0
    metrics: tuple[Metric, ...] = ("accuracy", "loss")
    for column, metric in zip(st.columns(2, gap="small"), metrics, strict=True):
        with column:
            components.plot(_cached_curves(run.run_id, stage, metric, last, run), key=f"live-{metric}")


def _epochs(run_id: str) -> None:
    """A run's curves, what its complete epochs have brought, and its log."""
    run = lab().runs.get(run_id)
    stage = stage_of(run)
    history = history_at(run, stage)
    if not run.status.ended:
        recent_looks().append(time.monotonic())
    if not run.status.ended or run.curve:
        _curves(run, stage)
        last_epochs(run)
    _figures(run, history)
    with st.container(key="run-notes"):
        coach_notes.run_notes_box(run, history, leave_out=("broke-down",) if _broke_down(run) else ())
    guess_box.render_guess(run)
    _log(run)


def _figures(run: Run, history: Sequence[EpochRecord]) -> None:
    """Of the last epoch; once the run has ended, of the epoch whose weights it has."""
    best = best_epoch(history, monitor=run.config.training.monitor)
    kept_epoch = run.metrics.get("kept_epoch") if run.status.ended else None
    kept = next((record for record in history if record.epoch == kept_epoch), history[-1] if history else None)
    if kept is None and run.status.ended:
        return
    number = kept_epoch or best
    with st.container(horizontal=True, key="run-figures"):
        components.metric(
            FIGURES["best_epoch"].title if number == best else "Kept epoch",
            f"{number:.0f} of {len(history)}" if number else "–",
            help=term("best epoch") if number == best else "The settings keep the weights of the last epoch.",
        )
        accuracy = validation_accuracy(run)
        text = "–" if accuracy is None else f"{100 * accuracy:.0f} %"
        now = "" if kept_epoch else " While it trains, of the last epoch."
        components.metric(FIGURES["val_accuracy"].title, text, help=term("accuracy") + now)
        loss = run.metrics.get("val_loss") if kept_epoch else kept.val_loss if kept else None
        components.metric(FIGURES["val_loss"].title, "–" if loss is None else f"{loss:.3f}", help=term("loss") + now)
        found, stored = lab().runs.results(run), run.metrics.get("test_accuracy") if run.status.ended else None
        text = percent(found.accuracy, found.accuracy_ci95) if found else percent(stored)
        value, _, interval = text.rstrip(")").partition(" (")
        help = f"Below it its 95 % interval. {term('confidence interval')}" if interval else term("test set")
        note = interval or ("" if run.status.ended else "at the end")
        components.metric(FIGURES["test_accuracy"].title, value, note=note, help=help)


def _log(run: Run) -> None:
    with st.expander("Log", icon="📜", key=f"log-{run.run_id}", on_change="rerun") as log:
        if log.open:
            st.code(lab().runs.log(run.run_id) or "Nothing yet.", language=None, wrap_lines=True, height=300)


def _at_work() -> None:
    """Who runs and who waits."""
    runs = lab().runs.all()
    at_work = [run for run in run_lists.active_first(runs) if not run.status.ended]
    with st.expander(f"Running and waiting: {len(at_work)}", icon="🚦", key="runs-at-work"):
        for run in at_work[:20]:
            with st.container(horizontal=True, vertical_alignment="center"):
                components.status_badge(run.status)
                place = f"{run.rank}. in the queue: " if run.rank else ""
                st.markdown(f"{place}**{plain(run.name)}**", width="content")
                run_lists.owner_badge(run.resource)
                st.page_link("pages/train.py", label=named("Watch", run.name), query_params={"run": run.run_id})
        if len(at_work) > 20:
            st.caption(f"and {len(at_work) - 20} more")


#: So many of the last epochs can be looked at alone; 0 stands for all. Streamlit builds a chart anew when its data
#: changes, so that a zoom made with the mouse lasts only until the next look; this choice stays.
WINDOWS = (0, 50, 10)

_WINDOW = "live-window"

#: For so many seconds all sessions are shown the same stage of a run, which is so read and drawn once for all of them.
#: Less than the time between two looks of the same session.
SHARED_SECONDS = 3.5

#: A state of a run that changes whenever an epoch or a part of one may have been added.
Stage = tuple[str, float | None, int, int]


def stage_of(run: Run) -> Stage:
    """The stage of a run at which it is shown now."""
    since = run.ended_at if run.status.ended else run.started_at
    return shared_stage(run.run_id, str(run.status), since, run)


@st.cache_resource(ttl=SHARED_SECONDS, max_entries=64, show_spinner=False)
def shared_stage(run_id: str, status: str, since: float | None, _run: Run) -> Stage:
    """What :func:`stage_of` says, the same for a while."""
    progress = _run.progress
    return status, since, progress.epoch if progress else 0, progress.batch if progress else 0


def history_at(run: Run, stage: Stage) -> Sequence[EpochRecord]:
    """The run's epochs at that stage."""
    if run.status.ended:
        return lab().runs.history(run.run_id)
    # An epoch's record is in the store before the worker reports the next one, so that the number under way tells.
    *epoch, batch = stage
    return _cached_history(run.run_id, (*epoch, batch > 0))


def last_epochs(run: Run) -> None:
    """Draw the choice of how many of the last epochs the curves show."""
    inputs.segmented_control(
        "Epochs shown",
        WINDOWS,
        key=_WINDOW,
        default=0,
        required=True,
        format_func=lambda last: f"Last {last}" if last else "All",
        label_visibility="collapsed",
        disabled=run.config.training.epochs <= WINDOWS[-1],
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _cached_history(run_id: str, stage: tuple[object, ...]) -> tuple[EpochRecord, ...]:
    return tuple(lab().runs.history(run_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _trail(run_id: str) -> list[Progress]:
    """What was seen of a run's epoch under way, by whichever session looked."""
    return []


def _remember(run: Run) -> None:
    trail, progress = _trail(run.run_id), run.progress
    if progress is None or progress.loss is None or progress in trail[-1:]:
        return
    trail[:] = [*(seen for seen in trail if seen.epoch == progress.epoch and seen.batch < progress.batch), progress]


@st.cache_resource(max_entries=64, show_spinner=False)
def _cached_curves(run_id: str, stage: Stage, metric: Metric, last: int, _run: Run) -> go.Figure:
    history = history_at(_run, stage)
    figure = live_curves(
        history,
        [
            (seen.epoch - 1 + seen.batch / seen.batches, value)
            for seen in _trail(run_id)
            if not _run.status.ended and (value := getattr(seen, metric)) is not None
        ],
        metric=metric,
        monitor=_run.config.training.monitor,
        max_epochs=_run.config.training.epochs,
        classes=len(_run.class_names),
        revision=run_id,
    )
    shown = history[-last:]
    scale = 100.0 if metric == "accuracy" else 1.0
    values = [scale * getattr(record, name) for record in shown for name in (metric, f"val_{metric}")]
    values = [value for value in values if math.isfinite(value)]
    if 0 < last < len(history) and values:
        margin = 0.08 * (max(values) - min(values)) or 0.1
        figure.update_xaxes(range=[shown[0].epoch - 0.5, shown[-1].epoch + 0.5])
        figure.update_yaxes(range=[min(values) - margin, max(values) + margin])
    return figure
