"""Short ways to write an entry's settings down, and settings that many entries share."""

from __future__ import annotations

from aquadash.augment.operator_types import Parameter
from aquadash.augment.spec import Range

EDGE_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")
COLOUR_SPACES = ("RGB", "BGR", "HSV", "HLS", "Lab", "YCrCb")

#: The slots of everything that blends two versions of a picture.
BLEND_SLOTS = (("foreground", "where the mask is high"), ("background", "where the mask is low"))


def number(
    name: str,
    title: str,
    help: str,
    default: float | Range | None,
    low: float,
    high: float,
    *,
    percent: bool = False,
) -> Parameter:
    """A number from ``low`` to ``high``."""
    return Parameter(name, title, help, default, low=low, high=high, percent=percent)


def whole(
    name: str,
    title: str,
    help: str,
    default: int | Range | None,
    low: int,
    high: int,
    *,
    step: int = 1,
    drawn: bool = True,
) -> Parameter:
    """A whole number from ``low`` to ``high``."""
    return Parameter(name, title, help, default, kind="integer", low=low, high=high, step=step, drawn=drawn)


def share(name: str, title: str, help: str, default: float | bool) -> Parameter:
    """A probability, or yes and no."""
    return Parameter(name, title, help, default, kind="share", low=0.0, high=1.0, drawn=False, percent=True)


def word(name: str, title: str, help: str, default: str | None, words: tuple[str, ...]) -> Parameter:
    """One of some words."""
    return Parameter(name, title, help, default, kind="word", drawn=False, words=words)


PER_CHANNEL = share(
    "per_channel",
    "red, green and blue each on their own",
    "Share of the images in which each colour channel gets a value of its own, which tints the picture.",
    False,
)

EDGE_MODE = word(
    "mode",
    "new edge",
    "What fills the uncovered edge: black (constant), the last row (edge), the mirror image (reflect, symmetric), "
    "or the other side (wrap).",
    "constant",
    EDGE_MODES,
)

#: The number of dots in noise that covers whole rectangles, as a share of the picture's pixels along a side.
GRID = number(
    "size_percent",
    "grid",
    "Rectangles along a side, as a share of its pixels: the smaller, the larger the rectangles. There are at "
    "least 3 along each side.",
    0.1,
    0.001,
    1.0,
    percent=True,
)
