"""Training a run's model from its config: the whole of it, without a store, a process or a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from aquadash import models
from aquadash.config import RunConfig
from aquadash.data import Dataset
from aquadash.errors import RunError
from aquadash.runs import EpochRecord, Predictions, Progress
from aquadash.training.checkpoint import Checkpoint, Weights
from aquadash.training.early_stopping import EarlyStopping
from aquadash.training.epoch_loop import EpochLoop
from aquadash.training.optimizers import build_optimizer
from aquadash.training.pace import Pace
from aquadash.training.prepare import TrainingData, TrainingImages, split, visited_images
from aquadash.training.randomness import Purpose, derived_seed, epoch_order, set_layer_seeds


class StopRequested(Exception):
    """Raised by a listener to end the training at once; epochs that are complete are kept."""


class Listener(Protocol):
    """Who wants to hear how training goes. Every method may raise :class:`StopRequested`."""

    def on_progress(self, progress: Progress) -> None:
        """Called several times a second."""

    def on_epoch(self, checkpoint: Checkpoint) -> None:
        """Called after each complete epoch; its record is the checkpoint's last."""


@dataclass(frozen=True, eq=False)
class FitResult:
    """What training gave.

    Attributes:
        model: The model with the kept weights; None when no epoch was completed.
        history: All complete epochs, those before a resume too.
        kept_epoch: The epoch whose weights the model has.
        val_loss: Its validation loss.
        val_accuracy: Its validation accuracy, 0 to 1.
        predictions: What the model says of the test split; None without a model.
        stopped: True when a listener asked to stop.
    """

    model: keras.Model | None
    history: tuple[EpochRecord, ...]
    kept_epoch: int
    val_loss: float
    val_accuracy: float
    predictions: Predictions | None
    stopped: bool


def fit(
    config: RunConfig,
    dataset: Dataset,
    *,
    listener: Listener,
    resume_from: Checkpoint | None = None,
    clock: Callable[[], float] = time.time,
) -> FitResult:
    """Train as the config says, or go on from a checkpoint as if there had been no break.

    The same config and data give the same numbers bit by bit on the same machine and library versions; other processors
    or thread counts add up floating-point numbers in another order and differ in the last digits.

    Args:
        config: What to train.
        dataset: The images.
        listener: Told of progress and complete epochs; may stop the training.
        resume_from: Where to go on.
        clock: Seconds since 1970, for progress.

    Raises:
        RunError: The checkpoint belongs to another config or other images.
    """
    if resume_from:
        _check_fits(resume_from, config, dataset)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(derived_seed(config.seed, Purpose.WEIGHTS))

    def preparing(what: str, share: float | None = None) -> None:
        phase = what if share is None else f"{what}, {share:.0%}"
        listener.on_progress(Progress(phase, epochs=config.training.epochs, time=clock()))

    state = resume_from
    loop: EpochLoop | None = None
    images: TrainingImages | None = None
    stopped = False
    try:
        data = split(config, dataset)
        images = TrainingImages(config, data, progress=preparing)
        preparing("building the network")
        loop = EpochLoop(
            models.build(config.model, image_shape=dataset.image_shape, num_classes=len(dataset.class_names)),
            build_optimizer(config.training),
            keras.losses.SparseCategoricalCrossentropy(from_logits=config.training.from_logits),
            batch_size=config.training.batch_size,
        )
        if state:
            _assign(loop.model.weights, state.weights)
            _assign(loop.optimizer.variables, state.optimizer)
        trainer = _Trainer(config, dataset.fingerprint, data, images, loop, listener, clock)
        while _goes_on(state, config):
            state = trainer.train_one_epoch(state)
            listener.on_epoch(state)
    except StopRequested:
        stopped = True
    finally:
        if images:
            images.close()
    if state is None or loop is None:
        return FitResult(None, (), 0, float("nan"), float("nan"), None, stopped)
    return _result(config, dataset, loop, state, stopped)


@dataclass(frozen=True, eq=False)
class _Trainer:
    """What stays the same from epoch to epoch."""

    config: RunConfig
    fingerprint: str
    data: TrainingData
    images: TrainingImages
    loop: EpochLoop
    listener: Listener
    clock: Callable[[], float]

    def train_one_epoch(self, state: Checkpoint | None) -> Checkpoint:
        """Train and validate the epoch after ``state``; the loop's model must be in that state."""
        history = state.history if state else ()
        epoch = len(history) + 1
        began = time.perf_counter()
        images, labels = self.images.epoch(epoch)
        set_layer_seeds(self.loop.model, seed=self.config.seed, epoch=epoch)
        visited = visited_images(self.config.training, len(labels))
        pace = Pace(self.config.training, images=visited, history=history)

        def after_call(batch: int, batches: int) -> None:
            self.listener.on_progress(pace.progress(batch, batches, now=self.clock()))

        loss, accuracy = self.loop.train(
            tf.constant(images),
            tf.constant(labels.astype(np.int32)),
            epoch_order(self.config.seed, epoch, len(labels), keep=visited),
            after_call=after_call,
        )
        val_loss, val_accuracy = self.loop.evaluate(self.data.validation_images, self.data.validation_labels)
        record = EpochRecord(
            epoch=epoch,
            loss=loss,
            accuracy=accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=float(self.loop.optimizer.learning_rate),
            seconds=time.perf_counter() - began,
        )
        return self._checkpoint(state, record)

    def _checkpoint(self, before: Checkpoint | None, record: EpochRecord) -> Checkpoint:
        training = self.config.training
        stopping = before.early_stopping if before else EarlyStopping(training.patience)
        stopping = stopping.after(record.epoch, record.val_loss)
        weights = _values(self.loop.model.weights)
        best_weights = weights if before is None or stopping.best_epoch == record.epoch else before.best_weights
        return Checkpoint(
            weights=weights,
            optimizer=_values(self.loop.optimizer.variables),
            best_weights=best_weights if training.restore_best_weights else [],
            early_stopping=stopping,
            history=(*(before.history if before else ()), record),
            config_json=self.config.to_json(),
            fingerprint=self.fingerprint,
        )


def _goes_on(state: Checkpoint | None, config: RunConfig) -> bool:
    return state is None or (state.epoch < config.training.epochs and not state.early_stopping.should_stop)


def _result(config: RunConfig, dataset: Dataset, loop: EpochLoop, state: Checkpoint, stopped: bool) -> FitResult:
    """Bring back the weights to keep and predict the test split with them."""
    restore = config.training.restore_best_weights
    kept_epoch = state.early_stopping.best_epoch if restore and state.early_stopping.best_epoch else state.epoch
    _assign(loop.model.weights, state.best_weights if restore else state.weights)
    kept = next(record for record in state.history if record.epoch == kept_epoch)
    predictions = Predictions(
        indices=np.arange(len(dataset.test), dtype=np.int64),
        labels=dataset.test.labels.astype(np.int64),
        probabilities=loop.predict(dataset.test.images),
    )
    return FitResult(loop.model, state.history, kept_epoch, kept.val_loss, kept.val_accuracy, predictions, stopped)


def _check_fits(checkpoint: Checkpoint, config: RunConfig, dataset: Dataset) -> None:
    if checkpoint.config_json != config.to_json():
        raise RunError(
            "The checkpoint was made with another configuration, so this run cannot go on from it. Start a new run."
        )
    if checkpoint.fingerprint != dataset.fingerprint:
        raise RunError(
            f"The data set {dataset.title} has other images now than when this run was interrupted "
            f"(fingerprint {dataset.fingerprint[:12]}, was {checkpoint.fingerprint[:12]}). Put the old data back, or "
            "start a new run."
        )


def _values(variables: Sequence[keras.Variable]) -> Weights:
    return [np.array(variable) for variable in variables]


def _assign(variables: Sequence[keras.Variable], values: Weights) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
