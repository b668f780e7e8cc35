"""Corruptions of Hendrycks and Dietterich as augmenters for images of any size.

imgaug wraps the package ``imagecorruptions``, which refuses images of less than 32 pixels a side and draws from NumPy's
global generator. Here small images are enlarged by repeating their edge and cut back afterwards, and only one thread at
a time uses that generator; imgaug seeds it for each image and puts it back.

This module imports imgaug at its start; import it where it is needed.
"""

from __future__ import annotations

import threading
from typing import Any

import imgaug.augmenters as iaa
import numpy as np
from numpy.typing import NDArray

#: The least side that the package takes, in pixels.
_LEAST_SIDE = 32

_ONE_AT_A_TIME = threading.Lock()


def corruption(kind: str, severity: Any, seed: Any) -> iaa.Augmenter:
    """An augmenter of ``imgaug.augmenters.imgcorruptlike``.

    Args:
        kind: The name of its class.
        severity: 1 to 5, or a pair of them to draw from.
        seed: Decides every random choice.
    """
    augmenter = getattr(iaa.imgcorruptlike, kind)(severity=severity, seed=seed)
    corrupt = augmenter.func

    def on_any_size(image: NDArray[np.uint8], *, severity: int, seed: int) -> NDArray[np.uint8]:
        height, width = image.shape[:2]
        missing = [(0, max(0, _LEAST_SIDE - side)) for side in (height, width)]
        with _ONE_AT_A_TIME:
            result: NDArray[np.uint8] = corrupt(
                np.pad(image, [*missing, (0, 0)], mode="edge"), severity=severity, seed=seed
            )
        return result[:height, :width]

    augmenter.func = on_any_size
    return augmenter
