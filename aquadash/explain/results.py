"""What comes out of an explanation, and a map in words for people who cannot see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROWS = ("upper", "", "lower")
_COLUMNS = ("left", "", "right")

#: The brightest ninth of a map with less than this many times its fair share is not worth the name.
_STANDS_OUT = 1.35


def describe_map(values: NDArray[np.float32], *, signed: bool = False) -> str:
    """Where a map is strongest, as a phrase such as ``"brightest at the upper left"``."""
    if not signed:
        place = _place(values)
        if place is None:
            return "nothing is marked"
        return f"brightest {place}" if place else "about equally bright everywhere"
    places: dict[str, str] = {}
    for sign, said in ((1, "for"), (-1, "against")):
        part = np.maximum(sign * values, 0)
        # A twentieth of what there is counts for nothing beside the rest.
        if part.sum() > 0.05 * np.abs(values).sum():
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


@dataclass(frozen=True, eq=False)
class Explanation:
    """Which parts of an image speak for a class, according to one method."""

    #: A name in :data:`aquadash.explain.methods.METHODS`.
    method: str
    class_index: int
    class_name: str
    #: What the model gives that class for the image, 0 to 1.
    probability: float
    #: What the model looked at: uint8, shape (height, width, 3).
    image: NDArray[np.uint8]
    #: float32, shape (height, width). Of a method that is not signed: 0 to 1, the image's strongest place has 1
    #: unless there is none. Of a signed method: shares of probability, above 0 where a pixel speaks for the
    #: class and below where it speaks against it.
    map: NDArray[np.float32]
    #: Whether the map has both signs.
    signed: bool
    #: Figures of the method about this map, by name.
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """In words where the map is strongest, such as ``"brightest at the upper left"``."""
        return describe_map(self.map, signed=self.signed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row, column = strongest_pixel(self.map)
        return {
            "method": self.method,
            "class": self.class_name,
            "class_index": self.class_index,
            "probability": self.probability,
            "where": self.where,
            "strongest_pixel": {"row": row, "column": column},
            "signed": self.signed,
            "facts": dict(self.facts),
            "map": [[round(float(value), 6) for value in line] for line in self.map],
        }


@dataclass(frozen=True, eq=False)
class ConvolutionFilters:
    """The patterns of a model's first convolution."""

    layer: str
    #: How many filters it has.
    total: int
    #: uint8, shape (shown, height, width, 3): each filter's weights on red, green and blue, 128 for none,
    #: brighter above and darker below; each filter has a scale of its own, so that faint ones can be seen, too.
    patterns: NDArray[np.uint8]
    #: float32, shape (shown,): the largest weight of each, 0 to 1 of the largest of all.
    strengths: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Activation:
    """What one layer makes of an image."""

    layer: str
    #: Its class in Keras, such as ``"Conv2D"``.
    kind: str
    #: Height, width and channels of all that it gives.
    shape: tuple[int, int, int]
    #: Which channels are shown, those that differ most over the image.
    channels: tuple[int, ...]
    #: float32, shape (channels shown, height, width), from 0, the layer's least value for the image, to 1, its
    #: greatest.
    maps: NDArray[np.float32]
    #: Share of all its channels that have the same value everywhere, 0 to 1.
    silent: float
