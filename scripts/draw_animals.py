"""Draw the embedded data set and pack it as the file that AquaDash ships.

    python -m scripts.draw_animals aquadash/data/synthetic.npz

The drawings follow from a seed. Pillow's rasteriser and NumPy's random generator and functions decide the last bit, so
another version of either, or another kind of processor, may give other bytes; the data set's fingerprint tells.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash.data.synthetic import CLASS_NAMES, SIZE
from scripts.drawing import draw

#: Decides every drawing.
SEED = 2026

#: Drawings of each class by split.
PER_CLASS = {"train": 500, "test": 100}


def drawings(part: str) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The drawings of a split with their labels, uint8 (32, 32, 3) each.

    Each has a random generator of its own, made from the seed, the split, the class and its number.
    """
    number = list(PER_CLASS).index(part)
    # A random order, as in CIFAR-100: a large enough stretch of a split holds all classes in about equal shares.
    order = np.random.default_rng([SEED, number]).permutation(PER_CLASS[part] * len(CLASS_NAMES))
    for position in order.tolist():
        label, which = divmod(position, PER_CLASS[part])
        yield label, draw(label, rng=np.random.default_rng([SEED, number, label, which]))


def pack(images: NDArray[np.uint8], *, columns: int) -> NDArray[np.uint8]:
    """Images as one lossless WebP picture, which :func:`aquadash.data.synthetic.unpack` takes apart.

    Args:
        images: uint8, shape (n, 32, 32, 3).
        columns: How many stand in a row; a divisor of n.

    Returns:
        uint8, shape (bytes,): the file's content.
    """
    grid = images.reshape(-1, columns, SIZE, SIZE, 3).swapaxes(1, 2)
    file = io.BytesIO()
    Image.fromarray(grid.reshape(-1, columns * SIZE, 3)).save(file, "WEBP", lossless=True, quality=100, method=6)
    return np.frombuffer(file.getvalue(), np.uint8)


def main(path: Path) -> None:
    """Draw everything and write the file."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    for part, per_class in PER_CLASS.items():
        labels, images = zip(*drawings(part), strict=True)
        arrays[f"{part}_labels"] = np.array(labels, np.uint8)
        arrays[f"{part}_images"] = pack(np.array(images, np.uint8), columns=per_class // 10)
    # The dolphin on which Augment shows what each operator does.
    arrays["example"] = draw(CLASS_NAMES.index("dolphin"), rng=np.random.default_rng(7))
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the embedded data set.")
    parser.add_argument("path", type=Path)
    main(parser.parse_args().path)
