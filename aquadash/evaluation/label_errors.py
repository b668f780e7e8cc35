"""Labels that the network's answers speak against: they may be wrong.

Confident learning: C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident Learning: Estimating Uncertainty in Dataset
Labels", Journal of Artificial Intelligence Research 70 (2021), 1373-1411. It takes probabilities of images that the
network did not learn from, as those of test images are. What it finds are candidates for a person to look at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.metrics import checked


def self_confidence(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """The probability that the network gives to each image's own label, float64 (n,): the lower, the more doubtful.

    The paper's ranking of section 3.2.

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, shares = checked(labels, probabilities)
    own: NDArray[np.float64] = shares[np.arange(len(truth)), truth]
    return own


def class_thresholds(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """How sure the network is of a class on average over the images that bear its label, float64 (classes,).

    Equation 2 of the paper. Infinity for a class without images, so that nothing is taken for it.

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, shares = checked(labels, probabilities)
    counts = np.bincount(truth, minlength=shares.shape[1])
    sums = np.bincount(truth, weights=self_confidence(truth, shares), minlength=shares.shape[1])
    return np.divide(sums, counts, out=np.full(len(counts), np.inf), where=counts > 0)


def likely_classes(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.int64]:
    """The class that each image confidently belongs to, int64 (n,); -1 where it belongs to none.

    An image belongs to a class whose probability reaches that class's threshold; if several do, to the most probable
    of them (equation 1 of the paper: the confident joint without its counts).

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, shares = checked(labels, probabilities)
    # A class whose images all have the same probability must reach its own mean in spite of rounding.
    reached = shares >= class_thresholds(truth, shares) - 1e-9
    found = np.where(reached, shares, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), found, -1).astype(np.int64)


def suspects(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.bool_]:
    """Which labels are probably wrong, bool (n,): those of images that confidently belong to another class.

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, _ = checked(labels, probabilities)
    likely = likely_classes(labels, probabilities)
    return (likely >= 0) & (likely != truth)
