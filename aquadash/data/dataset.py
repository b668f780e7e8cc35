"""Labelled images in splits, in memory or mapped from a file; a stratified split of labels."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError


@dataclass(frozen=True, eq=False)
class Split:
    """Images of one split, in the order of their source."""

    #: uint8, shape (n, height, width, 3), RGB, 0 to 255.
    images: NDArray[np.uint8]
    #: int64, shape (n,), an index into the data set's class names.
    labels: NDArray[np.int64]
    #: n names for people, never used as paths.
    file_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[-1] != 3:
            raise ValueError(
                f"images are {self.images.dtype} {self.images.shape}; expected uint8 (n, height, width, 3)"
            )
        if not len(self.images) == len(self.labels) == len(self.file_names):
            raise ValueError("images, labels and file_names differ in length")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.intp] | slice) -> Split:
        """Return the images at these positions as a split."""
        names = np.asarray(self.file_names, dtype=object)[indices]
        return Split(self.images[indices], self.labels[indices], tuple(names))


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled image data set with its training and test split."""

    #: The source's name, such as ``"cifar100"``.
    name: str
    title: str
    #: The origin of the images in one or two sentences.
    origin: str
    #: Whether the images are drawings by this program.
    drawn: bool
    #: The names of the classes, in the order of the labels.
    class_names: tuple[str, ...]
    train: Split
    test: Split

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every image."""
        height, width, channels = self.train.images.shape[1:]
        return int(height), int(width), int(channels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of class names, images and labels: two sources of equal content have the same fingerprint."""
        digest = hashlib.sha256("\0".join(self.class_names).encode())
        for split in (self.train, self.test):
            digest.update(repr(split.images.shape).encode())
            for images in in_chunks(split.images):
                digest.update(np.ascontiguousarray(images).data)
            digest.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
        return digest.hexdigest()


def in_chunks(images: NDArray[np.uint8], *, max_bytes: int = 16_000_000) -> Iterator[NDArray[np.uint8]]:
    """Yield the images a few at a time; taking the next part releases the memory of the one before."""
    step = max(1, max_bytes // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        yield images[start : start + step]
        let_go(images)


def let_go(images: NDArray[Any]) -> None:
    """Release the memory of a mapped file's pages; reading brings them back. Other arrays stay as they are."""
    base: Any = images
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def stratified_split(labels: ArrayLike, *, fraction: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions kept and those held out at random, the same fraction of each class."""
    values = np.asarray(labels)
    held_out = np.zeros(len(values), dtype=bool)
    for label in np.unique(values):
        # A random generator for each class, so that its choice does not depend on the other classes.
        positions = np.flatnonzero(values == label)
        if len(positions) < 2:
            raise DataError(
                f"Class number {label} has only one image; it needs at least two, one to learn from and one to check."
            )
        count = min(max(int(np.floor(fraction * len(positions) + 0.5)), 1), len(positions) - 1)
        order = np.random.default_rng([seed, int(label)]).permutation(positions)
        held_out[order[:count]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
