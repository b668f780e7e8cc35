"""Our own augmenters in place of imgaug's that are slow, fail, or need images of a certain size.

This module imports imgaug at its start; import it where it is needed.
"""

import threading
from collections.abc import Callable
from typing import Any

import cv2
import imgaug.augmenters as iaa
import numpy as np
from imgaug.augmenters.geometric import apply_jigsaw
from numpy.typing import NDArray
from PIL import Image


class BatchMultiply(iaa.Multiply):
    """``imgaug.augmenters.Multiply`` with one product for all images, which gives its bytes and is much faster."""

    def _augment_batch_(self, batch: Any, random_state: Any, parents: Any, hooks: Any) -> Any:
        if not isinstance(batch.images, np.ndarray):
            # Some operators around this one pass a list of images, even if all have one size.
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


class AnySizeJigsaw(iaa.Jigsaw):
    """``imgaug.augmenters.Jigsaw`` for any size: pieces have whole pixels; remainders at the right and bottom stay."""

    def _augment_batch_(self, batch: Any, random_state: Any, parents: Any, hooks: Any) -> Any:
        samples = self._draw_samples(batch, random_state)
        for image, destinations in zip(batch.images, samples.destinations, strict=True):
            rows, columns = destinations.shape
            height, width = image.shape[0] // rows * rows, image.shape[1] // columns * columns
            if height and width:
                image[:height, :width] = apply_jigsaw(image[:height, :width], destinations)
        return batch


class GridBend(iaa.Augmenter):
    """``imgaug.augmenters.PiecewiseAffine`` at a hundredth of the time: distances are interpolated between grid points.

    ``scale`` is the points' standard deviation as a fraction of a side; it, rows and columns may be pairs to draw from.
    """

    def __init__(self, *, scale: Any, nb_rows: Any, nb_cols: Any, seed: Any) -> None:
        super().__init__(seed=seed)
        self.scale, self.nb_rows, self.nb_cols = (
            value if isinstance(value, tuple) else (value, value) for value in (scale, nb_rows, nb_cols)
        )

    def _augment_batch_(self, batch: Any, random_state: Any, parents: Any, hooks: Any) -> Any:
        rng: np.random.Generator = random_state.generator
        for image in batch.images:
            height, width = image.shape[:2]
            ends = (self.nb_rows, self.nb_cols)
            rows, columns = (int(rng.integers(low, high, endpoint=True)) for low, high in ends)
            moves = rng.normal(0.0, 1.0, (2, rows, columns)) * rng.uniform(*self.scale)
            down, across = interpolation(height, rows), interpolation(width, columns)
            # Each pixel is read from its moved position, clipped to the picture.
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
        """The ranges that the images are drawn from."""
        return [self.scale, self.nb_rows, self.nb_cols]


def interpolation(pixels: int, points: int) -> NDArray[np.float64]:
    """Return the weights of evenly spaced points at each pixel of a line: shape (pixels, points); rows add up to 1."""
    places = np.linspace(0, points - 1, pixels)
    return np.maximum(0.0, 1.0 - np.abs(places[:, np.newaxis] - np.arange(points)))


#: The least side that the package ``imagecorruptions`` takes, in pixels.
_MIN_SIDE = 32

#: The least side of corruptions of single pixels, of fractions of the side or of JPEG's blocks of 8 pixels.
_MIN_SIDES = {
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

#: Without a seed, these two draw random numbers from the operating system.
_OWN_SEED = ("impulse_noise", "glass_blur")

#: Lock: NumPy's global random state is shared by all threads.
_ONE_AT_A_TIME = threading.Lock()


def corrupted(
    image: NDArray[np.uint8], name: str, severity: int, *, seed: int, change: Callable[..., Any] | None = None
) -> NDArray[np.uint8]:
    """An image under a corruption of ``imagecorruptions``.

    The package refuses images of less than 32 pixels a side. For blurs, weather and elastic, smaller ones are enlarged
    by a whole factor and shrunk back by the mean of each block. NumPy's global random state is restored afterwards.

    Args:
        image: uint8, shape (height, width, 3), RGB; left unchanged.
        severity: 1 (mild) to 5 (strong).
        seed: Decides every random choice, 0 to 2**32 - 1.
        change: Used in place of the package's function; None for that.
    """
    # The import takes a second.
    from imagecorruptions import corruption_dict  # type: ignore[import-untyped]

    factor = -(-_MIN_SIDES.get(name, _MIN_SIDE) // min(image.shape[:2]))
    enlarged = Image.fromarray(image if factor == 1 else image.repeat(factor, axis=0).repeat(factor, axis=1))
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
    """Return imgaug's augmenter of that class, which changes images as :func:`corrupted` does."""
    augmenter = getattr(iaa.imgcorruptlike, kind)(severity=severity, seed=seed)
    name = augmenter.func.__name__.removeprefix("apply_")

    def change(image: NDArray[np.uint8], *, severity: int, seed: int) -> NDArray[np.uint8]:
        return corrupted(image, name, int(severity), seed=int(seed))

    augmenter.func = change
    return augmenter
