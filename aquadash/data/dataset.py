"""The one form in which images travel through AquaDash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aquadash.data.mapped import in_chunks


@dataclass(frozen=True, eq=False)
class Split:
    """Images of one split, in the order of their source.

    Attributes:
        images: uint8, shape (n, height, width, 3), RGB, 0 to 255.
        labels: int64, shape (n,), an index into the data set's class names.
        file_names: n names for people to read; never used as paths.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
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
        """The images at these positions, as a split of their own."""
        names = np.asarray(self.file_names, dtype=object)[indices]
        return Split(self.images[indices], self.labels[indices], tuple(names))


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled image data set with its training and test split.

    Attributes:
        name: The source's name, such as ``"cifar100"``.
        title: A name for people.
        origin: Where the images came from, one or two sentences for people.
        drawn: True if the images are drawings by this program rather than photographs.
        class_names: One name a class, in the order of the labels.
        train: The training split.
        test: The test split.
    """

    name: str
    title: str
    origin: str
    drawn: bool
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
        """SHA-256 over class names, images and labels: equal content, equal fingerprint, whatever the source."""
        digest = hashlib.sha256("\0".join(self.class_names).encode())
        for split in (self.train, self.test):
            digest.update(repr(split.images.shape).encode())
            for images in in_chunks(split.images):
                digest.update(np.ascontiguousarray(images).data)
            digest.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
        return digest.hexdigest()
