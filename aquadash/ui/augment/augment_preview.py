"""The Augment page's preview: what the pipeline makes of the sample images, seen in several ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from aquadash.ui import address, inputs
from aquadash.ui.augment import augment_views as views
from aquadash.ui.augment.studio import Studio


@dataclass(frozen=True)
class View:
    """One way of looking.

    Attributes:
        title: On its button.
        question: What it shows, one sentence.
        draw: Draws it.
    """

    title: str
    question: str
    draw: Callable[[Studio], None]


#: The views by their word in the address, the first the default. A new one is a line here.
VIEWS: dict[str, View] = {
    "draws": View(
        "Draws",
        "Each row is an image and some of the versions that training may see of it.",
        views.draws,
    ),
    "steps": View(
        "Steps",
        "Each row is an image on its way: as it is, then after each step. The last is this version's first draw.",
        views.steps,
    ),
    "same": View(
        "Same draw",
        "Down a column all images get the same random choices. In training each gets choices of its own.",
        views.same_draw,
    ),
    "difference": View(
        "Difference",
        "Each row is an image, a version of it, and what changed between the two.",
        views.differences,
    ),
    "histograms": View(
        "Histograms",
        "How bright the pixels are in each colour channel, before and after.",
        views.histograms,
    ),
}


def show(studio: Studio) -> None:
    """Draw the choice of the view, which is in the address under ``look``, and the view."""
    address.choice("look", list(VIEWS), default=next(iter(VIEWS)))
    look = inputs.segmented_control(
        "How to look at it",
        list(VIEWS),
        key="look",
        required=True,
        format_func=lambda name: VIEWS[name].title,
        label_visibility="collapsed",
    )
    address.record("look", str(look), default=next(iter(VIEWS)))
    st.caption(VIEWS[str(look)].question)
    VIEWS[str(look)].draw(studio)
