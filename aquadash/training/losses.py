"""Loss functions and class weights."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash.config import TrainingConfig


class Losses:
    """The loss of training, and the plain cross-entropy of validation."""

    def __init__(self, training: TrainingConfig, labels: NDArray[np.int64], *, num_classes: int) -> None:
        logits, smoothing = training.from_logits, training.label_smoothing
        self._num_classes = num_classes
        self._plain = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        self._smoothed = self._class_weights = None
        if smoothing:
            self._smoothed = keras.losses.CategoricalCrossentropy(from_logits=logits, label_smoothing=smoothing)
        if training.class_weights == "balanced":
            self._class_weights = tf.constant(balanced_weights(labels, num_classes=num_classes))

    def training(self, labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
        """Return the mean loss of a batch, smoothed and weighted by the settings; labels are int32 (batch,)."""
        weights = None if self._class_weights is None else tf.gather(self._class_weights, labels)
        if self._smoothed is None:
            return self._plain(labels, probabilities, sample_weight=weights)
        return self._smoothed(tf.one_hot(labels, self._num_classes), probabilities, sample_weight=weights)

    def validation(self, labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
        """Return the mean cross-entropy of a batch, which runs with different settings share."""
        return self._plain(labels, probabilities)


def balanced_weights(labels: NDArray[np.int64], *, num_classes: int) -> NDArray[np.float32]:
    """Return a weight for each class by scikit-learn's formula for ``class_weight="balanced"``; 0 without images."""
    counts = np.bincount(labels, minlength=num_classes)
    occurring = np.count_nonzero(counts)
    return np.divide(len(labels), occurring * counts, out=np.zeros(num_classes), where=counts > 0).astype(np.float32)
