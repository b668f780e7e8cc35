"""How often the right class is among the first few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.metrics import checked, wilson_interval


@dataclass(frozen=True)
class TopK:
    """The share of images whose true class is among the ``k`` most probable.

    Attributes:
        k: How many guesses the network has.
        accuracy: 0 to 1.
        interval: Wilson's 95 % interval of it, (low, high).
    """

    k: int
    accuracy: float
    interval: tuple[float, float]


def within_top(labels: ArrayLike, probabilities: ArrayLike, *, k: int) -> NDArray[np.bool_]:
    """Whether each image's true class is among its ``k`` most probable, bool (n,).

    The network's answer, the first of those that tie, always counts as its first guess. Behind it a tie goes to the
    later class, as in scikit-learn's ``top_k_accuracy_score``.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        k: From 1 on.

    Raises:
        DataError: The arrays do not belong together, or ``k`` is below 1.
    """
    truth, shares = checked(labels, probabilities)
    if k < 1:
        raise DataError(f"The number of guesses is {k}; expected 1 or more.")
    rows = np.arange(len(truth))
    of_truth = shares[rows, truth][:, None]
    later = np.arange(shares.shape[1]) > truth[:, None]
    ahead = (shares > of_truth) | ((shares == of_truth) & later)
    # The answer is ahead of everything else, whatever the order of ties says.
    answers = shares.argmax(axis=1)
    ahead[rows, answers] = True
    return (ahead.sum(axis=1) < k) | (answers == truth)


def top_k_accuracy(labels: ArrayLike, probabilities: ArrayLike, *, k: int = 2) -> TopK:
    """The share of :func:`within_top` with its interval; arguments and errors as there."""
    right = within_top(labels, probabilities, k=k)
    return TopK(k, float(right.mean()), wilson_interval(int(right.sum()), len(right)))
