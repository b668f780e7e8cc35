"""Normalization: the same pictures in smaller numbers."""

from __future__ import annotations

import numpy as np
import streamlit as st

from aquadash.data import Dataset
from aquadash.figures.channel_histogram import channel_histogram
from aquadash.ui import bound, components, datasets
from aquadash.ui.glossary import term
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_data

_KINDS = {
    "unit": "Divide by 255: from 0 to 1, as the report does",
    "symmetric": "From -1 to 1",
    "standardize": "Take the mean off, divide by the deviation",
}


def show(dataset: Dataset) -> None:
    """Draw the section."""
    parts.idea(
        "Colour values are whole numbers from 0 to 255. A network multiplies them with its weights, adds up thousands "
        "of products, and takes steps of a fixed size; inputs around 1 suit that better than inputs around 100. "
        "Nothing is lost or gained in the picture itself.",
        help=f"{term('normalization')} {term('one-hot')}",
    )
    parts.real("The colour values of all training images")
    found = datasets.statistics(dataset.name, "train").channels
    means = [channel.mean or 0.0 for channel in found]
    deviations = [channel.std or 1.0 for channel in found]
    bins = np.array([channel.histogram.reshape(64, 4).sum(axis=1) for channel in found])
    components.plot(channel_histogram(bins, mean=means, std=deviations, height=260), key="walk-histogram")
    parts.attempt("three ways to normalize")
    kind = bound.menu("scale", _KINDS, label="Normalization", default="unit")
    after = checks_data.normalized_means(means, deviations, kind)
    pixel = dataset.train.images[0, 0, 0].astype(np.float64)
    st.dataframe(
        {
            "Channel": [channel.name for channel in found],
            "Mean before": means,
            "Mean after": [round(value, 4) + 0.0 for value in after],
            "First pixel before": pixel,
            "First pixel after": [
                _scaled(value, mean, deviation, kind)
                for value, mean, deviation in zip(pixel, means, deviations, strict=True)
            ],
        },
        column_config={
            "Mean before": st.column_config.NumberColumn(format="%.1f"),
            "Mean after": st.column_config.NumberColumn(format="%.3f"),
            "First pixel before": st.column_config.NumberColumn(format="%d"),
            "First pixel after": st.column_config.NumberColumn(format="%.3f"),
        },
        hide_index=True,
        alt="Mean of each colour channel and one pixel, before and after normalization",
    )
    parts.question(
        "normalization",
        "Choose the normalization that centres every channel: its mean is 0 afterwards.",
        answer=(dataset.fingerprint, kind),
        check=lambda _: checks_data.centring(kind, means, deviations),
        solution="Go through the three and read the column “Mean after”.",
    )


def _scaled(value: float, mean: float, deviation: float, kind: str) -> float:
    """One colour value after the normalization."""
    if kind == "unit":
        return value / 255
    return 2 * value / 255 - 1 if kind == "symmetric" else (value - mean) / deviation
