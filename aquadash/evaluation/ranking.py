"""ROC and precision-recall curves of each class against the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.metrics import checked


@dataclass(frozen=True, eq=False)
class ClassCurves:
    """The curves of one class against all others, by the threshold that its probability must reach."""

    #: The class's name.
    label: str
    #: The fraction of the other images that reach the threshold, float64 (m,), rising from 0 to 1.
    false_positive_rate: NDArray[np.float64]
    #: The fraction of the class's images that reach it, float64 (m,), at the same thresholds.
    true_positive_rate: NDArray[np.float64]
    #: The fraction of the class's images that reach the threshold, float64 (k,), falling from 1 to 0.
    recall: NDArray[np.float64]
    #: The fraction of the images that reach it and belong to the class, float64 (k,), at the same thresholds.
    precision: NDArray[np.float64]
    #: Area under the ROC curve, 0 to 1; None without images of the class or without others.
    auc: float | None
    #: Precision at each threshold weighted by the recall that it adds, 0 to 1; None without images of the class.
    average_precision: float | None


def ranking_curves(
    labels: ArrayLike, probabilities: ArrayLike, *, class_names: Sequence[str]
) -> tuple[ClassCurves, ...]:
    """Return the curves of every class against the others, in the order of the labels."""
    y_true, y_prob = checked(labels, probabilities)
    columns = zip(class_names, y_prob.T, strict=True)
    return tuple(_curves(str(name), y_true == index, column) for index, (name, column) in enumerate(columns))


def macro_mean(values: Sequence[float | None]) -> float | None:
    """Return the unweighted mean of the values that are not None; None without any."""
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


def _curves(label: str, is_class: NDArray[np.bool_], y_prob: NDArray[np.float64]) -> ClassCurves:
    nothing: NDArray[np.float64] = np.empty(0)
    false_positive_rate = true_positive_rate = recall = precision = nothing
    auc = average_precision = None
    if is_class.any():
        order = np.argsort(-y_prob, kind="stable")
        # Images of the same probability reach a threshold together: the last of each group counts.
        last = np.append(np.flatnonzero(np.diff(y_prob[order])), len(order) - 1)
        hits = np.cumsum(is_class[order])[last]
        misses = 1 + last - hits
        reached, right = hits / hits[-1], hits / (hits + misses)
        average_precision = float((np.diff(reached, prepend=0.0) * right).sum())
        # Drop a threshold if both neighbours reach the same images of the class: it adds no corner to the curve.
        kept = np.concatenate([[True], np.diff(hits[:-1]).astype(bool) | np.diff(hits[1:]).astype(bool), [True]])
        kept = kept[: len(hits)]
        recall, precision = np.append(reached[kept][::-1], 0.0), np.append(right[kept][::-1], 1.0)
        if misses[-1]:
            corners = np.concatenate([[True], _bends(hits) | _bends(misses), [True]])[: len(hits)]
            true_positive_rate = np.append(0.0, reached[corners])
            false_positive_rate = np.append(0.0, misses[corners] / misses[-1])
            auc = float(np.trapezoid(true_positive_rate, false_positive_rate))
    return ClassCurves(label, false_positive_rate, true_positive_rate, recall, precision, auc, average_precision)


def _bends(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where a curve's step differs from the one before."""
    return np.diff(counts, 2).astype(bool)
