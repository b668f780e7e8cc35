"""Whether probabilities mean what they say, and temperature scaling, which mends them if they do not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.metrics import checked, cross_entropy, predicted_labels
from aquadash.evaluation.records import Predictions

#: Intervals of confidence, as many as in the paper that :func:`reliability` follows.
NUM_BINS = 15

#: What the fit may choose from. Beyond these ends the probabilities are all but one-hot or all but equal.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 100.0

#: The smallest positive number of single precision: a stored 0 was below it.
_LOGARITHM_FLOOR = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Confidence against accuracy."""

    #: float64 (bins + 1,), 0 to 1. A bin holds its upper edge and not its lower one.
    edges: NDArray[np.float64]
    #: int64 (bins,), images whose confidence is in the bin.
    counts: NDArray[np.int64]
    #: float64 (bins,), their mean confidence; nan in an empty bin.
    confidence: NDArray[np.float64]
    #: float64 (bins,), the fraction of them that is right; nan in an empty bin.
    accuracy: NDArray[np.float64]
    #: Expected calibration error, 0 to 1: the mean distance of the two, each bin counting by its images.
    ece: float
    #: The largest distance of any bin, 0 to 1.
    mce: float
    #: Mean cross entropy in nats, as in :func:`aquadash.evaluation.evaluate`.
    loss: float
    #: Mean squared distance of the probabilities from one-hot truth, summed over the classes, 0 to 2.
    brier: float
    n: int

    @property
    def mean_confidence(self) -> float:
        """Over all images."""
        return float(np.nansum(self.counts * self.confidence) / self.n)

    @property
    def mean_accuracy(self) -> float:
        """Over all images."""
        return float(np.nansum(self.counts * self.accuracy) / self.n)

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
    """The number that a network's scores are divided by to make its probabilities honest."""

    #: Above 1 the network was too sure, below 1 not sure enough.
    value: float
    #: How many images it was fitted on.
    n: int
    #: Their mean cross entropy in nats without it.
    loss_before: float
    #: And with it; never more.
    loss_after: float
    #: True if the fit ended at the least or greatest value allowed, as it does where all answers are right.
    at_limit: bool


@dataclass(frozen=True, eq=False)
class Rescaling:
    """A temperature fitted on validation images and what it does to others."""

    temperature: Temperature
    #: The calibration of the images that it was not fitted on.
    before: Calibration
    #: And of the same images with it.
    after: Calibration

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "temperature": self.temperature.value,
            "at_limit": self.temperature.at_limit,
            "fitted_on": self.temperature.n,
            "validation_loss_before": self.temperature.loss_before,
            "validation_loss_after": self.temperature.loss_after,
            "test_images": self.before.n,
            "ece_before": self.before.ece,
            "ece_after": self.after.ece,
            "loss_before": self.before.loss,
            "loss_after": self.after.loss,
            "brier_before": self.before.brier,
            "brier_after": self.after.brier,
        }


def reliability(labels: ArrayLike, probabilities: ArrayLike) -> Calibration:
    """Hold the confidence of answers against how many of them are right.

    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017), equations 2
    to 5, with 15 bins of equal width as there; the error itself is from M. P. Naeini, G. F. Cooper and M. Hauskrecht,
    "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (AAAI 2015). The Brier score is that of G. W.
    Brier, Monthly Weather Review 78 (1950), 1-3.
    """
    y_true, y_prob = checked(labels, probabilities)
    confident, right = y_prob.max(axis=1), predicted_labels(y_prob) == y_true
    where = bin_of(confident)
    counts = np.bincount(where, minlength=NUM_BINS)
    with np.errstate(invalid="ignore"):
        mean_confidence, accuracy = (
            np.bincount(where, weights=values, minlength=NUM_BINS) / counts for values in (confident, right)
        )
    gaps = np.nan_to_num(np.abs(accuracy - mean_confidence))
    own = y_prob[np.arange(len(y_true)), y_true]
    return Calibration(
        edges=np.linspace(0, 1, NUM_BINS + 1, dtype=np.float64),
        counts=counts.astype(np.int64),
        confidence=mean_confidence,
        accuracy=accuracy,
        ece=float((gaps * counts).sum() / len(y_true)),
        mce=float(gaps.max()),
        loss=float(cross_entropy(y_true, y_prob).mean()),
        brier=float(((y_prob**2).sum(axis=1) - 2 * own + 1).mean()),
        n=len(y_true),
    )


def bin_of(confidence: ArrayLike) -> NDArray[np.int64]:
    """The bin of each confidence, int64 (n,), from 0; a confidence on an edge is in the bin below it."""
    edges = np.linspace(0, 1, NUM_BINS + 1)
    return np.searchsorted(edges[1:-1], np.asarray(confidence, dtype=np.float64)).astype(np.int64)


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> Temperature:
    """The temperature with the lowest mean cross entropy on these images, which must not be the ones to judge it on.

    Guo et al. (see :func:`reliability`), section 4.2. A network's stored probabilities are enough: their logarithms
    are its scores but for a number that is the same for all classes and that the softmax drops. In ``1 / T`` the loss
    is convex, so there is one minimum, where its slope is 0.
    """
    y_true, y_prob = checked(labels, probabilities)
    from scipy.optimize import brentq
    from scipy.special import logsumexp, softmax

    scores = _scores(y_prob)
    rows = np.arange(len(y_true))

    def slope(inverse: float) -> float:
        """Of the loss by the inverse temperature."""
        scaled = softmax(inverse * scores, axis=1)
        return float(((scaled * scores).sum(axis=1) - scores[rows, y_true]).mean())

    def loss(inverse: float) -> float:
        scaled = inverse * scores
        return float((logsumexp(scaled, axis=1) - scaled[rows, y_true]).mean())

    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
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
    return Temperature(1 / inverse, len(y_true), loss(1.0), loss(inverse), at_limit and inverse != 1.0)


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


def rescale(predictions: Predictions, validation: Predictions, *, validated_on_test: bool = False) -> Rescaling:
    """Fit a temperature on the validation images and measure what it does to the test images."""
    fitted = fit_temperature(validation.labels, validation.probabilities)
    judged: NDArray[np.bool_] = np.ones(len(predictions.labels), dtype=bool)
    if validated_on_test:
        unseen = ~np.isin(predictions.indices, validation.indices)
        judged = unseen if unseen.any() else judged
    labels, probabilities = predictions.labels[judged], predictions.probabilities[judged]
    return Rescaling(
        temperature=fitted,
        before=reliability(labels, probabilities),
        after=reliability(labels, scale(probabilities, fitted.value)),
    )


def _scores(y_prob: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.maximum(y_prob, _LOGARITHM_FLOOR))
