"""Application of pipelines to images; the seed decides all random choices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.reading import check_operators
from aquadash.augment.spec import Branch

if TYPE_CHECKING:
    from imgaug.augmenters import Sequential

#: Images in one call of imgaug; progress is reported after each call. More than 100 are hardly faster.
IMAGES_A_BATCH = 500
#: The most pixels of a batch, which limits its memory to about 100 MB.
PIXELS_A_BATCH = 2_000_000

#: The first number of a seed's path, so that training and previews never share random numbers.
TRAINING = 0
PREVIEW = 1

#: The last number of the path for the choice of the images that a step is applied to.
SOMETIMES = 1_000_000


def augment_branch(
    images: NDArray[np.uint8], branch: Branch, *, seed: int, path: tuple[int, ...], out: NDArray[np.uint8]
) -> None:
    """Write one augmented version of each image into ``out``."""
    for _ in branch_by_batch(images, branch, seed=seed, path=path, out=out):
        pass


def branch_by_batch(
    images: NDArray[np.uint8], branch: Branch, *, seed: int, path: tuple[int, ...], out: NDArray[np.uint8]
) -> Iterator[float]:
    """Do :func:`augment_branch` a batch at a time, on any thread, and yield the fraction done."""
    if branch.is_original:
        out[...] = images
        yield 1.0
        return
    for where, augmenter in batches(images, branch, seed=seed, path=path):
        out[where] = augmenter(images=images[where])
        yield where.stop / len(images)


def batches(
    images: NDArray[np.uint8], branch: Branch, *, seed: int, path: tuple[int, ...]
) -> Iterator[tuple[slice, Sequential]]:
    """Yield each batch with its augmenter, a sequence of the enabled steps; ``path`` derives the seed."""
    check_operators(branch.operators)
    # The import of imgaug takes a second, and pages that only list pipelines do not need it.
    from aquadash.augment.build import build

    size = batch_size(*images.shape[1:3])
    for number, start in enumerate(range(0, len(images), size)):
        # A new augmenter for each batch, because imgaug's keep random numbers for the next call.
        augmenter = build(branch.operators, seed=np.random.SeedSequence(seed, spawn_key=(*path, number)))
        yield slice(start, min(start + size, len(images))), augmenter


def batch_size(height: int, width: int) -> int:
    """Return the images in a batch; random choices depend on it, so it depends on the images' size alone."""
    return max(1, min(IMAGES_A_BATCH, PIXELS_A_BATCH // (height * width)))


def check_images(images: NDArray[np.uint8]) -> None:
    """Raise an error for images that are not uint8 RGB."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape[1:]:
        raise ValueError(f"images are {images.dtype} {images.shape}; expected uint8 (n, height, width, 3)")
