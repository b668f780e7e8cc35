"""The Augment page's preview: what the pipeline makes of the sample images, seen in several ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from aquadash.ui import bound
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
    titles = {name: view.title for name, view in VIEWS.items()}
    look = bound.choice("look", titles, label="How to look at it", label_visibility="collapsed")
    st.caption(VIEWS[look].question)
    VIEWS[look].draw(studio)
