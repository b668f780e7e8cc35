"""The images of a run: split into training and validation, and augmented by epoch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash import augment
from aquadash.config import RunConfig, TrainingConfig
from aquadash.data import Dataset, stratified_split
from aquadash.data.progress import ProgressCallback
from aquadash.errors import ConfigError
from aquadash.training.drawing import DrawingProcess
from aquadash.training.randomness import Purpose, derived_seed

#: The report validates on the first 400 of 500 test images and keeps the last 100 for its result.
REPORT_VALIDATION_IMAGES = 400


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The images of a run, uint8 NHWC, with their labels, int64."""

    #: Training images before augmentation; never those of the validation split.
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    #: Validation images, never augmented.
    validation_images: NDArray[np.uint8]
    validation_labels: NDArray[np.int64]
    #: Their positions in the split that they come from, int64.
    validation_indices: NDArray[np.int64]


def report_validation_images(num_test: int) -> int:
    """Return how many first test images validate in the report's way: 400; of 400 or fewer, four fifths."""
    return REPORT_VALIDATION_IMAGES if num_test > REPORT_VALIDATION_IMAGES else num_test * 4 // 5


def split_positions(config: RunConfig, dataset: Dataset) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of the training images to learn from, and of the validation images.

    The latter are training images, or test images where the config says so.

    Raises:
        ConfigError: The data set is too small for the split.
    """
    training = config.training
    if training.validation == "test":
        if len(dataset.test) < 2:
            raise ConfigError(
                f"{dataset.title} has too few test images ({len(dataset.test)}). The report validates on some of them "
                "and tests on the others, which needs at least two. Validate on training images instead."
            )
        return np.arange(len(dataset.train)), np.arange(report_validation_images(len(dataset.test)))
    return stratified_split(
        dataset.train.labels, fraction=training.validation_fraction, seed=derived_seed(config.seed, Purpose.SPLIT)
    )


def split(config: RunConfig, dataset: Dataset) -> TrainingData:
    """Split the images by :func:`split_positions`; the training labels get the label noise of the config."""
    chosen, held_out = split_positions(config, dataset)
    on_test = config.training.validation == "test"
    # A slice makes no copy of all training images, which may take gigabytes.
    validation, learnt = (dataset.test, slice(None)) if on_test else (dataset.train, chosen)
    return TrainingData(
        dataset.train.images[learnt],
        with_label_noise(
            dataset.train.labels[learnt],
            fraction=config.training.label_noise,
            num_classes=len(dataset.class_names),
            seed=derived_seed(config.seed, Purpose.LABEL_NOISE),
        ),
        validation.images[held_out],
        validation.labels[held_out],
        held_out.astype(np.int64),
    )


def with_label_noise(labels: NDArray[np.int64], *, fraction: float, num_classes: int, seed: int) -> NDArray[np.int64]:
    """Return a copy of the labels in which that fraction, chosen at random, is replaced by other classes.

    Args:
        labels: int64, shape (n,), from 0 to ``num_classes`` - 1.
        fraction: 0 to 1; every other class is equally likely.
    """
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(labels))[: round(fraction * len(labels))]
    noisy = labels.copy()
    noisy[chosen] = (labels[chosen] + generator.integers(1, num_classes, len(chosen))) % num_classes
    return noisy


def visited_images(training: TrainingConfig, count: int) -> int:
    """Return how many of ``count`` training images an epoch visits: all, or those that fill whole batches."""
    # A last batch of one image swung the validation accuracy by 20 points (docs/decisions.md).
    whole = count // training.batch_size * training.batch_size
    return whole if training.drop_remainder and whole else count


class TrainingImages:
    """Augmented training images by epoch: the same copies for all, or fresh ones drawn during the epoch before."""

    def __init__(self, config: RunConfig, data: TrainingData, *, progress: ProgressCallback) -> None:
        """Start the process that draws the images."""
        plan = augment.plan(config.augmentation)
        #: int64, of the images of every epoch.
        self.labels = plan.labels(data.labels)
        #: Whether every epoch has images of its own.
        self.fresh = config.augmentation.mode == "fresh" and plan.changes
        self._copies: NDArray[np.uint8] | None = None
        self._drawing = DrawingProcess(
            data.images,
            plan,
            seed_of=lambda epoch: derived_seed(config.seed, Purpose.AUGMENTATION, epoch),
            # The copies of all epochs are drawn as those of epoch 0.
            last_epoch=config.training.epochs if self.fresh else 0,
            progress=progress,
        )

    def epoch(self, epoch: int) -> NDArray[np.uint8]:
        """Wait for the images of an epoch, from 1, and return them; fresh images are valid until the next call."""
        if self.fresh:
            return self._drawing.epoch(epoch)
        if self._copies is None:
            self._copies = self._drawing.epoch(0)
            self._drawing.close()
        return self._copies

    def ready(self) -> None:
        """Wait until the next epoch's images are drawn, so that epochs can be timed."""
        if self.fresh:
            self._drawing.ready()

    def close(self) -> None:
        """End the drawing process."""
        self._drawing.close()
