"""Answering only when sure: how many images a threshold leaves, and how many of those are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.metrics import checked, wilson_interval


@dataclass(frozen=True)
class CoveragePoint:
    """What one threshold gives.

    Attributes:
        threshold: The least confidence with which the network answers, 0 to 1.
        answered: Images that it answers.
        right: Of these, those that it has right.
        n: All images.
        interval: Wilson's 95 % interval of the accuracy, None where nothing is answered.
    """

    threshold: float
    answered: int
    right: int
    n: int
    interval: tuple[float, float] | None

    @property
    def coverage(self) -> float:
        """The share of images that is answered, 0 to 1."""
        return self.answered / self.n

    @property
    def accuracy(self) -> float | None:
        """Of the answered images, the share that is right; None where nothing is answered."""
        return self.right / self.answered if self.answered else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "threshold": self.threshold,
            "answered": self.answered,
            "right": self.right,
            "n": self.n,
            "coverage": self.coverage,
            "accuracy": self.accuracy,
            "accuracy_ci95": None if self.interval is None else list(self.interval),
        }


@dataclass(frozen=True, eq=False)
class CoverageCurve:
    """Coverage and accuracy at every threshold at which something changes, from the surest image on.

    Attributes:
        thresholds: float64 (m,), falling: each confidence that occurs.
        coverage: float64 (m,), rising to 1: the share of images with at least this confidence.
        accuracy: float64 (m,): the share of these that is right.
        area: Mean share of wrong answers over all coverages, 0 to 1: 0 if all is right, lower if mistakes come last.
    """

    thresholds: NDArray[np.float64]
    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    area: float


def answered(probabilities: ArrayLike, *, threshold: float) -> NDArray[np.bool_]:
    """Which images are answered, bool (n,): those with a confidence of at least ``threshold``."""
    # Stored as float32, a probability of 0.9 reads 0.89999998: without the margin a threshold of 0.9 would lose it.
    mask: NDArray[np.bool_] = np.asarray(probabilities, dtype=np.float64).max(axis=1) >= threshold - 1e-6
    return mask


def coverage_at(labels: ArrayLike, probabilities: ArrayLike, *, threshold: float) -> CoveragePoint:
    """What comes of answering only with a confidence of at least ``threshold``.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        threshold: 0 to 1.

    Raises:
        DataError: The arrays do not belong together, or the threshold is out of its range.
    """
    truth, shares = checked(labels, probabilities)
    if not 0 <= threshold <= 1:
        raise DataError(f"The threshold is {threshold}; expected 0 to 1.")
    given = answered(shares, threshold=threshold)
    right, number = int((shares.argmax(axis=1) == truth)[given].sum()), int(given.sum())
    return CoveragePoint(threshold, number, right, len(truth), wilson_interval(right, number) if number else None)


def coverage_curve(labels: ArrayLike, probabilities: ArrayLike) -> CoverageCurve:
    """Coverage against accuracy.

    R. El-Yaniv and Y. Wiener, "On the Foundations of Noise-free Selective Classification", Journal of Machine Learning
    Research 11 (2010), 1605-1641; its area as in Y. Geifman, G. Uziel and R. El-Yaniv, "Bias-Reduced Uncertainty
    Estimation for Deep Neural Classifiers" (ICLR 2019): the mean error over the coverages 1/n to 1. Images of the same
    confidence are answered together, and their coverages share one error.

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, shares = checked(labels, probabilities)
    from sklearn.metrics import confusion_matrix_at_thresholds

    right = shares.argmax(axis=1) == truth
    _, wrong, _, hits, thresholds = confusion_matrix_at_thresholds(right, shares.max(axis=1), pos_label=True)
    given = hits + wrong
    accuracy, coverage = hits / given, given / len(truth)
    area = float(((1 - accuracy) * np.diff(coverage, prepend=0)).sum())
    return CoverageCurve(thresholds=thresholds, coverage=coverage, accuracy=accuracy, area=area)


def lowest_threshold(
    labels: ArrayLike, probabilities: ArrayLike, *, accuracy: float, step: float = 0.01
) -> float | None:
    """The lowest threshold at which at least this share of the answers is right; None if there is none.

    To be asked of validation images: one chosen on the images that it is then measured on flatters.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        accuracy: The share that is wanted, 0 to 1.
        step: Thresholds are multiples of it.

    Raises:
        DataError: The arrays do not belong together.
    """
    curve = coverage_curve(labels, probabilities)
    steps = np.arange(round(1 / step) + 1) * step
    # How many of the curve's points have at least the threshold; the last of them says what comes of it.
    reached = np.searchsorted(-curve.thresholds, -(steps - 1e-6), side="right")
    good = np.flatnonzero((reached > 0) & (curve.accuracy[reached - 1] >= accuracy))
    return float(steps[good[0]]) if len(good) else None
