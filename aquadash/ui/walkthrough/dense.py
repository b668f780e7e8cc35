"""Dense layers: where the parameters are."""

from __future__ import annotations

import numpy as np
import streamlit as st

from aquadash.data import Dataset
from aquadash.ui.glossary import term
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_network, network

_REPORT = (256, 128)
_UNITS = 64


def show(dataset: Dataset) -> None:
    """Draw the section."""
    parts.idea(
        "What the convolutions found is put into one long row of numbers. Dense layers weigh all of them against one "
        "another: each unit has a weight for each number that comes in. The last layer has a unit a class. Dropout "
        "switches units off at random while the network learns, so that none can rely on a single other one.",
        help=f"{term('dense layer')} {term('dropout')}",
    )
    parts.attempt("the sizes of the two dense layers, and dropout")
    left, right = st.columns(2)
    with left:
        first = parts.slide("units", 16, 512, label="Units of the first", default=_REPORT[0], step=16)
        second = parts.slide("more-units", 16, 256, label="Units of the second", default=_REPORT[1], step=16)
    with right:
        dropout = parts.slide("dropout", 0, 90, label="Dropout", default=50, step=10, unit=" %", help=term("dropout"))
        off = np.random.default_rng(dropout).random(_UNITS) < dropout / 100
        st.markdown("  \n".join(" ".join("○" if each else "●" for each in row) for row in off.reshape(4, 16)))
        st.caption(f"{_UNITS} units in one step of training: {int(off.sum())} of them (○) are switched off.")
    classes, shape = len(dataset.class_names), dataset.image_shape
    whole = sum(network.parameters(shape, classes=classes, units=_REPORT).values())
    layers = network.parameters(shape, classes=classes, units=(first, second))
    params = sum(layers.values())
    parts.real("What each layer has to learn, for these images")
    st.dataframe(
        {
            "Layer": list(layers),
            "Parameters": list(layers.values()),
            "Share": [100 * value / params for value in layers.values()],
        },
        column_config={
            "Parameters": st.column_config.NumberColumn(format="localized", help=term("weights")),
            "Share": st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100),
        },
        hide_index=True,
        alt="Parameters of each layer and their share",
    )
    with st.container(horizontal=True):
        st.metric("Your network", f"{params:,}", border=True, width="content")
        st.metric("With the report's units", f"{whole:,}", border=True, width="content")
    parts.question(
        "dense",
        "Move one slider so that the network is left with half of the report's parameters (give or take 2.5 points).",
        answer=(params, whole),
        check=lambda _: checks_network.half_the_network(params, whole),
        solution="Nearly all parameters belong to the first dense layer: half as many units, half as many parameters.",
    )
