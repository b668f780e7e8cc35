"""Calibration: confidence against accuracy, and temperature scaling, which corrects it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.metrics import checked, cross_entropy, predicted_labels
from aquadash.evaluation.records import Predictions

#: Intervals of confidence, as many as in Guo et al. 2017.
NUM_BINS = 15

#: The range of the fit. Beyond these ends the probabilities are all but one-hot or all but equal.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 100.0


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
        """The mean confidence of all images, 0 to 1."""
        return float(np.nansum(self.counts * self.confidence) / self.n)

    @property
    def mean_accuracy(self) -> float:
        """The accuracy over all images, 0 to 1."""
        return float(np.nansum(self.counts * self.accuracy) / self.n)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None for the mean of an empty bin."""
        return {
            "ece": self.ece,
            "mce": self.mce,
            "brier": self.brier,
            "reliability": [
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
    """A number that the network's scores are divided by, so that its probabilities match its accuracy."""

    #: The divisor. Above 1 the network was too sure, below 1 not sure enough.
    value: float
    #: The number of images that it was fitted on.
    n: int
    #: The mean cross entropy of these images in nats, unscaled.
    loss_before: float
    #: The same after scaling; never more.
    loss_after: float
    #: Whether the fit ended at the least or greatest value, as it does where all answers are right.
    at_limit: bool


@dataclass(frozen=True, eq=False)
class Rescaling:
    """A temperature fitted on validation images, and the calibration of other images before and after scaling."""

    temperature: Temperature
    before: Calibration
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
    """Compare the confidence of answers with their accuracy, in bins of equal width.

    Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017), equations 2 to 5.
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
    """Return the bin of each confidence, int64 (n,), from 0; a value on an edge is in the bin below it."""
    edges = np.linspace(0, 1, NUM_BINS + 1)
    return np.searchsorted(edges[1:-1], np.asarray(confidence, dtype=np.float64)).astype(np.int64)


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> Temperature:
    """Return the temperature with the lowest mean cross entropy on these images (Guo et al. 2017, section 4.2)."""
    y_true, y_prob = checked(labels, probabilities)
    from scipy.optimize import brentq
    from scipy.special import logsumexp, softmax

    scores = _scores(y_prob)
    rows = np.arange(len(y_true))

    # The loss is convex in 1 / T, so its slope is 0 at the only minimum.
    def slope(inverse: float) -> float:
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
        # All scores are equal, so that no temperature changes them.
        inverse = 1.0
    return Temperature(1 / inverse, len(y_true), loss(1.0), loss(inverse), at_limit and inverse != 1.0)


def scale(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Divide the network's scores by a temperature; float64 (n, classes). The order of the classes stays."""
    from scipy.special import softmax

    scaled: NDArray[np.float64] = softmax(_scores(np.asarray(probabilities, dtype=np.float64)) / temperature, axis=1)
    return scaled


def rescale(predictions: Predictions, validation: Predictions, *, validated_on_test: bool = False) -> Rescaling:
    """Fit a temperature on the validation images and measure it on test images that did not validate."""
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
    """Return the network's scores up to a constant, which the softmax drops; float32 rounds tiny values to 0."""
    return np.log(np.maximum(y_prob, np.finfo(np.float32).tiny))
