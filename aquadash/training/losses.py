"""What a network learns to make small."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash.config import TrainingConfig


class Losses:
    """The loss that is learnt from, and the plain cross-entropy that validation reports."""

    def __init__(self, training: TrainingConfig, labels: NDArray[np.int64], *, num_classes: int) -> None:
        """Takes the class weights from the labels."""
        self._num_classes = num_classes
        self._plain = keras.losses.SparseCategoricalCrossentropy(from_logits=training.from_logits)
        self._smoothed = (
            keras.losses.CategoricalCrossentropy(
                from_logits=training.from_logits, label_smoothing=training.label_smoothing
            )
            if training.label_smoothing
            else None
        )
        self._class_weights = (
            tf.constant(balanced_weights(labels, num_classes=num_classes))
            if training.class_weights == "balanced"
            else None
        )

    def training(self, labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
        """Mean loss of a batch, smoothed and weighted as the settings have it.

        Args:
            labels: int32, (batch,).
            probabilities: float32, (batch, classes).
        """
        weights = None if self._class_weights is None else tf.gather(self._class_weights, labels)
        if self._smoothed is None:
            return self._plain(labels, probabilities, sample_weight=weights)
        return self._smoothed(tf.one_hot(labels, self._num_classes), probabilities, sample_weight=weights)

    def validation(self, labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
        """Mean cross-entropy of a batch, so that runs with different settings can be compared."""
        return self._plain(labels, probabilities)


def balanced_weights(labels: NDArray[np.int64], *, num_classes: int) -> NDArray[np.float32]:
    """A weight for each class so that all classes weigh the same and images weigh 1 on average.

    The formula of scikit-learn's ``class_weight="balanced"``: images / (classes that occur * images of the class).
    A class without an image gets 0.
    """
    counts = np.bincount(labels, minlength=num_classes)
    occurring = np.count_nonzero(counts)
    return np.divide(len(labels), occurring * counts, out=np.zeros(num_classes), where=counts > 0).astype(np.float32)
