"""Which part of a picture a network sees, and that part at the network's own size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: ``part``: the largest part of the network's proportions. ``padded``: all of it, with grey bars. ``squeezed``: all of
#: it, without its proportions. ``mean``: each of the three; the network answers with the mean.
FramingMode = Literal["part", "padded", "squeezed", "mean"]
FRAMING_MODES: tuple[FramingMode, ...] = get_args(FramingMode)

#: The bars beside a padded picture: halfway between black and white.
PADDING = 127


@dataclass(frozen=True)
class Framing:
    """How a picture of other proportions is brought to those of a network's input.

    Attributes:
        mode: One of :data:`FRAMING_MODES`.
        position: For ``part``: where it lies along the longer side, 0 (left or top) to 1 (right or bottom).

    Raises:
        ValueError: There is no such mode or the position is not within 0 to 1.
    """

    mode: FramingMode = "part"
    position: float = 0.5

    def __post_init__(self) -> None:
        if self.mode not in FRAMING_MODES or not 0.0 <= self.position <= 1.0:
            raise ValueError(f"no such framing: {self.mode!r} at {self.position}")


#: The middle, as own pictures become training images.
CENTRED = Framing()
#: All of it, where a network is shown one picture: a part may lack head or tail.
PADDED = Framing("padded")
#: What networks are shown of own pictures unless somebody asks for something else.
MEAN = Framing("mean")


def fit(image: NDArray[np.uint8], *, size: tuple[int, int], framing: Framing = CENTRED) -> NDArray[np.uint8]:
    """What a network sees of a picture: by default the largest centred part of the right shape, scaled to ``size``.

    A pixel of a reduced picture is a weighted mean of the area about it (Hamming window), so that fine patterns turn
    grey instead of into false ones; enlarging interpolates (bicubic). A picture of that size comes back unchanged.

    Args:
        image: uint8, shape (height, width, 3).
        size: Height and width wanted, in pixels.
        framing: What to do with a picture of other proportions; of ``mean`` comes what is padded.

    Returns:
        uint8, shape (*size, 3).
    """
    height, width = size
    if image.shape[:2] == (height, width):
        return image.copy()
    whole = (0.0, 0.0, float(image.shape[0]), float(image.shape[1]))
    if framing.mode == "squeezed":
        return _scaled(image, whole, size=size)
    if framing.mode in ("padded", "mean"):
        scale = min(height / image.shape[0], width / image.shape[1])
        inner = tuple(max(1, round(side * scale)) for side in image.shape[:2])
        padded = np.full((height, width, 3), PADDING, np.uint8)
        top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
        padded[top : top + inner[0], left : left + inner[1]] = _scaled(image, whole, size=(inner[0], inner[1]))
        return padded
    crop_height, crop_width = _crop(image.shape[0], image.shape[1], size=size)
    top_edge = (image.shape[0] - crop_height) * framing.position
    left_edge = (image.shape[1] - crop_width) * framing.position
    return _scaled(image, (top_edge, left_edge, crop_height, crop_width), size=size)


def views(image: NDArray[np.uint8], *, size: tuple[int, int], framing: Framing) -> NDArray[np.uint8]:
    """All that a network sees of a picture, uint8, shape (n, *size, 3): one picture, of ``mean`` three if it is cut."""
    modes: tuple[FramingMode, ...] = ("padded", "squeezed", "part")
    if framing.mode != "mean" or not is_cut((image.shape[0], image.shape[1]), size=size):
        return fit(image, size=size, framing=framing)[np.newaxis]
    return np.stack([fit(image, size=size, framing=Framing(mode)) for mode in modes])


def framed(image: NDArray[np.uint8], *, size: tuple[int, int], framing: Framing) -> NDArray[np.uint8]:
    """A picture with the frame of what :func:`fit` takes of it: the grey bars added, or what is left out made pale.

    Args:
        image: uint8, shape (height, width, 3).
        size: Height and width that the network sees, in pixels.
        framing: What to do with a picture of other proportions.

    Returns:
        uint8, shape (height, width, 3), with bars a larger one.
    """
    height, width = image.shape[:2]
    if framing.mode in ("squeezed", "mean") or not is_cut((height, width), size=size):
        return image
    if framing.mode == "padded":
        scale = max(height / size[0], width / size[1])
        return fit(image, size=(round(size[0] * scale), round(size[1] * scale)), framing=framing)
    part_height, part_width = _crop(height, width, size=size)
    top, left = round((height - part_height) * framing.position), round((width - part_width) * framing.position)
    part = np.s_[top : top + round(part_height), left : left + round(part_width)]
    shown = 170 + image // 3
    shown[part] = image[part]
    return shown


def fraction_seen(image: NDArray[np.uint8], *, size: tuple[int, int]) -> float:
    """The share of a picture's area, above 0 to 1, that :func:`fit` keeps when it cuts it to the shape of ``size``."""
    crop_height, crop_width = _crop(image.shape[0], image.shape[1], size=size)
    return float(crop_height * crop_width / (image.shape[0] * image.shape[1]))


def is_cut(picture_size: tuple[int, int], *, size: tuple[int, int]) -> bool:
    """Whether a picture loses at least a pixel's line when it is cut to the shape of ``size``; both (height, width)."""
    height, width = picture_size
    crop_height, crop_width = _crop(height, width, size=size)
    return height - crop_height >= 1 or width - crop_width >= 1


def framing_note(framing: Framing, *, fraction: float) -> str | None:
    """What a person should know of how a picture was framed, one phrase; None where it needs no word.

    Args:
        fraction: What :func:`fraction_seen` says of the picture.
    """
    if fraction > 0.999:
        return None
    if framing.mode == "padded":
        return "the whole picture, with grey bars beside it"
    if framing.mode == "mean":
        return "the mean over all of it padded, all of it squeezed, and a part"
    if framing.mode == "squeezed":
        return "the whole picture, squeezed into the network's proportions"
    # A photograph of 3:2 or 16:9 keeps 56 % or more of its area in a square: not worth a word.
    if fraction >= 0.5:
        return None
    middle = "the middle " if framing.position == 0.5 else ""
    return f"long picture: the network sees only {middle}{max(fraction, 0.001):.1%} of it"


def _crop(height: int, width: int, *, size: tuple[int, int]) -> tuple[float, float]:
    """Height and width of the largest part with the proportions of ``size``; fractions of a pixel are kept."""
    scale = min(height / size[0], width / size[1])
    return min(size[0] * scale, float(height)), min(size[1] * scale, float(width))


def _scaled(
    image: NDArray[np.uint8], part: tuple[float, float, float, float], *, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """A part of a picture, given as top, left, height and width in pixels, scaled to ``size``."""
    top, left, part_height, part_width = part
    height, width = size
    # Cutting at whole pixels first bounds the work when the picture is very long.
    rows = slice(int(top), min(int(np.ceil(top + part_height)), image.shape[0]))
    columns = slice(int(left), min(int(np.ceil(left + part_width)), image.shape[1]))
    box = (
        left - columns.start,
        top - rows.start,
        min(left - columns.start + part_width, float(columns.stop - columns.start)),
        min(top - rows.start + part_height, float(rows.stop - rows.start)),
    )
    # Pillow's BOX, the plain mean, counts pixels on an edge wholly to one side: a mirrored picture would differ.
    method = Image.Resampling.HAMMING if part_height >= height and part_width >= width else Image.Resampling.BICUBIC
    cut = Image.fromarray(np.ascontiguousarray(image[rows, columns]))
    return np.array(cut.resize((width, height), method, box=box))
