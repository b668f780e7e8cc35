"""Which version of the images is in view, and what can be done with the versions."""

from __future__ import annotations

import streamlit as st

from aquadash.augment import Branch, PipelineSpec, editing
from aquadash.augment.editing import LONGEST_TITLE
from aquadash.ui import address, inputs
from aquadash.ui.augment import builder_state
from aquadash.ui.glossary import term
from aquadash.ui.text import plain

_NAME = "studio:branch-title"


def show(spec: PipelineSpec) -> int:
    """Draw the choice; it is in the address under ``branch``, counted from 1.

    Returns:
        The branch in view, from 0.
    """
    total = len(spec.branches)
    default = next((number for number, branch in enumerate(spec.branches, 1) if not branch.is_original), 1)
    shown = address.number("branch", default=default, low=1, high=total, clamp=True)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = inputs.selectbox(
            f"Version of each image (of {total})",
            range(1, total + 1),
            key="branch",
            format_func=lambda number: f"{number}. {spec.branches[number - 1].title}",
            help=term("branch"),
            width="stretch",
        )
        with st.popover("Versions", icon=":material/account_tree:", key="branch-menu", on_change="rerun") as menu:
            if menu.open:
                with st.container(width=300):
                    _menu(spec, shown - 1)
    address.record("branch", str(shown), default=str(default))
    return shown - 1


def _menu(spec: PipelineSpec, branch: int) -> None:
    st.caption(
        "Every version adds one image for each original: three versions make three times as many training images. A "
        "version without steps hands the originals on."
    )
    title = spec.branches[branch].title
    key = inputs.controlled_key(f"{_NAME}{branch}", title)

    def renamed() -> None:
        if inputs.has_changed(key, title):
            builder_state.edit(lambda each: editing.rename_branch(each, branch, st.session_state[key] or ""))

    inputs.text_input(
        "Title of this version",
        title,
        key=key,
        max_chars=LONGEST_TITLE,
        on_change=renamed,
    )
    with st.container(horizontal=True):
        st.button("Add an empty one", key="branch-add", icon="➕", on_click=_add, args=(Branch("New version"),))
        st.button("Add a copy", key="branch-copy", icon=":material/content_copy:", on_click=_copy, args=(branch,))
        st.button(
            "Remove it",
            key="branch-remove",
            icon="🗑️",
            disabled=len(spec.branches) == 1,
            help=f"Takes “{plain(title)}” away; undo brings it back.",
            on_click=lambda: builder_state.edit(lambda each: editing.remove_branch(each, branch)),
        )


def _add(branch: Branch) -> None:
    if builder_state.try_edit(lambda spec: editing.add_branch(spec, branch)):
        address.assign("branch", len(builder_state.history().present.spec.branches))


def _copy(number: int) -> None:
    _add(builder_state.history().present.spec.branches[number])
