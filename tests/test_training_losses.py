from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from aquadash.config import TrainingConfig
from aquadash.training.losses import Losses, balanced_weights

LABELS = np.array([0, 0, 0, 1])
PROBABILITIES = tf.constant([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
OF_THE_TRUE_CLASS = np.array([0.7, 0.5, 0.2, 0.8])


def losses(**settings: object) -> Losses:
    return Losses(TrainingConfig(**settings), LABELS, num_classes=3)


def test_the_plain_loss_is_the_cross_entropy() -> None:
    expected = -np.log(OF_THE_TRUE_CLASS).mean()
    plain = losses()
    assert float(plain.training(tf.constant(LABELS, tf.int32), PROBABILITIES)) == pytest.approx(expected, rel=1e-5)
    assert float(plain.validation(tf.constant(LABELS, tf.int32), PROBABILITIES)) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_spreads_a_share_over_all_classes() -> None:
    smoothed = losses(label_smoothing=0.3)
    targets = np.eye(3)[LABELS] * 0.7 + 0.1
    expected = -(targets * np.log(PROBABILITIES.numpy())).sum(axis=1).mean()
    labels = tf.constant(LABELS, tf.int32)
    assert float(smoothed.training(labels, PROBABILITIES)) == pytest.approx(expected, rel=1e-5)
    # Validation stays comparable between runs.
    assert float(smoothed.validation(labels, PROBABILITIES)) == pytest.approx(
        -np.log(OF_THE_TRUE_CLASS).mean(), rel=1e-5
    )


def test_balanced_classes_weigh_the_same() -> None:
    weights = balanced_weights(LABELS, num_classes=3)
    assert weights == pytest.approx([4 / 6, 2.0, 0.0])
    assert weights[LABELS].mean() == pytest.approx(1.0)
    balanced = losses(class_weights="balanced")
    expected = (weights[LABELS] * -np.log(OF_THE_TRUE_CLASS)).mean()
    assert float(balanced.training(tf.constant(LABELS, tf.int32), PROBABILITIES)) == pytest.approx(expected, rel=1e-5)


def test_the_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.random.default_rng(0).integers(0, 4, 50)
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    assert balanced_weights(labels, num_classes=4) == pytest.approx(expected)
