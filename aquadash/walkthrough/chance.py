"""What chance does to scores: choosing the best of several, few images, and two scores beside one another."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from aquadash.evaluation import wilson_interval


@lru_cache(maxsize=4096)
def flattery(candidates: int, *, accuracy: float, images: int) -> float:
    """By how much the best of several equally good networks looks better than it is, on average.

    Each is right on every image with the same chance, so its score is binomial; the mean of the highest of k scores is
    the sum over x of 1 - F(x)^k. All of them are measured on images of their own, the worst case.

    Args:
        candidates: k, at least 1; one alone is not flattered.
        accuracy: The chance, 0 to 1.
        images: Of each measurement, at least 1.

    Returns:
        A difference of shares, 0 or more.
    """
    below = np.minimum(np.cumsum(_binomial(images, accuracy)), 1.0)
    return max(0.0, float((1 - below[:-1] ** candidates).sum()) / images - accuracy)


def width(share: float, images: int) -> float:
    """How wide the 95 % interval of a share is that was counted on so many images."""
    low, high = wilson_interval(round(share * images), images)
    return high - low


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares, first less second, counted on different images.

    Wilson's intervals of the two, squared and added: method 10 of R. G. Newcombe, "Interval estimation for the
    difference between independent proportions", Statistics in Medicine 17 (1998), 873-890.

    Args:
        first: How many of how many.
        second: The same.
    """
    one, two = first[0] / first[1], second[0] / second[1]
    (low_one, high_one), (low_two, high_two) = wilson_interval(*first), wilson_interval(*second)
    return (
        one - two - math.hypot(one - low_one, high_two - two),
        one - two + math.hypot(high_one - one, two - low_two),
    )


def _binomial(n: int, p: float) -> NDArray[np.float64]:
    """The chance of 0, 1, ..., n successes."""
    return np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])
