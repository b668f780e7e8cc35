"""The runs of a class that train, wait or have just finished, with the actions for them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from aquadash.classroom import limits
from aquadash.lab.rights import Action
from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import components, run_lists, shell, undo
from aquadash.ui.kit.lab import lab, visitor
from aquadash.ui.kit.run_lists import render_owner
from aquadash.ui.kit.text import count, duration, named, percent, plain

_TICK_SECONDS = 2.0
_MAX_ROWS = 40
#: Seconds for which a run has just finished: a lesson.
_JUST_SECONDS = 45 * 60.0
_MAX_FINISHED = 5


@shell.live(_TICK_SECONDS)
def render_queue() -> None:
    """Draw the queue, live."""
    # In the fragment: the buttons below rerun only the fragment.
    undo.render_bar()
    runs = lab().runs.all()
    running = [run for run in runs if run.status is RunStatus.RUNNING]
    waiting = run_lists.queued(runs)
    _, hidden = lab().runs.training()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{count(len(running), 'run')} training, {len(waiting)} waiting.**", width="content")
        if visitor().leads:
            _pause()
    if hidden:
        st.caption(f"🙈 {count(hidden, 'run')} hidden by the teacher also train{'s' if hidden == 1 else ''}.")
    if not running and not waiting and not hidden:
        st.caption("No run is training or waiting. If you start one now, it is next.")
        st.page_link("pages/train.py", label="Train", icon=":material/arrow_forward:")
    for run in running:
        with st.container(border=True, key=f"queue-{run.run_id}"):
            _head(run, "")
            run_lists.render_progress(run)
            _buttons(run, waiting)
    times = lab().runs.waiting() if waiting else {}
    for number, run in enumerate(waiting[:_MAX_ROWS], start=1):
        turn = times.get(run.run_id)
        # The rank counts hidden runs, too.
        place = turn.rank if turn is not None else number
        with st.container(border=True, key=f"queue-{run.run_id}"):
            _head(run, f"{place}\\.")
            if turn is not None and turn.seconds:
                st.caption(f"About {duration(turn.seconds)} to wait.")
            _buttons(run, waiting, place)
    if len(waiting) > _MAX_ROWS:
        st.caption(f"and {len(waiting) - _MAX_ROWS} more")
    _finished(runs)
    if visitor().leads:
        _hidden(runs)


def _pause() -> None:
    if limits.in_force().paused:
        st.button("Resume the queue", key="unpause", icon="▶️", type="primary", on_click=_set_paused, args=(False,))
        st.caption("⏸️ No waiting run starts. Running ones continue.", width="content")
    else:
        help = "Waiting runs keep their places until you resume the queue. Running ones continue."
        st.button("Pause the queue", key="pause", icon="⏸️", help=help, on_click=_set_paused, args=(True,))


def _set_paused(paused: bool) -> None:
    with shell.guard():
        lab().people.set_limits(limits.in_force().model_copy(update={"paused": paused}))


def _finished(runs: Sequence[Run]) -> None:
    """Draw the runs that have just finished, with their validation accuracy, as on the board."""
    since = time.time() - _JUST_SECONDS
    here = [run for run in runs if run.status is RunStatus.FINISHED and not run.origin]
    recent = [run for run in here if run.ended_at and run.ended_at > since]
    if recent:
        st.markdown("**Just finished**, with their validation accuracy")
    for run in sorted(recent, key=lambda run: run.ended_at or 0.0, reverse=True)[:_MAX_FINISHED]:
        with st.container(border=True, key=f"finished-{run.run_id}"):
            validated = run.config.training.validation != "test"
            _head(run, percent(run.metrics.get("val_accuracy")).value if validated else "", page="evaluate")


def _head(run: Run, place: str, *, page: str = "train") -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        components.render_status(run.status)
        st.markdown(f"{place} **{plain(run.name)}**".strip(), width="content")
        render_owner(run.resource)
        label = named("Watch" if page == "train" else "Open", run.name)
        st.page_link(f"pages/{page}.py", label=label, query_params={"run": run.run_id})


def _buttons(run: Run, waiting: Sequence[Run], place: int = 0) -> None:
    """Draw the actions that the visitor may do; the lab checks the rights again."""

    def button(key: str, label: str, icon: str, work: Callable[[], object], **options: Any) -> None:
        shell.render_attempt_button(named(label, run.name), work, key=f"{key}-{run.run_id}", icon=icon, **options)

    def move(label: str, icon: str, target: int, *, disabled: bool) -> None:
        button(f"move-{label}", label, icon, lambda: lab().runs.move(run.run_id, target), disabled=disabled)

    rights = lab().rights
    with st.container(horizontal=True):
        if place and rights.allow(Action.REORDER):
            move("First", ":material/vertical_align_top:", 1, disabled=place == 1)
            move("Up", ":material/arrow_upward:", place - 1, disabled=place == 1)
            move("Down", ":material/arrow_downward:", place + 1, disabled=place == len(waiting))
        if not run.status.ended and rights.allow(Action.STOP, run.resource):
            label = "Stopping ..." if run.stop_requested else "Take out of the queue" if place else "Stop"
            button("queue-stop", label, "✋", lambda: lab().runs.stop(run.run_id), disabled=run.stop_requested)
        if rights.allow(Action.HIDE):
            label, help = "Show again" if run.hidden else "Hide", "Only its owner and the teacher see a hidden run."
            button("queue-hide", label, "🙈", lambda: lab().runs.hide(run.run_id, not run.hidden), help=help)
        if place and rights.allow(Action.DELETE, run.resource):
            button("queue-delete", "Delete", "🗑️", lambda: _delete(run))


def _hidden(runs: Sequence[Run]) -> None:
    hidden = [run for run in runs if run.hidden and run.status.ended]
    if not hidden:
        return
    with st.expander(f"Hidden from the class: {len(hidden)}", icon="🙈", key="hidden-runs"):
        for run in hidden[:_MAX_ROWS]:
            _head(run, "")
            _buttons(run, [])


def _delete(run: Run) -> None:
    lab().runs.stop(run.run_id)
    lab().runs.delete(run.run_id)
    # Not for a trial: its search has submitted another one meanwhile.
    undo.offer([run.run_id], run.name, waited=not run.search_id)
