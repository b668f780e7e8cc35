"""Who is better than whom, when all have been measured on few images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aquadash.errors import DataError
from aquadash.evaluation.metrics import wilson_interval


def difference_interval(right_a: int, n_a: int, right_b: int, n_b: int) -> tuple[float, float]:
    """The 95 % interval of how much larger the first share is, from two independent samples.

    Method 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17 (1998), 873-890: the two Wilson intervals, put together. For two networks that were asked about the same
    images it is wider than need be, so errs on the side of a tie.

    Args:
        right_a: How many were right in the first sample.
        n_a: Its size, at least 1.
        right_b: How many were right in the second sample.
        n_b: Its size, at least 1.

    Returns:
        Low and high, -1 to 1.

    Raises:
        DataError: A sample is empty, or has more right answers than images.
    """
    for right, n in ((right_a, n_a), (right_b, n_b)):
        if n < 1 or not 0 <= right <= n:
            raise DataError(f"{right} right answers of {n} images cannot be; expected 0 to {max(n, 1)}.")
    a, b = right_a / n_a, right_b / n_b
    (low_a, high_a), (low_b, high_b) = wilson_interval(right_a, n_a), wilson_interval(right_b, n_b)
    return (
        a - b - math.hypot(a - low_a, high_b - b),
        a - b + math.hypot(high_a - a, b - low_b),
    )


def places(counts: Sequence[tuple[int, int]]) -> list[int]:
    """The place of each: one more than the number of those that are clearly better.

    Clearly means that the 95 % interval of the difference is above 0. So several share a place if the images do not
    tell them apart, and nobody stands above another by luck alone.

    Args:
        counts: (right answers, images) of each.

    Returns:
        As many places, from 1, in the same order.
    """
    return [1 + sum(difference_interval(*other, *own)[0] > 0 for other in counts) for own in counts]
