"""Test images to show a network when there is no picture at hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from aquadash.errors import DataError
from aquadash.figures.theme import class_colour
from aquadash.runs.types import Run
from aquadash.ui import address, cache, gallery
from aquadash.ui.predictions import Network
from aquadash.ui.probabilities import bars, class_text
from aquadash.ui.text import plain

#: At most so many test images are tried at once: one a class, of the first classes.
MOST_SAMPLES = 10

#: Draws of test images are numbered; the number stands in the address.
LAST_SAMPLE = 9999


def wanted() -> bool:
    """Draw the buttons that draw test images and put them away; whether there are some to show."""
    number = address.number("sample", default=0, low=0, high=LAST_SAMPLE)
    with st.container(horizontal=True):
        st.button(
            "Other test images" if number else "Try some test images",
            icon="🎲",
            key="draw-sample",
            on_click=address.assign,
            args=("sample", number % LAST_SAMPLE + 1),
            help="One image of each class from the run's own data set; the network has not learnt from them.",
        )
        if number:
            st.button("Hide", key="no-sample", on_click=address.assign, args=("sample", 0), type="tertiary")
    address.record("sample", str(number), default="0")
    return number > 0


def show(runs: Sequence[Run], networks: Sequence[Network]) -> None:
    """Draw the test images with each network's answers; they are of the first run's data set."""
    dataset = cache.dataset(runs[0].config.data.source)
    generator = np.random.default_rng(st.session_state["sample"])
    of_class = (np.flatnonzero(dataset.test.labels == label) for label in range(len(dataset.class_names)))
    drawn = [int(generator.choice(positions)) for positions in of_class if len(positions)][:MOST_SAMPLES]
    for network in networks:
        predictor = network.predictor
        if len(networks) > 1:
            st.markdown(f"**{plain(network.name)}**")
        if dataset.image_shape != predictor.image_shape or dataset.class_names != predictor.class_names:
            text = (
                f"The data set {dataset.title} has changed since this run was trained: its images no longer fit the "
                "network. Choose a newer run, or drop a picture of your own."
            )
            if len(networks) == 1:
                raise DataError(text)
            st.warning("This run was trained on images of another size or of other classes.", icon="🧩")
            continue
        answers = predictor.predict_images(dataset.test.images[drawn])
        cards = []
        for position, shares in zip(drawn, answers, strict=True):
            label, answer = int(dataset.test.labels[position]), int(shares.argmax())
            true, given = dataset.class_names[label], dataset.class_names[answer]
            verdict = "✔ right" if label == answer else f"✘ it is: {class_text(true)}"
            cards.append(
                gallery.Card(
                    image=dataset.test.images[position],
                    title=f"{class_text(given)}, {100 * float(shares[answer]):.0f} %",
                    subtitle=verdict,
                    alt=f"Test image {position} of class {true}; the network says {given}",
                    bars=bars(shares, class_names=dataset.class_names, true_class=label),
                    accent=class_colour(given, answer),
                )
            )
        gallery.show(cards, size_rem=8, label=f"Test images with the answers of {network.name}")
