"""The live view of a run: its buttons, progress, curves, metrics and log."""

import math
import time
from collections import deque
from collections.abc import Sequence
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from aquadash.coach import Note
from aquadash.evaluation.curves import best_epoch
from aquadash.figures.learning_curves import PlainMetric, live_curves, values_by_epoch
from aquadash.lab.rights import Action
from aquadash.store.fields import FIGURES, validation_accuracy
from aquadash.store.types import EpochRecord, Guess, Progress, Run, RunStatus
from aquadash.training.forecast import PAUSED
from aquadash.ui.kit import address, clone, coach_notes, components, guess_box, inputs, run_lists, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, duration, joined, named, percent, plain, sentence
from aquadash.work.slots import held

#: Seconds between two redraws of a running run's progress, which its worker reports once a second.
TICK_SECONDS = 1.7

#: The same until a run has its first batch.
STARTING_SECONDS = 0.3

#: Seconds between two redraws of the curves and the queue, which take time from the training (docs/decisions.md).
EPOCHS_SECONDS = 4.0

#: The same while a class watches: while all sessions together make this number of redraws in that time.
CLASS_EPOCHS_SECONDS = 8.0
CLASS_LOOKS = 12

#: Times of the last redraws of running runs by all sessions.
_REDRAWS: deque[float] = deque(maxlen=CLASS_LOOKS)


def watch_runs(runs: Sequence[Run]) -> None:
    """Draw the menu of runs and the chosen one, by default a running one or the best; trials only by address."""
    requested = st.query_params.get("run") or "-"
    own = [run for run in runs if not run.search_id or run.run_id.startswith(requested)]
    at_work = [run for run in run_lists.active_first(own) if not run.status.ended]
    listed = [*at_work, *run_lists.best_first([run for run in own if run.status.ended])]
    if not listed:
        st.info("Press **Train**, and watch the network learn.", icon="🌱")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="run-head"):
        chosen = components.run_picker(listed, label="Run", label_visibility="collapsed")
        if chosen is not None:
            _head(chosen)
    if chosen is not None:
        with st.container(key="run-status"):
            if chosen.status.ended:
                _outcome(chosen)
            else:
                tick = STARTING_SECONDS if _is_starting(chosen) else TICK_SECONDS
                shell.live(tick)(_now)(chosen.run_id, _signature(chosen))
        shell.live(None if chosen.status.ended else _epochs_seconds())(_epochs)(chosen.run_id)
    if sum(not run.status.ended for run in runs) > 1:
        shell.live(EPOCHS_SECONDS)(_at_work)()


def _epochs_seconds() -> float:
    is_watched = len(_REDRAWS) == CLASS_LOOKS and _REDRAWS[0] > time.monotonic() - CLASS_EPOCHS_SECONDS
    return CLASS_EPOCHS_SECONDS if is_watched else EPOCHS_SECONDS


def progress_text(run: Run) -> str:
    """Return a running run's progress, pace and remaining time as plain text."""
    progress = run.progress
    if progress is None:
        return "Starting the training process ..."
    if not progress.batches:
        return f"{sentence(progress.phase)} ..."
    pace = f"{progress.images_per_second:,.0f} images/s" if progress.images_per_second > 0 else ""
    batch = f"batch {progress.batch:,} of {progress.batches:,}"
    return joined(f"Epoch {progress.epoch} of {progress.epochs}", batch, pace, run_lists.remaining(run))


def queue_text(run: Run, *, visible: int, hidden: int, is_held: bool = False) -> str:
    """Return a queued run's place as plain text; ``visible`` and ``hidden`` are the numbers of running runs."""
    if is_held:
        text = f"Number {run.rank} in the queue. {PAUSED}"
    elif run.rank > 1:
        text = f"Number {run.rank} in the queue: {count(run.rank - 1, 'run')} will start before it."
    elif visible or hidden:
        text = f"Next in the queue: it starts when a {'running one' if visible else 'run hidden by the teacher'} ends."
    elif run.message:
        # The message says why nothing starts, such as that the cluster's scheduler is away.
        text = "Next in the queue."
    else:
        text = "Next in the queue: it starts in a moment."
    return f"{text} {run.message}".rstrip()


def _signature(run: Run) -> tuple[RunStatus, bool, bool, Guess | None]:
    """Return the values whose change redraws the whole page."""
    # The guess is stored a moment after the run.
    return run.status, run.stop_requested, _has_begun(run), run.guess


def _is_starting(run: Run) -> bool:
    if run.status is RunStatus.QUEUED:
        return run.rank == 1 and not held() and lab().runs.training() == (0, 0)
    return not _has_begun(run)


def _has_begun(run: Run) -> bool:
    """Return whether some session has seen two batches: the first is shown at once, and the page redrawn after it."""
    return run.progress is not None and (run.progress.epoch > 1 or len(trail_of(run.run_id)) > 1)


def _outcome(run: Run) -> None:
    done = len(lab().runs.history(run.run_id))
    if run.status is RunStatus.INTERRUPTED:
        may = lab().rights.allow(Action.RESUME, run.resource)
        # All epochs may be complete: then only the test is repeated.
        going = "; Resume continues from there, as if there had been no break" if may else ""
        st.warning(f"The training was cut off. **{count(done, 'complete epoch')}** kept{going}.", icon="⚡")
    elif note := _broke_down(run):
        coach_notes.render_note(note)
        coach_notes.render_form_button(run, note)
    elif run.status is RunStatus.FAILED:
        st.error(plain(run.message or "The training failed without a reason. The log may say more."), icon="❌")
    else:
        text = f"{count(done, 'epoch')} in {duration(run.metrics.get('seconds'))}"
        if run.status is RunStatus.STOPPED:
            text = run.message or "Stopped. Complete epochs are kept."
        epochs = run.config.training.epochs
        st.progress(1.0 if run.status is RunStatus.FINISHED else min(1.0, done / epochs), text=plain(text))


def _broke_down(run: Run) -> Note | None:
    """Return the note on a run that failed because of its learning rate."""
    if run.status is not RunStatus.FAILED:
        return None
    notes = coach_notes.notes_on(run, lab().runs.history(run.run_id))
    return next((note for note in notes if note.key == "broke-down"), None)


def _head(run: Run) -> None:
    """Draw a run's status, its buttons and links; a run that broke down gets a better learning rate."""
    with st.container(width=104):
        components.render_status(run.status)
    run_lists.render_owner(run.resource)
    rights = lab().rights
    if note := _broke_down(run):
        coach_notes.render_train_button(
            run, note, f"Train with {coach_notes.fix_text(note, run.config)}", type="primary"
        )
    elif run.status.resumable and rights.allow(Action.RESUME, run.resource):
        resume = partial(lab().runs.resume, run.run_id)
        shell.render_action_button("Resume", resume, key=f"resume-{run.run_id}", type="primary", icon="▶️")
    else:
        shell.render_stop_button(
            partial(lab().runs.stop, run.run_id),
            stop_requested=run.stop_requested,
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
    clone.render_clone_button(run.run_id)


def _now(run_id: str, seen: tuple[RunStatus, bool, bool, Guess | None]) -> None:
    """Draw a running run's progress; redraw the page when its status has changed."""
    run = lab().runs.get(run_id)
    if _signature(run) != seen:
        lab().refresh()
        address.draw_again()
    if run.status is RunStatus.QUEUED:
        visible, hidden = lab().runs.training()
        st.progress(0.0, text=plain(queue_text(run, visible=visible, hidden=hidden, is_held=held())))
        return
    remember(run)
    st.progress(run.progress.fraction if run.progress else 0.0, text=plain(progress_text(run)))


def _epochs(run_id: str) -> None:
    run = lab().runs.get(run_id)
    since = run.ended_at if run.status.ended else run.started_at
    stage, history = _shared(run.run_id, str(run.status), since, run)
    if not run.status.ended:
        _REDRAWS.append(time.monotonic())
    # The browser takes a second to draw charts, which the start of the training needs.
    if run.curve or not (run.status.ended or _is_starting(run)):
        metrics: tuple[PlainMetric, ...] = ("accuracy", "loss")
        full = bool(st.session_state.get(_FULL_SCALE))
        for column, metric in zip(st.columns(2, gap="small"), metrics, strict=True):
            with column:
                last = st.session_state.get(_WINDOW) or 0
                figure = _cached_curves(run.run_id, stage, metric, last, full, run, history)
                components.render_plot(figure, key=f"live-{metric}")
        with st.container(horizontal=True, vertical_alignment="center"):
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
            inputs.toggle("Accuracy from 0 to 100 %", key=_FULL_SCALE, persist_state="session")
    _figures(run, history)
    with st.container(key="run-notes"):
        coach_notes.render_run_notes(run, history, leave_out=("broke-down",) if _broke_down(run) else ())
    guess_box.render_guess(run)
    with st.expander("Log", icon="📜", key=f"log-{run_id}", on_change="rerun") as log:
        if log.open:
            st.code(lab().runs.log(run_id) or "Nothing yet.", language=None, wrap_lines=True, height=300)


def _figures(run: Run, history: Sequence[EpochRecord]) -> None:
    """Draw the metrics of the last epoch or, after the end, of the epoch whose weights were kept."""
    best = best_epoch(history, monitor=run.config.training.monitor)
    kept_epoch = run.metrics.get("kept_epoch") if run.status.ended else None
    kept = next((record for record in history if record.epoch == kept_epoch), history[-1] if history else None)
    if kept is None and run.status.ended:
        return
    number = kept_epoch or best
    title, help = FIGURES["best_epoch"].title, term("best epoch")
    if number != best:
        title, help = "Kept epoch", "The settings keep the weights of the last epoch."
    accuracy = validation_accuracy(run)
    loss = run.metrics.get("val_loss") if kept_epoch else kept.val_loss if kept else None
    now = "" if run.status.ended else " During training: of the last epoch."
    after = " Measured after training, with the kept weights; the chart shows each epoch's." if kept_epoch else now
    with st.container(horizontal=True, key="run-figures"):
        components.render_metric(title, f"{number:.0f} of {len(history)}" if number else "–", help=help)
        text = "–" if accuracy is None else f"{100 * accuracy:.0f} %"
        components.render_metric(FIGURES["val_accuracy"].title, text, help=term("accuracy") + now)
        text = "–" if loss is None else f"{loss:.3f}"
        components.render_metric(FIGURES["val_loss"].title, text, help=term("loss") + after)
        results, stored = lab().runs.results(run), run.metrics.get("test_accuracy") if run.status.ended else None
        value, interval = percent(results.accuracy, results.accuracy_ci95) if results else percent(stored)
        help = f"Below: the 95 % interval. {term('confidence interval')}" if interval else term("test set")
        note = interval or ("" if run.status.ended else "at the end")
        components.render_metric(FIGURES["test_accuracy"].title, value, note=note, help=help)


def _at_work() -> None:
    runs = lab().runs.all()
    at_work = [run for run in run_lists.active_first(runs) if not run.status.ended]
    with st.expander(f"Running and waiting: {len(at_work)}", icon="🚦", key="runs-at-work"):
        for run in at_work[:20]:
            with st.container(horizontal=True, vertical_alignment="center"):
                components.render_status(run.status)
                place = f"{run.rank}. in the queue: " if run.rank else ""
                st.markdown(f"{place}**{plain(run.name)}**", width="content")
                run_lists.render_owner(run.resource)
                st.page_link("pages/train.py", label=named("Watch", run.name), query_params={"run": run.run_id})
        if len(at_work) > 20:
            st.caption(f"and {len(at_work) - 20} more")


#: Numbers of last epochs to show; 0: all. New data resets a zoom made with the mouse, but not this choice.
WINDOWS = (0, 50, 10)

_WINDOW = "live-window"
_FULL_SCALE = "live-full-scale"

#: Seconds for which all sessions share one reading of a run; less than :data:`EPOCHS_SECONDS`.
SHARED_SECONDS = 3.5

#: Status, time of the start or end, epoch and batch of a run.
Stage = tuple[str, float | None, int, int]


@st.cache_resource(ttl=SHARED_SECONDS, max_entries=64, show_spinner=False)
def _shared(run_id: str, status: str, since: float | None, _run: Run) -> tuple[Stage, Sequence[EpochRecord]]:
    """Return a run's stage and epochs, read once for all sessions."""
    progress = _run.progress
    stage = (status, since, progress.epoch if progress else 0, progress.batch if progress else 0)
    return stage, lab().runs.history(run_id)


@st.cache_resource(max_entries=64, show_spinner=False)
def trail_of(run_id: str) -> list[Progress]:
    """Return the batches of the epoch under way that any session has seen."""
    return []


def remember(run: Run) -> None:
    """Keep a running run's latest batch until the next epoch."""
    trail, progress = trail_of(run.run_id), run.progress
    if progress is None or progress.loss is None or progress in trail[-1:]:
        return
    trail[:] = [*(seen for seen in trail if seen.epoch == progress.epoch and seen.batch < progress.batch), progress]


@st.cache_resource(max_entries=64, show_spinner=False)
def _cached_curves(
    run_id: str, stage: Stage, metric: PlainMetric, last: int, full: bool, _run: Run, _history: Sequence[EpochRecord]
) -> go.Figure:
    figure = live_curves(
        _history,
        [
            (seen.epoch - 1 + seen.batch / seen.batches, value)
            for seen in trail_of(run_id)
            if not _run.status.ended and (value := getattr(seen, metric)) is not None
        ],
        metric=metric,
        monitor=_run.config.training.monitor,
        kept_epoch=_run.metrics.get("kept_epoch") if _run.status.ended else None,
        max_epochs=_run.config.training.epochs,
        classes=len(_run.class_names),
        full_scale=full,
        revision=run_id,
    )
    shown = _history[-last:]
    columns = (metric, f"val_{metric}")
    values = [value for column in columns for value in values_by_epoch(shown, column) if math.isfinite(value)]
    if 0 < last < len(_history) and values:
        margin = 0.08 * (max(values) - min(values)) or 0.1
        figure.update_xaxes(range=[shown[0].epoch - 0.5, shown[-1].epoch + 0.5])
        figure.update_yaxes(range=[min(values) - margin, max(values) + margin])
    return figure
