"""One colour channel's pixel values before and after augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from aquadash.figures.theme import CHANNEL_COLOURS, CHANNELS, OUTLINE_COLOUR, empty_figure, finish

_LEVELS = 256
#: Bars of four levels: of 16 images of 32 x 32 pixels single levels would be a comb.
_BINS = 64
_BEFORE_FILL = "rgba(125, 145, 160, 0.35)"


@dataclass(frozen=True, eq=False)
class ChannelShares:
    """A channel's histogram as it is drawn.

    Attributes:
        shares: float64, shape (64,), per cent of the pixels in each bin of four levels.
        mean: Mean level, 0 to 255.
        deviation: Standard deviation of the levels.
        at_ends: Per cent of the pixels at level 0 and at level 255.
    """

    shares: NDArray[np.float64]
    mean: float
    deviation: float
    at_ends: tuple[float, float]


def channel_shares(counts: ArrayLike) -> ChannelShares:
    """Work out what is drawn of a histogram.

    Args:
        counts: Pixels of each level, shape (256,), at least one pixel.
    """
    per_level = np.asarray(counts, dtype=np.float64)
    per_level = per_level / per_level.sum()
    levels = np.arange(_LEVELS)
    mean = float(per_level @ levels)
    deviation = float(per_level @ (levels - mean) ** 2) ** 0.5
    ends = (100 * float(per_level[0]), 100 * float(per_level[-1]))
    return ChannelShares(100 * per_level.reshape(_BINS, -1).sum(axis=1), mean, deviation, ends)


def channel_change(before: ArrayLike, after: ArrayLike, *, channel: int, height: int = 280) -> go.Figure:
    """Draw a channel's histogram after augmentation as a line over the one before as an area.

    Pixels pile up at 0 and 255 where values are cut off; bars there that would dwarf all others run out of the chart,
    and their height is written beside them.

    Args:
        before: Pixels of each level, shape (256,).
        after: The same, of the augmented images.
        channel: 0 red, 1 green, 2 blue.
        height: In pixels.
    """
    name = CHANNELS[channel]
    if not np.sum(before) or not np.sum(after):
        return empty_figure("The pixel values before and after appear here once there are images.", height=height)
    old, new = channel_shares(before), channel_shares(after)
    colour = CHANNEL_COLOURS[channel]
    width = _LEVELS / _BINS
    centres = np.arange(_BINS) * width + (width - 1) / 2
    figure = go.Figure()
    for shares, label, line, fill in (
        (old, "before", {"color": OUTLINE_COLOUR, "width": 1}, _BEFORE_FILL),
        (new, "after", {"color": colour, "width": 2.5}, None),
    ):
        figure.add_scatter(
            x=centres, y=shares.shares, name=f"{label}: {shares.mean:.0f} ± {shares.deviation:.0f}", mode="lines",
            line=line | {"shape": "hvh"}, fill="tozeroy" if fill else None, fillcolor=fill,
            hovertemplate=f"{label}: %{{y:.2f}} %<extra></extra>",
        )  # fmt: skip
    top = 1.2 * max(float(old.shares[1:-1].max()), float(new.shares[1:-1].max()), 0.01)
    for bar, level, anchor in ((0, 0, "left"), (-1, 255, "right")):
        if new.shares[bar] > top:
            figure.add_annotation(
                x=level, y=1, yref="y domain", xanchor=anchor, yanchor="top", showarrow=False,
                text=f"↑ {new.shares[bar]:.0f} %", font={"color": colour}, xshift=6 if bar == 0 else -6,
            )  # fmt: skip
    figure.update_xaxes(title=f"{name}: 0 dark, 255 bright", range=[-1, 256], tickvals=[0, 64, 128, 192, 255])
    figure.update_yaxes(title="Share of pixels", ticksuffix=" %", range=[0, top])
    # At the right edge the number 255 needs room.
    figure.update_layout(hovermode="x unified")
    finish(figure, alt=_alt(name, old, new), height=height)
    return figure.update_layout(margin={"l": 8, "r": 18, "t": 36, "b": 8})


def _alt(name: str, old: ChannelShares, new: ChannelShares) -> str:
    return (
        f"Histogram of the {name.lower()} values, 0 to 255, before and after. Mean and standard deviation: before "
        f"{old.mean:.0f} ± {old.deviation:.0f}, after {new.mean:.0f} ± {new.deviation:.0f}. At the ends 0 and 255: "
        f"before {old.at_ends[0]:.1f} % and {old.at_ends[1]:.1f} %, after {new.at_ends[0]:.1f} % and "
        f"{new.at_ends[1]:.1f} %."
    )
