"""What a run will cost on this computer, before it starts: the time of an epoch and the memory.

A few real training steps are measured (:mod:`aquadash.training.measure`, which needs TensorFlow); everything here
follows from them by arithmetic, so that a change of the number of epochs needs no new measurement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aquadash.augment import plan
from aquadash.config import SETTINGS, RunConfig, flatten, with_values
from aquadash.data import Dataset
from aquadash.models import LayerRow
from aquadash.training.drawing import PROCESS_BYTES, SLOTS
from aquadash.training.prepare import split, visited_images

#: What the run store's libraries take in a training process; the process that measures has none. As seen.
_STORE_BYTES = 110_000_000


@dataclass(frozen=True)
class Workload:
    """The images of a run.

    Attributes:
        image_shape: Height, width and channels.
        num_classes: How many classes there are.
        training: Original training images, those of the validation split left out.
        validation: Validation images.
        held: All images of the data set, for they stay in memory.
    """

    image_shape: tuple[int, int, int]
    num_classes: int
    training: int
    validation: int
    held: int


@dataclass(frozen=True)
class PhaseTiming:
    """How long the steps of one phase of a run take.

    Attributes:
        on_features: True when only a new head learns, from the features of a frozen body.
        seconds_per_image: Of learning, per image.
        validation_seconds_per_image: Of a look at an image without learning.
        steps: Training steps that were measured.
        step_images: Images in each; fewer than the batch size where a whole batch would have taken too long.
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
        layers: The network's layers.
        parameters: How many numbers the network learns or keeps.
        trainable_parameters: How many of them training changes.
        multiply_adds: For one image on its way forward.
        phases: One, or two where a pretrained network trains its new head first.
        body_seconds_per_image: Of computing the features of a frozen body; 0 without one.
        features: How many numbers the body makes of an image; 0 without one.
        augment_seconds_per_image: Of drawing all variants of one original image.
        step_bytes: The most memory that TensorFlow's numbers took during a step: weights, the optimizer's state, and
            what a batch needs on its way through the network.
        state_bytes: Weights and the optimizer's state alone.
        base_bytes: What a process takes that has loaded TensorFlow and trained a tiny network.
        free_bytes: Memory that the computer had left.
    """

    layers: tuple[LayerRow, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int
    phases: tuple[PhaseTiming, ...]
    body_seconds_per_image: float
    features: int
    augment_seconds_per_image: float
    step_bytes: int
    state_bytes: int
    base_bytes: int
    free_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Measurement:
        """The reverse of :meth:`to_dict`."""
        layers = tuple(LayerRow.from_dict(row) for row in values["layers"])
        phases = tuple(PhaseTiming(**phase) for phase in values["phases"])
        return cls(**{**values, "layers": layers, "phases": phases})


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


def workload(config: RunConfig, dataset: Dataset) -> Workload:
    """How many images the run uses of a data set.

    Raises:
        ConfigError: The data set is too small for the split.
    """
    parts = split(config, dataset)
    return Workload(
        dataset.image_shape,
        len(dataset.class_names),
        len(parts.labels),
        len(parts.validation_labels),
        len(dataset.train) + len(dataset.test),
    )


def measured_part(config: RunConfig) -> RunConfig:
    """The config with every setting that the measurement does not depend on at its default.

    Two configs with the same measured part need one measurement.
    """
    values = {name: value for name, value in flatten(config).items() if SETTINGS[name].measured}
    # Whether the head learns alone for no, some or all epochs decides which phases there are.
    head_epochs, epochs = config.training.head_epochs, config.training.epochs
    values["training.epochs"] = 2
    values["training.head_epochs"] = 0 if head_epochs == 0 else 1 if head_epochs < epochs else 2
    return with_values(RunConfig(), values)


def estimate(config: RunConfig, work: Workload, measurement: Measurement) -> ProbeResult:
    """Work out what the run will cost.

    Args:
        config: All its settings.
        work: Its images.
        measurement: Of a config with the same :func:`measured_part`.
    """
    augmentation = plan(config.augmentation)
    images = work.training * augmentation.factor
    drawing = work.training * measurement.augment_seconds_per_image
    fresh = config.augmentation.mode == "fresh" and augmentation.changes
    phases = []
    # A first epoch waits for its images; with fresh variants, later ones are drawn while the epoch before them trains.
    preparing = drawing
    for timing, epochs in zip(measurement.phases, _epochs(config, measurement), strict=True):
        seconds = visited_images(config.training, images) * timing.seconds_per_image
        seconds += work.validation * timing.validation_seconds_per_image
        if timing.on_features:
            features = images * measurement.body_seconds_per_image
            preparing += work.validation * measurement.body_seconds_per_image + (0.0 if fresh else features)
            seconds += features if fresh else 0.0
        phases.append(PhaseEstimate(epochs, max(seconds, drawing) if fresh else seconds, timing.on_features))
    slowest = max(range(len(phases)), key=lambda index: phases[index].seconds_per_epoch)
    timing = measurement.phases[slowest]
    memory = _memory(config, work, measurement, images, fresh=fresh)
    return ProbeResult(
        seconds_per_epoch=phases[slowest].seconds_per_epoch,
        seconds_total_at_most=preparing + sum(phase.epochs * phase.seconds_per_epoch for phase in phases),
        seconds_preparing=preparing,
        memory_bytes=memory,
        memory_is_short=memory > measurement.free_bytes,
        images_per_second=1 / timing.seconds_per_image,
        measured_steps=timing.steps,
        step_images=timing.step_images,
        parameters=measurement.parameters,
        trainable_parameters=measurement.trainable_parameters,
        multiply_adds=measurement.multiply_adds,
        layers=measurement.layers,
        phases=tuple(phases),
    )


def _epochs(config: RunConfig, measurement: Measurement) -> list[int]:
    """How many epochs each phase has at most."""
    epochs = config.training.epochs
    if len(measurement.phases) == 1:
        return [epochs]
    first = min(config.training.head_epochs, epochs)
    return [first, epochs - first]


def _memory(config: RunConfig, work: Workload, measurement: Measurement, images: int, *, fresh: bool) -> int:
    """What the training will take, in bytes.

    A process with TensorFlow and the run store, plus what its numbers take in a step, plus the weights of the best
    epoch and of the last two with the optimizer's state (they are kept to go on from), plus the images: the data set,
    the split's copy of them, the variants, and the tensor that TensorFlow takes batches from. Where new variants are
    drawn meanwhile there is room for twice as many, a copy of the originals, and the process that draws.
    """
    image_bytes = math.prod(work.image_shape)
    split_copy = work.training + work.validation if config.training.validation == "training" else 0
    drawn = images * SLOTS + work.training if fresh else images
    tensor_bytes = images * image_bytes
    if any(phase.on_features for phase in measurement.phases):
        # Features are float32 numbers, kept once as an array and once as a tensor.
        tensor_bytes += 2 * 4 * measurement.features * images
    arrays = (work.held + split_copy + drawn) * image_bytes + tensor_bytes
    drawing = PROCESS_BYTES if fresh else 0
    return (
        measurement.base_bytes + _STORE_BYTES + measurement.step_bytes + 3 * measurement.state_bytes + arrays + drawing
    )
