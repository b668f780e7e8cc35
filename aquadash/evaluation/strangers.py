"""Telling images of none of the classes: how strange an image is to a model, and from where on to say so.

A classifier must choose one of its classes, whatever it is shown. The score here is the *feature distance*: the squared
Mahalanobis distance from what the last layer is given to the nearest class's mean, with one covariance for all classes
(K. Lee et al. 2018, "A simple unified framework for detecting out-of-distribution samples and adversarial attacks",
last layer only), of features scaled to length 1 (M. Müller and M. Hein 2025, "Mahalanobis++: improving OOD detection
via feature normalization"), the covariance shrunk after O. Ledoit and M. Wolf 2004.

It was chosen among eight scores (energy, highest probability, highest logit, plain and relative Mahalanobis distance,
nearest neighbours) on validation images against training images of CIFAR-100's other 95 classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError

#: The share of validation images that must not be taken for strangers.
ACCEPTED = 0.95


def _unit(features: ArrayLike) -> NDArray[np.float64]:
    """Each row scaled to length 1; a row of zeros stays one."""
    rows = np.asarray(features, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


@dataclass(frozen=True, eq=False)
class FeatureDistance:
    """Where each class's training images lie among the features, which are scaled to length 1.

    Attributes:
        means: float64, (classes, features).
        precision: The inverse of the classes' common covariance, float64, (features, features).
    """

    means: NDArray[np.float64]
    precision: NDArray[np.float64]

    @classmethod
    def fit(cls, features: ArrayLike, labels: ArrayLike) -> FeatureDistance:
        """Learn from training images.

        Args:
            features: Shape (n, features), n at least two more than classes.
            labels: Integers from 0, shape (n,); every class must be there.

        Raises:
            DataError: A class is missing.
        """
        from sklearn.covariance import LedoitWolf

        rows, truth = _unit(features), np.asarray(labels)
        classes = np.unique(truth)
        if not np.array_equal(classes, np.arange(len(classes))):
            raise DataError(f"The labels are {classes[:10].tolist()}; expected every class from 0 on.")
        means = np.stack([rows[truth == label].mean(axis=0) for label in classes])
        covariance = LedoitWolf(assume_centered=True).fit(rows - means[truth]).covariance_
        return cls(means, np.linalg.pinv(covariance, hermitian=True))

    def distances(self, features: ArrayLike) -> NDArray[np.float64]:
        """The squared distance of each row, (n, features), to the nearest class: float64 (n,)."""
        rows = _unit(features)
        gaps = rows[:, np.newaxis] - self.means[np.newaxis]
        return np.einsum("ncf,fg,ncg->nc", gaps, self.precision, gaps, optimize=True).min(axis=1)


def threshold(scores: ArrayLike, *, accepted: float = ACCEPTED) -> float:
    """The highest score that is still taken for a known image.

    Args:
        scores: Of validation images, shape (n,), the higher the stranger; one at least.
        accepted: The share of them that must be at or below the threshold, 0 to 1.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not values.size:
        raise DataError("There are no validation images to set the threshold on.")
    return float(np.quantile(values, accepted, method="inverted_cdf"))


def auroc(known: ArrayLike, strangers: ArrayLike) -> float:
    """How well scores tell strangers from known images.

    Returns:
        The area under the ROC curve, 0 to 1: the probability that a stranger drawn at random has a higher score than a
        known image drawn at random. 0.5 is chance.
    """
    from sklearn.metrics import roc_auc_score

    one, other = np.asarray(known, dtype=np.float64), np.asarray(strangers, dtype=np.float64)
    return float(roc_auc_score(np.r_[np.zeros(len(one)), np.ones(len(other))], np.r_[one, other]))


@dataclass(frozen=True, eq=False)
class StrangerDetector:
    """Says of an image's features whether it is of none of the classes.

    Attributes:
        distance: Where the classes lie.
        threshold: The highest distance of a known image.
        accepted: The share of validation images at or below it, 0 to 1.
    """

    distance: FeatureDistance
    threshold: float
    accepted: float

    @classmethod
    def fit(cls, features: ArrayLike, labels: ArrayLike, *, validation_features: ArrayLike) -> StrangerDetector:
        """Learn where the classes lie from training images, and the threshold from validation images.

        Args:
            features: Of the training images, unaugmented, (n, features).
            labels: Their classes.
            validation_features: Of the validation images, (m, features).

        Raises:
            DataError: A class or the validation images are missing.
        """
        distance = FeatureDistance.fit(features, labels)
        scores = distance.distances(validation_features)
        limit = threshold(scores)
        return cls(distance, limit, float((scores <= limit).mean()))

    def scores(self, features: ArrayLike) -> NDArray[np.float64]:
        """How strange each row, (n, features), is: float64 (n,); more than the threshold means none of the classes."""
        return self.distance.distances(features)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything as arrays, to be kept in a file."""
        return {
            "means": self.distance.means.astype(np.float32),
            "precision": self.distance.precision.astype(np.float32),
            "threshold": np.array(self.threshold),
            "accepted": np.array(self.accepted),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> StrangerDetector:
        """Back from :meth:`to_arrays`.

        Raises:
            KeyError: An array is missing.
            ValueError: They do not belong together.
        """
        means, precision = (np.asarray(arrays[name], np.float64) for name in ("means", "precision"))
        limit, accepted = float(arrays["threshold"]), float(arrays["accepted"])
        if means.ndim != 2 or precision.shape != (means.shape[1], means.shape[1]):
            raise ValueError("the arrays of the stranger detector do not belong together")
        if not (
            np.isfinite(means).all() and np.isfinite(precision).all() and 0 <= limit < np.inf and 0 <= accepted <= 1
        ):
            raise ValueError("the stranger detector holds numbers that are no distances")
        return cls(FeatureDistance(means, precision), limit, accepted)
