"""Whether probabilities mean what they say, and temperature scaling, which mends them if they do not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.metrics import PROBABILITY_FLOOR, checked

#: Intervals of confidence, as many as in the paper that :func:`reliability` follows.
NUM_BINS = 15

#: What the fit may choose from. Beyond these ends the probabilities are all but one-hot or all but equal.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 100.0

#: The smallest positive number of single precision: a stored 0 was below it.
_LOGARITHM_FLOOR = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Confidence against accuracy.

    Attributes:
        edges: float64 (bins + 1,), 0 to 1. A bin holds its upper edge and not its lower one.
        counts: int64 (bins,), images whose confidence is in the bin.
        confidence: float64 (bins,), their mean confidence; nan in an empty bin.
        accuracy: float64 (bins,), the share of them that is right; nan in an empty bin.
        ece: Expected calibration error, 0 to 1: the mean distance of the two, each bin counting by its images.
        mce: The largest distance of any bin, 0 to 1.
        loss: Mean cross entropy in nats, as in :func:`aquadash.evaluation.evaluate`.
        brier: Mean squared distance of the probabilities from one-hot truth, summed over the classes, 0 to 2.
        n: How many images.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    ece: float
    mce: float
    loss: float
    brier: float
    n: int

    @property
    def mean_confidence(self) -> float:
        """Over all images."""
        return float(np.nansum(self.counts * np.nan_to_num(self.confidence)) / self.n)

    @property
    def mean_accuracy(self) -> float:
        """Over all images."""
        return float(np.nansum(self.counts * np.nan_to_num(self.accuracy)) / self.n)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None for the mean of an empty bin."""
        return {
            "n": self.n,
            "ece": self.ece,
            "mce": self.mce,
            "loss": self.loss,
            "brier": self.brier,
            "bins": [
                {
                    "from": float(low),
                    "to": float(high),
                    "images": int(count),
                    "confidence": float(confidence) if count else None,
                    "accuracy": float(accuracy) if count else None,
                }
                for low, high, count, confidence, accuracy in zip(
                    self.edges[:-1], self.edges[1:], self.counts, self.confidence, self.accuracy, strict=True
                )
            ],
        }


@dataclass(frozen=True)
class Temperature:
    """The number that a network's scores are divided by to make its probabilities honest.

    Attributes:
        value: Above 1 the network was too sure, below 1 not sure enough.
        n: How many images it was fitted on.
        loss_before: Their mean cross entropy in nats without it.
        loss_after: And with it; never more.
        at_limit: True if the fit ended at the least or greatest value allowed, as it does where all answers are right.
    """

    value: float
    n: int
    loss_before: float
    loss_after: float
    at_limit: bool


def reliability(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = NUM_BINS) -> Calibration:
    """Hold the confidence of answers against how many of them are right.

    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017), equations 2
    to 5, with 15 bins of equal width as there; the error itself is from M. P. Naeini, G. F. Cooper and M. Hauskrecht,
    "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (AAAI 2015). The Brier score is that of G. W.
    Brier, Monthly Weather Review 78 (1950), 1-3.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        bins: Intervals of confidence between 0 and 1.

    Raises:
        DataError: The arrays do not belong together, or there is no bin.
    """
    truth, shares = checked(labels, probabilities)
    if bins < 1:
        raise DataError(f"The number of bins is {bins}; expected 1 or more.")
    confident, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    where = bin_of(confident, bins=bins)
    counts = np.bincount(where, minlength=bins)
    mean_confidence, accuracy = (
        np.divide(
            np.bincount(where, weights=values, minlength=bins), counts, out=np.full(bins, np.nan), where=counts > 0
        )
        for values in (confident, right.astype(np.float64))
    )
    gaps = np.abs(np.nan_to_num(accuracy) - np.nan_to_num(mean_confidence))
    of_truth = shares[np.arange(len(truth)), truth]
    return Calibration(
        edges=np.linspace(0, 1, bins + 1, dtype=np.float64),
        counts=counts.astype(np.int64),
        confidence=mean_confidence,
        accuracy=accuracy,
        ece=float((gaps * counts).sum() / len(truth)),
        mce=float(gaps.max()),
        loss=float(-np.log(of_truth.clip(PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)).mean()),
        brier=float(((shares**2).sum(axis=1) - 2 * of_truth + 1).mean()),
        n=len(truth),
    )


def bin_of(confidence: ArrayLike, *, bins: int = NUM_BINS) -> NDArray[np.int64]:
    """The bin of each confidence, int64 (n,), 0 to ``bins - 1``; a confidence on an edge is in the bin below it."""
    edges = np.linspace(0, 1, bins + 1)
    found = np.searchsorted(edges[1:-1], np.asarray(confidence, dtype=np.float64), side="left")
    return found.astype(np.int64)


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> Temperature:
    """The temperature with the lowest mean cross entropy on these images, which must not be the ones to judge it on.

    Guo et al. (see :func:`reliability`), section 4.2. A network's stored probabilities are enough: their logarithms
    are its scores but for a number that is the same for all classes and that the softmax drops. In ``1 / T`` the loss
    is convex, so there is one minimum, where its slope is 0.

    Args:
        labels: Integers, shape (n,), of validation images.
        probabilities: Shape (n, classes), rows sum to 1.

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, shares = checked(labels, probabilities)
    from scipy.optimize import brentq
    from scipy.special import logsumexp, softmax

    scores = _scores(shares)
    rows = np.arange(len(truth))

    def slope(inverse: float) -> float:
        """Of the loss by the inverse temperature."""
        scaled = softmax(inverse * scores, axis=1)
        return float(((scaled * scores).sum(axis=1) - scores[rows, truth]).mean())

    def loss(inverse: float) -> float:
        scaled = inverse * scores
        return float((logsumexp(scaled, axis=1) - scaled[rows, truth]).mean())

    low, high = 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE
    at_limit = True
    if slope(low) >= 0:
        inverse = low
    elif slope(high) <= 0:
        inverse = high
    else:
        at_limit = False
        inverse = brentq(slope, low, high, xtol=1e-15, rtol=1e-15)
    if loss(inverse) >= loss(1.0):
        # Equal scores everywhere: nothing changes them, so nothing should.
        inverse = 1.0
    return Temperature(1 / inverse, len(truth), loss(1.0), loss(inverse), at_limit and inverse != 1.0)


def scale(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Probabilities as they would be had the network's scores been divided by ``temperature``; shape (n, classes).

    The order of the classes, and with it every answer, stays as it was.

    Raises:
        DataError: The temperature is not a positive number.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise DataError(f"The temperature is {temperature}; expected a number above 0.")
    from scipy.special import softmax

    scaled: NDArray[np.float64] = softmax(_scores(np.asarray(probabilities, dtype=np.float64)) / temperature, axis=1)
    return scaled


def _scores(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.maximum(shares, _LOGARITHM_FLOOR))
