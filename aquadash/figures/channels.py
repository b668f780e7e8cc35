"""Histograms of pixel values: of a split by colour channel, and of one channel before and after augmentation."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.colors import hex_to_rgb

from aquadash.data.statistics import moments
from aquadash.figures.confusion_matrix import shares_by_row
from aquadash.figures.theme import CHANNEL_COLOURS, CHANNELS, OUTLINE_COLOUR, finish

_DASHES = ("solid", "dash", "dot")
_BEFORE_FILL = "rgba(125, 145, 160, 0.35)"
#: Each bar counts four levels: with one level a bar, the histogram of 16 small images would have gaps.
_BINS_OF_CHANGE = 64


def channel_histogram(counts: ArrayLike, *, bins: int = 256, height: int = 320) -> go.Figure:
    """Draw the three channels' histograms over one another."""
    levels = np.asarray(counts, dtype=np.float64)
    centres, bars = _bars(levels, bins)
    spreads = [_spread(channel) for channel in levels]
    figure = go.Figure()
    for name, colour, dash, shares, spread, channel in zip(
        CHANNELS, CHANNEL_COLOURS, _DASHES, bars, spreads, levels, strict=True
    ):
        figure.add_scatter(
            x=centres,
            y=shares,
            name=f"{name}: {spread}",
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            fill="tozeroy",
            fillcolor=f"rgba{(*hex_to_rgb(colour), 0.13)}",
            hovertemplate=f"{name}: %{{y:.2f}} %<extra></extra>",
        )
        figure.add_vline(x=moments(channel)[0], line={"color": colour, "width": 1.5, "dash": dash}, opacity=0.8)
    title = "Pixel value (0 dark, 255 bright); upright lines: means"
    figure.update_xaxes(title=title, range=[0, 255], hoverformat=".0f")
    figure.update_yaxes(title="Share of pixels", ticksuffix=" %", rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    described = ", ".join(f"{name.lower()} {spread}" for name, spread in zip(CHANNELS, spreads, strict=True))
    alt = f"Histograms of the pixel values by colour channel; mean and standard deviation, from 0 to 255: {described}."
    return finish(figure, alt=alt, height=height)


def channel_change(before: ArrayLike, after: ArrayLike, *, channel: int, height: int = 280) -> go.Figure:
    """Draw a channel's histogram after augmentation as a line over the one before as an area."""
    name, colour = CHANNELS[channel], CHANNEL_COLOURS[channel]
    levels = np.asarray([before, after], dtype=np.float64)
    centres, (old_bars, new_bars) = _bars(levels, _BINS_OF_CHANGE)
    old_spread, new_spread = map(_spread, levels)
    figure = go.Figure()
    for bars, word, spread, line, fill in (
        (old_bars, "before", old_spread, {"color": OUTLINE_COLOUR, "width": 1}, "tozeroy"),
        (new_bars, "after", new_spread, {"color": colour, "width": 2.5}, None),
    ):
        drawn = {"mode": "lines", "line": {**line, "shape": "hvh"}, "fill": fill, "fillcolor": _BEFORE_FILL}
        hover = f"{word}: %{{y:.2f}} %<extra></extra>"
        figure.add_scatter(x=centres, y=bars, name=f"{word}: {spread}", hovertemplate=hover, **drawn)
    # Augmentation clips many pixels to 0 and 255. Cut these two bars, or the others would be too low to see.
    top = 1.2 * max(float(old_bars[1:-1].max()), float(new_bars[1:-1].max()), 0.01)
    for bar, level, shift, anchor in ((0, 0, 6, "left"), (-1, 255, -6, "right")):
        cut = [
            f'<span style="color: {ink}">{word} ↑ {bars[bar]:.0f} %</span>'
            for word, bars, ink in (("before", old_bars, OUTLINE_COLOUR), ("after", new_bars, colour))
            if bars[bar] > top
        ]
        if cut:
            place = {"x": level, "xshift": shift, "xanchor": anchor, "y": 1, "yref": "y domain", "yanchor": "top"}
            figure.add_annotation(text="<br>".join(cut), align=anchor, showarrow=False, **place)
    figure.update_xaxes(title=f"{name}: 0 dark, 255 bright", range=[-1, 256], tickvals=[0, 64, 128, 192, 255])
    figure.update_yaxes(title="Share of pixels", ticksuffix=" %", range=[0, top])
    figure.update_layout(hovermode="x unified")
    old, new = 100 * shares_by_row(levels)
    alt = (
        f"Histogram of the {name.lower()} values, 0 to 255, before and after. Mean and standard deviation: before "
        f"{old_spread}, after {new_spread}. At the ends 0 and 255: before {old[0]:.1f} % and {old[-1]:.1f} %, after "
        f"{new[0]:.1f} % and {new[-1]:.1f} %."
    )
    return finish(figure, alt=alt, height=height)


def _bars(levels: NDArray[np.float64], bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the centres of the bars and, for each row of counts of the levels 0 to 255, their per cent."""
    width = 256 // bins
    # A bar of width w that starts at value v counts the whole numbers v to v + w - 1.
    centres = np.arange(bins, dtype=np.float64) * width + (width - 1) / 2
    return centres, 100 * shares_by_row(levels.reshape(len(levels), bins, width).sum(axis=2))


def _spread(counts: NDArray[np.float64]) -> str:
    mean, deviation = moments(counts)
    return f"{mean:.0f} ± {deviation:.0f}"
