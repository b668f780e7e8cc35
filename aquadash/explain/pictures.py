"""Maps as pictures: a colour scale over the image, its legend, and the words for people who cannot see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquadash.explain.methods import METHODS
from aquadash.explain.results import Explanation

#: Ten colours of viridis by S. van der Walt and N. Smith (matplotlib 2015, CC0), equal steps of which look equal to
#: people with and without colour blindness, from dark to bright.
VIRIDIS = (
    "#440154", "#482878", "#3E4989", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6ECE58", "#B5DE2B", "#FDE725",
)  # fmt: skip

#: PuOr of C. Brewer's ColorBrewer 2.0 turned round: violet against, orange for; safe for colour-blind people.
VIOLET_ORANGE = ("#542788", "#998EC3", "#D8DAEB", "#F7F7F7", "#FEE0B6", "#F1A340", "#B35806")

#: The brightest pixels of a signed map, one in a hundred, may leave the scale, or a single one would hide all others.
_SCALED = 99.0


def shown(explanation: Explanation) -> tuple[NDArray[np.float32], float]:
    """A map as positions on its scale of colours, and the map's value at the end of that scale.

    Returns:
        float32 (height, width), 0 to 1; of a signed map 0.5 stands for no influence. And the value that 1 stands for: 1
        for a map without signs, else a share of probability.
    """
    if not explanation.signed:
        return explanation.map, 1.0
    end = float(np.percentile(np.abs(explanation.map), _SCALED)) or float(np.abs(explanation.map).max())
    scaled = explanation.map / end if end > 0 else explanation.map
    return (0.5 + 0.5 * np.clip(scaled, -1, 1)).astype(np.float32), end


def colour_picture(explanation: Explanation) -> NDArray[np.uint8]:
    """The map alone in its colours, uint8 (height, width, 3)."""
    return colours(shown(explanation)[0], signed=explanation.signed)


def colours(positions: NDArray[np.float32], *, signed: bool) -> NDArray[np.uint8]:
    """Places on a scale of colours, 0 to 1 and of any shape, as colours, uint8 with a last axis of three."""
    return np.round(_coloured(positions, signed=signed)).astype(np.uint8)


def overlay(explanation: Explanation) -> NDArray[np.uint8]:
    """The map's colours over the image without its own, uint8 (height, width, 3)."""
    positions, _ = shown(explanation)
    # Luma of ITU-R BT.601, spread a little so that colours over black and white can be told apart, too.
    grey = 40 + 0.8 * (explanation.image @ np.array([0.299, 0.587, 0.114]))[..., None]
    # The stronger a place, the more of the colour and the less of the image; without influence the image is left alone.
    strength = np.abs(2 * positions - 1) if explanation.signed else positions
    opacity = ((0.9 if explanation.signed else 0.35) * strength + (0.0 if explanation.signed else 0.45))[..., None]
    mixed = (1 - opacity) * grey + opacity * _coloured(positions, signed=explanation.signed)
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def legend(*, signed: bool, width: int = 256, height: int = 16) -> NDArray[np.uint8]:
    """The scale of colours from left to right, uint8 (height, width, 3)."""
    return colours(np.linspace(0, 1, width, dtype=np.float32)[None], signed=signed).repeat(height, axis=0)


def scale_colours(*, signed: bool) -> tuple[str, ...]:
    """The colours of a scale at equal distances, as CSS takes them."""
    return VIOLET_ORANGE if signed else VIRIDIS


def legend_texts(explanation: Explanation) -> tuple[str, str]:
    """What the two ends of the scale stand for."""
    method = METHODS[explanation.method]
    if not explanation.signed:
        return method.low, method.high
    _, end = shown(explanation)
    return f"{method.low} ({_points(-end)})", f"{method.high} ({_points(end)})"


def alt_text(explanation: Explanation) -> str:
    """A picture of the map in a sentence."""
    title = METHODS[explanation.method].title
    return (
        f"{title} for {explanation.class_name}, which the network gives {100 * explanation.probability:.0f} %: "
        f"{explanation.where}"
    )


def _coloured(positions: NDArray[np.float32], *, signed: bool) -> NDArray[np.float64]:
    """Positions on a scale, 0 to 1, as colours, 0 to 255, with a last axis of three."""
    anchors = np.array(
        [[int(text[start : start + 2], 16) for start in (1, 3, 5)] for text in scale_colours(signed=signed)], float
    )
    places = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(positions, places, channel) for channel in anchors.T], axis=-1)


def _points(fraction: float) -> str:
    """A difference of probabilities as percentage points, to two digits."""
    return f"{100 * fraction:+.2g} points"
