"""The confusion matrix as a control: a click on a cell, or on one of the most frequent mistakes, picks its images.

The two menus of :mod:`aquadash.ui.image_browser` do the same from the keyboard. All three write the session's values
``true`` and ``predicted``, which stand in the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from aquadash.evaluation import Evaluation
from aquadash.figures.confusion_difference import confusion_difference
from aquadash.figures.confusion_matrix import MOST_NUMBERED, confusion_matrix, largest_confusions
from aquadash.ui import bound, clicks, components, image_browser
from aquadash.ui.glossary import term
from aquadash.ui.probabilities import class_text
from aquadash.ui.text import count, plain

#: The chart's key; its selection is in the session state under it.
KEY = "matrix"

#: What the cells say, by the word in the address; the last needs a second run.
_CELLS = {"counts": "Images", "rows": "% of the true class", "difference": "Difference of the runs"}


def take_click(class_names: Sequence[str]) -> None:
    """If a cell has been clicked since the last look, show its images; call before the menus are drawn."""
    point = clicks.new_click(KEY)
    cell = None if point is None else cell_of(point, classes=len(class_names))
    if cell is not None:
        image_browser.show_cell(class_names[cell[0]], class_names[cell[1]])


def cell_of(point: Sequence[Any], *, classes: int) -> tuple[int, int] | None:
    """The (true, predicted) cell that a point's ``customdata`` names; None if it is not of this matrix."""
    indices = [clicks.whole(value, below=classes) for value in point]
    if len(indices) != 2 or indices[0] is None or indices[1] is None:
        return None
    return indices[0], indices[1]


def show(found: Evaluation, *, other: Evaluation | None = None) -> None:
    """Draw the choice of what the cells say, the matrix and the most frequent mistakes.

    Args:
        found: The run's results.
        other: Those of a second run on the same classes, to show the difference.
    """
    names = found.classes
    cells = {word: title for word, title in _CELLS.items() if other is not None or word != "difference"}
    shown = bound.choice("cells", cells, label="Cells show", help=term("confusion matrix"))
    true, predicted = image_browser.chosen_classes(names)
    selected = None if true is None or predicted is None else (true, predicted)
    if shown == "difference" and other is not None:
        figure = confusion_difference(
            found.confusion_matrix, other.confusion_matrix, class_names=names, selected=selected
        )
    else:
        figure = confusion_matrix(found.confusion_matrix, class_names=names, by_row=shown == "rows", selected=selected)
    # In half a page, or on a phone, level names would run into one another.
    figure.update_xaxes(tickangle=-35)
    if len(names) <= MOST_NUMBERED:
        # Every cell says its number, so that the colour bar's room is better spent on the cells.
        figure.update_traces(showscale=False, selector={"type": "heatmap"})
    components.plot(figure, key=KEY, on_select="rerun", selection_mode="points")
    if shown == "difference":
        st.caption(
            "This run less the second one. On the diagonal more is better, elsewhere fewer. A click shows what this "
            "run says."
        )
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
