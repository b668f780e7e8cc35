"""The ways to train an epoch that are timed against each other, and the processes they live in.

Each way has a process of its own and they take turns, so that neither's settings (operation determinism, say) reach the
other, and whatever else the machine does meets all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError

IMAGE_SHAPE = (32, 32, 3)
CLASSES = 5


class Way:
    """A process that trains an epoch and says how long it took whenever it is asked."""

    def __init__(self, name: str, *, preset: str, images: int) -> None:
        """Start it; see :data:`WAYS` for the names."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, name, preset, str(images)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.PROJECT_ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            text=True,
        )

    def __enter__(self) -> Way:
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


def _images(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels: their content does not change the time."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *IMAGE_SHAPE), dtype=np.uint8), rng.integers(0, CLASSES, count)


def _report(config: RunConfig, count: int) -> Callable[[], object]:
    """The report's call: float64 images, ``compile`` and ``fit`` as they stand there, without the validation."""
    import keras

    from aquadash import models

    model = models.build(config.model, image_shape=IMAGE_SHAPE, num_classes=CLASSES)
    model.compile(
        optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    images, labels = _images(count)
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
    images, labels = _images(count)
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
    images, labels = _images(count)
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
    images, labels = _images(count)
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


def _serve(name: str, preset_name: str, count: int) -> None:
    """Train an epoch for every line on standard input and print its seconds."""
    from aquadash.presets import preset

    # Libraries must not print between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    epoch = WAYS[name](preset(preset_name).config, count)
    for _ in sys.stdin:
        began = time.perf_counter()
        epoch()
        print(time.perf_counter() - began, file=answers, flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
