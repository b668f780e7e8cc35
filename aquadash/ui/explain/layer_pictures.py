"""The inside of a network: its first filters, and what its layers make of an image."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.explain import pictures, words
from aquadash.runs.types import Run
from aquadash.ui import gallery
from aquadash.ui.explain.explainer import explainer
from aquadash.ui.text import count, plain

#: Of more filters the first are drawn.
_MOST_FILTERS = 32


def show(run: Run, image: NDArray[np.uint8]) -> None:
    """Draw the first convolution's filters and what the layers make of the image, uint8 (height, width, 3)."""
    network = explainer(run)
    with st.spinner("Looking into the layers ..."):
        filters, layers = network.filters(most=_MOST_FILTERS), network.activations(image)
    shown = len(filters.patterns)
    which = count(shown, "filter") if shown == filters.total else f"first {shown} of {filters.total} filters"
    st.markdown(f"**The {which} of {plain(filters.layer)}**")
    st.caption(
        "Each is a small pattern that is compared with every place of the image; grey stands for no influence. Each "
        "has a scale of its own; the number below it is its strength in per cent of the strongest."
    )
    gallery.show(
        [
            gallery.Card(image=pattern, title=f"{100 * float(strength):.0f} %", alt=f"Filter {number}")
            for number, (pattern, strength) in enumerate(zip(filters.patterns, filters.strengths, strict=True))
        ],
        size_rem=3.2,
        label="Filters of the first convolution, with their strength in per cent of the strongest",
    )
    st.markdown("**What the layers make of the image**")
    st.caption(
        "Some channels of each layer, by number: those that differ most from place to place. Dark is the layer's least "
        "value and bright its greatest."
    )
    for layer in layers:
        height, width, channels = layer.shape
        silent = f"; {100 * layer.silent:.0f} % of them are the same everywhere" if layer.silent else ""
        st.markdown(
            f"{plain(layer.layer)} ({plain(layer.kind)}): {height} × {width} places, "
            f"{count(channels, 'channel')}{silent}"
        )
        gallery.show(
            [
                gallery.Card(
                    image=pictures.colours(values, signed=False),
                    title=str(channel),
                    alt=f"Channel {channel} of layer {layer.layer}: {words.where(values)}",
                )
                for channel, values in zip(layer.channels, layer.maps, strict=True)
            ],
            size_rem=3.6,
            label=f"Channels of layer {layer.layer}",
        )
