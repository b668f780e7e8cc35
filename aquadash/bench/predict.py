"""How long prediction takes: one image, against the report's ``model.predict``, and a whole test split."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aquadash.predict import Predictor
from aquadash.presets import preset

_IMAGE_SHAPE = (32, 32, 3)
#: As many as the test split has.
_MANY = 500
#: How often the many are timed at most; they take a hundred times as long as one.
_MOST_TIMINGS = 7
_CLASS_NAMES = ("beaver", "dolphin", "otter", "seal", "whale")


@dataclass(frozen=True)
class PredictBench:
    """One image, both ways, and many images, with the same network.

    Attributes:
        ratio: ``report_seconds / aquadash_seconds``: how many times faster AquaDash answers.
        report_seconds: Median time of the report's call, warm.
        aquadash_seconds: Median time of the predictor's call, warm.
        pairs: How many timings of each were taken, in turn.
        max_difference: The largest difference between the two answers, in probability.
        many_images: How many images were then predicted in one call.
        many_seconds: Median time of that call, warm.
    """

    ratio: float
    report_seconds: float
    aquadash_seconds: float
    pairs: int
    max_difference: float
    many_images: int
    many_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def bench_predict(*, pairs: int = 15, seed: int = 0) -> PredictBench:
    """Time the report's CNN, untrained, on one random image: a network takes as long whether it has learned or not.

    Args:
        pairs: How many times each way is timed. The two take turns, so that whatever else the machine does meets both.
        seed: Decides the image.
    """
    import keras

    from aquadash import models

    model = models.build(preset("notebook").config.model, image_shape=_IMAGE_SHAPE, num_classes=len(_CLASS_NAMES))
    model.compile(
        optimizer="sgd",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    predictor = Predictor(model, class_names=_CLASS_NAMES)
    images = np.random.default_rng(seed).integers(0, 256, (1, *_IMAGE_SHAPE), dtype=np.uint8)
    scaled = images / 255.0  # float64, as the report divides

    def report() -> np.ndarray:
        # The report's call draws a progress bar as well; without it the output stays clean and the comparison strict.
        return np.asarray(model.predict(scaled, verbose=0))

    def aquadash() -> np.ndarray:
        return predictor.predict_images(images)

    difference = float(np.abs(report() - aquadash()).max())  # also the warm-up
    timings = [(_seconds(report), _seconds(aquadash)) for _ in range(pairs)]
    report_seconds, aquadash_seconds = (statistics.median(column) for column in zip(*timings, strict=True))
    many = np.random.default_rng(seed).integers(0, 256, (_MANY, *_IMAGE_SHAPE), dtype=np.uint8)
    predictor.predict_images(many)  # the warm-up
    many_seconds = statistics.median(
        _seconds(lambda: predictor.predict_images(many)) for _ in range(min(pairs, _MOST_TIMINGS))
    )
    ratio = report_seconds / aquadash_seconds
    return PredictBench(ratio, report_seconds, aquadash_seconds, pairs, difference, _MANY, many_seconds)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
