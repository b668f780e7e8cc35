"""imgaug's ``Multiply`` for a whole batch at once.

imgaug calls OpenCV's product of bytes and floats once an image, which is the slowest step of the report's fourth
pipeline after its masks. :class:`BatchMultiply` draws the same factors and makes one product a batch; the bytes are the
same.

This module imports imgaug at its start; import it where it is needed.
"""

from __future__ import annotations

from typing import Any

import imgaug.augmenters as iaa
import numpy as np
from numpy.typing import NDArray


class BatchMultiply(iaa.Multiply):
    """``imgaug.augmenters.Multiply`` for images in one array; arguments as there."""

    def _augment_batch_(self, batch: Any, random_state: Any, parents: Any, hooks: Any) -> Any:
        if not isinstance(batch.images, np.ndarray):
            # Some operators around this one hand images on one by one, even if they are of one size.
            return super()._augment_batch_(batch, random_state, parents, hooks)
        images: NDArray[np.uint8] = batch.images
        count, channels = len(images), images.shape[-1]
        # The order of these two draws is imgaug's.
        separate = self.per_channel.draw_samples((count,), random_state=random_state) > 0.5
        factors = self.mul.draw_samples((count, channels), random_state=random_state).astype(np.float32)
        factors = np.where(separate[:, np.newaxis], factors, factors[:, :1])
        product = images * factors[:, np.newaxis, np.newaxis, :]
        # Rounds halves to even and cuts at 255, as OpenCV does.
        batch.images = np.clip(np.rint(product, out=product), 0.0, 255.0, out=product).astype(np.uint8)
        return batch
