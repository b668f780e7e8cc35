"""What a branch costs in time, whole and step by step."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import PREVIEW, batches
from aquadash.augment.spec import Branch
from aquadash.augment.step_words import step_words

#: Images in one timing, at most: one of training's batches, so that what a call costs by itself is shared as there.
_IMAGES = 500
#: Fewer of large images: so many pixels, as in training's batches.
_PIXELS = 2_000_000
#: Timings, of which the median counts; no further one is begun after so many seconds.
_REPEATS = 5
_SECONDS = 0.3


@dataclass(frozen=True)
class StepTime:
    """One step of a branch.

    Attributes:
        title: What it does, in words.
        milliseconds: Time an image, the median of the repeats.
    """

    title: str
    milliseconds: float


@dataclass(frozen=True)
class BranchTime:
    """A branch's time on this computer, one core.

    Attributes:
        milliseconds: Time an image, making the augmenters included; the median of the repeats.
        steps: Those that are switched on, in order. Their times add up to a little less than the whole.
        repeats: How many timings were taken.
        images: How many images each was of.
    """

    milliseconds: float
    steps: tuple[StepTime, ...]
    repeats: int
    images: int


def time_branch(images: NDArray[np.uint8], branch: Branch, *, seed: int) -> BranchTime:
    """Time a branch in batches as training works in.

    Args:
        images: uint8, shape (n, height, width, 3), n at least 1; repeated or cut to fill a batch.
        branch: The branch; one that changes nothing takes no time.
        seed: 0 or greater.
    """
    if branch.is_original:
        return BranchTime(0.0, (), 0, 0)
    count = max(1, min(_IMAGES, _PIXELS // (images.shape[1] * images.shape[2])))
    batch = images[np.arange(count) % len(images)]
    titles = [words.whole for words in step_words(branch)]
    wholes: list[float] = []
    parts: list[list[float]] = []
    _pass(batch[:1], branch, seed=seed)
    began = time.perf_counter()
    while len(wholes) < _REPEATS and (not wholes or time.perf_counter() - began < _SECONDS):
        start = time.perf_counter()
        steps = _pass(batch, branch, seed=seed)
        wholes.append(time.perf_counter() - start)
        parts.append(steps)
    an_image = 1000 / count
    medians = [statistics.median(step) * an_image for step in zip(*parts, strict=True)]
    return BranchTime(
        milliseconds=statistics.median(wholes) * an_image,
        steps=tuple(StepTime(title, median) for title, median in zip(titles, medians, strict=True)),
        repeats=len(wholes),
        images=count,
    )


def _pass(images: NDArray[np.uint8], branch: Branch, *, seed: int) -> list[float]:
    """Put the images through the branch once; returns the seconds of each step."""
    seconds = [0.0] * sum(step.enabled for step in branch.operators)
    for where, augmenter in batches(images, branch, seed=seed, path=(PREVIEW, 0, 0)):
        part = images[where]
        for number, step in enumerate(augmenter):
            began = time.perf_counter()
            part = step(images=part)
            seconds[number] += time.perf_counter() - began
    return seconds
