"""Timings of an epoch of the report's network: the report's ``fit`` and the machine's limit against AquaDash's loop."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from aquadash.config import RunConfig
from aquadash.data.progress import ProgressCallback, silent
from aquadash.presets import preset

if TYPE_CHECKING:
    import keras

#: Images in an epoch of the report, their shape, and the classes.
COUNT, IMAGE_SHAPE, CLASSES = 12_500, (32, 32, 3), 5


def bench_train(*, pairs: int = 5, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time an epoch of the report's CNN at batch 32 by its ``fit`` and by our loop; see :func:`compared`."""
    seconds = _processes_in_turn({}, pairs=pairs, on_progress=on_progress)
    return {
        **compared(seconds, "report", "aquadash"),
        "report_images_per_second": COUNT / statistics.median(seconds["report"]),
        "aquadash_images_per_second": COUNT / statistics.median(seconds["aquadash"]),
    }


def bench_limit(*, pairs: int = 5, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time an epoch of the report's CNN at batch 32 by our loop and by its ``fit`` against :mod:`scripts.bench.limit`.

    ``ratio`` is our time divided by the limit, ``report_ratio`` the time of ``fit`` divided by ours.
    """
    from scripts.bench.limit import least_seconds

    parts = least_seconds(report_model(), images=COUNT, batch_size=preset("notebook").config.training.batch_size)
    seconds = _processes_in_turn(parts, pairs=pairs, on_progress=on_progress)
    seconds["limit"] = [sum(both) for both in zip(*(seconds[name] for name in parts), strict=True)]
    report = compared(seconds, "report", "aquadash")
    return {
        **compared(seconds, "aquadash", "limit"),
        **{f"{name}_seconds": statistics.median(seconds[name]) for name in parts},
        "report_seconds": report["report_seconds"],
        "report_ratio": report["ratio"],
        "report_pair_ratios": report["pair_ratios"],
    }


def in_turn(
    ways: Mapping[str, Callable[[], float]], *, pairs: int, on_progress: ProgressCallback = silent
) -> dict[str, list[float]]:
    """Time several ways in turn, so that other work of the machine slows all of them down alike."""
    on_progress("warming up", None)
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for pair in range(pairs):
        on_progress("timing", pair / pairs)
        # The first way of a turn changes, so that a machine that becomes slower favours none.
        for name in list(ways) if pair % 2 else reversed(list(ways)):
            seconds[name].append(ways[name]())
    return seconds


def compared(seconds: Mapping[str, Sequence[float]], slow: str, fast: str) -> dict[str, object]:
    """Compare two ways of :func:`in_turn`; ``ratio`` is the median over the pairs of slow time divided by fast time."""
    ratios = [a / b for a, b in zip(seconds[slow], seconds[fast], strict=True)]
    return {
        "ratio": statistics.median(ratios),
        f"{slow}_seconds": statistics.median(seconds[slow]),
        f"{fast}_seconds": statistics.median(seconds[fast]),
        "pairs": len(ratios),
        "pair_ratios": ratios,
    }


def report_model() -> keras.Model:
    """Build the report's network, untrained, compiled as in the report."""
    import keras

    from aquadash import models

    model = models.build(preset("notebook").config.model, image_shape=IMAGE_SHAPE, num_classes=CLASSES)
    model.compile(
        optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return model


def _processes_in_turn(
    more: Mapping[str, Callable[[], float]], *, pairs: int, on_progress: ProgressCallback
) -> dict[str, list[float]]:
    with ExitStack() as stack:
        ways = {name: stack.enter_context(_process(name)) for name in WAYS}
        return in_turn({**ways, **more}, pairs=pairs, on_progress=on_progress)


@contextmanager
def _process(name: str) -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds of an epoch, trained by one of :data:`WAYS` in a process of its own.

    Settings of one way, such as operation determinism, do not reach the other.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), _prepare, (name,)) as process:
        yield lambda: process.submit(_epoch_seconds).result()


def _random_data() -> tuple[np.ndarray, np.ndarray]:
    """Return random images and labels: their content does not change the time."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (COUNT, *IMAGE_SHAPE), dtype=np.uint8), random.integers(0, CLASSES, COUNT)


def _report(config: RunConfig) -> Callable[[], object]:
    """Prepare the report's call: ``fit`` on float64 images, without the validation."""
    model = report_model()
    images, labels = _random_data()
    scaled = images / 255.0
    return lambda: model.fit(scaled, labels[:, None], epochs=1, verbose=0)


def _aquadash(config: RunConfig) -> Callable[[], object]:
    """Prepare a worker's epoch without the validation and without new variants of the images."""
    import keras
    import tensorflow as tf

    from aquadash import models
    from aquadash.training import hardware
    from aquadash.training.losses import Losses
    from aquadash.training.phases import build_loop, phase_of
    from aquadash.training.randomness import epoch_order, set_layer_seeds
    from aquadash.training.schedules import learning_rates

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    images, labels = _random_data()
    losses = Losses(config.training, labels, num_classes=CLASSES)
    model = models.build(
        config.model, image_shape=IMAGE_SHAPE, num_classes=CLASSES, precision=hardware.precision(config.training)
    )
    loop = build_loop(config, model, losses, phase_of(config, 1))
    order = epoch_order(0, 1, COUNT)
    rates = learning_rates(config.training, epoch=1, batches=-(-COUNT // config.training.batch_size), history=[])

    def epoch() -> tuple[float, float]:
        set_layer_seeds(loop.model, seed=0, epoch=1)
        return loop.train(tf.constant(images), tf.constant(labels.astype(np.int32)), order, rates)

    return epoch


#: Name of a way to a function that prepares it for a config and returns a function for one epoch.
WAYS: dict[str, Callable[[RunConfig], Callable[[], object]]] = {"report": _report, "aquadash": _aquadash}

#: The way of this process, in a process of :func:`_process`.
_prepared: list[Callable[[], object]] = []


def _prepare(name: str) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    _prepared.append(WAYS[name](preset("notebook").config))


def _epoch_seconds() -> float:
    began = time.perf_counter()
    _prepared[0]()
    return time.perf_counter() - began
