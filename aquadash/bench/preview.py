"""How long the Augment page's pictures take to be drawn anew, without the page around them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aquadash.augment import PIPELINES, film_strip, preview

#: As many sample images as the page shows at most.
IMAGES = 16
_SIDE = 32
#: As many draws of each as the page shows to begin with.
DRAWS = 4
#: The report's four pipelines.
REPORT = ("notebook-1", "notebook-2", "notebook-3", "notebook-4")


@dataclass(frozen=True)
class PreviewTiming:
    """One pipeline; each time is a median, in milliseconds.

    Attributes:
        pipeline: Its name.
        build_ms: Turning the steps into imgaug's augmenters, once.
        draw_ms: One draw of all images, building included.
        draws_ms: :data:`DRAWS` draws of all images.
        film_strip_ms: The images after each step.
    """

    pipeline: str
    build_ms: float
    draw_ms: float
    draws_ms: float
    film_strip_ms: float


@dataclass(frozen=True)
class PreviewTimings:
    """All that was measured.

    Attributes:
        images: How many images, of 32 x 32 pixels.
        draws: How many draws ``draws_ms`` is of.
        repeats: How many timings each median is of.
        pipelines: One entry for each of the report's pipelines.
    """

    images: int
    draws: int
    repeats: int
    pipelines: tuple[PreviewTiming, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def bench_preview(*, repeats: int = 15) -> PreviewTimings:
    """Time the draws and film strips of random images; every repeat has another seed, so that nothing is kept.

    Args:
        repeats: Timings of each, at least 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; expected 1 or more")
    # imgaug is imported here and not while the first pipeline is timed.
    from aquadash.augment.build import build

    images = np.random.default_rng(0).integers(0, 256, (IMAGES, _SIDE, _SIDE, 3), dtype=np.uint8)

    def timing(name: str) -> PreviewTiming:
        spec = PIPELINES[name]
        steps = spec.branches[0].operators
        return PreviewTiming(
            pipeline=name,
            build_ms=_median(lambda seed: build(steps, seed=np.random.SeedSequence(seed)), repeats),
            draw_ms=_median(lambda seed: preview(images, pipeline=spec, seed=seed, draws=1), repeats),
            draws_ms=_median(lambda seed: preview(images, pipeline=spec, seed=seed, draws=DRAWS), repeats),
            film_strip_ms=_median(lambda seed: film_strip(images, pipeline=spec, seed=seed), repeats),
        )

    return PreviewTimings(IMAGES, DRAWS, repeats, tuple(timing(name) for name in REPORT))


def _median(work: Callable[[int], object], repeats: int) -> float:
    """Median time of a call in milliseconds; a first one that warms up does not count."""
    seconds = []
    for seed in range(repeats + 1):
        began = time.perf_counter()
        work(seed)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds[1:])
