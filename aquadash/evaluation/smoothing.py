"""Curves without their jitter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import DataError


def exponential_average(values: Sequence[float], *, weight: float) -> NDArray[np.float64]:
    """The exponential moving average of a curve, with the pull of its start towards 0 taken out.

    Each point is ``weight`` times the average before it and ``1 - weight`` times its own value. The average starts at
    0, so that its first points are too low; dividing by ``1 - weight ** t`` mends that, as in D. P. Kingma and J. Ba,
    "Adam: A Method for Stochastic Optimization" (2015), arXiv:1412.6980, section 3.

    Args:
        values: One an epoch. Those that are not finite stay as they are and do not count.
        weight: From 0 (nothing is smoothed) to less than 1.

    Returns:
        float64, as many.

    Raises:
        DataError: The weight is outside of its range.
    """
    if not 0.0 <= weight < 1.0:
        raise DataError(f"The smoothing weight is {weight:g}; expected 0 to less than 1.")
    smoothed = np.asarray(values, dtype=np.float64).copy()
    average, steps = 0.0, 0
    for index, value in enumerate(smoothed):
        if math.isfinite(value):
            steps += 1
            average = weight * average + (1.0 - weight) * float(value)
            smoothed[index] = average / (1.0 - weight**steps)
    return smoothed
