"""What can be done with all picked runs at once: label, pin, archive, hide, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from aquadash import settings
from aquadash.lab.rights import Action
from aquadash.runs.selection import for_each
from aquadash.runs.types import Run, clean_tag
from aquadash.ui import inputs, shell
from aquadash.ui.compare import run_bin
from aquadash.ui.lab import lab
from aquadash.ui.text import count


def show(picked: Sequence[Run]) -> None:
    """Draw the actions for those of the picked runs that the visitor may change; nothing without any."""
    picked = [run for run in picked if lab().rights.allow(Action.LABEL, run.thing)]
    if not picked:
        return
    runs = lab().runs
    ids = [run.run_id for run in picked]
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="bulk"):
        st.markdown(f"With **{count(len(picked), 'picked run')}**:", width="content")
        with st.popover("Tags", icon="🏷️", key="bulk-tags-box"):
            _tags(picked)
        if any(not run.pinned for run in picked):
            _button("Pin", "📌", "bulk-pin", lambda run_id: runs.pin(run_id), ids)
        if any(run.pinned for run in picked):
            _button("Unpin", "📌", "bulk-unpin", lambda run_id: runs.pin(run_id, False), ids)
        if any(not run.archived for run in picked):
            _button("Archive", "🗃️", "bulk-archive", lambda run_id: runs.archive(run_id), ids)
        if any(run.archived for run in picked):
            _button("Out of the archive", "🗃️", "bulk-unarchive", lambda run_id: runs.archive(run_id, False), ids)
        if settings.classroom() and lab().rights.allow(Action.HIDE):
            if any(not run.hidden for run in picked):
                _button("Hide from the class", "🙈", "bulk-hide", lambda run_id: runs.hide(run_id), ids)
            if any(run.hidden for run in picked):
                _button("Show to the class", "🙈", "bulk-show", lambda run_id: runs.hide(run_id, False), ids)
        if st.button(
            "Delete", key="bulk-delete", icon="🗑️", help="There is an undo, and the bin keeps what is deleted."
        ):
            done = _do(runs.delete, ids)
            names = {run.run_id: run.name for run in picked}
            run_bin.can_be_undone(done, names[done[0]] if len(done) == 1 else count(len(done), "run"))
            st.rerun()


def _tags(picked: Sequence[Run]) -> None:
    known = sorted({name for run in picked for name in run.tags})
    with st.form("bulk-add", border=False):
        text = inputs.text_input("Add tags, with commas between", key="bulk-add-tags", max_chars=400)
        if st.form_submit_button("Add", key="bulk-add-save", type="primary"):
            with shell.guard():
                names = [clean_tag(part) for part in text.split(",") if part.strip()]
                if names:
                    _do(lambda run_id: lab().runs.tag(run_id, add=names), [run.run_id for run in picked])
                    st.rerun()
    if known:
        with st.form("bulk-remove", border=False):
            gone = inputs.multiselect("Remove tags", known, key="bulk-remove-tags", placeholder="Choose")
            if st.form_submit_button("Remove", key="bulk-remove-save") and gone:
                those = [run.run_id for run in picked if set(gone) & set(run.tags)]
                _do(lambda run_id: lab().runs.tag(run_id, remove=gone), those)
                st.rerun()


def _button(label: str, icon: str, key: str, action: Callable[[str], None], ids: Sequence[str]) -> None:
    if st.button(label, key=key, icon=icon):
        _do(action, ids)
        st.rerun()


def _do(action: Callable[[str], None], ids: Sequence[str]) -> list[str]:
    """Do it with each run, with a bar; what fails is said at the next drawing. Returns the ids with which it worked."""
    bar = st.progress(0.0, text="Working ...") if len(ids) > 20 else None
    result = for_each(ids, action, progress=None if bar is None else lambda share: bar.progress(share))
    if result.failed:
        reasons = list(dict.fromkeys(result.failed.values()))
        run_bin.fail(f"{count(len(result.failed), 'run')} could not be changed. " + " ".join(reasons[:3]))
    return result.done
