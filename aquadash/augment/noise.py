"""Cloudy masks for ``BlendAlphaFrequencyNoise``, drawn for a whole batch at once.

imgaug draws these masks image by image, which takes most of the time of the report's fourth pipeline, and sometimes
fails because rounding makes a mask exceed 1. :class:`FrequencyNoiseMasks` draws from the same distribution with array
operations over the batch. White noise in the frequency domain is weighted by ``distance ** exponent``, transformed
back, stretched to 0.01 to 1 and enlarged to the image's size. One to three such planes are averaged or their maximum
taken, and half of the masks are sharpened by a sigmoid.

This module imports imgaug at its start; import it where it is needed.
"""

from functools import lru_cache
from typing import Any

import cv2
import imgaug.augmenters as iaa
import numpy as np
from numpy.typing import NDArray

#: The smallest side of a plane in the frequency domain (imgaug's own bound).
_MIN_PLANE_SIDE = 4

#: How planes are enlarged, and how often each way is taken: imgaug's default for this operator.
_ENLARGEMENTS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
_ENLARGEMENT_SHARES = (0.05, 0.60, 0.35)

#: The sigmoid is ``1 / (1 + exp(-(20 * mask - 10 - threshold)))`` with a normally distributed threshold, as in imgaug.
_SIGMOID_SLOPE = 20.0
_SIGMOID_SHIFT = -10.0
_SIGMOID_THRESHOLD_DEVIATION = 5.0

#: OpenCV resizes at most so many channels in one call.
_CHANNELS_A_CALL = 512


def blend_frequency_noise(
    exponent: Any, size_px_max: Any, iterations: Any, sigmoid: float, per_channel: float, **blend: Any
) -> iaa.BlendAlphaMask:
    """``imgaug.augmenters.BlendAlphaFrequencyNoise`` with our masks; ``blend`` is foreground, background and seed."""
    exponents, sizes, counts = (
        value if isinstance(value, tuple) else (value, value) for value in (exponent, size_px_max, iterations)
    )
    masks = FrequencyNoiseMasks(exponents, sizes, counts, sigmoid, per_channel)
    return iaa.BlendAlphaMask(masks, **blend)


class FrequencyNoiseMasks(iaa.IBatchwiseMaskGenerator):
    """A mask generator for ``imgaug.augmenters.BlendAlphaMask``; ranges include both ends."""

    def __init__(
        self,
        exponent: tuple[float, float],
        size_px_max: tuple[int, int],
        iterations: tuple[int, int],
        sigmoid: float,
        per_channel: float,
    ) -> None:
        #: Range of the exponent of each plane; low values give large soft blobs, high values fine grain.
        self.exponent = exponent
        #: Range of the longer side of each plane before it is enlarged, in pixels.
        self.size_px_max = size_px_max
        #: Range of the number of planes in a mask.
        self.iterations = iterations
        #: Fraction of the masks that are sharpened, and of the images whose colour channels get a mask each.
        self.sigmoid = sigmoid
        self.per_channel = per_channel

    def draw_masks(self, batch: Any, random_state: Any = None) -> list[NDArray[np.float32]]:
        """Return a mask for each image: float32, 0 to 1, shape (h, w), or (h, w, channels) with a mask per channel."""
        shapes = batch.get_rowwise_shapes()
        if not shapes:
            return []
        height, width, channels = shapes[0]
        rng: np.random.Generator = random_state.generator
        separate = rng.random(len(shapes)) < self.per_channel
        owners = np.repeat(np.arange(len(shapes)), np.where(separate, channels, 1))
        masks = self.draw(len(shapes), owners, height=height, width=width, rng=rng)
        starts = np.searchsorted(owners, np.arange(len(shapes)))
        return [
            np.ascontiguousarray(masks[start : start + channels].transpose(1, 2, 0)) if apart else masks[start]
            for start, apart in zip(starts, separate, strict=True)
        ]

    def draw(
        self, count: int, owners: NDArray[np.intp], *, height: int, width: int, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Draw a mask, 0 to 1, for each owner, one of ``count`` images; an image's masks differ in noise only."""
        by_maximum = (rng.random(count) < 0.5)[owners]
        iterations = rng.integers(self.iterations[0], self.iterations[1], size=count, endpoint=True)[owners]
        sharpened = (rng.random(count) < self.sigmoid)[owners]
        thresholds = rng.normal(0.0, _SIGMOID_THRESHOLD_DEVIATION, count).astype(np.float32)[owners]

        planes = self._draw_planes(int(iterations.sum()), height=height, width=width, rng=rng)
        masks = planes[: len(owners)]
        used = len(owners)
        for iteration in range(1, self.iterations[1]):
            further = np.flatnonzero(iterations > iteration)
            plane = planes[used : used + len(further)]
            largest = by_maximum[further, np.newaxis, np.newaxis]
            masks[further] = np.where(largest, np.maximum(masks[further], plane), masks[further] + plane)
            used += len(further)
        divisors = np.where(by_maximum, 1, iterations).astype(np.float32)
        masks /= divisors[:, np.newaxis, np.newaxis]

        chosen = masks[sharpened] * _SIGMOID_SLOPE + (_SIGMOID_SHIFT - thresholds[sharpened, np.newaxis, np.newaxis])
        masks[sharpened] = 1.0 / (1.0 + np.exp(-chosen))
        # Rounding may lift a value just above 1, which imgaug refuses.
        return np.clip(masks, 0.0, 1.0, out=masks)

    def _draw_planes(self, count: int, *, height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw noise planes, float32, shape (count, height, width), 0.01 to 1 up to rounding."""
        sizes = rng.integers(self.size_px_max[0], self.size_px_max[1], size=count, endpoint=True)
        exponents = rng.uniform(*self.exponent, size=count).astype(np.float32)
        enlargements = rng.choice(len(_ENLARGEMENTS), size=count, p=_ENLARGEMENT_SHARES)
        weights = frequency_distances(height, width, self.size_px_max)
        planes = np.empty((count, height, width), dtype=np.float32)
        for size in range(self.size_px_max[0], self.size_px_max[1] + 1):
            members = np.flatnonzero(sizes == size)
            if not len(members):
                continue
            small = _noise(weights[small_shape(height, width, size)], exponents[members], rng)
            for number, interpolation in enumerate(_ENLARGEMENTS):
                alike = enlargements[members] == number
                if alike.any():
                    planes[members[alike]] = _enlarge(small[alike], height, width, interpolation)
        return planes


def small_shape(height: int, width: int, size_px_max: int) -> tuple[int, int]:
    """Height and width of a plane before it is enlarged to an image of ``height`` x ``width`` pixels."""
    longer = max(height, width)
    if longer > size_px_max:
        factor = size_px_max / longer
        height, width = int(height * factor), int(width * factor)
    return max(height, _MIN_PLANE_SIDE), max(width, _MIN_PLANE_SIDE)


@lru_cache(maxsize=16)
def frequency_distances(
    height: int, width: int, size_px_max: tuple[int, int]
) -> dict[tuple[int, int], NDArray[np.float32]]:
    """The distances that weight the frequencies, one matrix for each shape a plane may have."""
    # imgaug cuts smaller matrices out of the middle of the largest one and writes a 1, the lowest frequency, into the
    # corners of each. The report's images were drawn after it had cut all sizes, so all corners are written first here.
    shapes = sorted({small_shape(height, width, size) for size in range(size_px_max[0], size_px_max[1] + 1)})
    largest = shapes[-1]
    down, across = (_distances_to_border(side) for side in largest)
    distances = np.sqrt(down[:, np.newaxis] ** 2 + across[np.newaxis, :] ** 2).astype(np.float32)
    for shape in shapes:
        _middle(distances, shape)[np.ix_((0, -1), (0, -1))] = 1.0
    distances.setflags(write=False)
    return {shape: _middle(distances, shape) for shape in shapes}


def _distances_to_border(side: int) -> NDArray[np.float64]:
    """0, 1, 2 ... from both ends of a line towards its middle; an odd line's middle counts ``side // 2``."""
    ascending = np.arange(side)
    return np.minimum(ascending, ascending[::-1]).astype(np.float64)


def _middle(matrix: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a view of the middle of a matrix; of an odd margin, the larger part is at the far end."""
    rows, columns = ((outer - inner) // 2 for outer, inner in zip(matrix.shape, shape, strict=True))
    return matrix[rows : rows + shape[0], columns : columns + shape[1]]


def _noise(
    distances: NDArray[np.float32], exponents: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw a small plane for each exponent, stretched to 0.01 to 1: shape (len(exponents), *distances.shape)."""
    shape = (len(exponents), *distances.shape)
    weights = np.exp(np.log(distances) * exponents[:, np.newaxis, np.newaxis])
    weights[:, [[0], [-1]], [0, -1]] = 0.0
    phases = rng.random(shape, dtype=np.float32) * np.float32(2 * np.pi)
    amplitudes = rng.random(shape, dtype=np.float32) * np.float32(max(distances.shape) ** 2)
    # imgaug multiplies the imaginary part by the phase instead of the amplitude; kept for the same look.
    spectrum = weights * (amplitudes * np.cos(phases) + 1j * (phases * np.sin(phases)))
    # The scale of the transform has no effect, because the planes are stretched below.
    planes = np.ascontiguousarray(np.fft.ifft2(spectrum).real)
    lowest = planes.min(axis=(1, 2), keepdims=True)
    spread = planes.max(axis=(1, 2), keepdims=True) - lowest
    return (planes - lowest) * (0.99 / np.maximum(spread, np.finfo(np.float32).tiny)) + np.float32(0.01)


def _enlarge(planes: NDArray[np.float32], height: int, width: int, interpolation: int) -> NDArray[np.float32]:
    """Resize planes to height x width; OpenCV takes many at once as the channels of one picture."""
    if planes.shape[1:] == (height, width):
        return planes
    parts = [
        cv2.resize(
            np.ascontiguousarray(planes[start : start + _CHANNELS_A_CALL].transpose(1, 2, 0)),
            (width, height),
            interpolation=interpolation,
        ).reshape(height, width, -1)
        for start in range(0, len(planes), _CHANNELS_A_CALL)
    ]
    enlarged: NDArray[np.float32] = np.concatenate(parts, axis=2, dtype=np.float32).transpose(2, 0, 1)
    return np.clip(enlarged, 0.0, 1.0) if interpolation == cv2.INTER_CUBIC else enlarged
