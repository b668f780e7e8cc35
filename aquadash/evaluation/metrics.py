"""Accuracy with its interval, loss, confusion matrix and the scores of each class.

They are counted here, not by scikit-learn: its import takes a second, for which each command and the app would wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.intervals import Interval, class_intervals, wilson_interval

#: Distance of probabilities from 0 and 1 before the logarithm, as in Keras: a mistake costs at most 16.1 nats.
PROBABILITY_FLOOR = 1e-7

#: Largest distance of a row's sum from 1; half precision rounds a softmax over 100 classes this much.
ROW_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class, or an average over classes."""

    #: The class's name, or the average's.
    label: str
    #: The fraction of the images predicted as this class that belong to it; 0 without such images.
    precision: float
    #: The fraction of the images of this class that were predicted as it; 0 without such images.
    recall: float
    #: The harmonic mean of precision and recall, 0 to 1.
    f1: float
    #: The number of images of this class.
    support: int
    #: The 95 % intervals of ``precision``, ``recall`` and ``f1``, each None without images to count; none of averages.
    intervals: Mapping[str, Interval | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, float | int]:
        """Plain values under the keys of scikit-learn's ``classification_report(output_dict=True)``."""
        return {"precision": self.precision, "recall": self.recall, "f1-score": self.f1, "support": self.support}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of predictions over labelled images."""

    #: The fraction of the images that were classified correctly, 0 to 1.
    accuracy: float
    #: Wilson's 95 % interval of the accuracy, (low, high).
    accuracy_ci95: Interval
    #: Mean cross entropy in nats, 0 or more.
    loss: float
    n: int
    #: int64, shape (classes, classes), not writable; rows are true classes, columns predicted ones.
    confusion_matrix: NDArray[np.int64]
    #: The scores of each class, in the order of the labels.
    report: tuple[ClassScores, ...]
    #: The mean over the classes, each counting the same.
    macro_average: ClassScores
    #: The mean over the classes, each counting by its number of images.
    weighted_average: ClassScores
    #: The class names, in the order of the labels.
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
    """Score predictions against the true labels.

    Args:
        labels: Integers, shape (n,), from 0 to the number of classes less 1. A class may be absent.
        probabilities: Shape (n, classes), 0 to 1, each row summing to 1.

    Raises:
        DataError: There are no images, or the arrays are not of this form; the message says how.
    """
    y_true, y_prob = checked(labels, probabilities)
    n, num_classes = y_prob.shape
    if len(class_names) != num_classes:
        raise DataError(f"There are {len(class_names)} class names but probabilities for {num_classes} classes.")
    pairs = num_classes * y_true + predicted_labels(y_prob)
    matrix = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes).astype(np.int64)
    # Read-only: all sessions share a cached evaluation.
    matrix.flags.writeable = False
    hits, called, support = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    right = int(hits.sum())
    # Where a count is 0, so are the hits.
    precision, recall, f1 = (hits / np.maximum(of, 1) for of in (called, support, (called + support) / 2))
    scores = np.stack([precision, recall, f1], axis=1)
    counts = np.stack([hits, called, support], axis=1).tolist()
    rows = tuple(
        ClassScores(str(name), precision, recall, f1, of_class[2], class_intervals(*of_class))
        for name, (precision, recall, f1), of_class in zip(class_names, scores.tolist(), counts, strict=True)
    )
    averages = {"macro average": scores.mean(axis=0), "weighted average": support @ scores / n}
    macro_average, weighted_average = (
        ClassScores(name, float(precision), float(recall), float(f1), n)
        for name, (precision, recall, f1) in averages.items()
    )
    return Evaluation(
        accuracy=right / n,
        accuracy_ci95=wilson_interval(right, n),
        loss=float(cross_entropy(y_true, y_prob).mean()),
        n=n,
        confusion_matrix=matrix,
        report=rows,
        macro_average=macro_average,
        weighted_average=weighted_average,
        classes=tuple(map(str, class_names)),
    )


def predicted_labels(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return the most probable class of each row, int64 (n,); the first of several that tie."""
    return np.asarray(probabilities).argmax(axis=1).astype(np.int64)


def cross_entropy(y_true: NDArray[np.integer[Any]], y_prob: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the loss of each image in nats, float64 (n,), 0 or more; arguments as :func:`checked` returns them."""
    own = np.asarray(y_prob, dtype=np.float64)[np.arange(len(y_true)), y_true]
    return np.asarray(-np.log(np.clip(own, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)))


class ScoreText(NamedTuple):
    """A number for people; its ``str`` is ``"61 % (57 % to 66 %)"``, or the value alone."""

    #: The value, such as ``"61 %"``; a dash for None.
    value: str
    #: The interval, such as ``"57 % to 66 %"``; empty for none.
    interval: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value


def percent(fraction: float | None, interval: Interval | None = None) -> ScoreText:
    """Format a fraction, 0 to 1, in whole per cent; with one digit for an interval of at most 2 %."""
    if fraction is None:
        return ScoreText("–")
    low, high = interval or (0.0, 1.0)
    digits = 0 if high - low > 0.02 else 1
    value, *ends = (f"{100 * number:.{digits}f} %" for number in (fraction, low, high))
    return ScoreText(value, " to ".join(ends) if interval else "")


#: Lock: two threads that import scikit-learn at the same time can both fail.
_IMPORTING = Lock()


def import_scikit_learn() -> None:
    """Import scikit-learn, which takes a second, one thread at a time."""
    with _IMPORTING:
        import sklearn.metrics  # noqa: F401


def checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return labels as int64 (n,) and probabilities as float64 (n, classes); bad arrays raise a ``DataError``."""
    y_true, y_prob = np.asarray(labels), np.asarray(probabilities)
    if y_true.ndim != 1 or y_prob.ndim != 2 or len(y_true) != len(y_prob):
        raise DataError(
            f"Labels of shape {y_true.shape} and probabilities of shape {y_prob.shape} do not belong together; "
            "expected one label and one row of probabilities for each image."
        )
    if not len(y_true) or not y_prob.shape[1]:
        raise DataError("There are no predictions to evaluate; expected at least one image and one class.")
    if y_true.min() < 0 or y_true.max() >= y_prob.shape[1]:
        raise DataError(
            f"Labels run from {y_true.min()} to {y_true.max()}; with {y_prob.shape[1]} classes they must be 0 to "
            f"{y_prob.shape[1] - 1}."
        )
    y_prob = y_prob.astype(np.float64)
    bad = ~np.isfinite(y_prob).all(axis=1)
    if bad.any():
        raise DataError(
            f"{bad.sum()} of {len(bad)} rows of probabilities (the first is row {bad.argmax()}) hold values that are "
            "not numbers. The model has probably diverged in training: try a smaller learning rate."
        )
    bad = (y_prob.min(axis=1) < 0) | (np.abs(y_prob.sum(axis=1) - 1) > ROW_SUM_TOLERANCE)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{bad.sum()} of {len(bad)} rows are not probabilities: row {row} sums to {y_prob[row].sum():.4g} with "
            f"{y_prob[row].min():.4g} as its lowest value; expected values from 0 to 1 that sum to 1, as a softmax "
            "gives."
        )
    return y_true.astype(np.int64), y_prob
