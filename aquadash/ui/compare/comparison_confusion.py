"""The confusion matrices of compared runs beside one another, and the difference of two."""

from __future__ import annotations

import streamlit as st

from aquadash.figures.confusion_difference import confusion_difference
from aquadash.figures.confusion_matrix import MOST_NUMBERED
from aquadash.figures.small_confusion import small_confusion
from aquadash.figures.theme import run_colour, shorten
from aquadash.ui import components
from aquadash.ui.compare import pair_picker
from aquadash.ui.compared import Compared
from aquadash.ui.glossary import term
from aquadash.ui.text import percent, plain


def show(compared: Compared) -> None:
    """Draw a small matrix a run, and below them one less another."""
    st.subheader("What does each take for what?", anchor=False, help=term("confusion matrix"))
    evaluations = compared.evaluations()
    drawn = [index for index, found in enumerate(evaluations) if found is not None]
    if not drawn:
        st.caption(f"Once a run has predicted the {compared.images} images, its matrix is here.")
        return
    st.caption("Per cent of each true class (row) that was called each class (column); the same colours in all.")
    with st.container(horizontal=True, gap="small"):
        for index in drawn:
            found = evaluations[index]
            assert found is not None
            with st.container(key=f"run-card-{index}", width=256, gap=None):
                st.markdown(f"**{plain(shorten(compared.names[index], length=26))}**")
                st.caption(percent(found.accuracy, found.accuracy_ci95))
                st.html(f'<div aria-hidden="true" style="height: 4px; background: {run_colour(index)}"></div>')
                figure = small_confusion(found.confusion_matrix, class_names=found.classes, name=compared.names[index])
                components.plot(figure, key=f"small-confusion-{index}", config={"displayModeBar": False})
    same = [index for index in drawn if _classes(compared, index) == _classes(compared, drawn[0])]
    if len(same) < 2:
        return
    st.subheader("What does one confuse more than another?", anchor=False)
    first, second = pair_picker.pick(compared, same)
    before, after = evaluations[first], evaluations[second]
    assert before is not None and after is not None
    figure = confusion_difference(after.confusion_matrix, before.confusion_matrix, class_names=after.classes)
    figure.update_xaxes(tickangle=-35)
    figure.update_layout(height=430 if len(after.classes) <= 6 else figure.layout.height)
    if len(after.classes) <= MOST_NUMBERED:
        figure.update_traces(showscale=False, selector={"type": "heatmap"})
    components.plot(figure, key="compared-difference")
    st.caption(
        f"**{plain(shorten(compared.names[second]))}** less **{plain(shorten(compared.names[first]))}**. On the "
        "diagonal more is better, elsewhere fewer."
    )


def _classes(compared: Compared, index: int) -> tuple[str, ...]:
    return tuple(compared.runs[index].class_names)
