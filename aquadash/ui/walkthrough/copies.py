"""Copies: how 2,500 images become 12,500, and how to check it."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash import augment
from aquadash.data import Dataset
from aquadash.ui import bound, datasets, gallery
from aquadash.ui.glossary import term
from aquadash.ui.text import count
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_data

#: So many images are sent through the pipelines here.
_SHOWN = 20
_MOST_COPIES = 20


def show(dataset: Dataset) -> None:
    """Draw the section."""
    originals = len(dataset.train)
    parts.idea(
        "Here the changed versions are made once, before training, and put behind the originals. A set that is five "
        "times as large takes five times as long to go through, but it does not hold five times as much to learn.",
        help=term("augmentation"),
    )
    parts.real("One image of each block")
    st.markdown(
        "What the report's code does, in words: *for each image, send it through the first pipeline and keep what "
        "comes out, then through the second, the third, the fourth. At the end, put the originals in front of the "
        "four lists.*"
    )
    number = parts.slide("nth", 0, min(_SHOWN, originals) - 1, label="Training image", default=0)
    blocks = _blocks(dataset.fingerprint, dataset.name)
    titles = augment.branch_titles(augment.PIPELINES["notebook"])
    gallery.show(
        [
            gallery.Card(
                image=images[number],
                title=title,
                subtitle=f"position {block * originals + number:,}",
                alt=f"Image {number} in the block {title}",
            )
            for block, (title, images) in enumerate(zip(titles, blocks, strict=True))
        ],
        size_rem=8,
        label="One image in all five blocks",
    )
    parts.attempt("compose the training set")
    wanted = checks_data.training_images(originals, pipelines=checks_data.FOUR, copies=1, keep_originals=True)
    names = {name: augment.PIPELINES[name].title for name in checks_data.FOUR}
    pipelines = bound.choices("chains", names, label="Pipelines")
    copies = parts.slide("times", 1, _MOST_COPIES, label="Versions of each image from each pipeline", default=10)
    keep = bound.toggle("keep", label="Keep the originals, too")
    made = checks_data.training_images(originals, pipelines=pipelines, copies=copies, keep_originals=keep)
    with st.container(horizontal=True):
        st.metric("Your training set", count(made, "image"), border=True, width="content")
        st.metric("The report's way", count(wanted, "image"), border=True, width="content")
    parts.question(
        "copies",
        f"Set the switches to what the report's code does, so that {originals:,} images become {wanted:,}.",
        answer=(originals, tuple(sorted(pipelines)), copies, keep),
        check=lambda _: checks_data.report_composition(
            originals, pipelines=pipelines, copies=copies, keep_originals=keep
        ),
        solution="Every image meets every one of the four pipelines **once**, and the originals stay: all four "
        "pipelines, 1 version, originals kept.",
    )


@st.cache_data(max_entries=8, show_spinner="Drawing the variants ...")
def _blocks(fingerprint: str, source: str) -> NDArray[np.uint8]:
    """The first images in each block, uint8 (blocks, n, height, width, 3)."""
    images = datasets.dataset(source).train.images[:_SHOWN]
    made = augment.apply(images, augment.PIPELINES["notebook"], seed=0)
    return made.reshape(-1, *images.shape)
