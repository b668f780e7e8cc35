"""Counts, means and histograms of a split's images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.data.dataset import Split, in_chunks

CHANNEL_NAMES = ("red", "green", "blue")
_LEVELS = np.arange(256, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """One class of a split."""

    name: str
    #: The number of its images.
    count: int
    #: Its fraction of the split's images, 0 to 1.
    fraction: float
    #: The mean of its images, rounded: uint8, shape (height, width, 3); None without images.
    mean_image: NDArray[np.uint8] | None
    #: The mean over all its pixels and channels, 0 to 255; None without images.
    mean_brightness: float | None


@dataclass(frozen=True, eq=False)
class ChannelSummary:
    """One colour channel over all pixels of a split."""

    #: ``"red"``, ``"green"`` or ``"blue"``.
    name: str
    #: The mean, 0 to 255; None without images.
    mean: float | None
    #: The standard deviation (of the population), 0 to 127.5; None without images.
    std: float | None
    #: The number of pixels of each level, int64, shape (256,).
    histogram: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SplitStatistics:
    """The statistics of a split."""

    #: The number of images.
    count: int
    #: The height, width and channels of every image.
    image_shape: tuple[int, int, int]
    #: The classes in the order of the labels, also those without images.
    classes: tuple[ClassStatistics, ...]
    channels: tuple[ChannelSummary, ...]

    @property
    def balanced(self) -> bool:
        """Whether every class has the same number of images."""
        return len({entry.count for entry in self.classes}) <= 1


def describe(split: Split, class_names: Sequence[str]) -> SplitStatistics:
    """Count and average a split's images; ``class_names`` are in the order of the labels."""
    height, width, channels = split.images.shape[1:]
    sums = np.zeros((len(class_names), height, width, channels), np.int64)
    counts_of_levels = np.zeros((channels, 256), np.int64)
    counted = 0
    for images in in_chunks(split.images):
        labels = split.labels[counted : counted + len(images)]
        counted += len(images)
        for label in np.unique(labels):
            sums[label] += images[labels == label].sum(axis=0, dtype=np.int64)
        counts_of_levels += histograms(images)
    counts = np.bincount(split.labels, minlength=len(class_names))
    return SplitStatistics(
        count=len(split),
        image_shape=(int(height), int(width), int(channels)),
        classes=tuple(
            _describe_class(name, int(count), count / len(split) if count else 0.0, pixels)
            for name, count, pixels in zip(class_names, counts, sums, strict=True)
        ),
        channels=tuple(map(_describe_channel, counts_of_levels, CHANNEL_NAMES)),
    )


def histograms(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many pixels of uint8 images (..., channels) have each level: int64 (channels, 256)."""
    return np.stack([np.bincount(channel.ravel(), minlength=256) for channel in np.moveaxis(images, -1, 0)])


def _describe_class(name: str, count: int, fraction: float, sums: NDArray[np.int64]) -> ClassStatistics:
    if not count:
        return ClassStatistics(name, 0, 0.0, None, None)
    mean = sums / count
    return ClassStatistics(name, count, float(fraction), np.rint(mean).astype(np.uint8), float(mean.mean()))


def _describe_channel(histogram: NDArray[np.int64], name: str) -> ChannelSummary:
    mean, std = moments(histogram) if histogram.any() else (None, None)
    return ChannelSummary(name, mean, std, histogram)


def moments(counts: NDArray[np.int64] | NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation of pixel values by their histogram, shape (256,)."""
    total = float(counts.sum())
    mean = float(counts @ _LEVELS) / total
    variance = float(counts @ (_LEVELS - mean) ** 2) / total
    return mean, variance**0.5
