"""Augmentation: what the report's four pipelines do to a picture."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash import augment
from aquadash.data import Dataset
from aquadash.ui import bound, datasets, gallery
from aquadash.ui.glossary import term
from aquadash.ui.text import plain
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_data

_DRAWS = 9
#: Enough for a share to a few per cent.
_MEASURED = 200


def show(dataset: Dataset) -> None:
    """Draw the section."""
    parts.idea(
        "A mirrored dolphin is still a dolphin. Changing pictures at random gives the network more to learn from and "
        "keeps it from remembering single pictures. It also says which differences do *not* matter, and that is a "
        "claim about the world: a change that hides the animal teaches something false.",
        help=term("augmentation"),
    )
    parts.attempt("the report's four pipelines, drawn here")
    titles = {name: augment.PIPELINES[name].title for name in checks_data.FOUR}
    name = bound.menu("chain", titles, label="Pipeline", default=checks_data.FOUR[0], help=term("pipeline"))
    left, right = st.columns(2)
    with left:
        position = parts.slide("picture", 0, len(dataset.train) - 1, label="Training image", default=0)
    with right:
        seed = parts.slide("draw", 1, 100, label="Draw", default=1, help=term("seed"))
    steps = "\n".join(f"{line[: len(line) - len(line.lstrip())]}- {plain(line)}" for line in _steps(name))
    with st.expander("What its steps are", icon="🪜"):
        st.markdown(steps)
    drawn = _draws(dataset.fingerprint, dataset.name, position, name, seed)
    original = dataset.train.images[position]
    cards = [gallery.Card(image=original, title="original", alt=f"Training image {position} as it is")]
    for number, image in enumerate(drawn, start=1):
        change = float(np.abs(image.astype(np.int16) - original).mean())
        text = f"changed by {change:.1f}" if change else "not changed"
        cards.append(gallery.Card(image, f"draw {number}", f"Draw {number}: {text}", subtitle=text))
    gallery.show(cards, label="The picture and its changed versions")
    st.caption("The number is the mean change of a pixel's colour value, out of 255.")
    parts.question(
        "augmentation",
        "Find the pipeline that leaves some pictures exactly as they are. Choose it above, then check.",
        answer=(dataset.fingerprint, name),
        check=lambda _: checks_data.untouched_pipeline(
            name, {name: _untouched(dataset.fingerprint, dataset.name, name)}
        ),
        solution="Open “What its steps are” for each of the four. In one of them every step happens in some of the "
        "images only, so that now and then none of them does.",
    )
    st.page_link(
        "pages/augment.py", label="Change the pipelines yourself, on Augment", icon="🎲",
        query_params={"source": dataset.name, "pipeline": name},
    )  # fmt: skip


def _steps(name: str) -> tuple[str, ...]:
    return augment.describe(augment.PIPELINES[name])


@st.cache_data(max_entries=32, show_spinner="Measuring 200 images ...")
def _untouched(fingerprint: str, source: str, name: str) -> float:
    return checks_data.untouched_share(datasets.dataset(source).train.images[:_MEASURED], name, seed=0)


@st.cache_data(max_entries=64, show_spinner="Drawing the variants ...")
def _draws(fingerprint: str, source: str, position: int, name: str, seed: int) -> NDArray[np.uint8]:
    """Changed versions of one training image, uint8 (draws, height, width, 3)."""
    images = datasets.dataset(source).train.images[position : position + 1]
    return augment.preview(images, pipeline=augment.PIPELINES[name], seed=seed, draws=_DRAWS)[:, 0]
