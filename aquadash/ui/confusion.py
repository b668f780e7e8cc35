"""The confusion matrix as a control: a click on a cell, or on one of the most frequent mistakes, picks its images.

The two menus of :mod:`aquadash.ui.image_browser` do the same from the keyboard. All three write the session's values
``true`` and ``predicted``, which stand in the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from aquadash.evaluation import Evaluation
from aquadash.figures.confusion_matrix import MOST_NUMBERED, confusion_matrix, largest_confusions
from aquadash.ui import address, components, image_browser
from aquadash.ui.glossary import term
from aquadash.ui.probabilities import class_text
from aquadash.ui.text import count, plain

#: The chart's key; its selection is in the session state under it.
KEY = "matrix"
_TAKEN = "matrix-click-taken"

#: What the cells say, by the word in the address.
_CELLS = {"counts": "Images", "rows": "% of the true class"}


def take_click(class_names: Sequence[str]) -> None:
    """If a cell has been clicked since the last look, show its images; call before the menus are drawn."""
    cell = clicked_cell(st.session_state.get(KEY), classes=len(class_names))
    if cell is not None and cell != st.session_state.get(_TAKEN):
        image_browser.show_cell(class_names[cell[0]], class_names[cell[1]])
    st.session_state[_TAKEN] = cell


def clicked_cell(state: Any, *, classes: int) -> tuple[int, int] | None:
    """The (true, predicted) cell in a chart's selection; None where there is none or it is not of this matrix."""
    try:
        true, predicted = state["selection"]["points"][0]["customdata"]
    except (TypeError, KeyError, IndexError, ValueError):
        return None
    valid = all(isinstance(index, int) and 0 <= index < classes for index in (true, predicted))
    return (true, predicted) if valid else None


def show(found: Evaluation) -> None:
    """Draw the choice of what the cells say, the matrix and the most frequent mistakes."""
    names = found.classes
    address.choice("cells", list(_CELLS), default="counts")
    shown = st.segmented_control(
        "Cells show",
        list(_CELLS),
        key="cells",
        required=True,
        format_func=_CELLS.__getitem__,
        help=term("confusion matrix"),
    )
    address.record("cells", str(shown), default="counts")
    true, predicted = image_browser.chosen_classes(names)
    figure = confusion_matrix(
        found.confusion_matrix,
        class_names=names,
        by_row=shown == "rows",
        selected=None if true is None or predicted is None else (true, predicted),
    )
    # In half a page, or on a phone, level names would run into one another.
    figure.update_xaxes(tickangle=-35)
    if len(names) <= MOST_NUMBERED:
        # Every cell says its number, so that the colour bar's room is better spent on the cells.
        figure.update_traces(showscale=False, selector={"type": "heatmap"})
    components.plot(figure, key=KEY, on_select="rerun", selection_mode="points")
    st.caption(
        "Click a cell to see its images. From the keyboard: choose the two classes in the menus above the "
        f"[images](#{image_browser.ANCHOR})."
    )
    mistakes = largest_confusions(found.confusion_matrix)
    if mistakes:
        st.markdown("**Most frequent mistakes**")
    with st.container(horizontal=True):
        for row, column, number in mistakes:
            st.button(
                f"{plain(class_text(names[row]))} → {plain(class_text(names[column]))}: {number}",
                key=f"mistake-{row}-{column}",
                help=plain(f"{count(number, 'image')} of {names[row]} taken for {names[column]}; a click shows them"),
                on_click=image_browser.show_cell,
                args=(names[row], names[column]),
            )
