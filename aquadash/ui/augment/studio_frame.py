"""The frame of the Augment page's views: the data set, the sample images, the seed, and which view is looked at."""

from __future__ import annotations

import secrets

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.augment import PipelineSpec
from aquadash.data import Dataset
from aquadash.ui import address, bound, cache, shell, source_menu
from aquadash.ui.augment import studio_images
from aquadash.ui.augment.studio import SECTIONS, Studio
from aquadash.ui.glossary import term

SEEDS = 2**32


def data_set() -> Dataset:
    """Draw the choice of the data set."""
    return cache.dataset(source_menu.choose("Data set"))


def show(dataset: Dataset, spec: PipelineSpec, branch: int) -> None:
    """Draw the controls that all views share, and the view that is looked at.

    Args:
        dataset: The chosen data set.
        spec: The pipeline as edited.
        branch: The branch in view, from 0.
    """
    total = len(dataset.train)
    st.markdown(
        f"**{total:,} training images × {spec.factor} = {total * spec.factor:,}.** A run that holds some of them back "
        "for validation makes variants of the rest only. Validation and test images are never changed."
    )
    titles = {word: each.title for word, each in SECTIONS.items()}
    section = SECTIONS[bound.choice("view", titles, label="Look at")]
    seed = 0
    positions: list[int] = []
    images: NDArray[np.uint8] = dataset.train.images[:0]
    labels: tuple[str | None, ...] = ()
    if section.samples:
        seed = _seed()
        images, labels, positions = studio_images.choose(dataset)
    with shell.guard():
        section.draw(Studio(dataset, spec, branch, seed, positions, images, labels))


def _seed() -> int:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = bound.number("seed", 0, SEEDS - 1, label="Seed", default=0, help=term("seed"), width=180)
        st.button(
            "New draws",
            icon="🎲",
            key="new-draws",
            type="primary",
            help="Takes another seed, and with it other random changes.",
            on_click=lambda: address.assign("seed", secrets.randbelow(10_000)),
        )
    return seed
