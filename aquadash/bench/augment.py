"""How much faster our augmentation is than the report's loop, on the same images in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import training_set

#: The size of the report's training set.
_IMAGES = 2500
_SIDE = 32


@dataclass(frozen=True)
class AugmentTiming:
    """Timings of the report's four pipelines over the same images.

    Attributes:
        images: How many images went in; five times as many come out.
        ratio: The report's time over ours, median of the pairs' ratios; above 1 ours is faster.
        report_seconds: Median time of the report's loop.
        aquadash_seconds: Median time of ours.
        pairs: How many timings of each were taken, in turn.
        pair_ratios: The ratio of each pair.
        report_failures: Images, over all pairs, at which imgaug stopped with its masks' error in the report's loop;
            the loop asks again for those.
    """

    images: int
    ratio: float
    report_seconds: float
    aquadash_seconds: float
    pairs: int
    pair_ratios: tuple[float, ...]
    report_failures: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def bench_augment(
    *,
    pairs: int = 5,
    images: NDArray[np.uint8] | None = None,
    progress: Callable[[str, float | None], None] | None = None,
) -> AugmentTiming:
    """Time the report's loop and :func:`aquadash.augment.training_set` in turn, pair by pair.

    Args:
        pairs: How many of each, at least 1.
        images: uint8, shape (n, height, width, 3); 2,500 random images of 32 x 32 pixels if None.
        progress: Called after each half pair with a text and the share done, 0 to 1.
    """
    if pairs < 1:
        raise ValueError(f"pairs is {pairs}; expected 1 or more")
    if images is None:
        images = np.random.default_rng(0).integers(0, 256, (_IMAGES, _SIDE, _SIDE, 3), dtype=np.uint8)
    labels = np.zeros(len(images), dtype=np.int64)
    pipelines = report_pipelines()
    report_run(pipelines, images[:20], labels[:20])
    training_set(images[:20], labels[:20], pipeline="notebook", seed=0)
    report, ours, failures = [], [], 0
    for pair in range(pairs):
        start = time.perf_counter()
        _, _, failed = report_run(pipelines, images, labels)
        report.append(time.perf_counter() - start)
        failures += failed
        if progress is not None:
            progress("The report's loop", (pair + 0.5) / pairs)
        start = time.perf_counter()
        training_set(images, labels, pipeline="notebook", seed=pair)
        ours.append(time.perf_counter() - start)
        if progress is not None:
            progress("AquaDash", (pair + 1) / pairs)
    ratios = tuple(slow / fast for slow, fast in zip(report, ours, strict=True))
    return AugmentTiming(
        images=len(images),
        ratio=statistics.median(ratios),
        report_seconds=statistics.median(report),
        aquadash_seconds=statistics.median(ours),
        pairs=pairs,
        pair_ratios=ratios,
        report_failures=failures,
    )


def report_pipelines() -> tuple[Any, Any, Any, Any]:
    """The report's ``seq``, ``seq2``, ``seq3`` and ``seq4`` as it built them, with imgaug's present names."""
    import imgaug.augmenters as iaa

    def shifted(channel: int) -> Any:
        return iaa.WithColorspace(
            to_colorspace="HSV", from_colorspace="RGB", children=iaa.WithChannels(channel, iaa.Add((-50, 50)))
        )

    return (
        iaa.Sequential([iaa.Fliplr(1.0), iaa.GaussianBlur(sigma=(0, 1.0))]),
        iaa.Sequential([iaa.ChannelShuffle(p=0.5), shifted(0), shifted(1), shifted(2)]),
        iaa.Sequential(
            [
                iaa.Sometimes(0.5, iaa.CoarseDropout((0.1, 0.3), size_percent=(0.02, 0.05))),
                iaa.Sometimes(0.5, iaa.Sometimes(0.5, iaa.ChannelShuffle(0.5))),
                iaa.Sometimes(0.5, iaa.Sharpen(alpha=(0, 1.0), lightness=(0.75, 1.5))),
            ]
        ),
        iaa.Sequential(
            [
                iaa.Multiply((0.5, 1.5), per_channel=0.5),
                iaa.LinearContrast((0.5, 1.5)),
                iaa.BlendAlphaFrequencyNoise(
                    exponent=(-4, 0),
                    foreground=iaa.Multiply((0.5, 1.5), per_channel=True),
                    background=iaa.LinearContrast((0.5, 2.0)),
                ),
            ]
        ),
    )


def report_run(
    pipelines: tuple[Any, Any, Any, Any], images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """The report's way: every image on its own through each pipeline, collected in lists and joined at the end.

    Returns:
        Images and labels, five times as many, and at how many images imgaug's error had to be passed over.
    """
    changed: tuple[list[Any], ...] = ([], [], [], [])
    repeated: tuple[list[Any], ...] = ([], [], [], [])
    failures = 0
    for image, label in zip(images, labels, strict=True):
        for number, sequence in enumerate(pipelines):
            try:
                result = sequence(image=image)
            except AssertionError:
                failures += 1
                result = sequence(image=image)
            changed[number].append(result.reshape(image.shape))
            repeated[number].append(label)
    all_images = np.concatenate([images, *(np.array(part) for part in changed)])
    all_labels = np.concatenate([labels, *(np.array(part) for part in repeated)])
    return all_images, all_labels, failures
