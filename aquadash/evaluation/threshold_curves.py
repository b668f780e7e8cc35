"""ROC and precision-recall curves: each class against the rest, at every threshold of its probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.metrics import checked


@dataclass(frozen=True, eq=False)
class ClassCurves:
    """How one class's probability tells its images from the others, threshold by threshold.

    An image is *called* the class if its probability is at least the threshold, whatever the other classes have.

    Attributes:
        label: The class's name.
        positives: Images of the class.
        negatives: All other images.
        thresholds: float64 (m,), falling, from infinity (nothing is called the class) to the lowest probability.
        true_positive_rate: float64 (m,), rising from 0 to 1: the share of the class's images that are called so, which
            is the recall. All nan without images of the class.
        false_positive_rate: float64 (m,), rising: the share of the others that are called so. All nan without others.
        precision: float64 (m,): of the images called so, the share that is. 1 where none is called so.
        auc: Area under the ROC curve, 0 to 1: the chance that an image of the class has a higher probability than one
            of the others, ties counting half. None without images of the class or without others.
        average_precision: The precision at each threshold, weighted by the recall that it adds, 0 to 1. None without
            images of the class.
    """

    label: str
    positives: int
    negatives: int
    thresholds: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    false_positive_rate: NDArray[np.float64]
    precision: NDArray[np.float64]
    auc: float | None
    average_precision: float | None


def ranking_curves(
    labels: ArrayLike, probabilities: ArrayLike, *, class_names: Sequence[str]
) -> tuple[ClassCurves, ...]:
    """The curves of every class against the rest, in the order of the labels.

    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006), 861-874. Images that tie are
    called together, and the area under the ROC is that of the trapezoids between the points. Average precision is the
    sum of steps, without interpolation: J. Davis and M. Goadrich, "The Relationship Between Precision-Recall and ROC
    Curves" (ICML 2006), show that straight lines between the points would flatter.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        class_names: One name a class.

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, shares = checked(labels, probabilities)
    if len(class_names) != shares.shape[1]:
        raise DataError(f"There are {len(class_names)} class names but probabilities for {shares.shape[1]} classes.")
    return tuple(_curves(str(name), truth == index, shares[:, index]) for index, name in enumerate(class_names))


def macro_mean(values: Sequence[float | None]) -> float | None:
    """The plain mean of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def parts_at(
    labels: ArrayLike, probabilities: ArrayLike, *, class_index: int, threshold: float
) -> dict[str, NDArray[np.bool_]]:
    """Which images a threshold for one class finds, calls wrongly, misses and leaves.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        class_index: The class.
        threshold: An image is called the class if its probability for it is at least this.

    Returns:
        Masks of shape (n,) under ``"hits"``, ``"false alarms"``, ``"missed"`` and ``"rest"``; each image is in one.

    Raises:
        DataError: The arrays do not belong together, or there is no such class.
    """
    truth, shares = checked(labels, probabilities)
    if not 0 <= class_index < shares.shape[1]:
        raise DataError(f"There is no class {class_index}; there are {shares.shape[1]} classes.")
    # Stored as float32, a probability of 0.9 reads 0.89999998.
    called, positive = shares[:, class_index] >= threshold - 1e-6, truth == class_index
    return {
        "hits": called & positive,
        "false alarms": called & ~positive,
        "missed": ~called & positive,
        "rest": ~called & ~positive,
    }


def to_dict(curves: Sequence[ClassCurves]) -> dict[str, Any]:
    """Plain values for JSON: the areas by class name and their means."""
    return {
        "auc": {row.label: row.auc for row in curves},
        "macro_auc": macro_mean([row.auc for row in curves]),
        "average_precision": {row.label: row.average_precision for row in curves},
        "macro_average_precision": macro_mean([row.average_precision for row in curves]),
    }


def _curves(label: str, positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> ClassCurves:
    from sklearn.metrics import average_precision_score, confusion_matrix_at_thresholds, roc_auc_score

    _, alarms, _, hits, thresholds = confusion_matrix_at_thresholds(positive, scores, pos_label=True)
    # Above all probabilities nothing is called the class.
    hits, alarms = np.append(0, hits), np.append(0, alarms)
    positives, negatives = int(hits[-1]), int(alarms[-1])
    nothing = np.full(len(hits), np.nan)
    called = hits + alarms
    return ClassCurves(
        label=label,
        positives=positives,
        negatives=negatives,
        thresholds=np.append(np.inf, thresholds),
        true_positive_rate=hits / positives if positives else nothing,
        false_positive_rate=alarms / negatives if negatives else nothing,
        precision=np.divide(hits, called, out=np.ones(len(hits)), where=called > 0),
        auc=float(roc_auc_score(positive, scores)) if positives and negatives else None,
        average_precision=float(average_precision_score(positive, scores)) if positives else None,
    )
