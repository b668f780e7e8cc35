"""Undo of deleted runs, on Compare and in the queue of a class."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from aquadash.ui.kit import shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import named, plain

#: Session key of deletions that can be undone: ids, description, and whether the runs were in the queue.
_DELETED = "compare:deleted"


def render_bar() -> None:
    """Draw failures, and each deletion with its undo."""
    shell.render_failure()
    for run_ids, words, waited in list(st.session_state.get(_DELETED, [])):
        key, undo = run_ids[0], partial(restore, run_ids, to_queue=waited)
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"🗑️ Deleted **{plain(words)}**.", width="content")
            st.button(named("Undo", words), key=f"undo-{key}", icon="↩️", on_click=undo)
            st.button(named("Dismiss", words), key=f"dismiss-{key}", type="tertiary", on_click=_forget, args=(run_ids,))


def offer(run_ids: Sequence[str], words: str, *, waited: bool = False) -> None:
    """Offer to undo a deletion, from the next drawing on; runs that ``waited`` return to the queue."""
    if run_ids:
        # A run that was restored elsewhere and deleted again must not have two rows with one key.
        _forget(run_ids)
        st.session_state[_DELETED].append((tuple(run_ids), words, waited))


def restore(run_ids: Sequence[str], *, to_queue: bool = False) -> None:
    """Restore deleted runs, and queue them again if they waited."""

    def act() -> None:
        for run_id in run_ids:
            lab().runs.restore(run_id)
        _forget(run_ids)
        for run_id in run_ids if to_queue else ():
            lab().runs.resume(run_id)

    shell.attempt(act)


def _forget(run_ids: Sequence[str]) -> None:
    gone = set(run_ids)
    st.session_state[_DELETED] = [entry for entry in st.session_state.get(_DELETED, []) if not gone & set(entry[0])]
