"""From a data set to what a run trains, validates and is measured on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash import augment
from aquadash.config import RunConfig, TrainingConfig
from aquadash.data import Dataset, stratified_split
from aquadash.errors import ConfigError
from aquadash.training.randomness import Purpose, derived_seed

#: The report validates on the first 400 test images and keeps the last 100 for its result.
REPORT_VALIDATION_IMAGES = 400

ProgressCallback = Callable[[str, float | None], None]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The images of a run, uint8 NHWC, with their labels, int64.

    Attributes:
        images: Training images before augmentation; never those of the validation split.
        labels: Their labels.
        validation_images: Validation images, never augmented.
        validation_labels: Their labels.
        validation_indices: Their positions in the split that they come from, int64.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    validation_images: NDArray[np.uint8]
    validation_labels: NDArray[np.int64]
    validation_indices: NDArray[np.int64]


def split(config: RunConfig, dataset: Dataset) -> TrainingData:
    """Take the validation images from where the config says.

    Raises:
        ConfigError: The data set is too small for the split.
    """
    training = config.training
    train = dataset.train
    if training.validation == "test":
        if len(dataset.test) <= REPORT_VALIDATION_IMAGES:
            raise ConfigError(
                f"{dataset.title} has {len(dataset.test)} test images; validating on the first "
                f"{REPORT_VALIDATION_IMAGES}, as the report does, needs more. Choose validation images from the "
                "training images instead."
            )
        head = slice(REPORT_VALIDATION_IMAGES)
        return TrainingData(
            train.images,
            train.labels,
            dataset.test.images[head],
            dataset.test.labels[head],
            np.arange(REPORT_VALIDATION_IMAGES, dtype=np.int64),
        )
    chosen, held_out = stratified_split(
        train.labels, fraction=training.validation_fraction, seed=derived_seed(config.seed, Purpose.SPLIT)
    )
    return TrainingData(
        train.images[chosen],
        train.labels[chosen],
        train.images[held_out],
        train.labels[held_out],
        held_out.astype(np.int64),
    )


def visited_images(training: TrainingConfig, count: int) -> int:
    """How many of ``count`` training images an epoch visits: all, or those that fill whole batches.

    With 10,625 images and batches of 32 the last batch holds a single image. Its gradient is that of one image alone,
    and the step it causes, the last before validation, was seen to swing validation accuracy by 20 points.
    """
    whole = count // training.batch_size * training.batch_size
    return whole if training.drop_remainder and whole else count


class TrainingImages:
    """Augmented training images by epoch: the same copies for all, or fresh ones drawn while the last epoch trains."""

    def __init__(self, config: RunConfig, data: TrainingData, *, progress: ProgressCallback) -> None:
        """Draws the fixed copies at once when the config asks for copies.

        Args:
            config: Names the pipeline, the mode and the seed.
            data: The images to vary.
            progress: Called with what is being done and the share that is done.
        """
        self._config = config
        self._data = data
        self._progress = progress
        self._next: tuple[int, Future[tuple[NDArray[np.uint8], NDArray[np.int64]]]] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._copies: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None
        if config.augmentation.mode == "copies":
            self._copies = self._draw(0, progress)

    def epoch(self, epoch: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Images and labels of an epoch, from 1."""
        if self._copies is not None:
            return self._copies
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="augmentation")
        if self._next and self._next[0] == epoch:
            current = self._next[1].result()
        else:
            current = self._draw(epoch, self._progress)
        self._next = (epoch + 1, self._executor.submit(self._draw, epoch + 1, None))
        return current

    def close(self) -> None:
        """Let go of the thread that draws ahead."""
        if self._executor:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def _draw(self, epoch: int, progress: ProgressCallback | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return augment.training_set(
            self._data.images,
            self._data.labels,
            pipeline=self._config.augmentation.pipeline,
            seed=derived_seed(self._config.seed, Purpose.AUGMENTATION, epoch),
            progress=progress,
        )
