"""The results of explanations, and a map in words for people who cannot see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.explain.methods import METHODS

_ROWS = ("upper", "", "lower")
_COLUMNS = ("left", "", "right")

#: Minimum ratio of the mean of a map's brightest ninth to the mean of the map; below it no place is named.
_MIN_CONTRAST = 1.35


def describe_map(values: NDArray[np.float32], *, signed: bool = False) -> str:
    """Describe the strongest place of a map, such as ``"brightest at the upper left"``."""
    if not signed:
        place = _place(values)
        if place is None:
            return "nothing is marked"
        return f"brightest {place}" if place else "about equally bright everywhere"
    places: dict[str, str] = {}
    for sign, said in ((1, "for"), (-1, "against")):
        part = np.maximum(sign * values, 0)
        # A sign with less than a twentieth of the whole map is not mentioned.
        if part.sum() > 0.05 * np.abs(values).sum():
            places[said] = _place(part) or ""
    if len(places) == 2 and len(set(places.values())) == 1:
        places = {"for and against": places["for"]}
    phrases = [f"{'most' if at else 'a little'} {said} the class {at or 'everywhere'}" for said, at in places.items()]
    return ", ".join(phrases) or "nothing is marked"


def _place(values: NDArray[np.float32]) -> str | None:
    """Name the brightest ninth of a map, such as "at the upper left"; empty if none stands out, None for zeros."""
    if not values.max(initial=0) > 0:
        return None
    # Ninths of whole pixels differ in size, so that their means are compared.
    ninths = np.array(
        [[part.mean() for part in np.array_split(band, 3, axis=1)] for band in np.array_split(values, 3, axis=0)]
    )
    row, column = np.unravel_index(int(ninths.argmax()), ninths.shape)
    if ninths.max() < _MIN_CONTRAST * ninths.mean():
        return ""
    if (row, column) == (1, 1):
        return "in the middle"
    if row == 1:
        return f"at the {_COLUMNS[column]}"
    return f"at the {_ROWS[row]} {_COLUMNS[column] if column != 1 else 'edge'}"


@dataclass(frozen=True, eq=False)
class Explanation:
    """A method's map of an image: how much each pixel counts for a class."""

    #: A name in :data:`aquadash.explain.methods.METHODS`.
    method: str
    class_index: int
    class_name: str
    #: The model's probability of the class, 0 to 1.
    probability: float
    #: The explained image: uint8, shape (height, width, 3).
    image: NDArray[np.uint8]
    #: float32, shape (height, width): 0 to the greatest value 1, or all 0; of a signed method shares of probability,
    #: positive for the class and negative against it.
    map: NDArray[np.float32]
    #: Figures of the method about this map, by name.
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def signed(self) -> bool:
        """Whether the map has both signs."""
        return METHODS[self.method].signed

    @property
    def where(self) -> str:
        """The strongest place of the map in words."""
        return describe_map(self.map, signed=self.signed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row, column = map(int, np.unravel_index(int(np.argmax(self.map)), self.map.shape))
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
    #: The number of all filters.
    total: int
    #: uint8, shape (shown, height, width, 3): each filter's weights on red, green and blue, 128 for a weight of 0, on
    #: a scale of its own.
    patterns: NDArray[np.uint8]
    #: float32, shape (shown,): the largest weight of each, 0 to 1 of the largest of all.
    strengths: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Activation:
    """The output of one layer for an image."""

    layer: str
    #: The layer's class in Keras, such as ``"Conv2D"``.
    kind: str
    #: Height, width and channels of the whole output.
    shape: tuple[int, int, int]
    #: The channels shown: those that differ most over the image.
    channels: tuple[int, ...]
    #: float32, shape (channels shown, height, width), 0 for the layer's least value to 1 for its greatest.
    maps: NDArray[np.float32]
    #: The fraction of all channels with the same value everywhere, 0 to 1.
    silent: float
