"""Telling images of none of the classes: how far an image is from all of them, and from where on to say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.metrics import import_scikit_learn

#: The fraction of validation images that must be taken for known ones.
ACCEPTED = 0.95

#: About so many gaps of features between images and classes are held at once, which many classes make gigabytes of.
_GAPS = 2_000_000


@dataclass(frozen=True, eq=False)
class OutOfDistributionDetector:
    """Says of an image's features whether it is of none of the classes, which a classifier alone never says.

    The score is the *feature distance*: the squared Mahalanobis distance from what the last layer is given to the
    nearest class's mean, with one covariance for all classes (K. Lee et al. 2018, "A simple unified framework for
    detecting out-of-distribution samples and adversarial attacks", last layer only), of features scaled to length 1
    (M. Müller and M. Hein 2025, "Mahalanobis++: improving OOD detection via feature normalization"), the covariance
    shrunk after O. Ledoit and M. Wolf 2004. Of a network whose body was pretrained, the features are joined by what
    the body saw before it was fine-tuned, which forgets what only other images have; the distances of such parts from
    a class are added.
    """

    #: Of each class's training images among the features, float64, (classes, features).
    means: NDArray[np.float64]
    #: The inverse of the classes' common covariance, float64, (features, features).
    precision: NDArray[np.float64]
    #: The highest score of a known image.
    threshold: float
    #: The fraction of validation images at or below it, 0 to 1.
    accepted: float
    #: Which pretrained weights give the features after the network's own; empty where there are none.
    pretrained: str = ""

    @classmethod
    def fit(
        cls,
        features: ArrayLike,
        labels: ArrayLike,
        *,
        validation_features: ArrayLike,
        widths: Sequence[int] = (),
        pretrained: str = "",
    ) -> OutOfDistributionDetector:
        """Learn where the classes lie from training images, and the threshold from validation images.

        Args:
            features: Of the training images, unaugmented, (n, features), n at least two more than classes.
            labels: Integers from 0, shape (n,); every class must be there.
            validation_features: Of the validation images, (m, features).
            widths: How many features each part has; empty where there is one.
            pretrained: As in the attributes.

        Raises:
            DataError: A class or the validation images are missing.
        """
        import_scikit_learn()
        from scipy.linalg import block_diag
        from sklearn.covariance import LedoitWolf

        rows, y_true = _unit(features), np.asarray(labels)
        classes = np.unique(y_true)
        if not np.array_equal(classes, np.arange(len(classes))):
            raise DataError(f"The labels are {classes[:10].tolist()}; expected every class from 0 on.")
        if not np.size(validation_features):
            raise DataError("There are no validation images to set the threshold on.")
        means = np.stack([rows[y_true == label].mean(axis=0) for label in classes])
        parts = np.split(rows - means[y_true], np.cumsum(widths, dtype=int)[:-1], axis=1)
        covariances = [LedoitWolf(assume_centered=True).fit(part).covariance_ for part in parts]
        precision = block_diag(*(np.linalg.pinv(covariance, hermitian=True) for covariance in covariances))
        scores = _distances(validation_features, means, precision)
        threshold = float(np.quantile(scores, ACCEPTED, method="inverted_cdf"))
        return cls(means, precision, threshold, float((scores <= threshold).mean()), pretrained)

    def ood_scores(self, features: ArrayLike) -> NDArray[np.float64]:
        """The squared distance of each row, (n, features), to the nearest class: float64 (n,).

        More than the threshold means none of the classes.
        """
        return _distances(features, self.means, self.precision)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything as arrays, to be kept in a file."""
        return {
            "means": self.means.astype(np.float32),
            "precision": self.precision.astype(np.float32),
            "threshold": np.array(self.threshold),
            "accepted": np.array(self.accepted),
            "pretrained": np.array(self.pretrained),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> OutOfDistributionDetector:
        """Back from :meth:`to_arrays`.

        Raises:
            KeyError: An array is missing.
            ValueError: They do not belong together.
        """
        means, precision = (np.asarray(arrays[name], np.float64) for name in ("means", "precision"))
        threshold, accepted = float(arrays["threshold"]), float(arrays["accepted"])
        if means.ndim != 2 or not means.size or precision.shape != (means.shape[1], means.shape[1]):
            raise ValueError("the arrays of the detector do not belong together")
        if not (
            np.isfinite(means).all() and np.isfinite(precision).all() and 0 <= threshold < np.inf and 0 <= accepted <= 1
        ):
            raise ValueError("the detector holds numbers that are no distances")
        return cls(means, precision, threshold, accepted, str(arrays.get("pretrained", "")))


def auroc(known: ArrayLike, unknown: ArrayLike) -> float:
    """How well scores tell images of none of the classes from known ones."""
    import_scikit_learn()
    from sklearn.metrics import roc_auc_score

    scores = np.concatenate([np.asarray(known, dtype=np.float64), np.asarray(unknown, dtype=np.float64)])
    return float(roc_auc_score(np.arange(len(scores)) >= np.size(known), scores))


def _unit(features: ArrayLike) -> NDArray[np.float64]:
    """Each row scaled to length 1; a row of zeros stays one."""
    rows = np.asarray(features, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def _distances(features: ArrayLike, means: NDArray[np.float64], precision: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, step = _unit(features), max(1, _GAPS // means.size)
    nearest = np.empty(len(rows))
    for start in range(0, len(rows), step):
        # All classes in one product: reading the precision takes longer than multiplying a few rows by it.
        gaps = (rows[start : start + step, np.newaxis] - means).reshape(-1, means.shape[1])
        distances = np.einsum("nf,nf->n", gaps @ precision, gaps)
        nearest[start : start + step] = distances.reshape(-1, len(means)).min(axis=1)
    return nearest
