"""The corruptions of Hendrycks and Dietterich for images of any size: the same seed gives the same bytes.

This module imports imgaug at its start; import it where it is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import imgaug.augmenters as iaa
import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: The least side that the package ``imagecorruptions`` takes, in pixels.
_LEAST_SIDE = 32

#: The least side of what works on each pixel by itself, on shares of the side or on JPEG's blocks of 8 pixels.
_LEAST_SIDES = {
    "gaussian_noise": 1,
    "shot_noise": 1,
    "impulse_noise": 1,
    "speckle_noise": 1,
    "brightness": 1,
    "contrast": 1,
    "saturate": 1,
    "pixelate": 8,
    "jpeg_compression": 8,
}

#: These two draw from the operating system unless they are given a seed.
_OWN_SEED = ("impulse_noise", "glass_blur")

#: NumPy's global random numbers belong to the whole process.
_ONE_AT_A_TIME = threading.Lock()


def corrupted(
    image: NDArray[np.uint8], name: str, severity: int, *, seed: int, change: Callable[..., Any] | None = None
) -> NDArray[np.uint8]:
    """An image under a corruption of ``imagecorruptions``.

    The package refuses images of less than 32 pixels a side. What changes each pixel by itself, or measures in shares
    of the side, is applied to them nevertheless, down to 8 pixels. For the others (blurs, weather, elastic) they are
    enlarged by a whole factor, each pixel repeated, and shrunk back by the mean of each block, which alone changes
    nothing. NumPy's global random numbers, from which the package draws, go on afterwards as if nothing had been drawn.

    Args:
        image: uint8, shape (height, width, 3), RGB; left unchanged.
        name: The package's name for it.
        severity: 1 (mild) to 5 (strong).
        seed: Decides every random choice, 0 to 2**32 - 1.
        change: Used in place of the package's function; None for that.
    """
    # Imported here: it takes a second.
    from imagecorruptions import corruption_dict  # type: ignore[import-untyped]

    factor = -(-_LEAST_SIDES.get(name, _LEAST_SIDE) // min(image.shape[:2]))
    enlarged = Image.fromarray(image if factor == 1 else image.repeat(factor, axis=0).repeat(factor, axis=1))
    # Not by ``imagecorruptions.corrupt``, which does no more but to refuse small images.
    change = change or corruption_dict[name]
    with _ONE_AT_A_TIME:
        state = np.random.get_state()
        np.random.seed(seed)
        try:
            changed = change(enlarged, severity, **({"seed": seed} if name in _OWN_SEED else {}))
        finally:
            np.random.set_state(state)
    result = np.asarray(changed).astype(np.uint8)
    if factor == 1:
        return result
    height, width, channels = image.shape
    return np.rint(result.reshape(height, factor, width, factor, channels).mean(axis=(1, 3))).astype(np.uint8)


def corruption(kind: str, severity: Any, seed: Any) -> iaa.Augmenter:
    """An augmenter of ``imgaug.augmenters.imgcorruptlike``, which changes images as :func:`corrupted` does.

    Args:
        kind: The name of its class.
        severity: 1 to 5, or a pair of them to draw from.
        seed: Decides every random choice.
    """
    augmenter = getattr(iaa.imgcorruptlike, kind)(severity=severity, seed=seed)
    name = augmenter.func.__name__.removeprefix("apply_")

    def change(image: NDArray[np.uint8], *, severity: int, seed: int) -> NDArray[np.uint8]:
        return corrupted(image, name, int(severity), seed=int(seed))

    augmenter.func = change
    return augmenter
