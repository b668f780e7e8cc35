"""How good predictions are: accuracy with its interval, loss, confusion matrix and the scores of each class.

Counts and scores are scikit-learn's, which is imported when first used, since that takes a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError

#: Probabilities are kept this far from 0 and 1 before the logarithm, as Keras does (``keras.config.epsilon()``), so
#: that one confident mistake costs at most 16.1 and not infinitely much.
PROBABILITY_FLOOR = 1e-7

#: The 97.5th percentile of the standard normal distribution.
_NORMAL_975 = 1.959963984540054

#: How far a row of probabilities may be from summing to 1: half precision rounds a softmax over 100 classes this much.
ROW_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class, or an average over classes.

    Attributes:
        label: The class's name, or the average's.
        precision: Of the images called this class, the share that is; 0 when none was called so.
        recall: Of the images of this class, the share that was called so; 0 when there are none.
        f1: The harmonic mean of precision and recall, 0 to 1.
        support: How many images are of this class.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int

    def to_dict(self) -> dict[str, float | int]:
        """The scores under the keys of scikit-learn's ``classification_report(output_dict=True)``."""
        return {"precision": self.precision, "recall": self.recall, "f1-score": self.f1, "support": self.support}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How good predictions over labelled images are.

    Attributes:
        accuracy: Share of the images that were named rightly, 0 to 1.
        accuracy_ci95: Wilson's 95 % interval of it, (low, high).
        loss: Mean cross entropy in nats, 0 or more.
        n: How many images.
        confusion_matrix: int64, shape (classes, classes); rows are true classes, columns predicted ones.
        report: The scores of each class, in the order of the labels.
        macro_average: The mean over the classes, each counting the same.
        weighted_average: The mean over the classes, each counting by its number of images.
        classes: The class names, in the order of the labels.
    """

    accuracy: float
    accuracy_ci95: tuple[float, float]
    loss: float
    n: int
    confusion_matrix: NDArray[np.int64]
    report: tuple[ClassScores, ...]
    macro_average: ClassScores
    weighted_average: ClassScores
    classes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON.

        ``report`` has the form of scikit-learn's ``classification_report(output_dict=True)``: one entry a class, then
        ``accuracy``, ``macro avg`` and ``weighted avg``. A class that bears one of these three names keeps it.
        """
        report: dict[str, Any] = {
            "accuracy": self.accuracy,
            "macro avg": self.macro_average.to_dict(),
            "weighted avg": self.weighted_average.to_dict(),
        }
        classes = {row.label: row.to_dict() for row in self.report}
        return {
            "accuracy": self.accuracy,
            "accuracy_ci95": list(self.accuracy_ci95),
            "loss": self.loss,
            "n": self.n,
            "confusion_matrix": self.confusion_matrix.tolist(),
            "report": classes | {name: value for name, value in report.items() if name not in classes},
            "classes": list(self.classes),
        }


def evaluate(labels: ArrayLike, probabilities: ArrayLike, *, class_names: Sequence[str]) -> Evaluation:
    """Hold predictions against the truth.

    Args:
        labels: Integers, shape (n,), from 0 to the number of classes less 1. A class may be absent.
        probabilities: Shape (n, classes), 0 to 1, each row summing to 1.
        class_names: One name a class, in the order of the labels.

    Raises:
        DataError: There are no images, or the arrays are not of this form; the message says how.
    """
    truth, shares = checked(labels, probabilities)
    n, num_classes = shares.shape
    if len(class_names) != num_classes:
        raise DataError(f"There are {len(class_names)} class names but probabilities for {num_classes} classes.")
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    predicted = shares.argmax(axis=1)
    every = np.arange(num_classes)
    matrix = confusion_matrix(truth, predicted, labels=every).astype(np.int64)
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=every, zero_division=0)
    right = int(matrix.trace())
    of_truth = np.clip(shares[np.arange(n), truth], PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
    scores = np.stack([precision, recall, f1], axis=1)
    rows = tuple(
        _scores(str(name), row, int(count)) for name, row, count in zip(class_names, scores, support, strict=True)
    )
    return Evaluation(
        accuracy=right / n,
        accuracy_ci95=wilson_interval(right, n),
        loss=float(-np.log(of_truth).mean()),
        n=n,
        confusion_matrix=matrix,
        report=rows,
        macro_average=_scores("macro average", scores.mean(axis=0), n),
        weighted_average=_scores("weighted average", support @ scores / n, n),
        classes=tuple(map(str, class_names)),
    )


def predicted_labels(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """The most probable class of each row, int64 (n,); the first of several that tie."""
    return np.asarray(probabilities).argmax(axis=1).astype(np.int64)


def confidence(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The probability of the most probable class of each row, shape (n,), 1/classes to 1."""
    highest: NDArray[np.floating[Any]] = np.asarray(probabilities).max(axis=1)
    return highest


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, from how often something happened in ``n`` tries: (low, high), 0 to 1.

    The score interval of E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22 (1927), 209-212, without continuity correction. Unlike the plain normal
    interval it never leaves 0 to 1 and stays honest for few tries and for shares near 0 or 1.

    Raises:
        DataError: ``n`` is not positive or ``successes`` is not within 0 to ``n``.
    """
    if n < 1 or not 0 <= successes <= n:
        raise DataError(
            f"{successes} of {n} is not a share; expected at least one try and no more successes than tries."
        )
    return wilson_of_share(successes / n, n)


def wilson_of_share(share: float, tries: float) -> tuple[float, float]:
    """The same from the share, 0 to 1, of tries whose number need not be whole."""
    # Written out: SciPy's test works out a p-value first, and a table of runs asks for a thousand of these.
    spread = _NORMAL_975**2 / tries
    centre = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    low = (centre - half) / (1 + spread) if share > 0 else 0.0
    high = (centre + half) / (1 + spread) if share < 1 else 1.0
    return low, high


def checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels as int64 (n,) and probabilities as float64 (n, classes), or a :class:`DataError` saying what is amiss."""
    truth, shares = np.asarray(labels), np.asarray(probabilities)
    if truth.ndim != 1 or shares.ndim != 2 or len(truth) != len(shares):
        raise DataError(
            f"Labels of shape {truth.shape} and probabilities of shape {shares.shape} do not belong together; expected "
            "one label and one row of probabilities for each image."
        )
    if not len(truth) or not shares.shape[1]:
        raise DataError("There are no predictions to evaluate; expected at least one image and one class.")
    if truth.dtype.kind not in "iu":
        raise DataError(f"Labels are {truth.dtype}; expected whole numbers that index the classes.")
    if truth.min() < 0 or truth.max() >= shares.shape[1]:
        raise DataError(
            f"Labels run from {truth.min()} to {truth.max()}; with {shares.shape[1]} classes they must be 0 to "
            f"{shares.shape[1] - 1}."
        )
    if shares.dtype.kind not in "fiu":
        raise DataError(f"Probabilities are {shares.dtype}; expected numbers from 0 to 1.")
    shares = shares.astype(np.float64)
    bad = ~np.isfinite(shares).all(axis=1)
    if bad.any():
        raise DataError(
            f"{bad.sum()} of {len(bad)} rows of probabilities (the first is row {bad.argmax()}) hold values that are "
            "not numbers. The model has probably diverged in training: try a smaller learning rate."
        )
    bad = (shares.min(axis=1) < 0) | (np.abs(shares.sum(axis=1) - 1) > ROW_SUM_TOLERANCE)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{bad.sum()} of {len(bad)} rows are not probabilities: row {row} sums to {shares[row].sum():.4g} with "
            f"{shares[row].min():.4g} as its lowest value; expected values from 0 to 1 that sum to 1, as a softmax "
            "gives."
        )
    return truth.astype(np.int64), shares


def _scores(label: str, scores: NDArray[np.float64], support: int) -> ClassScores:
    precision, recall, f1 = map(float, scores)
    return ClassScores(label, precision, recall, f1, support)
