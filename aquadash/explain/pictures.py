"""Maps as pictures: a colour scale over the image, its legend and its text alternative."""

import numpy as np
from numpy.typing import NDArray

from aquadash.explain.methods import METHODS
from aquadash.explain.results import Explanation

#: Ten colours of viridis by S. van der Walt and N. Smith (matplotlib 2015, CC0), from dark to bright.
VIRIDIS = tuple("#440154 #482878 #3E4989 #31688E #26828E #1F9E89 #35B779 #6ECE58 #B5DE2B #FDE725".split())

#: PuOr of C. Brewer's ColorBrewer 2.0 in reverse: violet against, orange for; safe for colour-blind people.
VIOLET_ORANGE = ("#542788", "#998EC3", "#D8DAEB", "#F7F7F7", "#FEE0B6", "#F1A340", "#B35806")

#: The percentile at the end of a signed map's scale; the brightest pixel alone would make all others pale.
_SCALED = 99.0


def shown(explanation: Explanation) -> tuple[NDArray[np.float32], float]:
    """Return a map's positions on its scale, float32 (height, width), 0 to 1, and the value at the scale's end."""
    if not explanation.signed:
        return explanation.map, 1.0
    end = float(np.percentile(np.abs(explanation.map), _SCALED)) or float(np.abs(explanation.map).max())
    scaled = explanation.map / end if end > 0 else explanation.map
    return (0.5 + 0.5 * np.clip(scaled, -1, 1)).astype(np.float32), end


def colour_picture(explanation: Explanation) -> NDArray[np.uint8]:
    """Return the map alone in its colours, uint8 (height, width, 3)."""
    return colours(shown(explanation)[0], signed=explanation.signed)


def colours(positions: NDArray[np.float32], *, signed: bool) -> NDArray[np.uint8]:
    """Return the colours of positions on a scale, 0 to 1 and of any shape: uint8 with a last axis of three."""
    anchors = np.array(
        [[int(text[start : start + 2], 16) for start in (1, 3, 5)] for text in scale_colours(signed=signed)], float
    )
    places = np.linspace(0, 1, len(anchors))
    channels = np.stack([np.interp(positions, places, channel) for channel in anchors.T], axis=-1)
    return np.round(channels).astype(np.uint8)


def overlay(explanation: Explanation) -> NDArray[np.uint8]:
    """Return the map's colours over the image in grey, uint8 (height, width, 3)."""
    positions, _ = shown(explanation)
    # Luma of ITU-R BT.601, 40 to 244, so that colours over black and white differ, too.
    grey = 40 + 0.8 * (explanation.image @ np.array([0.299, 0.587, 0.114]))[..., None]
    # The stronger a place, the more of the colour; a signed map without influence leaves the image as it is.
    strength = np.abs(2 * positions - 1) if explanation.signed else positions
    opacity = ((0.9 if explanation.signed else 0.35) * strength + (0.0 if explanation.signed else 0.45))[..., None]
    mixed = (1 - opacity) * grey + opacity * colours(positions, signed=explanation.signed)
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def legend(*, signed: bool, width: int = 256, height: int = 16) -> NDArray[np.uint8]:
    """Return the scale of colours from left to right, uint8 (height, width, 3)."""
    return colours(np.linspace(0, 1, width, dtype=np.float32)[None], signed=signed).repeat(height, axis=0)


def scale_colours(*, signed: bool) -> tuple[str, ...]:
    """Return the colours of a scale at equal distances, as CSS takes them."""
    return VIOLET_ORANGE if signed else VIRIDIS


def legend_texts(explanation: Explanation) -> tuple[str, str]:
    """Return the legends of the scale's two ends."""
    if not explanation.signed:
        return "does not speak for it", "supports it most"
    _, end = shown(explanation)
    return f"evidence against it ({-100 * end:+.2g} points)", f"evidence for it ({100 * end:+.2g} points)"


def alt_text(explanation: Explanation) -> str:
    """Return the text alternative of a map's picture."""
    title = METHODS[explanation.method].title
    return (
        f"{title} for {explanation.class_name}, which the network gives {100 * explanation.probability:.0f} %: "
        f"{explanation.where}"
    )
