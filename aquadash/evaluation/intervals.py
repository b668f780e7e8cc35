"""95 % intervals: of a fraction, of a difference of two, of the scores of each class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aquadash.errors import DataError

Interval = tuple[float, float]

#: The 97.5th percentile of the standard normal distribution.
_NORMAL_975 = 1.959963984540054


def wilson_interval(successes: int, n: int) -> Interval:
    """The 95 % interval of a fraction, from how often something happened in ``n`` tries: (low, high), 0 to 1.

    The score interval of E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22 (1927), 209-212, without continuity correction. Unlike the plain normal
    interval it never leaves 0 to 1 and stays honest for few tries and for fractions near 0 or 1.

    Raises:
        DataError: ``n`` is not positive or ``successes`` is not within 0 to ``n``.
    """
    if n < 1 or not 0 <= successes <= n:
        raise DataError(
            f"{successes} of {n} is not a fraction; expected at least one try and no more successes than tries."
        )
    return wilson_of_fraction(successes / n, n)


def wilson_of_fraction(fraction: float, tries: float) -> Interval:
    """The same from the fraction, 0 to 1, of tries whose number need not be whole."""
    # Written out: SciPy's test works out a p-value first, and a table of runs asks for a thousand of these.
    spread = _NORMAL_975**2 / tries
    centre = fraction + spread / 2
    half = math.sqrt(spread * (fraction * (1 - fraction) + spread / 4))
    low = (centre - half) / (1 + spread) if fraction > 0 else 0.0
    high = (centre + half) / (1 + spread) if fraction < 1 else 1.0
    return low, high


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> Interval:
    """The 95 % interval of how much larger the first fraction is, from two independent samples.

    Method 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17 (1998), 873-890: the two Wilson intervals, put together. For two networks that were asked about the same
    images it is wider than need be, so errs on the side of a tie.
    """
    (low_a, high_a), (low_b, high_b) = wilson_interval(*first), wilson_interval(*second)
    a, b = first[0] / first[1], second[0] / second[1]
    return (
        a - b - math.hypot(a - low_a, high_b - b),
        a - b + math.hypot(high_a - a, b - low_b),
    )


def ranks(counts: Sequence[tuple[int, int]]) -> list[int]:
    """The rank of each: one more than the number of those that are clearly better.

    Clearly means that the 95 % interval of the difference is above 0. So several share a rank if the images do not
    tell them apart, and nobody stands above another by luck alone.

    Args:
        counts: (right answers, images) of each.

    Returns:
        As many ranks, from 1, in the same order.
    """
    return [1 + sum(difference_interval(other, own)[0] > 0 for other in counts) for own in counts]


def newcombe_interval(both: int, only_first: int, only_second: int, neither: int) -> Interval:
    """The 95 % interval of the difference of two fractions that were counted on the same things: first minus second.

    Wilson's intervals of the two fractions, squared and added, less what they have in common, by their correlation phi
    with its correction: method 10 of R. G. Newcombe, "Improved confidence intervals for the difference between
    binomial proportions based on paired data", Statistics in Medicine 17 (1998), 2635-2650.
    """
    counts = (both, only_first, only_second, neither)
    n = sum(counts)
    if min(counts) < 0 or n == 0:
        raise DataError(f"The counts of pairs are {counts}; expected four that are 0 or more, and not all of them 0.")
    first, second = (both + only_first) / n, (both + only_second) / n
    low_first, high_first = wilson_interval(both + only_first, n)
    low_second, high_second = wilson_interval(both + only_second, n)
    # Newcombe's phi: a positive one is drawn towards 0 by half of the number of pairs.
    product = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    covariance: float = both * neither - only_first * only_second
    if covariance > 0:
        covariance = max(covariance - n / 2, 0.0)
    phi = covariance / math.sqrt(product) if product else 0.0
    difference = first - second
    down_first, up_first = first - low_first, high_first - first
    down_second, up_second = second - low_second, high_second - second
    below = down_first**2 - 2 * phi * down_first * up_second + up_second**2
    above = up_first**2 - 2 * phi * up_first * down_second + down_second**2
    # Rounding may leave a square a hair below 0.
    low, high = difference - math.sqrt(max(below, 0.0)), difference + math.sqrt(max(above, 0.0))
    return max(low, -1.0), min(high, 1.0)


def clustered_interval(successes: ArrayLike, *, trials: int) -> Interval | None:
    """The 95 % interval of a fraction that was counted on clusters of trials that are not independent of one another.

    Fifty copies of one picture say less about pictures than fifty pictures do. So the deviation between the clusters
    gives the number of independent trials that would be as informative as all of them (the effective sample size,
    with Student's t for the few clusters), and Wilson's interval is that of so many trials: E. L. Korn and B. I.
    Graubard, Survey Methodology 24 (1998), 193-201, with Wilson's interval as in C. Franco, R. J. A. Little, T. A.
    Louis and E. V. Slud, Journal of Survey Statistics and Methodology 7 (2019), 334-364.

    Where all clusters have the same fraction, which says nothing of how they vary, a cluster counts as one trial.
    """
    counts = np.asarray(successes, dtype=np.int64)
    if counts.ndim != 1 or trials < 1 or (counts.size and not 0 <= counts.min() <= counts.max() <= trials):
        raise DataError(f"Successes of shape {counts.shape} do not go with {trials} trials in each cluster.")
    clusters = len(counts)
    if clusters < 2:
        return None
    from scipy.stats import norm, t

    fractions = counts / trials
    mean = float(fractions.mean())
    variance = float(fractions.var(ddof=1)) / clusters
    as_good_as = mean * (1 - mean) / variance if variance > 0 else float(clusters)
    shrunk = as_good_as * (norm.ppf(0.975) / t.ppf(0.975, clusters - 1)) ** 2
    return wilson_of_fraction(mean, float(min(max(shrunk, 1.0), clusters * trials)))


@dataclass(frozen=True)
class ClassIntervals:
    """The 95 % intervals of one class's scores, each (low, high), 0 to 1; None where there is nothing to count."""

    label: str
    #: Wilson's, over the images that were called this class.
    precision: Interval | None
    #: Wilson's, over the images of this class.
    recall: Interval | None
    #: See :func:`f1_interval`.
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
            precision=_wilson(int(hits[index]), int(called[index])),
            recall=_wilson(int(hits[index]), int(actual[index])),
            f1=f1_interval(int(hits[index]), int(called[index] - hits[index]), int(actual[index] - hits[index])),
        )
        for index, name in enumerate(class_names)
    )


def f1_interval(true_positives: int, false_positives: int, false_negatives: int) -> Interval | None:
    """The 95 % interval of F1; None where all three counts are 0.

    F1 grows with the fraction ``s = TP / (TP + FP + FN)`` and is ``2 s / (1 + s)``. Among the images that count for a
    class at all (of it, or called so), each is a hit or not, so that Wilson's interval holds for ``s``, and its two
    ends are carried over: the indirect Wilson method of K. F. Y. Lam, V. Gopal and J. Qian, "Confidence Intervals for
    the F1 Score: A Comparison of Four Methods" (2023), arXiv:2309.14621.
    """
    interval = _wilson(true_positives, true_positives + false_positives + false_negatives)
    if interval is None:
        return None
    low, high = (2 * end / (1 + end) for end in interval)
    return low, high


def _wilson(successes: int, n: int) -> Interval | None:
    return wilson_interval(successes, n) if n else None
