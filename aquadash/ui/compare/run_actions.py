"""What can be done with one stored run: rename it, write a note, label, pin, archive, clone or delete it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.lab.rights import Action
from aquadash.runs.types import Run, clean_tag
from aquadash.ui import components, inputs, owners, shell
from aquadash.ui.compare import run_bin
from aquadash.ui.evaluate import take_home
from aquadash.ui.lab import lab
from aquadash.ui.notes import safe_markdown
from aquadash.ui.text import plain
from aquadash.ui.train import clone

#: Runs with a row of actions each; for more there are the actions for all of them.
_MOST_ROWS = 10
#: So many rows do not push what is compared off the screen.
_FEW = 3


def manage(runs: Sequence[Run]) -> None:
    """Draw a row of actions for each run, at most ten; of more than a few in a box of their own."""
    if len(runs) > _FEW:
        with st.expander("The picked runs one by one", icon="🗂️", key="one-by-one"):
            _rows(runs)
    else:
        _rows(runs)


def _rows(runs: Sequence[Run]) -> None:
    for run in runs[:_MOST_ROWS]:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(run.name)}**", width="content")
            components.status_badge(run.status)
            owners.badge(run.thing)
            for name in run.tags:
                st.badge(plain(name), color="gray")
            if lab().rights.allow(Action.LABEL, run.thing):
                with st.popover("Name, tags and note", icon="✏️", key=f"edit-box-{run.run_id}"):
                    _editor(run)
            if run.note:
                with st.popover("Note", icon="📝", key=f"note-box-{run.run_id}"):
                    st.markdown(safe_markdown(run.note))
            if lab().rights.allow(Action.OPEN_MODEL, run.thing):
                take_home.popover(run)
            if lab().rights.allow(Action.DELETE, run.thing):
                st.button("Delete", key=f"delete-{run.run_id}", icon="🗑️", on_click=run_bin.delete, args=(run,))
            page, label = (
                ("pages/evaluate.py", "Evaluate") if "test_accuracy" in run.metrics else ("pages/train.py", "Watch")
            )
            st.page_link(page, label=label, query_params={"run": run.run_id}, icon=":material/arrow_forward:")
            clone.link(run.run_id)
    if len(runs) > _MOST_ROWS:
        st.caption(f"Only the first {_MOST_ROWS} picked runs have a row here.")


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
