"""What comes out of an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.explain import words


@dataclass(frozen=True, eq=False)
class Explanation:
    """Which parts of an image speak for a class, according to one method.

    Attributes:
        method: A name in :data:`aquadash.explain.methods.METHODS`.
        class_index: The class that is explained.
        class_name: Its name.
        probability: What the model gives that class for the image, 0 to 1.
        image: What the model looked at: uint8, shape (height, width, 3).
        map: float32, shape (height, width). Of a method that is not signed: 0 to 1, the image's strongest place has 1
            unless there is none. Of a signed method: shares of probability, above 0 where a pixel speaks for the class
            and below where it speaks against it.
        signed: Whether the map has both signs.
        facts: Figures of the method about this map, by name.
    """

    method: str
    class_index: int
    class_name: str
    probability: float
    image: NDArray[np.uint8]
    map: NDArray[np.float32]
    signed: bool
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """In words where the map is strongest, such as ``"brightest at the upper left"``."""
        return words.where(self.map, signed=self.signed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row, column = words.strongest_pixel(self.map)
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
class Filters:
    """The patterns of a model's first convolution.

    Attributes:
        layer: The layer's name.
        total: How many filters it has.
        patterns: uint8, shape (shown, height, width, 3): each filter's weights on red, green and blue, 128 for none,
            brighter above and darker below; each filter has a scale of its own, so that faint ones can be seen, too.
        strengths: float32, shape (shown,): the largest weight of each, 0 to 1 of the largest of all.
    """

    layer: str
    total: int
    patterns: NDArray[np.uint8]
    strengths: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Activation:
    """What one layer makes of an image.

    Attributes:
        layer: The layer's name.
        kind: Its class in Keras, such as ``"Conv2D"``.
        shape: Height, width and channels of all that it gives.
        channels: Which channels are shown, those that differ most over the image.
        maps: float32, shape (channels shown, height, width), from 0, the layer's least value for the image, to 1,
            its greatest.
        silent: Share of all its channels that have the same value everywhere, 0 to 1.
    """

    layer: str
    kind: str
    shape: tuple[int, int, int]
    channels: tuple[int, ...]
    maps: NDArray[np.float32]
    silent: float
