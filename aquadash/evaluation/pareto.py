"""What is worth its price: the things that no other beats in both cost and gain."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aquadash.errors import DataError


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> list[bool]:
    """Which of some things lie on the front: nothing else costs at most as much and gains at least as much.

    Of several that are alike in both, all lie on it. What has no finite cost or gain does not.

    Args:
        costs: One a thing; less is better.
        gains: One a thing; more is better.

    Raises:
        DataError: There are not as many costs as gains.
    """
    if len(costs) != len(gains):
        raise DataError(f"There are {len(costs)} costs and {len(gains)} gains; expected one of each for every thing.")
    points = list(zip(costs, gains, strict=True))
    known = [point for point in points if all(map(math.isfinite, point))]

    def beaten(cost: float, gain: float) -> bool:
        return any(c <= cost and g >= gain and (c < cost or g > gain) for c, g in known)

    return [all(map(math.isfinite, point)) and not beaten(*point) for point in points]
