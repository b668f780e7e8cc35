"""The training loop: many batches inside one compiled TensorFlow function."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash.models import normalise
from aquadash.models.summary import layers_within
from aquadash.training.faster import with_less_work
from aquadash.training.losses import Losses
from aquadash.training.mixing import Mixes, mix

#: Seconds of one call into TensorFlow: short enough for live progress, long enough to hide the call's own millisecond.
CALL_SECONDS = 0.25

#: Limits of one batch for validation and prediction: images, and values in the output of a layer (250 MB).
_FORWARD_IMAGES, FORWARD_VALUES = 256, 62_500_000


@dataclass(frozen=True, eq=False)
class ParameterGroup:
    """Weights that learn at one rate, with an optimizer of their own."""

    optimizer: keras.Optimizer
    variables: Sequence[keras.Variable]
    #: Multiplies the schedule's learning rate.
    factor: float = 1.0


class EpochLoop:
    """Trains a model epoch by epoch; how batches are grouped into calls does not change a bit of the result."""

    def __init__(
        self, model: keras.Model, groups: Sequence[ParameterGroup], losses: Losses, *, batch_size: int
    ) -> None:
        """Prepare the optimizers; the first call of each function compiles it."""
        with_less_work(model)
        self.model = model
        self.groups = tuple(group for group in groups if group.variables)
        self._batch_size = batch_size
        self._forward_batch = forward_batch(model)
        self._losses = losses
        for group in self.groups:
            group.optimizer.build(group.variables)
        #: Trains some batches of an epoch: :meth:`train` calls it.
        # AutoGraph would take a second before the first batch, and nothing here needs it.
        self.train_batches = tf.function(self._train_batches_in_python, reduce_retracing=True, autograph=False)
        # Not inlined, for results that repeat bit by bit: inside a loop, TensorFlow's oneDNN rewriter may reach the
        # gradient of a max pooling before the pooling itself. Another kernel then adds in another order.
        self._step = tf.function(
            self._step_in_python, reduce_retracing=True, autograph=False, experimental_attributes={"_noinline": True}
        )
        self._forward = tf.function(self._forward_in_python, reduce_retracing=True, autograph=False)
        self._batches_a_call = 8

    @property
    def optimizer_variables(self) -> list[keras.Variable]:
        """The state of all optimizers, in the order of the groups."""
        return [variable for group in self.groups for variable in group.optimizer.variables]

    def train(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        order: NDArray[np.int32],
        rates: NDArray[np.float32],
        *,
        mixes: Mixes | None = None,
        after_call: Callable[[int, int, float, float], None] = lambda batch, batches, loss, accuracy: None,
    ) -> tuple[float, float]:
        """Learn once from each image in the order; return mean loss and accuracy over the images as visited.

        Args:
            images: uint8, (n, height, width, channels), or float32 features, (n, features).
            labels: int32, (n,); of a mixed image, the label of its larger part.
            order: Positions of the images to visit.
            rates: The learning rate of each batch, float32, (batches,).
            after_call: Called about every quarter of a second with the batches done, the batches of the epoch, and mean
                loss and accuracy so far; an exception that it raises ends the epoch.
        """
        count = len(order)
        batches = -(-count // self._batch_size)
        order_tensor, rates_tensor = tf.constant(order), tf.constant(rates)
        losses: list[NDArray[np.float32]] = []
        right = 0
        total = 0.0
        start = 0
        while start < batches:
            stop = min(batches, start + self._batches_a_call)
            began = time.perf_counter()
            call_losses, call_right = self.train_batches(
                images, labels, order_tensor, rates_tensor, mixes, tf.constant(start), tf.constant(stop)
            )
            losses.append(call_losses.numpy())
            right += int(call_right)
            batches_in_time = int((stop - start) * CALL_SECONDS / max(time.perf_counter() - began, 1e-6))
            # The next call trains at most four times as many batches.
            self._batches_a_call = max(1, min(batches_in_time, 4 * self._batches_a_call))
            total += float(losses[-1].sum())
            start = stop
            after_call(start, batches, total / start, right / min(count, start * self._batch_size))
        sizes = np.full(batches, self._batch_size, dtype=np.float64)
        sizes[-1] = count - self._batch_size * (batches - 1)
        return float(np.dot(np.concatenate(losses).astype(np.float64), sizes) / count), right / count

    def evaluate(
        self, images: NDArray[np.generic], labels: NDArray[np.int64]
    ) -> tuple[float, float, NDArray[np.float32]]:
        """Return mean loss, accuracy and probabilities (n, classes), in inference mode."""
        total = 0.0
        parts: list[NDArray[np.float32]] = []
        for start in range(0, len(labels), self._forward_batch):
            part = slice(start, start + self._forward_batch)
            expected = tf.constant(labels[part].astype(np.int32))
            probabilities, loss = self._forward(tf.constant(images[part]), expected)
            total += float(loss) * len(labels[part])
            parts.append(probabilities.numpy().astype(np.float32))
        y_prob = np.concatenate(parts)
        return total / len(labels), int(np.sum(y_prob.argmax(axis=1) == labels)) / len(labels), y_prob

    def _train_batches_in_python(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        order: tf.Tensor,
        rates: tf.Tensor,
        mixes: Mixes | None,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Train batches ``start`` to ``stop`` of an epoch; return the loss of each and the number of right answers."""

        def train_batch(
            batch: tf.Tensor, losses: tf.TensorArray, right: tf.Tensor
        ) -> tuple[tf.Tensor, tf.TensorArray, tf.Tensor]:
            first, last = batch * self._batch_size, (batch + 1) * self._batch_size
            indices = order[first:last]
            seen, expected = _scaled(tf.gather(images, indices)), tf.gather(labels, indices)
            for group in self.groups:
                group.optimizer.learning_rate.assign(rates[batch] * group.factor)
            if mixes is None:
                loss, probabilities = self._step(seen, expected)
            else:
                partners = mixes.partners[first:last]
                seen, share = mix(seen, _scaled(tf.gather(images, partners)), mixes.masks[batch])
                loss, probabilities = self._step(seen, expected, tf.gather(labels, partners), share)
            answers = tf.argmax(probabilities, axis=1, output_type=tf.int32)
            right += tf.reduce_sum(tf.cast(tf.equal(answers, expected), tf.int32))
            return batch + 1, losses.write(batch - start, loss), right

        _, losses, right = tf.while_loop(
            lambda batch, *_: batch < stop,
            train_batch,
            (start, tf.TensorArray(tf.float32, size=stop - start), tf.constant(0)),
        )
        return losses.stack(), right

    def _step_in_python(
        self, images: tf.Tensor, labels: tf.Tensor, other_labels: tf.Tensor | None = None, share: tf.Tensor = 1.0
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Learn from one batch; ``share`` weighs the labels against the other labels. The loss excludes L1 and L2."""
        with tf.GradientTape() as tape:
            probabilities = self.model(images, training=True)
            loss = self._losses.training(labels, probabilities)
            if other_labels is not None:
                loss = share * loss + (1.0 - share) * self._losses.training(other_labels, probabilities)
            objective = tf.add_n([loss, *self.model.losses]) if self.model.losses else loss
        gradients = tape.gradient(
            objective, [[variable.value for variable in group.variables] for group in self.groups]
        )
        for group, of_group in zip(self.groups, gradients, strict=True):
            group.optimizer.apply(of_group, group.variables)
        return loss, probabilities

    def _forward_in_python(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        probabilities = self.model(_scaled(images), training=False)
        return probabilities, self._losses.validation(labels, probabilities)


def _scaled(images: tf.Tensor) -> tf.Tensor:
    return normalise(images) if images.dtype == tf.uint8 else images


def forward_batch(model: keras.Model) -> int:
    """Return the batch size for inference, by the largest output of a layer: 19 images for VGG16 with 224 pixels."""
    shapes = [model.input_shape, *(layer.output.shape for layer in layers_within(model))]
    largest = max(math.prod(shape[1:]) for shape in shapes)
    return max(1, min(_FORWARD_IMAGES, FORWARD_VALUES // largest))


def predict(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return class probabilities of uint8 images, float32 (n, classes)."""
    forward = tf.function(lambda batch: model(normalise(batch), training=False), reduce_retracing=True, autograph=False)
    step = forward_batch(model)
    parts = [forward(tf.constant(images[i : i + step])).numpy() for i in range(0, len(images), step)]
    return np.concatenate(parts).astype(np.float32)
