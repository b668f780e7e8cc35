"""What there is to see in a split before anything is trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.data.dataset import Split

CHANNEL_NAMES = ("red", "green", "blue")
_LEVELS = np.arange(256, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """One class of a split.

    Attributes:
        name: The class's name.
        count: How many images it has.
        fraction: Its part of the split's images, 0 to 1.
        mean_image: uint8, shape (height, width, 3), the mean of its images, rounded; None without images.
        mean_brightness: Mean over all its pixels and channels, 0 to 255; None without images.
    """

    name: str
    count: int
    fraction: float
    mean_image: NDArray[np.uint8] | None
    mean_brightness: float | None


@dataclass(frozen=True, eq=False)
class ChannelSummary:
    """One colour channel over all pixels of a split.

    Attributes:
        name: ``"red"``, ``"green"`` or ``"blue"``.
        mean: 0 to 255; None without images.
        std: Standard deviation (of the population), 0 to 127.5; None without images.
        histogram: int64, shape (256,), how many pixels have each level.
    """

    name: str
    mean: float | None
    std: float | None
    histogram: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SplitStatistics:
    """The result of :func:`describe`.

    Attributes:
        count: How many images the split has.
        image_shape: Height, width and channels of every image.
        classes: One entry a class, in the order of the labels, empty classes included.
        channels: Red, green, blue.
    """

    count: int
    image_shape: tuple[int, int, int]
    classes: tuple[ClassStatistics, ...]
    channels: tuple[ChannelSummary, ...]

    @property
    def balanced(self) -> bool:
        """True if every class has the same number of images."""
        return len({entry.count for entry in self.classes}) <= 1


def describe(split: Split, class_names: Sequence[str]) -> SplitStatistics:
    """Count and average a split's images.

    Args:
        split: The images.
        class_names: One name a class, in the order of the labels.

    Raises:
        ValueError: A label has no name.
    """
    if len(split) and not 0 <= split.labels.min() <= split.labels.max() < len(class_names):
        raise ValueError(f"labels go up to {split.labels.max()}; there are {len(class_names)} class names")
    height, width, channels = split.images.shape[1:]
    return SplitStatistics(
        count=len(split),
        image_shape=(int(height), int(width), int(channels)),
        classes=tuple(_describe_class(split, label, name) for label, name in enumerate(class_names)),
        channels=tuple(_describe_channel(split.images[..., i], name) for i, name in enumerate(CHANNEL_NAMES)),
    )


def _describe_class(split: Split, label: int, name: str) -> ClassStatistics:
    positions = np.flatnonzero(split.labels == label)
    if not len(positions):
        return ClassStatistics(name, 0, 0.0, None, None)
    mean = split.images[positions].mean(axis=0, dtype=np.float64)
    return ClassStatistics(
        name=name,
        count=len(positions),
        fraction=len(positions) / len(split),
        mean_image=np.rint(mean).astype(np.uint8),
        mean_brightness=float(mean.mean()),
    )


def _describe_channel(values: NDArray[np.uint8], name: str) -> ChannelSummary:
    """Mean and deviation follow exactly from the histogram, so the pixels are read once and never copied as floats."""
    histogram = np.bincount(values.ravel(), minlength=256).astype(np.int64)
    total = int(histogram.sum())
    if not total:
        return ChannelSummary(name, None, None, histogram)
    mean = float(histogram @ _LEVELS) / total
    variance = float(histogram @ (_LEVELS - mean) ** 2) / total
    return ChannelSummary(name, mean, variance**0.5, histogram)
