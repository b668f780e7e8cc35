"""Actions for stored runs, for one or for all picked ones; the bin."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from aquadash import settings
from aquadash.lab.rights import Action
from aquadash.lab.selection import for_each
from aquadash.store.types import Run, clean_tag
from aquadash.ui.compare import run_table
from aquadash.ui.kit import address, clone, components, export_import, inputs, run_lists, shell, undo
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain, safe_markdown

#: Maximum number of picked runs with actions of their own.
_MAX_ROWS = 10


def render_actions(picked: Sequence[Run], shown: Sequence[Run]) -> None:
    """Draw the menu of actions for the picked runs, all at once and one by one."""
    with st.popover("Actions", icon=":material/more_vert:", key="actions", on_change="rerun") as menu:
        if not menu.open:
            # Otherwise the fields of a closed menu would keep old names and notes, and a save would restore them.
            return
        ids = [run.run_id for run in shown]
        st.button("Pick all shown", key="pick-all", on_click=run_table.pick, args=(ids,), disabled=not ids)
        _bulk_actions(picked)
        if len(picked) == 1:
            _one(picked[0])
            return
        for run in picked[:_MAX_ROWS]:
            with st.expander(plain(run.name), key=f"one-{run.run_id}", on_change="rerun") as opened:
                if opened.open:
                    _one(run)


def _one(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        components.render_status(run.status)
        run_lists.render_owner(run.resource)
        for name in run.tags:
            st.badge(plain(name), color="gray")
        page, label = ("evaluate", "Evaluate") if run_lists.has_results(run) else ("train", "Watch")
        query = {"run": run.run_id}
        st.page_link(f"pages/{page}.py", label=label, query_params=query, icon=":material/arrow_forward:")
        clone.render_clone_button(run.run_id)
        if run.search_id:
            if lab().limits.may_search:
                query = {"view": "search", "search": run.search_id}
                st.page_link("pages/train.py", label="Open the search", query_params=query, icon=":material/search:")
            st.button("List its trials", key=f"trials-{run.run_id}", on_click=_list_trials, args=(run.search_id,))
    if run.note:
        st.markdown(safe_markdown(run.note))
    if lab().rights.allow(Action.LABEL, run.resource):
        _editor(run)
    if lab().rights.allow(Action.OPEN_MODEL, run.resource):
        export_import.render_export_popover(run)


def _list_trials(search_id: str) -> None:
    address.assign("find", search_id)
    address.assign("trials", True)


def _editor(run: Run) -> None:
    # A save writes only the fields that this person has changed since they were filled.
    filled: dict[str, str] = st.session_state.setdefault(f"filled-{run.run_id}", {})
    for field, text in (("name", run.name), ("tags", ", ".join(run.tags)), ("note", run.note)):
        key = f"{field}-{run.run_id}"
        # A field with typed changes is not updated: the changes would be lost.
        if key not in st.session_state or st.session_state[key] == filled[field] != text:
            st.session_state[key] = filled[field] = text
    with st.form(f"edit-{run.run_id}", border=False):
        name = inputs.text_input("Name", max_chars=120, key=f"name-{run.run_id}")
        tags = inputs.text_input("Tags (comma-separated)", max_chars=400, key=f"tags-{run.run_id}")
        help = "In Markdown: **bold**, _italic_, lists, links, `code`, tables. Pictures are shown as links."
        note = inputs.text_area("Note", max_chars=4000, key=f"note-{run.run_id}", help=help)
        st.caption("Save before you close this menu, or your changes are lost.")
        if st.form_submit_button("Save", type="primary", key=f"save-{run.run_id}"):
            with shell.guard():
                _save(run.run_id, filled, {"name": name, "tags": tags, "note": note})
                st.rerun()


def _save(run_id: str, filled: dict[str, str], typed: dict[str, str]) -> None:
    runs = lab().runs
    before, wanted = ({tag.strip() for tag in each["tags"].split(",") if tag.strip()} for each in (filled, typed))
    # Existing tags are kept as they are, also those that another program wrote.
    wanted = {tag if tag in before else clean_tag(tag) for tag in wanted}
    if typed["name"] != filled["name"]:
        runs.rename(run_id, typed["name"])
    if typed["note"] != filled["note"]:
        runs.note(run_id, typed["note"])
    if wanted != before:
        runs.tag(run_id, add=sorted(wanted - before), remove=sorted(before - wanted))
    filled.update(typed)


def _bulk_actions(picked: Sequence[Run]) -> None:
    """Draw the actions for the picked runs that the visitor may change."""
    picked = [run for run in picked if lab().rights.allow(Action.LABEL, run.resource)]
    if not picked:
        return
    runs = lab().runs
    ids = [run.run_id for run in picked]
    first = "Shows them first" + ("." if lab().person.leads else " in your own tables.")
    # Attribute of a run, method that changes it, icon, labels of the two buttons, help of the first.
    marks: list[tuple[str, Callable[..., None], str, str, str, str | None]] = [
        ("pinned", runs.pin, "📌", "Pin", "Unpin", first),
        ("archived", runs.archive, "🗃️", "Archive", "Unarchive", "Hides them from the table."),
    ]
    if settings.classroom() and lab().rights.allow(Action.HIDE):
        marks.append(("hidden", runs.hide, "🙈", "Hide from the class", "Show to the class", None))
    st.markdown(f"With **{count(len(picked), 'picked run')}**:")
    with st.container(horizontal=True, vertical_alignment="center", key="bulk"):
        for mark, act, icon, set_it, take_it_off, help in marks:
            for label, on in ((set_it, True), (take_it_off, False)):
                if any(getattr(run, mark) != on for run in picked) and st.button(
                    label, key=f"bulk-{mark}-{on:d}", icon=icon, help=help if on else None
                ):
                    _do(partial(act, **{mark: on}), ids)
                    st.rerun()
        if st.button("Delete", key="bulk-delete", icon="🗑️", help="You can undo this, and the bin keeps deleted runs."):
            done = _do(runs.delete, ids)
            names = {run.run_id: run.name for run in picked}
            undo.offer(done, names[done[0]] if len(done) == 1 else count(len(done), "run"))
            st.rerun()
    if len(picked) > 1:
        with st.expander("Tags", icon="🏷️", key="bulk-tags-box"):
            _tags(picked)


def _tags(picked: Sequence[Run]) -> None:
    known = sorted({name for run in picked for name in run.tags})
    with st.form("bulk-add", border=False):
        text = inputs.text_input("Add tags (comma-separated)", key="bulk-add-tags", max_chars=400)
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
                those = {run.run_id: chosen for run in picked if (chosen := set(gone) & set(run.tags))}
                _do(lambda run_id: lab().runs.tag(run_id, remove=those[run_id]), list(those))
                st.rerun()


def _do(action: Callable[[str], None], ids: Sequence[str]) -> list[str]:
    """Do an action with each run, with a progress bar; return the ids of success, and keep the failures to show."""
    bar = st.progress(0.0, text="Working ...") if len(ids) > 20 else None
    result = for_each(ids, action, progress=None if bar is None else bar.progress)
    reasons = list(dict.fromkeys(result.failed.values()))
    shell.fail(" ".join([f"{count(len(result.failed), 'run')} could not be changed.", *reasons[:3]]) if reasons else "")
    return result.done


def import_and_bin() -> None:
    """Draw the menu with the import of a run and the bin."""
    with st.popover("More", icon=":material/more_horiz:", key="more"):
        export_import.render_import()
        with st.expander("Bin", icon="🗑️", key="bin", on_change="rerun") as opened, shell.guard():
            if opened.open:
                _bin()


def _bin() -> None:
    deleted = {run.run_id: run for run in lab().runs.all(deleted=True)}
    if not deleted:
        st.caption("The bin is empty.")
        return
    chosen = inputs.multiselect(
        "Deleted runs",
        list(deleted),
        key="bin-runs",
        format_func=components.run_labels(deleted.values()).__getitem__,
        placeholder="Choose runs to restore",
    )
    st.button("Restore", key="restore", icon="↩️", disabled=not chosen, on_click=undo.restore, args=(chosen,))
