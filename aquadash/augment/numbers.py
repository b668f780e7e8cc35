"""Measurements of a pipeline: images a second, clipped levels, colours before and after, and cautions."""

import statistics
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import PREVIEW, augment_branch, batch_size
from aquadash.augment.spec import Branch, PipelineSpec, as_pipeline
from aquadash.data.progress import ProgressCallback, silent
from aquadash.data.statistics import CHANNEL_NAMES

#: Fraction of nearly constant or mostly black images that gives a caution; the report's pipelines make up to 0.001.
RUINED_FRACTION = 0.01
#: Fraction of unchanged images that gives a caution; the report's third pipeline leaves 28 % unchanged on purpose.
UNCHANGED_FRACTION = 1 / 3

#: By kind, the gravest first: the least fraction of the images that gives a caution, and its words.
_CAUTIONS = {
    "nearly constant": (
        RUINED_FRACTION,
        "become nearly constant: one flat colour, without the animal. Weaken the strongest step, or apply it to fewer "
        "images.",
    ),
    "mostly black": (
        RUINED_FRACTION,
        "become mostly black, so the animal can no longer be recognised. Cover, move or darken the images less.",
    ),
    "unchanged": (
        UNCHANGED_FRACTION,
        "come out unchanged. Such copies teach the network nothing new. If you want more change, raise the steps' "
        "probabilities or widen their ranges.",
    ),
}


@dataclass(frozen=True)
class Caution:
    """One thing that may be wrong with a branch."""

    #: ``"nearly constant"``, ``"mostly black"``, ``"unchanged"`` or ``"all off"``.
    kind: str
    #: The fraction of the images, 0 to 1.
    share: float
    #: The problem and its remedy, plain text.
    words: str


def cautions(branch: Branch, *, unchanged: float, nearly_constant: float, mostly_black: float) -> tuple[Caution, ...]:
    """Return a branch's cautions, the gravest first; none for a branch without steps, which keeps the originals."""
    if not branch.operators:
        return ()
    if branch.is_original:
        words = "Every step is switched off, so the images stay unchanged. Switch a step on, or remove the steps."
        return (Caution("all off", 1.0, words),)
    shares = {"nearly constant": nearly_constant, "mostly black": mostly_black, "unchanged": unchanged}
    return tuple(
        Caution(kind, share, f"{_percent(share)} of the images {_CAUTIONS[kind][1]}")
        for kind, share in shares.items()
        if share >= _CAUTIONS[kind][0]
    )


def _percent(fraction: float) -> str:
    """Return a fraction in whole per cent, never a rounded "100 %" for less than all."""
    if fraction >= 1.0:
        return "100 %"
    return f"{min(100 * fraction, 99):.0f} %"


#: The number of timings, of which the median counts, and the seconds after which no further one begins.
_REPEATS, _SECONDS = 5, 0.3


def images_per_second(images: NDArray[np.uint8], branch: Branch, *, seed: int) -> float | None:
    """Return the number of images that one core makes in a second; None for a branch that changes nothing."""
    if branch.is_original:
        return None
    count = batch_size(*images.shape[1:3])
    batch = images[np.arange(count) % len(images)]
    out = np.empty_like(batch)

    def seconds(number: int) -> float:
        start = time.perf_counter()
        augment_branch(batch[:number], branch, seed=seed, path=(PREVIEW, 0, 0), out=out[:number])
        return time.perf_counter() - start

    # The first call imports imgaug and fills its caches.
    seconds(1)
    timings = [seconds(count)]
    while len(timings) < _REPEATS and sum(timings) < _SECONDS:
        timings.append(seconds(count))
    return count / statistics.median(timings)


#: A picture whose pixels deviate by less than this from their mean (root mean square over the channels, of 255 levels)
#: is nearly constant. The flattest of CIFAR-100's 2,500 aquatic mammals has 8.8, of the report's 10,000 variants 4.3.
CONSTANT_DEVIATION = 4.0
#: A pixel is black if none of its channels is above this, of 255; on a screen it looks like 0.
BLACK_LEVEL = 8
#: Fraction of black pixels above which a picture is mostly black. The darkest of those 2,500 images has 0.56.
BLACK_FRACTION = 0.8


@dataclass(frozen=True)
class ChannelChange:
    """One colour channel over all pixels of all images."""

    #: ``"red"``, ``"green"`` or ``"blue"``.
    name: str
    #: Mean of the originals, 0 to 255.
    mean_before: float
    #: Their standard deviation (of the population), 0 to 127.5.
    deviation_before: float
    #: Mean of the variants.
    mean_after: float
    #: Their standard deviation.
    deviation_after: float


@dataclass(frozen=True)
class BranchNumbers:
    """One branch of a pipeline, measured on one variant of each image."""

    title: str
    #: Whether the branch has no steps, so that it keeps the original images.
    original: bool
    #: The number of measured images.
    images: int
    #: Fraction of all channel values that became 0, 0 to 1. It compares the number of zeros in each image before and
    #: after, so a zero that only moved, as in a mirror image, does not count.
    clipped_black: float
    #: The same for 255.
    clipped_white: float
    #: Both together.
    clipped: float
    channels: tuple[ChannelChange, ...]
    #: Fraction of the images that come out identical, 0 to 1.
    unchanged: float
    #: Fraction that deviates by less than :data:`CONSTANT_DEVIATION` while the original does not.
    nearly_constant: float
    #: Fraction that becomes mostly black, by :data:`BLACK_FRACTION`, while the original is not.
    mostly_black: float
    #: The images that one core makes in a second; None if it was not measured or the branch changes nothing.
    images_per_second: float | None
    #: Warnings before training with it, the gravest first.
    cautions: tuple[Caution, ...]


def measure(
    images: NDArray[np.uint8],
    spec: PipelineSpec | Branch,
    *,
    branch: int | None = None,
    seed: int,
    timed: bool = True,
    progress: ProgressCallback = silent,
) -> tuple[BranchNumbers, ...]:
    """Make one variant of each image with each branch and measure the changes.

    Args:
        images: uint8, shape (n, height, width, 3), RGB; n at least 1. Some hundred give stable fractions.
        branch: The number of the only branch to measure, from 0; None for all. It does not change a branch's draws.
        seed: 0 or greater.
        timed: Whether to measure images a second, which takes up to about a second a branch.
        progress: Called before each branch with a text and the fraction done, 0 to 1.
    """
    if not len(images):
        raise ValueError("there are no images to measure; expected at least one")
    pipeline = as_pipeline(spec)
    numbers = range(pipeline.factor) if branch is None else (branch,)
    measured = []
    for done, number in enumerate(numbers):
        one = pipeline.branch(number)
        progress(f"Measuring: {one.title}", done / len(numbers))
        after = np.empty_like(images)
        augment_branch(images, one, seed=seed, path=(PREVIEW, number, 0), out=after)
        speed = images_per_second(images, one, seed=seed) if timed else None
        measured.append(compared(images, after, branch=one, images_per_second=speed))
    return tuple(measured)


def compared(
    before: NDArray[np.uint8], after: NDArray[np.uint8], *, branch: Branch, images_per_second: float | None = None
) -> BranchNumbers:
    """Compare images, uint8 (n, height, width, 3), with a branch's variants of them."""
    values = before[0].size * len(before)
    black_values, white_values = (_more_of(level, before, after) for level in (0, 255))
    unchanged = float((before == after).reshape(len(before), -1).all(axis=1).mean())
    constant = float((_constant(after) & ~_constant(before)).mean())
    black = float((_black(after) & ~_black(before)).mean())
    return BranchNumbers(
        title=branch.title,
        original=not branch.operators,
        images=len(before),
        clipped_black=black_values / values,
        clipped_white=white_values / values,
        clipped=(black_values + white_values) / values,
        channels=tuple(
            ChannelChange(name, *(float(level) for images in (old, new) for level in (images.mean(), images.std())))
            for name, old, new in zip(CHANNEL_NAMES, np.moveaxis(before, -1, 0), np.moveaxis(after, -1, 0), strict=True)
        ),
        unchanged=unchanged,
        nearly_constant=constant,
        mostly_black=black,
        images_per_second=images_per_second,
        cautions=cautions(branch, unchanged=unchanged, nearly_constant=constant, mostly_black=black),
    )


def _more_of(level: int, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> int:
    """Return how many channel values came to a level, over the images that have more of it than before."""
    counts = [(images == level).reshape(len(images), -1).sum(axis=1, dtype=np.int64) for images in (before, after)]
    return int(np.maximum(counts[1] - counts[0], 0).sum())


def _constant(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    pixels = images.reshape(len(images), -1, 3).astype(np.float32)
    deviation = np.sqrt(pixels.var(axis=1).mean(axis=1))
    return np.asarray(deviation < CONSTANT_DEVIATION)


def _black(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    fraction = (images.max(axis=-1) <= BLACK_LEVEL).reshape(len(images), -1).mean(axis=1)
    return np.asarray(fraction > BLACK_FRACTION)
