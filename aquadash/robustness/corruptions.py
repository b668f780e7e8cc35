"""The fifteen corruptions of Hendrycks and Dietterich, applied to test images.

Source: D. Hendrycks and T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations" (ICLR 2019), in the form of the package ``imagecorruptions``; what becomes of small images says
:func:`aquadash.augment.corrupt.corrupted`.

The strengths are those of ImageNet-C, made for pictures of 224 pixels a side: a blur of ten pixels is a far greater
part of a picture of 32 pixels. Accuracies are therefore lower than those published for CIFAR-10-C, whose strengths
are milder, and may be compared among runs of AquaDash only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash.errors import ConfigError, UnknownNameError

#: From the mildest to the strongest.
SEVERITIES = (1, 2, 3, 4, 5)


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
    from aquadash.augment.corrupt import corrupted

    result = np.empty_like(images)
    number = list(CORRUPTIONS).index(name)
    for row, position in enumerate(range(len(images)) if positions is None else positions):
        start = int(np.random.SeedSequence([seed, number, int(position)]).generate_state(1)[0])
        result[row] = corrupted(images[row], name, severity, seed=start, change=_frost if name == "frost" else None)
    return result


def _frost(image: Image.Image, severity: int) -> NDArray[np.float64]:
    """The package's ``frost``, but that it does not read and enlarge a photograph of ice for each image."""
    of_image, of_ice = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))[severity - 1]
    width, height = image.size
    ice = _ice(np.random.randint(6), height, width)
    top = np.random.randint(0, ice.shape[0] - height)
    left = np.random.randint(0, ice.shape[1] - width)
    return np.clip(of_image * np.array(image) + of_ice * ice[top : top + height, left : left + width], 0, 255)


@lru_cache(maxsize=12)
def _ice(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """One of the package's photographs, RGB, a tenth larger than is needed to cover images of that size."""
    import cv2

    name = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg", "frost6.jpg")[number]
    with as_file(files("imagecorruptions") / "frost" / name) as path:
        photograph = np.asarray(cv2.imread(str(path)))
    factor = 1.1 * max(1, height / photograph.shape[0], width / photograph.shape[1])
    size = [int(np.ceil(side * factor)) for side in photograph.shape[1::-1]]
    return cv2.resize(photograph, dsize=size, interpolation=cv2.INTER_CUBIC)[..., ::-1]
