"""How long an epoch takes: the report's ``fit`` against AquaDash's training loop.

Each way lives in a process of its own and the two take turns, so that neither's settings (operation determinism, say)
reach the other, and whatever else the machine does meets both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aquadash import settings
from aquadash.errors import AquaDashError

#: As many images as the report trains on; their content does not change the time.
_IMAGES = 12_500
_IMAGE_SHAPE = (32, 32, 3)
_CLASSES = 5

ProgressCallback = Callable[[str, float | None], None]


@dataclass(frozen=True)
class TrainBench:
    """An epoch of the report's CNN at batch 32, both ways.

    Attributes:
        ratio: Median over the pairs of the report's time by ours: how many times faster AquaDash trains.
        report_seconds: Median time of the report's ``fit`` for an epoch, after a warm-up epoch.
        aquadash_seconds: Median time of our loop for an epoch, after a warm-up epoch.
        report_images_per_second: 12,500 by the first.
        aquadash_images_per_second: 12,500 by the second.
        pairs: How many epochs of each were timed, in turn.
        pair_ratios: The ratio of every pair.
    """

    ratio: float
    report_seconds: float
    aquadash_seconds: float
    report_images_per_second: float
    aquadash_images_per_second: float
    pairs: int
    pair_ratios: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def bench_train(*, pairs: int = 5, progress: ProgressCallback | None = None) -> TrainBench:
    """Time both ways in turn.

    Args:
        pairs: How many epochs of each.
        progress: Called with what is being done and the share that is done.
    """
    report_progress = progress or (lambda text, share: None)
    report_progress("warming up", None)
    with _Side("report") as report, _Side("aquadash") as aquadash:
        report.epoch_seconds()
        aquadash.epoch_seconds()
        timings = []
        for pair in range(pairs):
            report_progress("timing epochs", pair / pairs)
            timings.append((report.epoch_seconds(), aquadash.epoch_seconds()))
    ratios = tuple(theirs / ours for theirs, ours in timings)
    report_seconds = statistics.median(theirs for theirs, _ in timings)
    aquadash_seconds = statistics.median(ours for _, ours in timings)
    return TrainBench(
        ratio=statistics.median(ratios),
        report_seconds=report_seconds,
        aquadash_seconds=aquadash_seconds,
        report_images_per_second=_IMAGES / report_seconds,
        aquadash_images_per_second=_IMAGES / aquadash_seconds,
        pairs=pairs,
        pair_ratios=ratios,
    )


class _Side:
    """A process that trains an epoch and says how long it took whenever it is asked."""

    def __init__(self, way: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.PROJECT_ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            text=True,
        )

    def __enter__(self) -> _Side:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def epoch_seconds(self) -> float:
        """Let the process train one epoch; returns its seconds."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("epoch\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AquaDashError("The process that was timed ended early; is there enough memory (about 2 GB)?")
        return float(answer)


def _images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (_IMAGES, *_IMAGE_SHAPE), dtype=np.uint8)
    return images, rng.integers(0, _CLASSES, (_IMAGES, 1))


def _report_epoch() -> Callable[[], object]:
    """The report's call: float64 images, ``compile`` and ``fit`` as they stand there, without the validation."""
    import keras

    from aquadash import models
    from aquadash.presets import preset

    model = models.build(preset("notebook").config.model, image_shape=_IMAGE_SHAPE, num_classes=_CLASSES)
    model.compile(
        optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    images, labels = _images()
    scaled = images / 255.0
    return lambda: model.fit(scaled, labels, epochs=1, verbose=0)


def _aquadash_epoch() -> Callable[[], object]:
    """What a worker does for an epoch, without the validation."""
    import keras
    import tensorflow as tf

    from aquadash import models
    from aquadash.presets import preset
    from aquadash.training.epoch_loop import EpochLoop
    from aquadash.training.optimizers import build_optimizer
    from aquadash.training.randomness import epoch_order, set_layer_seeds

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    config = preset("notebook").config
    loop = EpochLoop(
        models.build(config.model, image_shape=_IMAGE_SHAPE, num_classes=_CLASSES),
        build_optimizer(config.training),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        batch_size=config.training.batch_size,
    )
    images, labels = _images()

    def epoch() -> tuple[float, float]:
        set_layer_seeds(loop.model, seed=0, epoch=1)
        return loop.train(
            tf.constant(images), tf.constant(labels[:, 0].astype(np.int32)), epoch_order(0, 1, len(images))
        )

    return epoch


def _serve(way: str) -> None:
    """Train an epoch for every line on standard input and print its seconds."""
    # TensorFlow must not print between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    epoch = {"report": _report_epoch, "aquadash": _aquadash_epoch}[way]()
    for _ in sys.stdin:
        began = time.perf_counter()
        epoch()
        print(time.perf_counter() - began, file=answers, flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
