"""The embedded data set: drawings of five aquatic mammals, with the classes and sizes of CIFAR-100.

The drawings are a file beside this module, so that all machines have the same bytes. ``synthetic.md`` describes how
they were made.
"""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash.data.dataset import Dataset, Split
from aquadash.data.progress import ProgressCallback

#: The drawings of each split, side by side in one lossless WebP picture, and their labels.
FILE = Path(__file__).with_suffix(".npz")

CLASS_NAMES = ("beaver", "dolphin", "otter", "seal", "whale")
SIZE = 32


def load(*, progress: ProgressCallback | None = None) -> Dataset:
    """Return the embedded data set."""
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
    """Return a drawn dolphin that is in neither split, uint8, shape (32, 32, 3)."""
    with np.load(FILE, allow_pickle=False) as stored:
        return np.asarray(stored["example"])


def _split(part: str, stored: Mapping[str, NDArray[np.uint8]]) -> Split:
    labels = stored[f"{part}_labels"].astype(np.int64)
    # Each drawing is named by its class and its number within it.
    counts = [0] * len(CLASS_NAMES)
    names = []
    for label in labels.tolist():
        counts[label] += 1
        names.append(f"{CLASS_NAMES[label]}-{counts[label]:04d}.png")
    sheet = np.asarray(Image.open(io.BytesIO(stored[f"{part}_images"].tobytes())).convert("RGB"))
    # Row by row, (n, 32, 32, 3).
    grid = sheet.reshape(-1, SIZE, sheet.shape[1] // SIZE, SIZE, 3).swapaxes(1, 2)
    return Split(np.ascontiguousarray(grid.reshape(-1, SIZE, SIZE, 3)), labels, tuple(names))
