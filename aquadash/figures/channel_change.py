"""One colour channel's pixel values before and after augmentation."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from aquadash.data.statistics import moments
from aquadash.figures.theme import CHANNEL_COLOURS, CHANNELS, OUTLINE_COLOUR, finish

_LEVELS = 256
#: Bars of four levels: with bars of one level the histogram of 16 small images would be a comb.
_BINS = 64
_BEFORE_FILL = "rgba(125, 145, 160, 0.35)"


def channel_change(before: ArrayLike, after: ArrayLike, *, channel: int, height: int = 280) -> go.Figure:
    """Draw a channel's histogram after augmentation as a line over the one before as an area."""
    name = CHANNELS[channel]
    old, new = (100 * np.asarray(counts, dtype=np.float64) / np.sum(counts) for counts in (before, after))
    old_bars, new_bars = (shares.reshape(_BINS, -1).sum(axis=1) for shares in (old, new))
    old_spread, new_spread = ("{:.0f} ± {:.0f}".format(*moments(shares)) for shares in (old, new))
    colour = CHANNEL_COLOURS[channel]
    width = _LEVELS / _BINS
    centres = np.arange(_BINS) * width + (width - 1) / 2
    figure = go.Figure()
    for bars, label, spread, line, fill in (
        (old_bars, "before", old_spread, {"color": OUTLINE_COLOUR, "width": 1}, _BEFORE_FILL),
        (new_bars, "after", new_spread, {"color": colour, "width": 2.5}, None),
    ):
        figure.add_scatter(
            x=centres, y=bars, name=f"{label}: {spread}", mode="lines", line=line | {"shape": "hvh"},
            fill="tozeroy" if fill else None, fillcolor=fill,
            hovertemplate=f"{label}: %{{y:.2f}} %<extra></extra>",
        )  # fmt: skip
    # Clipping makes the bars at 0 and 255 so high that the others would vanish: cut them, and write their height.
    top = 1.2 * max(float(old_bars[1:-1].max()), float(new_bars[1:-1].max()), 0.01)
    for bar, level, anchor in ((0, 0, "left"), (-1, 255, "right")):
        if new_bars[bar] > top:
            figure.add_annotation(
                x=level, y=1, yref="y domain", xanchor=anchor, yanchor="top", showarrow=False,
                text=f"↑ {new_bars[bar]:.0f} %", font={"color": colour}, xshift=6 if bar == 0 else -6,
            )  # fmt: skip
    figure.update_xaxes(title=f"{name}: 0 dark, 255 bright", range=[-1, 256], tickvals=[0, 64, 128, 192, 255])
    figure.update_yaxes(title="Share of pixels", ticksuffix=" %", range=[0, top])
    # The right margin has room for the number 255.
    figure.update_layout(hovermode="x unified", margin={"l": 8, "r": 18, "t": 36, "b": 8})
    alt = (
        f"Histogram of the {name.lower()} values, 0 to 255, before and after. Mean and standard deviation: before "
        f"{old_spread}, after {new_spread}. At the ends 0 and 255: before {old[0]:.1f} % and {old[-1]:.1f} %, after "
        f"{new[0]:.1f} % and {new[-1]:.1f} %."
    )
    return finish(figure, alt=alt, height=height)
