"""Extraction: which images there are, and what they look like on average."""

from __future__ import annotations

import numpy as np
import streamlit as st

from aquadash.data import Dataset
from aquadash.figures.theme import class_colour
from aquadash.ui import bound, datasets, gallery
from aquadash.ui.gallery import class_text
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_data

_A_CLASS = 2
#: Nobody goes through a hundred classes one by one.
_MOST_CLASSES = 10


def show(dataset: Dataset) -> None:
    """Draw the section."""
    parts.idea(
        "A network learns from examples only: a picture, and the number of the class it belongs to. So the first thing "
        "is to take the right pictures out of a large collection, and to give the classes numbers without gaps, from "
        "0. The network never learns what a number is called."
    )
    parts.real("What there is here", help=term("split"))
    names, train = dataset.class_names, dataset.train
    st.markdown(
        f"{count(len(train), 'training image')} and {count(len(dataset.test), 'test image')}, in "
        f"{len(names)} classes, {dataset.image_shape[1]} × {dataset.image_shape[0]} pixels of three colours."
    )
    shown = names[:_MOST_CLASSES]
    if len(names) > len(shown):
        st.caption(f"Only the first {len(shown)} classes are shown here and asked about; Data has all of them.")
    cards = [
        gallery.Card(
            image=train.images[position],
            title=f"{label}: {class_text(name)}",
            alt=f"Training image {position} of class {label}, {name}",
            accent=class_colour(name, label),
        )
        for label, name in enumerate(shown)
        for position in np.flatnonzero(train.labels == label)[:_A_CLASS]
    ]
    gallery.show(cards, label="Examples of each class")

    there = {name: class_text(name) for label, name in enumerate(shown) if (train.labels == label).any()}
    parts.attempt("lay many pictures over one another")
    left, right = st.columns([2, 1])
    with left:
        chosen = bound.menu("average", there, label="Class")
        own = np.flatnonzero(train.labels == names.index(chosen))
        number = parts.slide("laid", 1, len(own), label="How many of its pictures", default=min(5, len(own)))
    mean = train.images[own[:number]].mean(axis=0, dtype=np.float64)
    with right:
        gallery.show(
            [
                gallery.Card(
                    image=np.rint(mean).astype(np.uint8),
                    title=class_text(chosen),
                    subtitle=f"mean of {number:,}: brightness {mean.mean():.1f} of 255",
                    alt=f"Mean of {number} images of class {chosen}, of brightness {mean.mean():.1f}",
                )
            ],
            size_rem=11,
            label="The mean picture",
        )
    found = datasets.statistics(dataset.name, "train")
    parts.question(
        "extraction",
        ("Which class" if len(shown) == len(names) else f"Which of these {len(shown)} classes")
        + " has the brightest pictures, on average over all of them?",
        answer=dataset.fingerprint,
        ask=lambda: bound.menu("brightest", {"": "Choose", **there}, label="Your answer"),
        check=lambda brightest: checks_data.brightest_class(brightest, found.classes[:_MOST_CLASSES]),
        solution=plain("Move the slider to its right end, go through the classes, and compare the brightness."),
    )
