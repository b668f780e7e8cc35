"""Timing ways of doing the same in turn, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from aquadash.data.progress import ProgressCallback, silent


def timed(call: Callable[[], object]) -> Callable[[], float]:
    """A function that makes a call and returns its seconds."""

    def seconds() -> float:
        began = time.perf_counter()
        call()
        return time.perf_counter() - began

    return seconds


def in_turn(
    ways: Mapping[str, Callable[[], float]], *, pairs: int, on_progress: ProgressCallback = silent
) -> dict[str, list[float]]:
    """Seconds that each way says it took, after a first turn that warms up.

    Args:
        ways: Functions that do something and return their seconds, by name.
        pairs: How many timings of each.
        on_progress: Called before each turn.
    """
    on_progress("warming up", None)
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for pair in range(pairs):
        on_progress("timing", pair / pairs)
        # The way that goes first changes, so that a trend of the machine meets both.
        for name in list(ways) if pair % 2 else reversed(ways):
            seconds[name].append(ways[name]())
    return seconds


def compared(seconds: Mapping[str, Sequence[float]], slow: str, fast: str) -> dict[str, object]:
    """Two ways of :func:`in_turn`, as far as their results are alike.

    Returns:
        ``ratio``, the median over the pairs of the first's time by the second's; ``NAME_seconds``, the median time of
        either; ``pairs``, how many timings of each; ``pair_ratios``, the ratio of each pair.
    """
    ratios = [a / b for a, b in zip(seconds[slow], seconds[fast], strict=True)]
    return {
        "ratio": statistics.median(ratios),
        f"{slow}_seconds": statistics.median(seconds[slow]),
        f"{fast}_seconds": statistics.median(seconds[fast]),
        "pairs": len(ratios),
        "pair_ratios": ratios,
    }
