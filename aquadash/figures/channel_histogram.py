"""How bright the pixels of a split are in red, green and blue."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.colors import hex_to_rgb

from aquadash.data.statistics import moments
from aquadash.figures.confusion_matrix import shares_by_row
from aquadash.figures.theme import CHANNEL_COLOURS, CHANNELS, empty_figure, finish

_DASHES = ("solid", "dash", "dot")


def channel_histogram(counts: ArrayLike, *, bins: int = 256, height: int = 320) -> go.Figure:
    """Draw the three channels' histograms over one another."""
    levels = np.asarray(counts)
    if not levels.any():
        return empty_figure("The colours of the images appear here once a data set is chosen.", height=height)
    means, deviations = zip(*map(moments, levels), strict=True)
    width = 256 // bins
    # A bin of width w that starts at value v holds the whole numbers v to v + w - 1.
    centres = np.arange(bins) * width + (width - 1) / 2
    bars = levels.reshape(len(CHANNELS), bins, width).sum(axis=2)
    figure = go.Figure()
    for index, (channel, shares) in enumerate(zip(CHANNELS, 100 * shares_by_row(bars), strict=True)):
        colour = CHANNEL_COLOURS[index]
        figure.add_scatter(
            x=centres,
            y=shares,
            name=f"{channel}: {means[index]:.0f} ± {deviations[index]:.0f}",
            mode="lines",
            line={"color": colour, "width": 2, "dash": _DASHES[index]},
            fill="tozeroy",
            fillcolor=f"rgba{(*hex_to_rgb(colour), 0.13)}",
            hovertemplate=f"{channel}: %{{y:.2f}} %<extra></extra>",
        )
        figure.add_vline(x=means[index], line={"color": colour, "width": 1.5, "dash": _DASHES[index]}, opacity=0.8)
    title = "Pixel value (0 dark, 255 bright); upright lines: means"
    figure.update_xaxes(title=title, range=[0, 255], hoverformat=".0f")
    figure.update_yaxes(title="Share of pixels", ticksuffix=" %", rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    spread = ", ".join(
        f"{channel.lower()} {means[index]:.0f} ± {deviations[index]:.0f}" for index, channel in enumerate(CHANNELS)
    )
    alt = f"Histograms of the pixel values by colour channel; mean and standard deviation, from 0 to 255: {spread}."
    return finish(figure, alt=alt, height=height)
