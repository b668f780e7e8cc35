"""What can be done with stored runs, one by one or all picked at once; deleting them, with the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.lab.rights import Action
from aquadash.runs.selection import for_each
from aquadash.runs.types import Run, clean_tag
from aquadash.ui import components, inputs, run_lists, shell
from aquadash.ui.evaluate import export_import
from aquadash.ui.lab import lab
from aquadash.ui.text import count, plain, safe_markdown
from aquadash.ui.train import clone

#: Runs with a row of actions each; for more there are the actions for all of them.
_MAX_ROWS = 10
#: So many rows do not push what is compared off the screen.
_FEW = 3


def render_run_rows(runs: Sequence[Run]) -> None:
    """Draw a row of actions for each run, at most ten; of more than a few in a box of their own."""
    if len(runs) > _FEW:
        with st.expander("The picked runs one by one", icon="🗂️", key="one-by-one"):
            _rows(runs)
    else:
        _rows(runs)


def _rows(runs: Sequence[Run]) -> None:
    for run in runs[:_MAX_ROWS]:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(run.name)}**", width="content")
            components.status_badge(run.status)
            run_lists.owner_badge(run.resource)
            for name in run.tags:
                st.badge(plain(name), color="gray")
            if lab().rights.allow(Action.LABEL, run.resource):
                with st.popover("Name, tags and note", icon="✏️", key=f"edit-box-{run.run_id}"):
                    _editor(run)
            if run.note:
                with st.popover("Note", icon="📝", key=f"note-box-{run.run_id}"):
                    st.markdown(safe_markdown(run.note))
            if lab().rights.allow(Action.OPEN_MODEL, run.resource):
                export_import.export_popover(run)
            if lab().rights.allow(Action.DELETE, run.resource):
                st.button("Delete", key=f"delete-{run.run_id}", icon="🗑️", on_click=delete, args=(run,))
            page, label = (
                ("pages/evaluate.py", "Evaluate") if "test_accuracy" in run.metrics else ("pages/train.py", "Watch")
            )
            st.page_link(page, label=label, query_params={"run": run.run_id}, icon=":material/arrow_forward:")
            clone.link(run.run_id)
    if len(runs) > _MAX_ROWS:
        st.caption(f"Only the first {_MAX_ROWS} picked runs have a row here.")


def _editor(run: Run) -> None:
    with st.form(f"edit-{run.run_id}", border=False):
        name = inputs.text_input("Name", run.name, max_chars=120, key=f"name-{run.run_id}")
        tags = inputs.text_input(
            "Tags, with commas between", ", ".join(run.tags), max_chars=400, key=f"tags-{run.run_id}"
        )
        note = inputs.text_area(
            "Note", run.note, max_chars=4000, key=f"note-{run.run_id}",
            help="In Markdown: **bold**, _italic_, lists, links, `code`, tables. Pictures are shown as links.",
        )  # fmt: skip
        pinned = inputs.toggle(
            "Pinned: stands first", run.pinned, key=f"pinned-{run.run_id}",
            help=None if lab().person.leads else "In your own tables. What a teacher pins stands first for all.",
        )  # fmt: skip
        archived = inputs.toggle("Archived: left out of the table", run.archived, key=f"archived-{run.run_id}")
        if st.form_submit_button("Save", type="primary", key=f"save-{run.run_id}"):
            with shell.guard():
                _save(run, name=name, tags=tags, note=note, pinned=pinned, archived=archived)
                st.rerun()


def _save(run: Run, *, name: str, tags: str, note: str, pinned: bool, archived: bool) -> None:
    runs = lab().runs
    wanted = {clean_tag(text) for text in tags.split(",") if text.strip()}
    if name != run.name:
        runs.rename(run.run_id, name)
    if note != run.note:
        runs.note(run.run_id, note)
    if wanted != set(run.tags):
        runs.tag(run.run_id, add=sorted(wanted - set(run.tags)), remove=sorted(set(run.tags) - wanted))
    if pinned != run.pinned:
        runs.pin(run.run_id, pinned)
    if archived != run.archived:
        runs.archive(run.run_id, archived)


def render_bulk_actions(picked: Sequence[Run]) -> None:
    """Draw the actions for those of the picked runs that the visitor may change; nothing without any."""
    picked = [run for run in picked if lab().rights.allow(Action.LABEL, run.resource)]
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
            can_be_undone(done, names[done[0]] if len(done) == 1 else count(len(done), "run"))
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
    result = for_each(ids, action, progress=None if bar is None else lambda fraction: bar.progress(fraction))
    if result.failed:
        reasons = list(dict.fromkeys(result.failed.values()))
        fail(f"{count(len(result.failed), 'run')} could not be changed. " + " ".join(reasons[:3]))
    return result.done


#: Pairs of ids and words for what was deleted here at once and can be undone, until somebody says "Dismiss".
_DELETED = "compare:deleted"
_FAILED = "compare:failed"


def undo_bar() -> None:
    """Say what was deleted, with the way back, and what could not be done."""
    failure = st.session_state.pop(_FAILED, None)
    if failure:
        st.error(plain(failure), icon="🚧")
    for run_ids, words in list(st.session_state.get(_DELETED, [])):
        components.undo_bar(
            words, key=run_ids[0], on_undo=partial(_restore, run_ids), on_dismiss=partial(_forget, run_ids)
        )


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
