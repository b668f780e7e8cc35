"""Timings of an epoch: the report's ``fit``, PyTorch and a step written by hand against AquaDash's loop; and images
drawn anew for every epoch against fixed copies."""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from multiprocessing import get_context
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import AquaDashError
from aquadash.presets import preset
from scripts.bench.report import CLASS_NAMES, IMAGE_SHAPE, random_images, report_model
from scripts.bench.timing import compared, in_turn

if TYPE_CHECKING:
    from aquadash.training.checkpoint import Checkpoint

CLASSES = len(CLASS_NAMES)


def bench_train(*, pairs: int = 5, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time an epoch of the report's CNN at batch 32: its ``fit``, our loop and, where it is installed, PyTorch.

    Args:
        pairs: How many epochs of each.
        on_progress: Called before each turn.

    Returns:
        As :func:`compared`; ``report_images_per_second`` and ``aquadash_images_per_second``; ``pytorch_ratio``, the
        median over the pairs of PyTorch's time by ours, and ``pytorch_seconds``, both None where it is not installed.
    """
    count = 12_500  # as many images as the report trains on
    ways = ["report", "aquadash", *(["pytorch"] if importlib.util.find_spec("torch") else [])]
    seconds = _processes_in_turn(ways, preset="notebook", images=count, pairs=pairs, on_progress=on_progress)
    found = compared(seconds, "report", "aquadash")
    pytorch = compared(seconds, "pytorch", "aquadash") if "pytorch" in ways else {}
    return {
        **found,
        "report_images_per_second": count / statistics.median(seconds["report"]),
        "aquadash_images_per_second": count / statistics.median(seconds["aquadash"]),
        "pytorch_ratio": pytorch.get("ratio"),
        "pytorch_seconds": pytorch.get("pytorch_seconds"),
    }


def bench_limit(*, pairs: int = 5, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time an epoch of the report's CNN at batch 32 by our loop and by its ``fit`` against the least it could take.

    Args:
        pairs: How many epochs of each, and how often the least is measured.
        on_progress: Called before each turn.

    Returns:
        As :func:`compared`, our epoch by the limit: ``ratio`` 1 would be the limit. Of it, ``products_seconds`` and
        ``updates_seconds``, see :mod:`scripts.bench.limit`; and the report's ``report_seconds`` and ``report_ratio``,
        its ``fit`` by our epoch.
    """
    from scripts.bench.limit import least_seconds

    count = 12_500
    parts = least_seconds(report_model(), images=count, batch_size=preset("notebook").config.training.batch_size)
    seconds = _processes_in_turn(
        ["report", "aquadash"], parts, preset="notebook", images=count, pairs=pairs, on_progress=on_progress
    )
    seconds["limit"] = [sum(both) for both in zip(*(seconds[name] for name in parts), strict=True)]
    report = compared(seconds, "report", "aquadash")
    return {
        **compared(seconds, "aquadash", "limit"),
        **{f"{name}_seconds": statistics.median(seconds[name]) for name in parts},
        "report_seconds": report["report_seconds"],
        "report_ratio": report["ratio"],
        "report_pair_ratios": report["pair_ratios"],
    }


def bench_step(*, preset: str, pairs: int = 5, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time an epoch of a preset's network by a training step written by hand and by our loop; see :func:`compared`.

    Args:
        preset: Its network starts from nothing.
        pairs: How many epochs of each.
        on_progress: Called before each turn.
    """
    # As many images as a training of the convolutional presets sees in an epoch, about.
    seconds = _processes_in_turn(["hand", "aquadash"], preset=preset, images=2250, pairs=pairs, on_progress=on_progress)
    return compared(seconds, "hand", "aquadash")


def bench_fresh(
    *,
    pipeline: str = "notebook-1",
    pairs: int = 7,
    epochs_a_turn: int = 5,
    on_progress: ProgressCallback = silent,
) -> dict[str, Any]:
    """Train the report's CNN with images drawn anew and with fixed copies in turn, in this process, as a worker does.

    Args:
        pipeline: Its name, or several with weights.
        pairs: Turns of each way.
        epochs_a_turn: Epochs that are timed in a turn, validation included, after one that is not.
        on_progress: Called before each turn.

    Returns:
        As :func:`compared`, a ratio of 1 means that drawing costs the training nothing; ``fresh_seconds`` has the wait
        for the images in it. And ``pipeline``, ``images`` (for training, an epoch) and ``epochs_a_turn``.
    """
    images = data.load("synthetic")
    # An epoch less than all needs would not be drawn ahead.
    epochs = 1 + (1 + pairs) * (1 + epochs_a_turn)
    base = with_values(
        preset("notebook-fixed").config,
        {"augmentation.pipeline": pipeline, "training.patience": 0, "training.epochs": epochs},
    )
    with ExitStack() as stack:
        ways = {
            mode: stack.enter_context(
                closing(_Training(with_values(base, {"augmentation.mode": mode}), images, epochs_a_turn))
            )
            for mode in ("copies", "fresh")
        }
        seconds = in_turn({mode: way.turn for mode, way in ways.items()}, pairs=pairs, on_progress=on_progress)
        return {
            **compared(seconds, "fresh", "copies"),
            "pipeline": base.augmentation.pipeline,
            "images": ways["fresh"].images,
            "epochs_a_turn": epochs_a_turn,
        }


class _Training:
    """A training that goes on for some epochs whenever it is asked."""

    def __init__(self, config: RunConfig, dataset: Dataset, epochs_a_turn: int) -> None:
        import tensorflow as tf

        from aquadash.training.trainer import Trainer

        tf.config.experimental.enable_op_determinism()
        self._trainer = Trainer(config, dataset, _Silent(), silent, time.time)
        self._epochs_a_turn = epochs_a_turn
        self._state: Checkpoint | None = None
        self.images = len(self._trainer.images.epoch(1)[1])

    def turn(self) -> float:
        """Train an epoch, and then those that count; seconds of each of these.

        Drawing runs ahead, so a turn ends when nothing is being drawn: what is drawn during the timed epochs is what
        those epochs need.
        """
        self._state = self._trainer.train_one_epoch(self._state)
        began = time.perf_counter()
        for _ in range(self._epochs_a_turn):
            self._state = self._trainer.train_one_epoch(self._state)
        ended = time.perf_counter()
        self._trainer.images.ready()
        return (ended - began) / self._epochs_a_turn

    def close(self) -> None:
        self._trainer.close()


class _Silent:
    """Listens to a training and says nothing."""

    def on_progress(self, progress: object) -> None:
        pass

    def on_epoch(self, state: object) -> None:
        pass


def _processes_in_turn(
    names: Sequence[str],
    more: Mapping[str, Callable[[], float]] = MappingProxyType({}),
    *,
    preset: str,
    images: int,
    pairs: int,
    on_progress: ProgressCallback,
) -> dict[str, list[float]]:
    with ExitStack() as stack:
        ways = {name: stack.enter_context(_process(name, preset, images)) for name in names}
        return in_turn({**ways, **more}, pairs=pairs, on_progress=on_progress)


@contextmanager
def _process(name: str, preset: str, images: int) -> Iterator[Callable[[], float]]:
    """A process that trains an epoch by one of :data:`WAYS` and says its seconds whenever the function is called.

    Each way has one of its own, so that neither's settings (operation determinism, say) reach the other.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), _prepare, (name, preset, images)) as process:

        def epoch() -> float:
            try:
                return process.submit(_epoch_seconds).result()
            except BrokenExecutor as error:
                raise AquaDashError(
                    "The process that was timed ended early; is there enough memory (about 2 GB)?"
                ) from error

        yield epoch


def _random_data(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels."""
    return random_images(count), np.random.default_rng(0).integers(0, CLASSES, count)


def _report(config: RunConfig, count: int) -> Callable[[], object]:
    """The report's call: float64 images and ``fit`` as it stands there, without the validation."""
    model = report_model()
    images, labels = _random_data(count)
    scaled = images / 255.0
    return lambda: model.fit(scaled, labels[:, None], epochs=1, verbose=0)


def _aquadash(config: RunConfig, count: int) -> Callable[[], object]:
    """What a worker does for an epoch, without the validation and the drawing of new variants."""
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
    images, labels = _random_data(count)
    losses = Losses(config.training, labels, num_classes=CLASSES)
    model = models.build(
        config.model, image_shape=IMAGE_SHAPE, num_classes=CLASSES, precision=hardware.precision(config.training)
    )
    loop = build_loop(config, model, losses, phase_of(config, 1))
    order = epoch_order(0, 1, count)
    rates = learning_rates(config.training, epoch=1, batches=-(-count // config.training.batch_size), history=[])

    def epoch() -> tuple[float, float]:
        set_layer_seeds(loop.model, seed=0, epoch=1)
        return loop.train(tf.constant(images), tf.constant(labels.astype(np.int32)), order, rates)

    return epoch


def _hand(config: RunConfig, count: int) -> Callable[[], object]:
    """The same network and optimizer in a training step written by hand in a ``tf.function``, a batch a call."""
    import keras
    import tensorflow as tf

    from aquadash import models
    from aquadash.training import hardware
    from aquadash.training.optimizers import build_optimizer

    model = models.build(
        config.model, image_shape=IMAGE_SHAPE, num_classes=CLASSES, precision=hardware.precision(config.training)
    )
    optimizer = build_optimizer(config.training)
    optimizer.build(model.trainable_variables)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy()
    images, labels = _random_data(count)
    batch_size = config.training.batch_size

    @tf.function
    def step(batch: tf.Tensor, expected: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = cross_entropy(expected, model(tf.cast(batch, tf.float32) / 255.0, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    def epoch() -> None:
        order = np.random.permutation(count)
        for start in range(0, count, batch_size):
            chosen = order[start : start + batch_size]
            step(tf.constant(images[chosen]), tf.constant(labels[chosen]))

    return epoch


def _pytorch(config: RunConfig, count: int) -> Callable[[], object]:
    """The report's network in PyTorch's eager mode, images and order in memory as ours are.

    Layer for layer the same; the pooling's "same" padding is one row and column at the end.
    """
    import torch
    from torch import nn

    def convolution(channels: int, filters: int) -> list[nn.Module]:
        return [
            nn.Conv2d(channels, filters, 2, stride=2),
            nn.ConstantPad2d((0, 1, 0, 1), float("-inf")),
            nn.MaxPool2d(2, stride=1),
        ]

    dropout = config.model.dropout
    model = nn.Sequential(
        *convolution(3, 32), *convolution(32, 64), nn.Flatten(), nn.Linear(64 * 8 * 8, 256), nn.ReLU(),
        nn.Dropout(dropout), nn.Linear(256, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, CLASSES),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=config.training.learning_rate)
    cross_entropy = nn.CrossEntropyLoss()
    images, labels = _random_data(count)
    inputs = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    targets = torch.from_numpy(labels)

    def epoch() -> None:
        model.train()
        for chosen in torch.randperm(count).split(config.training.batch_size):
            optimizer.zero_grad()
            cross_entropy(model(inputs[chosen].float() / 255.0), targets[chosen]).backward()
            optimizer.step()

    return epoch


#: A way's name to a function that prepares it for a config and a number of images and returns an epoch of it.
WAYS: dict[str, Callable[[RunConfig, int], Callable[[], object]]] = {
    "report": _report,
    "aquadash": _aquadash,
    "hand": _hand,
    "pytorch": _pytorch,
}


#: The way of this process, if it is one of :func:`_process`.
_prepared: list[Callable[[], object]] = []


def _prepare(name: str, preset_name: str, count: int) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    _prepared.append(WAYS[name](preset(preset_name).config, count))


def _epoch_seconds() -> float:
    began = time.perf_counter()
    _prepared[0]()
    return time.perf_counter() - began
