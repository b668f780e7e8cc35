"""The inside of a network: its first filters, and what its layers make of an image."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.explain import pictures
from aquadash.runs.types import Run
from aquadash.ui import gallery
from aquadash.ui.explainer import explainer
from aquadash.ui.text import count, plain


def show(run: Run, image: NDArray[np.uint8]) -> None:
    """Draw the first convolution's filters and what the layers make of the image."""
    network = explainer(run)
    with st.spinner("Looking into the layers ..."):
        filters, layers = network.filters(most=32), network.activations(image)
    st.markdown(
        f"**The first {len(filters.patterns)} of {count(filters.total, 'filter')} of `{plain(filters.layer)}`**"
    )
    st.caption(
        "Each is a small pattern that is compared with every place of the image; grey stands for no influence. Each "
        "has a scale of its own."
    )
    gallery.show(
        [
            gallery.Card(image=pattern, title="", alt=f"Filter {number}", subtitle=f"{100 * float(strength):.0f} %")
            for number, (pattern, strength) in enumerate(zip(filters.patterns, filters.strengths, strict=True))
        ],
        size_rem=3.2,
        label="Filters of the first convolution, with their strength in per cent of the strongest",
    )
    for layer in layers:
        height, width, channels = layer.shape
        silent = f", {100 * layer.silent:.0f} % of them the same everywhere" if layer.silent else ""
        st.markdown(
            f"**`{plain(layer.layer)}`** ({plain(layer.kind)}): {height} × {width} places, "
            f"{count(channels, 'channel')}{silent}"
        )
        gallery.show(
            [
                gallery.Card(
                    image=pictures.colours(values, signed=False),
                    title="",
                    alt=f"Channel {channel} of layer {layer.layer}",
                    subtitle=f"{channel}",
                )
                for channel, values in zip(layer.channels, layer.maps, strict=True)
            ],
            size_rem=3.6,
            label=f"Channels of layer {layer.layer}",
        )
