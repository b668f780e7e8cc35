"""The embedded data set: five aquatic mammals drawn by a program, so that everything works with no download.

It has the sizes of the aquatic mammals in CIFAR-100 (500 training and 100 test images a class, 32x32x3) and the same
labels. The drawings come as a file beside this one, so that they are the same bytes on every machine; ``synthetic.md``
says how they were made.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash.data.dataset import Dataset, Split
from aquadash.data.progress import ProgressCallback

#: The drawings of each split as one lossless WebP picture, a drawing beside the other, and their labels.
FILE = Path(__file__).with_suffix(".npz")

CLASS_NAMES = ("beaver", "dolphin", "otter", "seal", "whale")
SIZE = 32


def load(*, progress: ProgressCallback | None = None) -> Dataset:
    """The embedded data set; reading it takes a tenth of a second."""
    with np.load(FILE, allow_pickle=False) as stored:
        train, test = _split("train", stored), _split("test", stored)
    return Dataset(
        name="synthetic",
        title="Synthetic drawings",
        origin=(
            "Every image is a drawing made by this program: curves for the animal, a painted background, varied light, "
            "blur and noise. There is not one photograph among them."
        ),
        drawn=True,
        class_names=CLASS_NAMES,
        train=train,
        test=test,
    )


def example() -> NDArray[np.uint8]:
    """A drawn dolphin that is in neither split, uint8, shape (32, 32, 3)."""
    with np.load(FILE, allow_pickle=False) as stored:
        found: NDArray[np.uint8] = stored["example"]
    return found


def unpack(content: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The drawings of a sheet, row by row.

    Args:
        content: uint8, shape (bytes,): a WebP picture of them side by side.

    Returns:
        uint8, shape (n, 32, 32, 3).
    """
    sheet = np.asarray(Image.open(io.BytesIO(content.tobytes())).convert("RGB"))
    grid = sheet.reshape(-1, SIZE, sheet.shape[1] // SIZE, SIZE, 3).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(-1, SIZE, SIZE, 3))


def _split(part: str, stored: Mapping[str, NDArray[np.uint8]]) -> Split:
    labels = stored[f"{part}_labels"].astype(np.int64)
    # Named after their class, counted in the order in which they come.
    counts = [0] * len(CLASS_NAMES)
    names = []
    for label in labels.tolist():
        counts[label] += 1
        names.append(f"{CLASS_NAMES[label]}-{counts[label]:04d}.png")
    return Split(unpack(stored[f"{part}_images"]), labels, tuple(names))
