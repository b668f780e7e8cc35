"""What can be done with a stored run: rename it, write a note, clone or delete it, and have it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.runs.types import Run
from aquadash.ui import cache, clone, components, shell, take_home
from aquadash.ui.text import plain

#: Pairs of id and name that were deleted here and can be undone, until somebody says "Dismiss".
_DELETED = "compare:deleted"
_FAILED = "compare:failed"


def undo_bar() -> None:
    """Say what was deleted, with the way back, and what could not be done."""
    failure = st.session_state.pop(_FAILED, None)
    if failure:
        st.error(plain(failure), icon="🚧")
    for run_id, name in list(st.session_state.get(_DELETED, [])):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"🗑️ Deleted **{plain(name)}**.", width="content")
            st.button("Undo", key=f"undo-{run_id}", icon="↩️", on_click=_restore, args=([run_id],))
            st.button("Dismiss", key=f"dismiss-{run_id}", type="tertiary", on_click=_forget, args=([run_id],))


def manage(runs: Sequence[Run]) -> None:
    """Draw a row of actions for each run."""
    for run in runs:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(run.name)}**", width="content")
            components.status_badge(run.status)
            with st.popover("Name and note", icon="✏️"):
                _editor(run)
            take_home.popover(run)
            st.button("Delete", key=f"delete-{run.run_id}", icon="🗑️", on_click=_delete, args=(run,))
            page, label = (
                ("pages/evaluate.py", "Evaluate") if "test_accuracy" in run.metrics else ("pages/train.py", "Watch")
            )
            st.page_link(page, label=label, query_params={"run": run.run_id}, icon=":material/arrow_forward:")
            clone.link(run.run_id)
            if run.note:
                st.caption(plain(run.note))


def bin_of_runs() -> None:
    """Draw the bin; it is read only when it is open."""
    with st.expander("Bin", icon="🗑️", key="bin", on_change="rerun") as opened:
        if not opened.open:
            return
        with shell.guard():
            deleted = {run.run_id: run for run in cache.runs(deleted=True)}
            if not deleted:
                st.caption("The bin is empty.")
                return
            chosen = st.multiselect(
                "Deleted runs",
                list(deleted),
                key="bin-runs",
                format_func=lambda run_id: components.run_label(deleted[run_id]),
                placeholder="Choose what to bring back",
            )
            st.button("Restore", key="restore", icon="↩️", disabled=not chosen, on_click=_restore, args=(chosen,))


def _editor(run: Run) -> None:
    with st.form(f"edit-{run.run_id}", border=False):
        name = st.text_input("Name", run.name, max_chars=120, key=f"name-{run.run_id}")
        note = st.text_area("Note", run.note, max_chars=4000, key=f"note-{run.run_id}")
        if st.form_submit_button("Save", type="primary", key=f"save-{run.run_id}"):
            with shell.guard():
                if name != run.name:
                    cache.store().rename(run.run_id, name)
                if note != run.note:
                    cache.store().set_note(run.run_id, note)
                cache.refresh()
                st.rerun()


def _delete(run: Run) -> None:
    def delete() -> None:
        cache.store().delete(run.run_id)
        st.session_state[_DELETED] = [*st.session_state.get(_DELETED, []), (run.run_id, run.name)]

    _try(delete)


def _restore(run_ids: Sequence[str]) -> None:
    def restore() -> None:
        for run_id in run_ids:
            cache.store().restore(run_id)

    _try(restore)
    _forget(run_ids)


def _forget(run_ids: Sequence[str]) -> None:
    st.session_state[_DELETED] = [entry for entry in st.session_state.get(_DELETED, []) if entry[0] not in run_ids]


def _try(action: Callable[[], None]) -> None:
    """Do something from a button's callback, where nothing can be drawn; the next run shows what went wrong."""
    try:
        action()
    except AquaDashError as error:
        st.session_state[_FAILED] = str(error)
    finally:
        cache.refresh()
