"""imgaug's ``Jigsaw`` for images of any size.

imgaug either enlarges images until the grid fits or fails where it does not. Here the pieces have whole pixels, what is
left over at the right and at the bottom stays in place, and images too small for the grid stay as they are.

This module imports imgaug at its start; import it where it is needed.
"""

from __future__ import annotations

from typing import Any

import imgaug.augmenters as iaa
from imgaug.augmenters.geometric import apply_jigsaw


class AnySizeJigsaw(iaa.Jigsaw):
    """``imgaug.augmenters.Jigsaw`` that keeps the size of every image."""

    def _augment_batch_(self, batch: Any, random_state: Any, parents: Any, hooks: Any) -> Any:
        samples = self._draw_samples(batch, random_state)
        for image, destinations in zip(batch.images, samples.destinations, strict=True):
            rows, columns = destinations.shape
            height, width = image.shape[0] // rows * rows, image.shape[1] // columns * columns
            if height and width:
                image[:height, :width] = apply_jigsaw(image[:height, :width], destinations)
        return batch


def jigsaw(nb_rows: Any, nb_cols: Any, max_steps: Any, seed: Any) -> AnySizeJigsaw:
    """An augmenter that swaps pieces.

    Args:
        nb_rows: Pieces from top to bottom, or a pair to draw from.
        nb_cols: Pieces from left to right, or a pair to draw from.
        max_steps: How often pieces change places at most, or a pair to draw from.
        seed: Decides every random choice.
    """
    return AnySizeJigsaw(nb_rows=nb_rows, nb_cols=nb_cols, max_steps=max_steps, allow_pad=False, seed=seed)
