"""The sample images beside some draws of the branch in view."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.augment import Branch
from aquadash.ui import components, gallery
from aquadash.ui.studio import Studio
from aquadash.ui.text import plain

DRAWS = 3


def show(studio: Studio) -> None:
    """A row for each image: the original, then its draws."""
    made = _draws(studio.images, studio.in_view, studio.branch, studio.seed)
    st.caption(f"Originals, each followed by {DRAWS} draws of “{plain(studio.in_view.title)}”.")
    cards = []
    for row, label in enumerate(studio.labels):
        name = label or f"image {row + 1}"
        cards.append(gallery.Card(studio.images[row], components.class_title(name), f"{name}, original"))
        cards += [
            gallery.Card(made[draw, row], f"draw {draw + 1}", f"{name}, draw {draw + 1}: {studio.in_view.title}")
            for draw in range(DRAWS)
        ]
    gallery.show(cards, size_rem=9, columns=1 + DRAWS, label="Originals, each followed by its draws")


@st.cache_data(max_entries=64, show_spinner=False)
def _draws(images: NDArray[np.uint8], branch: Branch, number: int, seed: int) -> NDArray[np.uint8]:
    from aquadash.augment.apply import PREVIEW, augment_branch

    made = np.empty((DRAWS, *images.shape), dtype=np.uint8)
    for draw in range(DRAWS):
        augment_branch(images, branch, seed=seed, path=(PREVIEW, number, draw), out=made[draw])
    return made
