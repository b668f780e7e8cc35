"""Choosing a step to add: by family, or by what it is called or does."""

from __future__ import annotations

import re

import streamlit as st

from aquadash.augment import FAMILIES, OPERATORS, OperatorInfo, PipelineSpec, editing
from aquadash.augment.editing import Place
from aquadash.ui import inputs
from aquadash.ui.augment import builder_state, operator_catalogue
from aquadash.ui.text import plain

#: Where the next step goes; absent while the picker is closed.
_PLACE = "studio:adding"
_FAMILY, _SEARCH = "studio:family", "studio:search"

#: Entries that are drawn at once; nobody reads more, and each costs time.
MAX_SHOWN = 12
_ALL = "all"


def show(spec: PipelineSpec, place: Place) -> None:
    """Draw the button that adds a step at the end of a place, or the picker where it was pressed."""
    word = "-".join(map(str, place))
    if st.session_state.get(_PLACE) != place:
        st.button(
            "Add a step", icon="➕", key=f"add-{word}", width="stretch", on_click=_open, args=(place,),
            disabled=not editing.room_for(place, editing.new_step("Fliplr")),
        )  # fmt: skip
        return
    with st.container(border=True, key="step-picker"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            inputs.text_input(
                "Search",
                key=_SEARCH,
                placeholder="blur, colour, rain ...",
                icon=":material/search:",
                max_chars=40,
                width="stretch",
            )
            st.button("Close", key="close-picker", icon=":material/close:", on_click=_close)
        family = inputs.pills(
            "Family",
            [_ALL, *FAMILIES],
            key=_FAMILY,
            required=True,
            default=_ALL,
            format_func=lambda word: FAMILIES.get(word, "All"),
            label_visibility="collapsed",
        )
        found = matches(str(st.session_state.get(_SEARCH) or ""), None if family in (None, _ALL) else str(family))
        for info in found[:MAX_SHOWN]:
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"pick-{info.name}"):
                st.html(operator_catalogue.markup(info), width="stretch")
                reason = editing.why_not(spec, place, info.name)
                st.button(
                    "Add",
                    key=f"pick-{info.name}-add",
                    help=plain(reason) or f"Adds “{info.title}” as the last step",
                    disabled=bool(reason),
                    on_click=_add,
                    args=(place, info.name),
                )
        if not found:
            st.caption("Nothing is called so. Try another word, or choose a family.")
        elif len(found) > MAX_SHOWN:
            st.caption(f"{len(found) - MAX_SHOWN} more: choose a family or search to see them.")


def matches(text: str, family: str | None) -> list[OperatorInfo]:
    """The operators of a family with every word of a text, or one that begins so, in name, title or description.

    Args:
        text: What was typed; empty for all.
        family: A key of ``FAMILIES``; None for all families.

    Returns:
        Those with a match in name or title first.
    """
    words = [re.compile(rf"\b{re.escape(word)}") for word in text.casefold().split()]
    found = []
    for info in OPERATORS.values():
        if family is not None and info.family != family:
            continue
        title = f"{info.name} {info.title}".casefold()
        everything = f"{title} {info.help} {info.effect} {FAMILIES.get(info.family, '')}".casefold()
        if all(word.search(everything) for word in words):
            found.append((not all(word.search(title) for word in words), info))
    return [info for _, info in sorted(found, key=lambda entry: entry[0])]


def _open(place: Place) -> None:
    st.session_state[_PLACE] = place


def _close() -> None:
    st.session_state.pop(_PLACE, None)


def _add(place: Place, name: str) -> None:
    index = len(editing.steps_at(builder_state.history().present.spec, place))
    if builder_state.edit(lambda spec: editing.insert(spec, place, index, editing.new_step(name))):
        builder_state.unfold_at((*place, index))
        _close()
