"""What thresholds give: ROC and precision-recall of each class against the rest, coverage against accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.intervals import Interval, wilson_interval
from aquadash.evaluation.metrics import checked, import_scikit_learn, predicted_labels


@dataclass(frozen=True, eq=False)
class ClassCurves:
    """How one class's probability tells its images from the others, threshold by threshold.

    An image is *called* the class if its probability is at least the threshold, whatever the other classes have.

    Attributes:
        label: The class's name.
        thresholds: float64 (m,), falling, from infinity (nothing is called the class) to the lowest probability.
        true_positive_rate: float64 (m,), rising from 0 to 1: the fraction of the class's images that are called so,
            which is the recall. All nan without images of the class.
        false_positive_rate: float64 (m,), rising: the fraction of the others that are called so. All nan without any.
        precision: float64 (m,): of the images called so, the fraction that is. 1 where none is called so.
        auc: Area under the ROC curve, 0 to 1: the chance that an image of the class has a higher probability than one
            of the others, ties counting half. None without images of the class or without others.
        average_precision: The precision at each threshold, weighted by the recall that it adds, 0 to 1. None without
            images of the class.
    """

    label: str
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
    """
    y_true, y_prob = checked(labels, probabilities)
    if len(class_names) != y_prob.shape[1]:
        raise DataError(f"There are {len(class_names)} class names but probabilities for {y_prob.shape[1]} classes.")
    return tuple(_curves(str(name), y_true == index, y_prob[:, index]) for index, name in enumerate(class_names))


def macro_mean(values: Sequence[float | None]) -> float | None:
    """The plain mean of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def parts_at(
    labels: ArrayLike, probabilities: ArrayLike, *, class_index: int, threshold: float
) -> dict[str, NDArray[np.bool_]]:
    """Which images a threshold for one class finds, calls wrongly, misses and leaves.

    Args:
        threshold: An image is called the class if its probability for it is at least this.

    Returns:
        Masks of shape (n,) under ``"hits"``, ``"false alarms"``, ``"missed"`` and ``"rest"``; each image is in one.

    Raises:
        DataError: The arrays do not belong together, or there is no such class.
    """
    y_true, y_prob = checked(labels, probabilities)
    if not 0 <= class_index < y_prob.shape[1]:
        raise DataError(f"There is no class {class_index}; there are {y_prob.shape[1]} classes.")
    # Stored as float32, a probability of 0.9 reads 0.89999998.
    called, positive = y_prob[:, class_index] >= threshold - 1e-6, y_true == class_index
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
    import_scikit_learn()
    from sklearn.metrics import average_precision_score, confusion_matrix_at_thresholds, roc_auc_score

    _, alarms, _, hits, thresholds = confusion_matrix_at_thresholds(positive, scores, pos_label=True)
    # Above all probabilities nothing is called the class.
    hits, alarms = np.append(0, hits), np.append(0, alarms)
    positives, negatives = int(hits[-1]), int(alarms[-1])
    nothing = np.full(len(hits), np.nan)
    called = hits + alarms
    return ClassCurves(
        label=label,
        thresholds=np.append(np.inf, thresholds),
        true_positive_rate=hits / positives if positives else nothing,
        false_positive_rate=alarms / negatives if negatives else nothing,
        precision=np.divide(hits, called, out=np.ones(len(hits)), where=called > 0),
        auc=float(roc_auc_score(positive, scores)) if positives and negatives else None,
        average_precision=float(average_precision_score(positive, scores)) if positives else None,
    )


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
    interval: Interval | None

    @property
    def coverage(self) -> float:
        """The fraction of images that is answered, 0 to 1."""
        return self.answered / self.n

    @property
    def accuracy(self) -> float | None:
        """Of the answered images, the fraction that is right; None where nothing is answered."""
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
        coverage: float64 (m,), rising to 1: the fraction of images with at least this confidence.
        accuracy: float64 (m,): the fraction of these that is right.
        area: Mean fraction of wrong answers over all coverages, 0 to 1: 0 if all is right, lower if mistakes come last.
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

    Raises:
        DataError: The arrays do not belong together, or the threshold is out of its range.
    """
    y_true, y_prob = checked(labels, probabilities)
    if not 0 <= threshold <= 1:
        raise DataError(f"The threshold is {threshold}; expected 0 to 1.")
    given = answered(y_prob, threshold=threshold)
    right, number = int((predicted_labels(y_prob) == y_true)[given].sum()), int(given.sum())
    return CoveragePoint(threshold, number, right, len(y_true), wilson_interval(right, number) if number else None)


def coverage_curve(labels: ArrayLike, probabilities: ArrayLike) -> CoverageCurve:
    """Coverage against accuracy.

    R. El-Yaniv and Y. Wiener, "On the Foundations of Noise-free Selective Classification", Journal of Machine Learning
    Research 11 (2010), 1605-1641; its area as in Y. Geifman, G. Uziel and R. El-Yaniv, "Bias-Reduced Uncertainty
    Estimation for Deep Neural Classifiers" (ICLR 2019): the mean error over the coverages 1/n to 1. Images of the same
    confidence are answered together, and their coverages share one error.
    """
    y_true, y_prob = checked(labels, probabilities)
    import_scikit_learn()
    from sklearn.metrics import confusion_matrix_at_thresholds

    right = predicted_labels(y_prob) == y_true
    _, wrong, _, hits, thresholds = confusion_matrix_at_thresholds(right, y_prob.max(axis=1), pos_label=True)
    given = hits + wrong
    accuracy, coverage = hits / given, given / len(y_true)
    area = float(((1 - accuracy) * np.diff(coverage, prepend=0)).sum())
    return CoverageCurve(thresholds=thresholds, coverage=coverage, accuracy=accuracy, area=area)


def lowest_threshold(labels: ArrayLike, probabilities: ArrayLike, *, accuracy: float) -> float | None:
    """The lowest threshold, in steps of 0.01, at which enough of the answers are right; None if there is none.

    To be asked of validation images: one chosen on the images that it is then measured on flatters.
    """
    curve = coverage_curve(labels, probabilities)
    steps = np.arange(101) * 0.01
    # How many of the curve's points have at least the threshold; the last of them says what comes of it.
    reached = np.searchsorted(-curve.thresholds, -(steps - 1e-6), side="right")
    good = np.flatnonzero((reached > 0) & (curve.accuracy[reached - 1] >= accuracy))
    return float(steps[good[0]]) if len(good) else None
