"""Several tests at once: p-values that stay honest although many pairs were looked at."""

from __future__ import annotations

from collections.abc import Sequence

from aquadash.errors import DataError


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, in the order they came.

    Among 45 pairs of ten equal runs about two have a p-value below 0.05 by luck. The corrected values are such that
    the chance of *any* false alarm among all of them stays below the limit that they are held against. The step-down
    method of S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6
    (1979), 65-70: the smallest of m is multiplied by m, the next by m - 1 and so on, and none may be below the one
    before it.

    Args:
        p_values: 0 to 1, any number of them.

    Returns:
        As many, 0 to 1, none below the one that came.

    Raises:
        DataError: A value is not a probability.
    """
    if any(not 0.0 <= value <= 1.0 for value in p_values):
        raise DataError(f"p-values must be 0 to 1; got {[value for value in p_values if not 0.0 <= value <= 1.0][0]}.")
    corrected = [0.0] * len(p_values)
    least = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = least
    return corrected
