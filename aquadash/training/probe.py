"""What a run will cost on this computer, before it starts: a few real steps are timed, the rest follows from them."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import psutil
import tensorflow as tf
from numpy.typing import NDArray

from aquadash import models
from aquadash.augment import draw, plan
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset, Split
from aquadash.models import LayerRow, ModelSummary, transfer
from aquadash.training import hardware
from aquadash.training.drawing import PROCESS_BYTES, SLOTS
from aquadash.training.losses import Losses
from aquadash.training.phases import Phase, build_loop, phase_of
from aquadash.training.prepare import split, visited_images

#: How long each thing is timed, and in how many steps at once: that evens out what else the computer does.
_SECONDS = 0.5
_STEPS = 8

#: Images that steps learn from, and those that are looked at together or drawn, at most.
_IMAGES = 512
_SOME = 32

#: What the run store's libraries take in a training process, as seen; here they are not loaded.
_STORE_BYTES = 110_000_000


@dataclass(frozen=True)
class PhaseTiming:
    """How long the steps of one phase of a run take.

    Attributes:
        on_features: True when only a new head learns, from the features of a frozen body.
        seconds_per_image: Of learning, per image.
        validation_seconds_per_image: Of a look at an image without learning.
        steps: Training steps that were timed.
        step_images: Images in each; fewer than the batch size where a whole batch might take too much memory.
    """

    on_features: bool
    seconds_per_image: float
    validation_seconds_per_image: float
    steps: int
    step_images: int


@dataclass(frozen=True)
class Measurement:
    """What was measured on this computer.

    Attributes:
        network: Its layers, and sums over them.
        phases: One, or two where a pretrained network trains its new head first.
        body_seconds_per_image: Of computing the features of a frozen body; 0 without one.
        features: How many numbers the body makes of an image; 0 without one.
        drawing_seconds_per_image: Of drawing all variants of one original image.
        process_bytes: The most that this process has taken, the data set and steps of whole batches included.
        state_bytes: Weights and the optimizer's state alone.
        free_bytes: What the computer had left for it, what it had taken already included.
    """

    network: ModelSummary
    phases: tuple[PhaseTiming, ...]
    body_seconds_per_image: float
    features: int
    drawing_seconds_per_image: float
    process_bytes: int
    state_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class PhaseEstimate:
    """A stretch of epochs that take the same time.

    Attributes:
        epochs: How many, at most.
        seconds_per_epoch: Validation included.
        on_features: True when only a new head learns.
    """

    epochs: int
    seconds_per_epoch: float
    on_features: bool


@dataclass(frozen=True)
class ProbeResult:
    """What a run will cost.

    Attributes:
        seconds_per_epoch: Of the phase whose epochs take longest, validation included.
        seconds_total_at_most: Of all epochs and the preparation before them, if early stopping does not end it sooner;
            without the few seconds in which the process starts.
        seconds_preparing: Of that, before the first epoch: drawing fixed variants, computing features.
        memory_bytes: What the training process will take.
        memory_is_short: True when that is more than the computer has left.
        images_per_second: How many images the network learns from in a second, validation left out.
        measured_steps: Training steps that the figures come from.
        step_images: Images in each of them.
        parameters: How many numbers the network learns or keeps.
        trainable_parameters: How many of them training changes.
        multiply_adds: For one image on its way forward.
        layers: The network's layers.
        phases: Where the time goes.
    """

    seconds_per_epoch: float
    seconds_total_at_most: float
    seconds_preparing: float
    memory_bytes: int
    memory_is_short: bool
    images_per_second: float
    measured_steps: int
    step_images: int
    parameters: int
    trainable_parameters: int
    multiply_adds: int
    layers: tuple[LayerRow, ...]
    phases: tuple[PhaseEstimate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def measure(config: RunConfig, dataset: Dataset) -> Measurement:
    """Build the network and time some of its steps in this process; takes some seconds, or minutes if it is large.

    Its weights are fresh, for a network takes as long whether it has learnt or not; so nothing is downloaded.

    Raises:
        AquaDashError: The settings do not make a network, or the pipeline is not there.
    """
    free_bytes = psutil.virtual_memory().available + psutil.Process().memory_info().rss
    # As in a real run: operations that repeat themselves exactly can be slower ones.
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    some = dataset.train.take(slice(_IMAGES))
    augmentation = plan(config.augmentation)
    drawn = some.images[:_SOME]
    with hardware.device(config.training):
        model = models.build(
            config.model,
            image_shape=dataset.image_shape,
            num_classes=len(dataset.class_names),
            precision=hardware.precision(config.training),
        )
        models.thaw(model, config.model)
        network = models.summarize(model)
        # All outputs are kept for the way back, and so are their gradients.
        image_bytes = 2 * 4 * sum(math.prod(layer.output_shape) for layer in network.layers)
        steps = _Steps(config, model, some, classes=len(dataset.class_names), at_once=free_bytes // 8 // image_bytes)
        phases = dict.fromkeys(phase_of(config, epoch) for epoch in (1, config.training.epochs))
        body_seconds = steps.time_body() if any(phase.on_features for phase in phases) else 0.0
        timings = tuple(steps.time(phase) for phase in phases)
    return Measurement(
        network=network,
        phases=timings,
        body_seconds_per_image=body_seconds,
        features=steps.features,
        drawing_seconds_per_image=_timed(lambda: draw(drawn, augmentation, seed=0))[0] / len(drawn),
        process_bytes=_peak_bytes() + steps.left_out_bytes,
        state_bytes=steps.state_bytes,
        free_bytes=free_bytes,
    )


def estimate(config: RunConfig, dataset: Dataset, measured: Measurement) -> ProbeResult:
    """Work out what the run will cost from what was measured of it.

    Raises:
        ConfigError: The data set is too small for the split.
    """
    data, augmentation = split(config, dataset), plan(config.augmentation)
    originals, validation = len(data.labels), len(data.validation_labels)
    images = originals * augmentation.factor
    fresh = config.augmentation.mode == "fresh" and augmentation.changes
    # A first epoch waits for its images; with fresh variants, later ones are drawn while the epoch before them trains.
    drawing = preparing = originals * measured.drawing_seconds_per_image
    head, all_epochs = config.training.head_epochs, config.training.epochs
    epochs = [all_epochs] if len(measured.phases) == 1 else [head, all_epochs - head]
    phases = []
    for timing, count in zip(measured.phases, epochs, strict=True):
        seconds = visited_images(config.training, images) * timing.seconds_per_image
        seconds += validation * timing.validation_seconds_per_image
        if timing.on_features:
            features = images * measured.body_seconds_per_image
            preparing += validation * measured.body_seconds_per_image + (0.0 if fresh else features)
            seconds += features if fresh else 0.0
        phases.append(PhaseEstimate(count, max(seconds, drawing) if fresh else seconds, timing.on_features))
    slowest, timing = max(zip(phases, measured.phases, strict=True), key=lambda pair: pair[0].seconds_per_epoch)

    # Besides what was measured: the weights of the best epoch and of the last two with the optimizer's state, which are
    # kept to go on from; the split's copy of the images, the variants, and the tensor that batches are taken from.
    # Where new variants are drawn meanwhile there is room for twice as many, a copy of the originals, and the process.
    kept = originals + validation if config.training.validation == "training" else 0
    kept += images * (SLOTS + 1) + originals if fresh else images * 2
    memory = measured.process_bytes + _STORE_BYTES + 3 * measured.state_bytes + kept * math.prod(dataset.image_shape)
    memory += PROCESS_BYTES if fresh else 0
    # Features are float32 numbers, kept once as an array and once as a tensor.
    memory += 2 * 4 * measured.features * images
    return ProbeResult(
        seconds_per_epoch=slowest.seconds_per_epoch,
        seconds_total_at_most=preparing + sum(phase.epochs * phase.seconds_per_epoch for phase in phases),
        seconds_preparing=preparing,
        memory_bytes=memory,
        memory_is_short=memory > measured.free_bytes,
        images_per_second=1 / timing.seconds_per_image,
        measured_steps=timing.steps,
        step_images=timing.step_images,
        parameters=measured.network.params,
        trainable_parameters=measured.network.trainable_params,
        multiply_adds=measured.network.multiply_adds,
        layers=measured.network.layers,
        phases=tuple(phases),
    )


class _Steps:
    """Times steps of one network.

    Attributes:
        features: Numbers that a frozen body makes of an image; 0 until it is timed.
        state_bytes: Weights and the optimizer's state of the phases that were timed, at most.
        left_out_bytes: What a whole batch would take besides the images that were tried.
    """

    def __init__(self, config: RunConfig, model: keras.Model, images: Split, *, classes: int, at_once: int) -> None:
        self._config = config
        self._model = model
        self._images = images
        self._losses = Losses(config.training, images.labels, num_classes=classes)
        self._at_once = max(1, at_once)
        self.features = 0
        self.state_bytes = 0
        self.left_out_bytes = 0

    def time_body(self) -> float:
        """Seconds of a look of the frozen body at an image."""
        parts = transfer.parts(self._model)
        assert parts is not None, "only a pretrained network has a body"
        self.features = int(parts.body.output_shape[-1])
        some = self._images.images[: min(_SOME, self._at_once)]
        forward = tf.function(lambda batch: parts.body(models.normalise(batch), training=False))
        return _timed(lambda: forward(tf.constant(some)).numpy())[0] / len(some)

    def time(self, phase: Phase) -> PhaseTiming:
        """Time a phase's steps of a whole batch, or of as many images as memory allows, and looks without learning."""
        labels = self._images.labels
        inputs: NDArray[np.generic] = self._images.images
        batch = min(self._config.training.batch_size, self._at_once)
        if phase.on_features:
            inputs = np.random.default_rng(0).random((len(labels), self.features), dtype=np.float32)
            batch = self._config.training.batch_size
        config = with_values(self._config, {"training.batch_size": batch})
        loop = build_loop(config, self._model, self._losses, phase)
        tensor, label_tensor = tf.constant(inputs), tf.constant(labels.astype(np.int32))

        def train(steps: int) -> None:
            order = np.resize(np.arange(len(labels), dtype=np.int32), batch * steps)
            # A rate of next to nothing keeps the weights in the range of numbers, however many steps there are.
            loop.train(tensor, label_tensor, order, np.full(steps, 1e-12, dtype=np.float32))

        before = psutil.Process().memory_info().rss
        train(1)  # The first time compiles it, too.
        grown = max(0, _peak_bytes() - before)
        self.left_out_bytes = max(self.left_out_bytes, grown * (self._config.training.batch_size - batch) // batch)
        began = time.perf_counter()
        train(1)
        seconds, steps, calls = time.perf_counter() - began, 1, 1
        if seconds < _SECONDS:
            steps = max(1, min(_STEPS, int(_SECONDS / seconds)))
            seconds, calls = _timed(lambda: train(steps))
        some = slice(min(_SOME, self._at_once))
        look, _ = _timed(lambda: loop.evaluate(inputs[some], labels[some]))
        state = sum(
            tf.as_dtype(variable.dtype).size * math.prod(variable.shape)
            for variable in (*self._model.weights, *loop.optimizer_variables)
        )
        self.state_bytes = max(self.state_bytes, state)
        return PhaseTiming(phase.on_features, seconds / (batch * steps), look / len(labels[some]), steps * calls, batch)


def _timed(work: Callable[[], object]) -> tuple[float, int]:
    """Seconds of a call, on average of those that were timed, and their number; the first call compiles."""
    work()
    began, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < _SECONDS or not calls:
        work()
        calls += 1
    return passed / calls, calls


def _peak_bytes() -> int:
    """The most memory that this process has taken."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
