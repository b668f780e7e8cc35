"""The part of a picture that a network sees: the largest of the network's proportions, scaled to its size."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: The default position of the part along the longer side, 0 (left or top) to 1 (right or bottom).
MIDDLE = 0.5


def fit(image: NDArray[np.uint8], *, size: tuple[int, int], position: float = MIDDLE) -> NDArray[np.uint8]:
    """Cut the largest part of the right proportions out of a picture and scale it to ``size``.

    Args:
        image: uint8, shape (height, width, 3).
        size: The height and width in pixels.
        position: The position of the part along the longer side, 0 (left or top) to 1 (right or bottom).

    Returns:
        uint8, shape (*size, 3); a copy of a picture that has this size already.
    """
    if image.shape[:2] == size:
        return image.copy()
    part_height, part_width = _part(image.shape[:2], size=size)
    top, left = (image.shape[0] - part_height) * position, (image.shape[1] - part_width) * position
    height, width = size
    # Cutting at whole pixels first limits the work for very long pictures.
    rows = slice(int(top), min(int(np.ceil(top + part_height)), image.shape[0]))
    columns = slice(int(left), min(int(np.ceil(left + part_width)), image.shape[1]))
    box = (
        left - columns.start,
        top - rows.start,
        min(left - columns.start + part_width, float(columns.stop - columns.start)),
        min(top - rows.start + part_height, float(rows.stop - rows.start)),
    )
    # HAMMING averages fine patterns to grey. BOX counts a pixel on an edge for one side only, so a mirrored picture
    # would give a different result.
    method = Image.Resampling.HAMMING if part_height >= height and part_width >= width else Image.Resampling.BICUBIC
    cut = Image.fromarray(np.ascontiguousarray(image[rows, columns]))
    return np.array(cut.resize((width, height), method, box=box))


def framed(image: NDArray[np.uint8], *, size: tuple[int, int], position: float = MIDDLE) -> NDArray[np.uint8]:
    """Return a picture with the parts pale that :func:`fit` cuts off; arguments as for that."""
    if not is_cut(image.shape[:2], size=size):
        return image
    height, width = _part(image.shape[:2], size=size)
    top, left = round((image.shape[0] - height) * position), round((image.shape[1] - width) * position)
    part = np.s_[top : top + round(height), left : left + round(width)]
    shown = 170 + image // 3
    shown[part] = image[part]
    return shown


def is_cut(picture_size: tuple[int, ...], *, size: tuple[int, int]) -> bool:
    """Return whether :func:`fit` cuts off at least a line of pixels; both sizes are (height, width)."""
    height, width = _part(picture_size, size=size)
    return picture_size[0] - height >= 1 or picture_size[1] - width >= 1


def framing_note(image: NDArray[np.uint8], *, size: tuple[int, int], position: float = MIDDLE) -> str:
    """Return a note for people where :func:`fit` keeps less than half of a picture's area; else an empty text."""
    height, width = _part(image.shape[:2], size=size)
    fraction = height * width / (image.shape[0] * image.shape[1])
    # A photograph of 3:2 or 16:9 keeps at least 56 % of its area in a square.
    if fraction >= 0.5:
        return ""
    middle = "the middle " if position == MIDDLE else ""
    return f"long picture: the network sees only {middle}{max(fraction, 0.001):.1%} of it"


def _part(picture_size: tuple[int, ...], *, size: tuple[int, int]) -> tuple[float, float]:
    """Return height and width, not rounded, of the largest part with the proportions of ``size``."""
    height, width = picture_size
    scale = min(height / size[0], width / size[1])
    return min(size[0] * scale, float(height)), min(size[1] * scale, float(width))
