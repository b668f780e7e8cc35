"""Where a map is bright, in words, for people who cannot see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROWS = ("upper", "", "lower")
_COLUMNS = ("left", "", "right")

#: The brightest ninth of a map with less than this many times its fair share is not worth the name.
_STANDS_OUT = 1.35


def where(values: NDArray[np.float32], *, signed: bool = False) -> str:
    """Where a map is strongest, as a phrase such as ``"brightest at the upper left"``.

    Args:
        values: Shape (height, width); not negative unless signed.
        signed: Say for both signs.
    """
    if not signed:
        place = _place(values)
        if place is None:
            return "nothing is marked"
        return f"brightest {place}" if place else "about equally bright everywhere"
    places: dict[str, str] = {}
    for sign, said in ((1, "for"), (-1, "against")):
        part = np.maximum(sign * values, 0)
        # What is a hundred times weaker than the other sign is not seen either.
        if part.max(initial=0) > 0.01 * np.abs(values).max(initial=0):
            places[said] = _place(part) or ""
    if len(places) == 2 and len(set(places.values())) == 1:
        places = {"for and against": places["for"]}
    phrases = [f"{'most' if at else 'a little'} {said} the class {at or 'everywhere'}" for said, at in places.items()]
    return ", ".join(phrases) or "nothing is marked"


def strongest_pixel(values: NDArray[np.float32]) -> tuple[int, int]:
    """Row and column, from 0, of the pixel that speaks most for the class."""
    row, column = np.unravel_index(int(np.argmax(values)), values.shape)
    return int(row), int(column)


def _place(values: NDArray[np.float32]) -> str | None:
    """The brightest ninth of a map, as "at the upper left"; empty where none stands out, None for a map of zeros."""
    if not values.max(initial=0) > 0:
        return None
    # Thirds of whole pixels; each ninth is judged by its mean, since they are not all of the same size.
    ninths = np.array(
        [[part.mean() for part in np.array_split(band, 3, axis=1)] for band in np.array_split(values, 3, axis=0)]
    )
    row, column = np.unravel_index(int(ninths.argmax()), ninths.shape)
    if ninths.max() < _STANDS_OUT * ninths.mean():
        return ""
    if (row, column) == (1, 1):
        return "in the middle"
    if row == 1:
        return f"at the {_COLUMNS[column]}"
    return f"at the {_ROWS[row]} {_COLUMNS[column] if column != 1 else 'edge'}"
