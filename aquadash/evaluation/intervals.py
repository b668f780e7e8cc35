"""How far the scores of each class can be trusted: 95 % intervals of precision, recall and F1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aquadash.errors import DataError
from aquadash.evaluation.metrics import wilson_interval, wilson_of_share

Interval = tuple[float, float]


@dataclass(frozen=True)
class ClassIntervals:
    """The 95 % intervals of one class's scores, each (low, high), 0 to 1; None where there is nothing to count.

    Attributes:
        label: The class's name.
        precision: Wilson's, over the images that were called this class.
        recall: Wilson's, over the images of this class.
        f1: See :func:`f1_interval`.
    """

    label: str
    precision: Interval | None
    recall: Interval | None
    f1: Interval | None

    def to_dict(self) -> dict[str, list[float] | None]:
        """Plain values for JSON, under the keys of the report: ``precision``, ``recall`` and ``f1-score``."""
        return {
            name: None if interval is None else list(interval)
            for name, interval in (("precision", self.precision), ("recall", self.recall), ("f1-score", self.f1))
        }


def class_intervals(confusion_matrix: ArrayLike, *, class_names: Sequence[str]) -> tuple[ClassIntervals, ...]:
    """The intervals of every class, in the order of the labels.

    Args:
        confusion_matrix: Counts, shape (classes, classes); rows are true classes, columns predicted ones.
        class_names: One name a class.

    Raises:
        DataError: The matrix and the names do not belong together.
    """
    counts = np.asarray(confusion_matrix, dtype=np.int64)
    if counts.shape != (len(class_names), len(class_names)):
        raise DataError(f"A confusion matrix of shape {counts.shape} does not go with {len(class_names)} class names.")
    hits, actual, called = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return tuple(
        ClassIntervals(
            label=str(name),
            precision=_share(int(hits[index]), int(called[index])),
            recall=_share(int(hits[index]), int(actual[index])),
            f1=f1_interval(int(hits[index]), int(called[index] - hits[index]), int(actual[index] - hits[index])),
        )
        for index, name in enumerate(class_names)
    )


def f1_interval(true_positives: int, false_positives: int, false_negatives: int) -> Interval | None:
    """The 95 % interval of F1; None where all three counts are 0.

    F1 grows with the share ``s = TP / (TP + FP + FN)`` and is ``2 s / (1 + s)``. Among the images that count for a
    class at all (of it, or called so), each is a hit or not, so that Wilson's interval holds for ``s``, and its two
    ends are carried over: the indirect Wilson method of K. F. Y. Lam, V. Gopal and J. Qian, "Confidence Intervals for
    the F1 Score: A Comparison of Four Methods" (2023), arXiv:2309.14621.
    """
    interval = _share(true_positives, true_positives + false_positives + false_negatives)
    if interval is None:
        return None
    low, high = (2 * share / (1 + share) for share in interval)
    return low, high


def to_dict(intervals: Sequence[ClassIntervals]) -> dict[str, Any]:
    """Plain values for JSON: class name to its three intervals."""
    return {row.label: row.to_dict() for row in intervals}


def _share(successes: int, n: int) -> Interval | None:
    return wilson_interval(successes, n) if n else None


def clustered_interval(successes: ArrayLike, *, trials: int) -> Interval | None:
    """The 95 % interval of a share that was counted on clusters of trials that are not independent of one another.

    Fifty copies of one picture say less about pictures than fifty pictures do. So the deviation between the clusters
    gives the number of independent trials that would be as informative as all of them (the effective sample size,
    with Student's t for the few clusters), and Wilson's interval is that of so many trials: E. L. Korn and B. I.
    Graubard, Survey Methodology 24 (1998), 193-201, with Wilson's interval as in C. Franco, R. J. A. Little, T. A.
    Louis and E. V. Slud, Journal of Survey Statistics and Methodology 7 (2019), 334-364.

    Where all clusters have the same share, which says nothing of how they vary, a cluster counts as one trial.

    Args:
        successes: Integers, shape (clusters,): the successes in each.
        trials: How many trials each cluster has.

    Returns:
        (low, high), 0 to 1; None for fewer than two clusters, from which nothing follows about others.

    Raises:
        DataError: A count is negative or above the number of trials.
    """
    counts = np.asarray(successes, dtype=np.int64)
    if counts.ndim != 1 or trials < 1 or (counts.size and not 0 <= counts.min() <= counts.max() <= trials):
        raise DataError(f"Successes of shape {counts.shape} do not go with {trials} trials in each cluster.")
    clusters = len(counts)
    if clusters < 2:
        return None
    from scipy.stats import norm, t

    shares = counts / trials
    mean = float(shares.mean())
    variance = float(shares.var(ddof=1)) / clusters
    as_good_as = mean * (1 - mean) / variance if variance > 0 else float(clusters)
    shrunk = as_good_as * (norm.ppf(0.975) / t.ppf(0.975, clusters - 1)) ** 2
    return wilson_of_share(mean, float(min(max(shrunk, 1.0), clusters * trials)))
