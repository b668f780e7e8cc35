"""A kept data set of own pictures on the Data page: what the check found, the way on, and its deletion."""

from __future__ import annotations

import streamlit as st

from aquadash.data.folder.about import PREFIX
from aquadash.errors import AquaDashError
from aquadash.ui import inputs, shell
from aquadash.ui.data import own_pictures_draft, own_pictures_report
from aquadash.ui.lab import lab
from aquadash.ui.text import plain

#: What was deleted in this session and can be brought back: its title and key.
_DELETED = "own:deleted"
_TROUBLE = "own:trouble"


def show(source: str) -> None:
    """Draw what belongs to a data set of own pictures; nothing for any other.

    Args:
        source: The chosen data set.
    """
    if not source.startswith(PREFIX):
        return
    kept = lab().data.own(source)
    if st.session_state.pop(own_pictures_draft.KEPT, None) == source:
        st.success(f"“{plain(kept.title)}” is ready. Every page can work with it.", icon="✅")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/train.py", label="Train on it", icon=":material/arrow_forward:", query_params={"source": source}
        )
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(
                f"Delete “{plain(kept.title)}”? Runs keep their results, but their pictures can be shown no more. It "
                "can be brought back on this page."
            )
            st.button("Delete it", key="own-delete", type="primary", on_click=_delete, args=(source, kept.title))
    with st.expander("What the check found", icon="🔎", key="own-report", on_change="rerun") as box:
        if box.open:
            with shell.guard():
                report, _ = lab().data.report(source)
                own_pictures_report.show(report)


def offer_undo() -> None:
    """Draw the way to bring back what was deleted: at once what went last, from a list what went before."""
    if trouble := st.session_state.pop(_TROUBLE, None):
        st.error(plain(trouble), icon="🚧")
    if gone := st.session_state.get(_DELETED):
        title, key = gone
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(f"“{plain(title)}” is deleted.", icon="🗑️")
            st.button("Undo", icon=":material/undo:", key="own-undo", on_click=_restore, args=(key,))


def deleted_menu() -> None:
    """Draw a menu of all that can be brought back, where there is anything."""
    keys = lab().data.deleted()
    if not keys:
        return
    with st.popover("Deleted ones", icon=":material/restore_from_trash:"):
        key = inputs.selectbox(
            "Deleted data sets", keys, key="own-gone", format_func=lambda key: key.rpartition(".")[0]
        )
        st.button("Bring it back", key="own-restore", on_click=_restore, args=(key,))


def _delete(source: str, title: str) -> None:
    try:
        st.session_state[_DELETED] = (title, lab().data.delete(source))
        st.query_params.clear()
        st.session_state.pop("source", None)
    except AquaDashError as error:
        st.session_state[_TROUBLE] = str(error)


def _restore(key: str) -> None:
    st.session_state.pop(_DELETED, None)
    try:
        kept = lab().data.restore(key)
        st.query_params.from_dict({"source": kept.source})
    except AquaDashError as error:
        st.session_state[_TROUBLE] = str(error)
