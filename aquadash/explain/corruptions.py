"""The fifteen corruptions of Hendrycks and Dietterich, applied to images so that the same seed gives the same bytes.

Source: D. Hendrycks and T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations" (ICLR 2019), in the form of the package ``imagecorruptions``.

What differs from a plain call of the package:

* Its randomness comes from NumPy's global state, in two of the corruptions from the operating system. Here it is
  seeded for each image and the global state is put back afterwards.
* It refuses images of less than 32 pixels a side. What changes each pixel by itself, or measures in shares of the
  side, is applied to them nevertheless, down to 8 pixels. For the others (blurs, weather, elastic) they are enlarged by
  a whole factor, each pixel repeated, and shrunk back by the mean of each block, which alone changes nothing.
* ``frost`` reads and enlarges a photograph of ice for each image. The enlarged photographs are kept in memory.

The strengths are those of ImageNet-C, made for pictures of 224 pixels a side: a blur of ten pixels is a far greater
part of a picture of 32 pixels. Accuracies are therefore lower than those published for CIFAR-10-C, whose strengths
are milder, and may be compared among runs of AquaDash only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import ConfigError, UnknownNameError

#: From the mildest to the strongest.
SEVERITIES = (1, 2, 3, 4, 5)

#: The package's own least side, in pixels.
LEAST_SIDE = 32

#: The least side of what works on each pixel by itself, on shares of the side or on JPEG's blocks of 8 pixels.
_LEAST_SIDES = {
    "gaussian_noise": 1,
    "shot_noise": 1,
    "impulse_noise": 1,
    "brightness": 1,
    "contrast": 1,
    "pixelate": 8,
    "jpeg_compression": 8,
}

#: Changes whenever the same arguments give other images, so that kept images are not taken for theirs.
REVISION = 1


@dataclass(frozen=True)
class Corruption:
    """One way in which pictures go bad.

    Attributes:
        name: As in the paper and the package.
        title: For people.
        group: ``noise``, ``blur``, ``weather`` or ``digital``.
        summary: What it looks like and where it comes from.
    """

    name: str
    title: str
    group: str
    summary: str


#: In the order of the paper.
CORRUPTIONS: dict[str, Corruption] = {
    entry.name: entry
    for entry in (
        Corruption("gaussian_noise", "Gaussian noise", "noise", "Grain, as in photographs taken in the dark."),
        Corruption("shot_noise", "Shot noise", "noise", "Grain that comes from light itself: too few photons."),
        Corruption("impulse_noise", "Impulse noise", "noise", "Single black and white dots, as from faulty pixels."),
        Corruption("defocus_blur", "Defocus blur", "blur", "The picture is out of focus."),
        Corruption("glass_blur", "Frosted glass blur", "blur", "Seen through frosted glass: neighbours change places."),
        Corruption("motion_blur", "Motion blur", "blur", "The camera moved along a line."),
        Corruption("zoom_blur", "Zoom blur", "blur", "The camera moved quickly towards the animal."),
        Corruption("snow", "Snow", "weather", "Snow falls in front of the animal."),
        Corruption("frost", "Frost", "weather", "Ice crystals lie on the lens."),
        Corruption("fog", "Fog", "weather", "Fog lies over the scene."),
        Corruption("brightness", "Brightness", "weather", "Daylight makes everything brighter."),
        Corruption("contrast", "Low contrast", "digital", "Light and dark come closer to each other."),
        Corruption("elastic_transform", "Elastic", "digital", "Small parts are stretched and squeezed."),
        Corruption("pixelate", "Pixelate", "digital", "A small picture was enlarged."),
        Corruption("jpeg_compression", "JPEG", "digital", "The picture was compressed hard."),
    )
}

#: NumPy's global state and the kept photographs belong to the whole process.
_LOCK = threading.Lock()


def check_corruption(name: str, severity: int) -> None:
    """Refuse what is not in the paper.

    Raises:
        UnknownNameError: There is no such corruption.
        ConfigError: The severity is not one of 1 to 5.
    """
    if name not in CORRUPTIONS:
        raise UnknownNameError.of("corruption", name, CORRUPTIONS)
    if isinstance(severity, bool) or severity not in SEVERITIES:
        raise ConfigError(f"The severity is {severity!r}; expected a whole number from 1 (mild) to 5 (strong).")


def corrupt(
    images: NDArray[np.uint8],
    name: str,
    severity: int,
    *,
    seed: int,
    positions: NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Corrupt images.

    The random choices for an image follow from the seed, the corruption and the image's position, not from the
    severity or the other images. So a curve over severities follows one raindrop as it grows, any slice of a split
    gives the same bytes as the whole, and processes can share the work.

    Args:
        images: uint8, shape (n, height, width, 3), RGB; left unchanged. n may be 0.
        name: A name in :data:`CORRUPTIONS`.
        severity: 1 (mild) to 5 (strong).
        seed: 0 or greater.
        positions: int64, shape (n,), the images' positions in their split; 0 to n - 1 if not given.

    Returns:
        uint8, shape (n, height, width, 3); always a new array.

    Raises:
        UnknownNameError: There is no such corruption.
        ConfigError: The severity is not one of 1 to 5.
    """
    check_corruption(name, severity)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape[1:]:
        raise ValueError(f"images are {images.dtype} {images.shape}; expected uint8 (n, height, width, 3)")
    if positions is None:
        positions = np.arange(len(images))
    factor = -(-_LEAST_SIDES.get(name, LEAST_SIDE) // min(images.shape[1:3]))
    result = np.empty_like(images)
    number = list(CORRUPTIONS).index(name)
    package = _package()
    with _own_randomness():
        for row, (image, position) in enumerate(zip(images, positions, strict=True)):
            start = int(np.random.SeedSequence([seed, number, int(position)]).generate_state(1)[0])
            result[row] = _shrunk(_corrupted(package, name, _enlarged(image, factor), severity, start), factor)
    return result


def _corrupted(package: Any, name: str, image: NDArray[np.uint8], severity: int, start: int) -> NDArray[np.uint8]:
    np.random.seed(start)
    # These two draw from the operating system unless they are given a seed.
    own_seed = {"seed": start} if name in ("impulse_noise", "glass_blur") else {}
    # Not by ``imagecorruptions.corrupt``, which does no more but to refuse small images.
    corrupted = package.corruption_dict[name](package.Image.fromarray(image), severity, **own_seed)
    return np.asarray(corrupted).astype(np.uint8)


def _enlarged(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    return image if factor == 1 else image.repeat(factor, axis=0).repeat(factor, axis=1)


def _shrunk(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    means = image.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
    return np.rint(means).astype(np.uint8)


@contextmanager
def _own_randomness() -> Iterator[None]:
    """Leave NumPy's global random numbers as if nothing had been drawn."""
    with _LOCK:
        state = np.random.get_state()
        try:
            yield
        finally:
            np.random.set_state(state)


class _KeptPhotographs:
    """OpenCV for the package, but for the photographs of ice, which are read and enlarged once a size."""

    def __init__(self, opencv: Any) -> None:
        self._opencv = opencv
        self.imread = lru_cache(maxsize=None)(opencv.imread)
        self._enlarged = lru_cache(maxsize=12)(self._enlarge)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opencv, name)

    def resize(self, picture: Any, *, dsize: tuple[int, int], interpolation: int) -> Any:
        """As OpenCV's, for photographs that :meth:`imread` has returned and therefore never lets go."""
        return self._enlarged(_ByIdentity(picture), dsize, interpolation)

    def _enlarge(self, picture: _ByIdentity, dsize: tuple[int, int], interpolation: int) -> Any:
        return self._opencv.resize(picture.array, dsize=dsize, interpolation=interpolation)


class _ByIdentity:
    """An array as a key: the same object, the same key."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __hash__(self) -> int:
        return id(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.array is self.array


@cache
def _package() -> Any:
    """The package; importing it takes about a second."""
    import imagecorruptions  # type: ignore[import-untyped]
    from imagecorruptions import corruptions

    corruptions.cv2 = _KeptPhotographs(corruptions.cv2)
    return imagecorruptions
