"""Real training steps on random images, timed: how fast a network learns on this computer and what memory it takes.

Weights are fresh, for a network takes as long whether it has learnt or not; so nothing is downloaded for a look. Needs
TensorFlow, so that the app asks a process of its own for it: :mod:`aquadash.training.probe_service`.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import keras
import numpy as np
import psutil
import tensorflow as tf
from numpy.typing import NDArray

from aquadash import models
from aquadash.augment import draw, plan
from aquadash.config import AugmentationConfig, RunConfig, with_values
from aquadash.models import ModelSummary, transfer
from aquadash.training import hardware
from aquadash.training.epoch_loop import EpochLoop
from aquadash.training.losses import Losses
from aquadash.training.phases import Phase, build_loop, phase_of
from aquadash.training.probe import Measurement, PhaseTiming
from aquadash.training.tensor_memory import TensorMemory

Order = NDArray[np.int32]
Rates = NDArray[np.float32]

#: How long the timed training steps, those of a head alone, and the timed looks without learning should take together.
#: Some tenths of a second even out what else the computer does.
_TRAINING_SECONDS = 0.3
_HEAD_SECONDS = 0.1
_FORWARD_SECONDS = 0.1

#: A step that would take longer is measured with fewer images than a batch has.
_STEP_SECONDS = 0.6

#: Where a step of a single image would take longer even if the computer spent all its time on multiplying, none is
#: tried.
_TOO_LONG_SECONDS = 3.0

#: Learning from an image takes about three times as many multiplications as a look at it: the way back gives a gradient
#: for each weight and one for each input.
_LEARNING_FACTOR = 3

#: Most networks reach this share of what a computer can multiply at best; decides how large a first step is.
_CAUTION = 0.5

#: Steps in one call of the training loop, at most.
_STEPS_A_CALL = 8

#: How much of the free memory the first step may take.
_MEMORY_SHARE = 0.25

#: Random images, and bytes of them, at most. What is in them does not change the time.
_IMAGES = 512
_IMAGE_BYTES = 16_000_000

#: Images looked at together to time that, at most.
_LOOKED_AT = 64

#: Images whose variants are drawn to time that.
_AUGMENTED_IMAGES = 40


def build_network(config: RunConfig, *, image_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """The network that a run trains, its weights fresh; what of a pretrained body stays as it is does not learn."""
    precision = hardware.precision(config.training)
    model = models.build(config.model, image_shape=image_shape, num_classes=num_classes, precision=precision)
    parts = transfer.parts(model)
    if parts is not None:
        entry = models.model_entry(config.model.name)
        transfer.thaw(parts.body, config.model.fine_tuning, top=entry.top)
    return model


def measure(
    config: RunConfig, *, image_shape: tuple[int, int, int], num_classes: int, base_bytes: int | None = None
) -> Measurement:
    """Build the network and time some of its steps; takes one to three seconds.

    Args:
        config: Its :func:`~aquadash.training.probe.measured_part` matters.
        image_shape: Height, width and channels of the images.
        num_classes: How many classes there are.
        base_bytes: What a training process takes before it has a network; what this one takes when None.

    Raises:
        AquaDashError: The settings do not make a network.
    """
    base_bytes = base_bytes or psutil.Process().memory_info().rss
    keras.backend.clear_session()
    gc.collect()
    free_bytes = psutil.virtual_memory().available
    # As in a real run: operations that repeat themselves exactly can be slower ones.
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    with hardware.device(config.training):
        model = build_network(config, image_shape=image_shape, num_classes=num_classes)
        summary = models.summarize(model)
        probe = _Probe(config, model, summary, image_shape=image_shape, num_classes=num_classes, free_bytes=free_bytes)
        phases = dict.fromkeys(phase_of(config, epoch) for epoch in (1, config.training.epochs))
        if any(phase.on_features for phase in phases):
            probe.time_body()
        timings = tuple(probe.time_phase(phase) for phase in phases)
    return Measurement(
        layers=summary.layers,
        parameters=summary.params,
        trainable_parameters=summary.trainable_params,
        multiply_adds=summary.multiply_adds,
        phases=timings,
        body_seconds_per_image=probe.body_seconds,
        features=probe.features,
        augment_seconds_per_image=_augment_seconds(config.augmentation, image_shape),
        step_bytes=probe.step_bytes,
        state_bytes=probe.state_bytes,
        base_bytes=base_bytes,
        free_bytes=free_bytes,
    )


@dataclass(frozen=True)
class _Cost:
    """What an image costs in a network, by arithmetic: decides how much is safe to try.

    Attributes:
        multiply_adds: On the way forward.
        output_bytes: Of all layers' outputs, which are kept for the way back, and of their gradients.
        free_bytes: Memory that the computer has left.
    """

    multiply_adds: int
    output_bytes: int
    free_bytes: int

    @classmethod
    def of(cls, summary: ModelSummary, *, free_bytes: int) -> _Cost:
        outputs = sum(math.prod(layer.output_shape) for layer in summary.layers)
        return cls(max(1, summary.multiply_adds), max(1, 2 * 4 * outputs), free_bytes)

    @property
    def seconds_at_best(self) -> float:
        """Of a look at an image, if the computer did nothing but multiply."""
        return self.multiply_adds / _multiply_adds_per_second()

    @property
    def most_images(self) -> int:
        """So many fit into the memory at once."""
        return max(1, int(_MEMORY_SHARE * self.free_bytes / self.output_bytes))

    def safe_images(self, *, factor: int = 1, most: int) -> int:
        """So many are safe to begin with, from 1 to ``most``, where each costs ``factor`` looks."""
        in_time = int(_STEP_SECONDS * _CAUTION / (factor * self.seconds_at_best))
        return max(1, min(most, in_time, self.most_images))


class _Probe:
    """Times one network. What it learns besides the times is kept in attributes.

    Attributes:
        body_seconds: Of a look of the frozen body at an image.
        features: Numbers that the body makes of an image.
        step_bytes: The most that TensorFlow's numbers took during a step of a whole batch.
        state_bytes: Weights and the optimizer's state.
    """

    def __init__(
        self,
        config: RunConfig,
        model: keras.Model,
        summary: ModelSummary,
        *,
        image_shape: tuple[int, int, int],
        num_classes: int,
        free_bytes: int,
    ) -> None:
        self._config = config
        self._model = model
        self._cost = _Cost.of(summary, free_bytes=free_bytes)
        count = max(1, min(_IMAGES, _IMAGE_BYTES // math.prod(image_shape)))
        self._images = np.random.default_rng(0).integers(0, 256, (count, *image_shape), dtype=np.uint8)
        self._labels = (np.arange(count) % num_classes).astype(np.int64)
        self._losses = Losses(config.training, self._labels, num_classes=num_classes)
        self.body_seconds = 0.0
        self.features = 0
        self.step_bytes = 0
        self.state_bytes = 0

    def time_body(self) -> None:
        """Time a look of the frozen body at an image."""
        parts = transfer.parts(self._model)
        assert parts is not None, "only a pretrained network has a body"
        self.features = int(parts.body.output_shape[-1])
        images = self._images[: self._cost.safe_images(most=_LOOKED_AT)]
        forward = tf.function(lambda batch: parts.body(models.normalise(batch), training=False))
        with TensorMemory() as memory:
            forward(tf.constant(images))
        self.step_bytes = _bytes(self._model.weights) + (memory.growth or 0)
        self.body_seconds = self._looking(lambda: forward(tf.constant(images))) / len(images)

    def time_phase(self, phase: Phase) -> PhaseTiming:
        """Time the steps of a phase, and a look without learning."""
        inputs: NDArray[np.generic] = self._images
        cost = self._cost
        if phase.on_features:
            inputs = np.random.default_rng(0).random((len(self._images), self.features), dtype=np.float32)
            parts = transfer.parts(self._model)
            assert parts is not None, "only a pretrained network learns from features"
            cost = _Cost.of(models.summarize(parts.head), free_bytes=cost.free_bytes)
        best = cost.seconds_at_best
        if _LEARNING_FACTOR * best > _TOO_LONG_SECONDS:
            batch_size = self._config.training.batch_size
            self._note_memory(self._loop(phase, batch_size), cost.output_bytes * batch_size, batch_size)
            return PhaseTiming(phase.on_features, _LEARNING_FACTOR * best, best, steps=0, step_images=0)
        loop, learning, steps, images = self._time_steps(phase, inputs, cost)
        if phase.on_features:
            # A head is so quick that its own figure would not be worth the time to compile it.
            return PhaseTiming(phase.on_features, learning, learning / _LEARNING_FACTOR, steps, images)
        if self.body_seconds:
            return PhaseTiming(phase.on_features, learning, self.body_seconds, steps, images)
        some = slice(cost.safe_images(most=min(len(inputs), _LOOKED_AT)))
        loop.evaluate(inputs[some], self._labels[some])
        seconds = self._looking(lambda: loop.evaluate(inputs[some], self._labels[some]))
        return PhaseTiming(phase.on_features, learning, seconds / len(inputs[some]), steps, images)

    def _time_steps(self, phase: Phase, inputs: NDArray[np.generic], cost: _Cost) -> tuple[EpochLoop, float, int, int]:
        """Train for some steps: of a whole batch, or of as many images as time and memory allow.

        Returns:
            The loop that did it, seconds per image, how many steps were timed, and of how many images.
        """
        tensor, labels = tf.constant(inputs), tf.constant(self._labels.astype(np.int32))
        batch_size = self._config.training.batch_size
        safe = cost.safe_images(factor=_LEARNING_FACTOR, most=_STEPS_A_CALL * batch_size)
        while True:
            images = min(batch_size, safe)
            steps = max(1, safe // batch_size)
            loop = self._loop(phase, images)
            order = np.resize(np.arange(len(inputs), dtype=np.int32), images * steps)
            # A rate of next to nothing: random labels must not drive the weights out of the range of numbers.
            rates = np.full(steps, 1e-12, dtype=np.float32)

            def train(loop: EpochLoop = loop, order: Order = order, rates: Rates = rates) -> None:
                loop.train(tensor, labels, order, rates)

            with TensorMemory() as memory:
                train()  # The first time compiles it, too.
            growth = cost.output_bytes * images if memory.growth is None else memory.growth
            self._note_memory(loop, growth, images)
            seconds = _seconds(train)
            # The first guess is a careful one; where far more can be done in the time, it is done.
            larger = min(cost.most_images, int(images * steps * _STEP_SECONDS / seconds))
            if images == batch_size or larger < 3 * images:
                break
            safe = larger
        budget = _HEAD_SECONDS if phase.on_features else _TRAINING_SECONDS
        seconds, times = _median(train, first=seconds, budget=budget)
        return loop, seconds / (images * steps), times * steps, images

    def _looking(self, work: Callable[[], object]) -> float:
        """Seconds of a look without learning that has been compiled."""
        return _median(work, first=_seconds(work), budget=_FORWARD_SECONDS)[0]

    def _loop(self, phase: Phase, batch_size: int) -> EpochLoop:
        config = with_values(self._config, {"training.batch_size": batch_size})
        return build_loop(config, self._model, self._losses, phase)

    def _note_memory(self, loop: EpochLoop, growth: int, images: int) -> None:
        """Keep what a step of so many images took; that of a whole batch takes accordingly more."""
        state = _bytes([*self._model.weights, *loop.optimizer_variables])
        self.state_bytes = max(self.state_bytes, state)
        self.step_bytes = max(self.step_bytes, state + growth * self._config.training.batch_size // images)


def _bytes(variables: Sequence[keras.Variable]) -> int:
    return sum(tf.as_dtype(variable.dtype).size * math.prod(variable.shape) for variable in variables)


@lru_cache(maxsize=1)
def _multiply_adds_per_second() -> float:
    """What this computer multiplies and adds in a second at its best: square matrices."""
    side = 768
    matrix = tf.random.stateless_uniform((side, side), seed=(0, 0))
    tf.linalg.matmul(matrix, matrix).numpy()
    return side**3 / min(_seconds(lambda: tf.linalg.matmul(matrix, matrix).numpy()) for _ in range(3))


@lru_cache(maxsize=64)
def _augment_seconds(config: AugmentationConfig, image_shape: tuple[int, int, int]) -> float:
    """Of drawing all variants of one image."""
    images = np.random.default_rng(0).integers(0, 256, (_AUGMENTED_IMAGES, *image_shape), dtype=np.uint8)
    found = plan(config)
    draw(images[:1], found, seed=0)  # The first time also imports what draws.
    return _seconds(lambda: draw(images, found, seed=0)) / len(images)


def _median(work: Callable[[], object], *, first: float, budget: float) -> tuple[float, int]:
    """Go on timing something that took ``first`` seconds until about ``budget`` seconds are over.

    Returns:
        The median of all times in seconds, and how many there were.
    """
    times = [first]
    while sum(times) + times[-1] < budget:
        times.append(_seconds(work))
    return statistics.median(times), len(times)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return max(1e-9, time.perf_counter() - began)
