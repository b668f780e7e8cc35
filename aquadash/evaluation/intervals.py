"""95 % intervals: of a fraction, of a difference of two, of the scores of each class."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from aquadash.errors import DataError

Interval = tuple[float, float]

#: The 97.5th percentile of the standard normal distribution.
_NORMAL_975 = 1.959963984540054


def wilson_interval(successes: int, n: int) -> Interval:
    """Return the 95 % interval of the fraction ``successes / n``: (low, high), 0 to 1.

    The score interval without continuity correction: E. B. Wilson, Journal of the American Statistical Association 22
    (1927), 209-212.

    Raises:
        DataError: ``n`` is not positive or ``successes`` is not within 0 to ``n``.
    """
    if n < 1 or not 0 <= successes <= n:
        raise DataError(
            f"{successes} of {n} is not a fraction; expected at least one try and no more successes than tries."
        )
    return wilson_of_fraction(successes / n, n)


def wilson_of_fraction(fraction: float, tries: float) -> Interval:
    """Return Wilson's interval of a fraction, 0 to 1, of a number of tries that need not be whole."""
    # Not SciPy's: it computes a p-value first, and a table of runs needs a thousand intervals.
    spread = _NORMAL_975**2 / tries
    centre = fraction + spread / 2
    half = math.sqrt(spread * (fraction * (1 - fraction) + spread / 4))
    low = (centre - half) / (1 + spread) if fraction > 0 else 0.0
    high = (centre + half) / (1 + spread) if fraction < 1 else 1.0
    return low, high


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> Interval:
    """Return the 95 % interval of the first fraction less the second, each (successes, n) of a sample of its own.

    Method 10 of R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890. It is too wide for two networks on the same
    images.
    """
    (low_a, high_a), (low_b, high_b) = wilson_interval(*first), wilson_interval(*second)
    a, b = first[0] / first[1], second[0] / second[1]
    return (a - b - math.hypot(a - low_a, high_b - b), a - b + math.hypot(high_a - a, b - low_b))


def ranks(counts: Sequence[tuple[int, int]]) -> list[int]:
    """Return the rank of each (right answers, images): 1 + the number of others that are better beyond chance."""
    return [1 + sum(difference_interval(other, own)[0] > 0 for other in counts) for own in counts]


def newcombe_interval(both: int, only_first: int, only_second: int, neither: int) -> Interval:
    """Return the 95 % interval of the first fraction less the second, counted on the same images.

    Method 10 of R. G. Newcombe for paired data, Statistics in Medicine 17 (1998), 2635-2650.
    """
    n = both + only_first + only_second + neither
    first, second = (both + only_first) / n, (both + only_second) / n
    low_first, high_first = wilson_interval(both + only_first, n)
    low_second, high_second = wilson_interval(both + only_second, n)
    # Newcombe's correction of phi, the correlation: half of n is taken off a positive covariance.
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
    # Rounding can make a square slightly negative.
    low, high = difference - math.sqrt(max(below, 0.0)), difference + math.sqrt(max(above, 0.0))
    return max(low, -1.0), min(high, 1.0)


def clustered_interval(successes: ArrayLike, *, trials: int) -> Interval | None:
    """Return the 95 % interval of a fraction counted on clusters, such as copies of an image; None for one cluster.

    Wilson's interval with the effective sample size: Franco, Little, Louis and Slud, Journal of Survey Statistics and
    Methodology 7 (2019), 334-364.
    """
    counts = np.asarray(successes, dtype=np.int64)
    clusters = len(counts)
    if clusters < 2:
        return None
    from scipy.stats import norm, t

    fractions = counts / trials
    mean = float(fractions.mean())
    variance = float(fractions.var(ddof=1)) / clusters
    # Without any variance, each cluster counts as one trial.
    effective = mean * (1 - mean) / variance if variance > 0 else float(clusters)
    effective *= (norm.ppf(0.975) / t.ppf(0.975, clusters - 1)) ** 2
    return wilson_of_fraction(mean, float(min(max(effective, 1.0), clusters * trials)))


def class_intervals(hits: int, called: int, actual: int) -> dict[str, Interval | None]:
    """Return the 95 % intervals of a class's ``precision``, ``recall`` and ``f1``; None without images to count.

    F1 is 2 s / (1 + s) with s = TP / (TP + FP + FN), which has Wilson's interval: Lam, Gopal and Qian (2023),
    arXiv:2309.14621.

    Args:
        hits: The number of images of the class that were predicted as it.
        called: The number of images that were predicted as it.
        actual: The number of images of the class.
    """
    precision, recall, overlap = (
        wilson_interval(hits, n) if n else None for n in (called, actual, called + actual - hits)
    )
    f1 = overlap and (2 * overlap[0] / (1 + overlap[0]), 2 * overlap[1] / (1 + overlap[1]))
    return {"precision": precision, "recall": recall, "f1": f1}
