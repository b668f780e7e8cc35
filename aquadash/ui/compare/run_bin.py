"""Deleting runs, with the way back: an undo for what was deleted here, and the bin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.runs.types import Run
from aquadash.ui import components, inputs, shell
from aquadash.ui.lab import lab
from aquadash.ui.text import plain

#: Pairs of ids and words for what was deleted here at once and can be undone, until somebody says "Dismiss".
_DELETED = "compare:deleted"
_FAILED = "compare:failed"


def undo_bar() -> None:
    """Say what was deleted, with the way back, and what could not be done."""
    failure = st.session_state.pop(_FAILED, None)
    if failure:
        st.error(plain(failure), icon="🚧")
    for run_ids, words in list(st.session_state.get(_DELETED, [])):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"🗑️ Deleted **{plain(words)}**.", width="content")
            st.button("Undo", key=f"undo-{run_ids[0]}", icon="↩️", on_click=_restore, args=(run_ids,))
            st.button("Dismiss", key=f"dismiss-{run_ids[0]}", type="tertiary", on_click=_forget, args=(run_ids,))


def can_be_undone(run_ids: Sequence[str], words: str) -> None:
    """Offer to undo a deletion, from the next drawing on."""
    if run_ids:
        st.session_state[_DELETED] = [*st.session_state.get(_DELETED, []), (tuple(run_ids), words)]


def fail(message: str) -> None:
    """Show an error at the next drawing."""
    st.session_state[_FAILED] = message


def delete(run: Run) -> None:
    """Delete one run, from a button's callback."""

    def do() -> None:
        lab().runs.delete(run.run_id)
        can_be_undone([run.run_id], run.name)

    _try(do)


def bin_of_runs() -> None:
    """Draw the bin; it is read only when it is open."""
    with st.expander("Bin", icon="🗑️", key="bin", on_change="rerun") as opened:
        if not opened.open:
            return
        with shell.guard():
            deleted = {run.run_id: run for run in lab().runs.all(deleted=True)}
            if not deleted:
                st.caption("The bin is empty.")
                return
            chosen = inputs.multiselect(
                "Deleted runs",
                list(deleted),
                key="bin-runs",
                format_func=lambda run_id: components.run_label(deleted[run_id]),
                placeholder="Choose what to bring back",
            )
            st.button("Restore", key="restore", icon="↩️", disabled=not chosen, on_click=_restore, args=(chosen,))


def _restore(run_ids: Sequence[str]) -> None:
    def restore() -> None:
        for run_id in run_ids:
            lab().runs.restore(run_id)

    _try(restore)
    _forget(run_ids)


def _forget(run_ids: Sequence[str]) -> None:
    gone = set(run_ids)
    st.session_state[_DELETED] = [entry for entry in st.session_state.get(_DELETED, []) if not gone & set(entry[0])]


def _try(action: Callable[[], None]) -> None:
    """Do something from a button's callback, where nothing can be drawn; the next run shows what went wrong."""
    try:
        action()
    except AquaDashError as error:
        fail(str(error))
