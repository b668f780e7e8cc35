"""Pipelines at work: images in, augmented images out, all randomness from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.reading import check_operators
from aquadash.augment.spec import Branch

if TYPE_CHECKING:
    from imgaug.augmenters import Sequential

#: Images in one call of imgaug; progress is reported after each. Above 100, speed hardly depends on it.
IMAGES_A_BATCH = 500
#: Most pixels of a batch, which bounds its memory to about 100 MB.
PIXELS_A_BATCH = 2_000_000

#: First part of the path along which a seed is split, so that training and previews never share random numbers.
TRAINING = 0
PREVIEW = 1

#: Last part of that path for what decides which images a step is applied to.
SOMETIMES = 1_000_000


def augment_branch(
    images: NDArray[np.uint8],
    branch: Branch,
    *,
    seed: int,
    path: tuple[int, ...],
    out: NDArray[np.uint8],
) -> None:
    """Write one augmented version of each image into ``out``."""
    for _ in branch_by_batch(images, branch, seed=seed, path=path, out=out):
        pass


def branch_by_batch(
    images: NDArray[np.uint8],
    branch: Branch,
    *,
    seed: int,
    path: tuple[int, ...],
    out: NDArray[np.uint8],
) -> Iterator[float]:
    """:func:`augment_branch`, a batch at each step; yields the fraction done. Any thread may do the next step."""
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
    """Yield batches and the augmenter of each, which holds one for each enabled step; ``path`` splits the seed."""
    check_operators(branch.operators)
    # imgaug takes about a second to import; pages that only list pipelines do without.
    from aquadash.augment.build import build

    size = batch_size(*images.shape[1:3])
    for number, start in enumerate(range(0, len(images), size)):
        # Built anew for each batch: imgaug's augmenters keep random numbers in store from call to call.
        augmenter = build(branch.operators, seed=np.random.SeedSequence(seed, spawn_key=(*path, number)))
        yield slice(start, min(start + size, len(images))), augmenter


def batch_size(height: int, width: int) -> int:
    """Images in a batch; it depends on nothing but their size, as the random choices do on it."""
    return max(1, min(IMAGES_A_BATCH, PIXELS_A_BATCH // (height * width)))


def check_images(images: NDArray[np.uint8]) -> None:
    """Refuse what are not RGB pictures of whole bytes."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape[1:]:
        raise ValueError(f"images are {images.dtype} {images.shape}; expected uint8 (n, height, width, 3)")
