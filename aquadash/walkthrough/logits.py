"""What the loss becomes when probabilities are taken for raw scores: a softmax over a softmax."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: As in :mod:`aquadash.evaluation.metrics`.
_FLOOR = 1e-7


def cross_entropy(shares: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """The loss of each image, in nats.

    Args:
        shares: Probabilities, shape (n, classes).
        labels: Integers, shape (n,).
    """
    values = np.asarray(shares, dtype=np.float64)
    own = np.take_along_axis(values, np.asarray(labels)[:, None], axis=1)[:, 0]
    return -np.log(np.clip(own, _FLOOR, 1.0))


def flattened(shares: ArrayLike) -> NDArray[np.float64]:
    """Probabilities that went through a softmax once more, shape (n, classes)."""
    powers = np.exp(np.asarray(shares, dtype=np.float64))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def even_rest(own: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Answers that give the right class, number 0, these probabilities and share the rest evenly.

    Args:
        own: Probabilities of the right class, shape (n,), 0 to 1.
        classes: At least 2.

    Returns:
        Shape (n, classes).
    """
    first = np.asarray(own, dtype=np.float64)[:, None]
    return np.hstack([first, np.repeat((1 - first) / (classes - 1), classes - 1, axis=1)])


def lowest_flattened_loss(classes: int) -> float:
    """The flattened loss of a perfect answer, the least there is: ln(1 + (classes - 1) / e)."""
    return math.log(1 + (classes - 1) / math.e)
