"""Images of none of the classes: the distance of an image's features from every class, and its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.metrics import import_scikit_learn

#: The fraction of validation images whose score is at or below the threshold.
ACCEPTED = 0.95

#: Maximum size of a batch, images x classes x features, because all images of many classes would take gigabytes.
_GAPS = 2_000_000


@dataclass(frozen=True, eq=False)
class OutOfDistributionDetector:
    """Detects images of none of the classes by the squared Mahalanobis distance to the nearest class's mean.

    K. Lee et al. 2018, "A simple unified framework for detecting out-of-distribution samples", last layer only, with
    features of length 1 as in M. Müller and M. Hein 2025, "Mahalanobis++", and Ledoit and Wolf's covariance.
    """

    #: The mean features of each class's training images, float64, (classes, features).
    means: NDArray[np.float64]
    #: The inverse of the classes' common covariance, float64, (features, features).
    precision: NDArray[np.float64]
    #: The highest score of a known image.
    threshold: float
    #: The fraction of validation images at or below the threshold, 0 to 1.
    accepted: float
    #: The pretrained weights whose features follow the network's own; empty for none.
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
        """Fit means and covariance to training images, and the threshold to validation images.

        ``features`` are (n, features) of unaugmented images, ``labels`` (n,) hold every class, and ``widths`` are the
        numbers of features from each network, whose distances are added; empty for one network.
        """
        import_scikit_learn()
        from scipy.linalg import block_diag
        from sklearn.covariance import LedoitWolf

        rows, y_true = _unit(features), np.asarray(labels)
        means = np.stack([rows[y_true == label].mean(axis=0) for label in np.unique(y_true)])
        parts = np.split(rows - means[y_true], np.cumsum(widths, dtype=int)[:-1], axis=1)
        covariances = [LedoitWolf(assume_centered=True).fit(part).covariance_ for part in parts]
        precision = block_diag(*(np.linalg.pinv(covariance, hermitian=True) for covariance in covariances))
        scores = _distances(validation_features, means, precision)
        threshold = float(np.quantile(scores, ACCEPTED, method="inverted_cdf"))
        return cls(means, precision, threshold, float((scores <= threshold).mean()), pretrained)

    def ood_scores(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return the squared distance of each row, (n, features), to the nearest class: float64 (n,)."""
        return _distances(features, self.means, self.precision)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the attributes as arrays, for a file."""
        return {
            "means": self.means.astype(np.float32),
            "precision": self.precision.astype(np.float32),
            "threshold": np.array(self.threshold),
            "accepted": np.array(self.accepted),
            "pretrained": np.array(self.pretrained),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> OutOfDistributionDetector:
        """Read :meth:`to_arrays` back; raises ``KeyError`` or ``ValueError`` for missing or damaged arrays."""
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
    """Return the area under the ROC curve of scores that should be higher for unknown images than for known ones."""
    import_scikit_learn()
    from sklearn.metrics import roc_auc_score

    scores = np.concatenate([np.asarray(known, dtype=np.float64), np.asarray(unknown, dtype=np.float64)])
    return float(roc_auc_score(np.arange(len(scores)) >= np.size(known), scores))


def _unit(features: ArrayLike) -> NDArray[np.float64]:
    """Scale each row to length 1; a row of zeros stays."""
    rows = np.asarray(features, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def _distances(features: ArrayLike, means: NDArray[np.float64], precision: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, step = _unit(features), max(1, _GAPS // means.size)
    nearest = np.empty(len(rows))
    for start in range(0, len(rows), step):
        # One product for all classes: reading the precision from memory takes longer than multiplying a few rows.
        gaps = (rows[start : start + step, np.newaxis] - means).reshape(-1, means.shape[1])
        distances = np.einsum("nf,nf->n", gaps @ precision, gaps)
        nearest[start : start + step] = distances.reshape(-1, len(means)).min(axis=1)
    return nearest
