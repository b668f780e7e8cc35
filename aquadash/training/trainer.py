"""Trains a run's network epoch by epoch through its phases, and estimates the remaining time."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash import models
from aquadash.config import RunConfig, TrainingConfig
from aquadash.data import Dataset
from aquadash.data.progress import ProgressCallback
from aquadash.models import ChannelStatistics, transfer
from aquadash.store import EpochRecord, EpochReplay, Progress
from aquadash.training import hardware
from aquadash.training.checkpoint import Checkpoint, Listener, Weights, with_epoch
from aquadash.training.epoch_loop import EpochLoop
from aquadash.training.features import features
from aquadash.training.losses import Losses
from aquadash.training.mixing import draw_mixes
from aquadash.training.phases import Phase, build_loop, load_pretrained, phase_of
from aquadash.training.prepare import TrainingImages, split, visited_images
from aquadash.training.randomness import Purpose, derived_seed, epoch_order, set_layer_seeds
from aquadash.training.schedules import EarlyStopping, learning_rates


class Trainer:
    """Trains a run's network epoch by epoch; its state after an epoch is a :class:`Checkpoint`."""

    def __init__(self, config: RunConfig, dataset: Dataset, listener: Listener, preparing: ProgressCallback) -> None:
        """Split the data, build the network and load pretrained weights; report that to ``preparing``."""
        self._config = config
        self._fingerprint = dataset.fingerprint
        self._listener = listener
        self._preparing = preparing
        self.data = split(config, dataset)
        with ExitStack() as undo:
            self.images = TrainingImages(config, self.data, progress=preparing)
            # If building the network fails, the drawing process must end.
            undo.callback(self.images.close)
            preparing("building the network", None)
            precision = hardware.precision(config.training)
            num_classes = len(dataset.class_names)
            # Keras draws the layers' seeds from Python's global random state; nothing else may draw before the build.
            keras.utils.set_random_seed(derived_seed(config.seed, Purpose.WEIGHTS))
            self.model = models.build(
                config.model,
                image_shape=dataset.image_shape,
                num_classes=num_classes,
                statistics=ChannelStatistics.of(self.data.images),
                precision=precision,
            )
            # The key of cached features names all that they depend on besides the images.
            body = load_pretrained(config, self.model, preparing)
            self._body_key = f"{body} {precision} {hardware.last_digits(config.training)}"
            self._losses = Losses(config.training, self.data.labels, num_classes=num_classes)
            self._phase = phase_of(config, 1)
            self._loop = build_loop(config, self.model, self._losses, self._phase)
            self._epoch_features: NDArray[np.float32] | None = None
            self._validation: NDArray[np.generic] | None = None
            undo.pop_all()

    def close(self) -> None:
        """End the drawing process."""
        self.images.close()

    def restore(self, state: Checkpoint) -> None:
        """Load a state, to resume from it."""
        self._enter(phase_of(self._config, state.epoch))
        _assign(self._loop.model.weights, state.weights)
        _assign(self._loop.optimizer_variables, state.optimizer)

    def keep(self, state: Checkpoint, weights: Weights) -> None:
        """Set the whole network to weights of a state, even if it has been trained since."""
        phase = phase_of(self._config, state.epoch)
        if phase != self._phase:
            # An interrupted epoch of the next phase has already changed the body.
            load_pretrained(self._config, self.model, self._preparing)
            self._enter(phase)
        _assign(self._loop.model.weights, weights)

    def train_one_epoch(self, state: Checkpoint | None) -> Checkpoint:
        """Train and validate the epoch after ``state``; the network must be in that state."""
        config, training = self._config, self._config.training
        history = state.history if state else ()
        epoch = len(history) + 1
        if state and phase_of(config, epoch) != self._phase:
            state = self._next_phase(state, phase_of(config, epoch))
        began = time.perf_counter()
        if state is None and not self._phase.on_features:
            self._trace()
        inputs, labels = self._epoch_inputs(epoch), self.images.labels
        pace = Pace(config, images=visited_images(training, len(labels)), history=history)

        def after_call(batch: int, batches: int, loss: float, accuracy: float) -> None:
            progress = pace.progress(batch, batches)
            # A NaN loss ends the run after this epoch; JSON cannot hold NaN, so it is left out.
            if math.isfinite(loss):
                progress = replace(progress, loss=loss, accuracy=accuracy)
            self._listener.on_progress(progress)

        validation = self._validation_inputs(), self.data.validation_labels
        record, val_prob = train_epoch(
            config, self._loop, self._phase, history, (inputs, labels), validation, began=began, after_call=after_call
        )
        return self._checkpoint(state, record, with_epoch(state.replay if state else None, epoch, self.data, val_prob))

    def _trace(self) -> None:
        """Trace the compiled function of the first epoch, which takes a second, while the epoch's images are drawn."""
        config, count, image_shape = self._config, len(self.images.labels), self.data.images.shape[1:]
        order = epoch_order(config.seed, 1, count, keep=visited_images(config.training, count))
        number, batches = tf.TensorSpec((), tf.int32), -(-len(order) // config.training.batch_size)
        self._loop.train_batches.get_concrete_function(
            tf.TensorSpec((count, *image_shape), tf.uint8),
            tf.TensorSpec((count,), tf.int32),
            tf.TensorSpec(order.shape, tf.int32),
            tf.TensorSpec((batches,), tf.float32),
            draw_mixes(config, order, epoch=1, image_shape=image_shape),
            number,
            number,
        )

    def _epoch_inputs(self, epoch: int) -> NDArray[np.generic]:
        """Return the inputs of an epoch: images, or the frozen body's features of them."""
        images = self.images.epoch(epoch)
        if not self._phase.on_features:
            return images
        if self.images.fresh:
            return self._features(images, "new training images")
        if self._epoch_features is None:
            self._epoch_features = self._features(images, "training images")
        return self._epoch_features

    def _features(self, images: NDArray[np.uint8], what: str) -> NDArray[np.float32]:
        """Compute the frozen body's features of uint8 images, (n, features); ``what`` names the images for people."""
        parts = transfer.parts(self.model)
        assert parts is not None, "only a pretrained network has features"
        return features(
            parts.body,
            images,
            key=self._body_key,
            progress=lambda fraction: self._preparing(f"computing features of the {what}", fraction),
        )

    def _validation_inputs(self) -> NDArray[np.generic]:
        if self._validation is None:
            images = self.data.validation_images
            self._validation = self._features(images, "validation images") if self._phase.on_features else images
        return self._validation

    def _enter(self, phase: Phase) -> None:
        if phase != self._phase:
            self._phase = phase
            self._loop = build_loop(self._config, self.model, self._losses, phase)
            self._epoch_features = self._validation = None

    def _next_phase(self, state: Checkpoint, phase: Phase) -> Checkpoint:
        """Switch from the head to the whole network; start from the best head if its weights are kept."""
        if state.best_weights:
            _assign(self._loop.model.weights, state.best_weights)
        self._enter(phase)
        weights = _values(self._loop.model.weights)
        return replace(state, weights=weights, best_weights=weights if state.best_weights else [])

    def _checkpoint(self, before: Checkpoint | None, record: EpochRecord, replay: EpochReplay | None) -> Checkpoint:
        training = self._config.training
        stopping = stopping_after(before.early_stopping if before else None, training, self._phase, record)
        weights = _values(self._loop.model.weights)
        best_weights = weights if before is None or stopping.best_epoch == record.epoch else before.best_weights
        return Checkpoint(
            weights=weights,
            optimizer=_values(self._loop.optimizer_variables),
            best_weights=best_weights if training.restore_best_weights else [],
            early_stopping=stopping,
            history=(*(before.history if before else ()), record),
            replay=replay,
            config_json=self._config.to_json(),
            fingerprint=self._fingerprint,
        )


class Pace:
    """Estimates speed and remaining time from the batches done."""

    def __init__(
        self,
        config: RunConfig,
        *,
        images: int,
        history: Sequence[EpochRecord],
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._config = config.training
        self._images = images
        self._epoch = len(history) + 1
        phase = phase_of(config, self._epoch)
        self._is_last = phase.is_last
        alike = [record.seconds for record in history[-5:] if phase_of(config, record.epoch) == phase]
        # The median, because a single slow epoch must not change the forecast.
        self._epoch_seconds = statistics.median(alike) if alike else None
        self._stopwatch = stopwatch
        self._first: tuple[int, float] | None = None

    def progress(self, batch: int, batches: int) -> Progress:
        """Return the progress after ``batch`` of ``batches``."""
        done = min(batch * self._config.batch_size, self._images)
        elapsed = self._stopwatch()
        if self._first is None:
            # The first call also compiles the network, so speed is measured from its end.
            self._first = (done, elapsed)
        first_done, first_elapsed = self._first
        speed = (done - first_done) / (elapsed - first_elapsed) if elapsed > first_elapsed else 0.0
        epoch_seconds = self._epoch_seconds or (self._images / speed if speed else None)
        epochs, eta = self._config.epochs, None
        # There is no forecast before the last phase: its epochs may take a hundred times as long.
        if epoch_seconds is not None and self._is_last:
            eta = (epochs - self._epoch + 1 - done / self._images) * epoch_seconds
        return Progress("training", self._epoch, epochs, batch, batches, images_per_second=speed, eta_seconds=eta)


def train_epoch(
    config: RunConfig,
    loop: EpochLoop,
    phase: Phase,
    history: Sequence[EpochRecord],
    train: tuple[NDArray[np.generic], NDArray[np.int64]],
    validation: tuple[NDArray[np.generic], NDArray[np.int64]],
    *,
    began: float,
    after_call: Callable[[int, int, float, float], None] = lambda batch, batches, loss, accuracy: None,
) -> tuple[EpochRecord, NDArray[np.float32]]:
    """Train and validate the epoch after ``history``; no method, because exported scripts carry this function."""
    training, epoch, (images, labels) = config.training, len(history) + 1, train
    set_layer_seeds(loop.model, seed=config.seed, epoch=epoch)
    visited = visited_images(training, len(labels))
    rates = learning_rates(training, epoch=epoch, batches=-(-visited // training.batch_size), history=history)
    order = epoch_order(config.seed, epoch, len(labels), keep=visited)
    mixes = None if phase.on_features else draw_mixes(config, order, epoch=epoch, image_shape=images.shape[1:])
    y_true = tf.constant(labels.astype(np.int32))
    loss, accuracy = loop.train(tf.constant(images), y_true, order, rates, mixes=mixes, after_call=after_call)
    val_loss, val_accuracy, val_prob = loop.evaluate(*validation)
    record = EpochRecord(
        epoch=epoch,
        loss=loss,
        accuracy=accuracy,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        learning_rate=float(rates[len(rates) // 2]),
        seconds=time.perf_counter() - began,
    )
    return record, val_prob


def stopping_after(
    before: EarlyStopping | None, training: TrainingConfig, phase: Phase, record: EpochRecord
) -> EarlyStopping:
    """Return the state of early stopping after an epoch; exported scripts carry this function, too."""
    # Patience counts in the last phase only.
    patience = training.patience if phase.is_last else 0
    stopping = before or EarlyStopping(patience, training.monitor)
    if stopping.patience != patience:
        stopping = replace(stopping, patience=patience, wait=0)
    return stopping.after(record.epoch, getattr(record, training.monitor))


def _values(variables: Sequence[keras.Variable]) -> Weights:
    return [np.array(variable) for variable in variables]


def _assign(variables: Sequence[keras.Variable], values: Weights) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
