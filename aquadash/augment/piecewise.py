"""imgaug's ``PiecewiseAffine`` at a hundredth of the time.

Both move the points of a grid by normally distributed distances. imgaug then bends triangle by triangle, with a search
for the triangle of each pixel (some hundred milliseconds an image), and fails when points fall together. Here the
distances are interpolated between the four points around a pixel, which cannot fail.

This module imports imgaug at its start; import it where it is needed.
"""

from __future__ import annotations

from typing import Any

import cv2
import imgaug.augmenters as iaa
import numpy as np
from numpy.typing import NDArray


class GridBend(iaa.Augmenter):
    """Bends images between the points of a grid.

    Args:
        scale: Range of the points' standard deviation, as a share of a side.
        nb_rows: Range of the grid's rows, both ends included, 2 or more.
        nb_cols: Range of the grid's columns, both ends included, 2 or more.
        seed: Decides every random choice.
    """

    def __init__(
        self, *, scale: tuple[float, float], nb_rows: tuple[int, int], nb_cols: tuple[int, int], seed: Any
    ) -> None:
        super().__init__(seed=seed)
        self.scale = scale
        self.nb_rows = nb_rows
        self.nb_cols = nb_cols

    def _augment_batch_(self, batch: Any, random_state: Any, parents: Any, hooks: Any) -> Any:
        rng: np.random.Generator = random_state.generator
        for image in batch.images:
            height, width = image.shape[:2]
            rows, columns = (int(rng.integers(*ends, endpoint=True)) for ends in (self.nb_rows, self.nb_cols))
            moves = rng.normal(0.0, 1.0, (2, rows, columns)) * rng.uniform(*self.scale)
            down, across = interpolation(height, rows), interpolation(width, columns)
            # Each pixel is taken from the place its point has moved to, which stays within the picture.
            lines = np.arange(height)[:, np.newaxis] + height * (down @ moves[0] @ across.T)
            places = np.arange(width) + width * (down @ moves[1] @ across.T)
            bent = cv2.remap(
                np.ascontiguousarray(image),
                np.clip(places, 0, width - 1).astype(np.float32),
                np.clip(lines, 0, height - 1).astype(np.float32),
                interpolation=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            image[...] = bent.reshape(image.shape)
        return batch

    def get_parameters(self) -> list[Any]:
        """What the images are drawn from."""
        return [self.scale, self.nb_rows, self.nb_cols]


def interpolation(pixels: int, points: int) -> NDArray[np.float64]:
    """The weights of evenly spread points at each pixel of a line: shape (pixels, points), each row's sum is 1."""
    places = np.linspace(0, points - 1, pixels)
    return np.maximum(0.0, 1.0 - np.abs(places[:, np.newaxis] - np.arange(points)))


def grid_bend(scale: Any, nb_rows: Any, nb_cols: Any, seed: Any) -> GridBend:
    """A :class:`GridBend` from numbers or pairs to draw from, as imgaug's augmenters take them."""
    scale, nb_rows, nb_cols = (
        value if isinstance(value, tuple) else (value, value) for value in (scale, nb_rows, nb_cols)
    )
    return GridBend(scale=scale, nb_rows=nb_rows, nb_cols=nb_cols, seed=seed)
