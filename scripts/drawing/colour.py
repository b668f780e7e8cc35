"""Colours: mixing, and the coats of the five animals, which overlap on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Red, green, blue, 0 to 255.
Colour = tuple[int, int, int]

INK: Colour = (22, 20, 22)
WHITE: Colour = (244, 244, 240)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour that lies ``share`` (0 to 1) of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    """Brighter (factor above 1) or darker, kept within 0 to 255."""
    red, green, blue = (min(255, max(0, round(value * factor))) for value in colour)
    return red, green, blue


def jitter(colour: Colour, rng: np.random.Generator, *, amount: float = 12.0) -> Colour:
    """The colour with normally distributed changes: one common to all channels, and a smaller one for each."""
    common = rng.normal(0, amount)
    red, green, blue = (
        min(255, max(0, round(v + common + d))) for v, d in zip(colour, rng.normal(0, amount / 2, 3), strict=True)
    )
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Perceived brightness, 0 to 255 (the luma weights of ITU-R BT.601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


@dataclass(frozen=True)
class Coat:
    """What an animal wears.

    Attributes:
        back: The main colour.
        belly: Its lighter underside.
        dark: Its darker parts: limbs that lie in shadow, ears, lines.
    """

    back: Colour
    belly: Colour
    dark: Colour


_TONES: dict[str, Colour] = {
    "umber": (96, 66, 44),
    "chestnut": (132, 84, 48),
    "tan": (158, 122, 84),
    "black": (50, 46, 48),
    "grey": (116, 116, 118),
    "slate": (76, 92, 112),
    "steel": (98, 124, 150),
    "silver": (170, 170, 168),
    "cream": (218, 208, 192),
}

# Every tone that an animal may have is shared with at least one other animal, so that no tone gives a class away.
_WARDROBE: tuple[tuple[str, ...], ...] = (
    ("umber", "chestnut", "black", "tan", "grey", "umber"),
    ("slate", "steel", "grey", "black", "silver", "slate"),
    ("umber", "chestnut", "black", "tan", "grey", "umber"),
    ("grey", "silver", "black", "tan", "umber", "slate", "cream"),
    ("slate", "steel", "grey", "black", "umber", "slate"),
)


def coat(label: int, *, rng: np.random.Generator, backdrops: tuple[Colour, ...]) -> Coat:
    """A coat for an animal of this class, darkened or lightened until it stands out from all that lies behind it."""
    tones = _WARDROBE[label]
    back = jitter(_TONES[tones[rng.integers(len(tones))]], rng, amount=10)
    levels = [luminance(colour) for colour in backdrops]
    own = luminance(back)
    needed = rng.uniform(34, 64)
    if min(abs(own - level) for level in levels) < needed:
        darker, lighter = min(levels) - needed, max(levels) + needed
        # Below 25 a picture shows no more detail, above 235 the camera's light would bleach it.
        fitting = [level for level in (darker, lighter) if 25 <= level <= 235] or [max(darker, 25.0)]
        back = shade(back, min(fitting, key=lambda level: abs(own - level)) / max(own, 1.0))
    return Coat(back=back, belly=mix(back, WHITE, rng.uniform(0.35, 0.65)), dark=shade(back, rng.uniform(0.5, 0.68)))
