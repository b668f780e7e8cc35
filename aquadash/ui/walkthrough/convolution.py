"""Convolution: what two layers see, and when they are one."""

from __future__ import annotations

import streamlit as st

from aquadash.data import Dataset
from aquadash.ui import bound, gallery
from aquadash.ui.glossary import term
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_network, network

_ACTIVATIONS = {"none": "none, as in the report", "relu": "ReLU: negative sums become 0"}
_POOLINGS = {"max": "max pooling, as in the report", "none": "none"}


def show(dataset: Dataset) -> None:
    """Draw the section."""
    parts.idea(
        "A convolution slides a small filter over the picture and writes down, place by place, how well the picture "
        "fits it. The report's filters cover 2 × 2 pixels and move two at a time, so each layer halves the picture. "
        "What the filters look for is learnt. Layers in a row see ever larger parts of the picture, *if* something "
        "other than adding up happens in between.",
        help=term("convolution"),
    )
    parts.attempt("two convolutions on a picture of yours")
    left, right = st.columns(2)
    with left:
        position = parts.slide("seen", 0, len(dataset.train) - 1, label="Training image", default=0)
        activation = bound.menu(
            "activation", _ACTIVATIONS, label="After the first: activation", default="none", help=term("activation")
        )
        pooling = bound.menu("pooling", _POOLINGS, label="After that: pooling", default="max", help=term("pooling"))
    names = list(network.FILTERS)
    with right:
        first = bound.menu("first", names, label="First filter looks for")
        second = bound.menu("second", names, label="Second filter looks for", default=names[1])
    image = dataset.train.images[position]
    found = network.two_layers(image, filters=(first, second), activation=activation, pooling=pooling)
    cards = [gallery.Card(image, "the picture", f"Training image {position}")]
    for values, title, alt in (
        (found.first, "after the first", f"What the filter for {first} gives"),
        (found.second, "after both", f"What the filter for {second} gives of that"),
        (found.single, "one 4 × 4 filter instead", "What the single filter gives"),
    ):
        size = f"{values.shape[1]} × {values.shape[0]}"
        cards.append(gallery.Card(network.as_picture(values), title, alt, subtitle=size))
    gallery.show(cards, size_rem=9, label="The picture and what the filters make of it")
    st.metric(
        "Largest difference between the last two", f"{found.difference:.4f}", border=True, width="content",
        help="Where it is 0, one convolution does all that the two do.",
    )  # fmt: skip
    st.caption("Middle grey is 0, brighter is more, darker is less. The filters are fixed here; networks learn theirs.")
    parts.question(
        "convolution",
        "Set the switches so that the two convolutions are nothing but one larger one, on every picture.",
        answer=(activation, pooling, first, second, position, dataset.fingerprint),
        check=lambda _: checks_network.one_convolution(activation, pooling, found.difference),
        solution="Take out whatever is not just multiplying and adding up: no activation **and** no pooling.",
    )
    st.page_link(
        "pages/evaluate.py", label="What a run's own filters see, on Evaluate", icon="🔎",
        query_params={"section": "explain"},
    )  # fmt: skip
