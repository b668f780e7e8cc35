"""Every pair of some runs, image by image: how far apart they are, and whether that may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from aquadash.errors import DataError
from aquadash.evaluation.compare import McNemar, PredictionsLike, compare_predictions
from aquadash.evaluation.metrics import predicted_labels
from aquadash.evaluation.paired import newcombe_interval


@dataclass(frozen=True)
class PairTest:
    """Run B against run A.

    Attributes:
        a: Position of the run to compare with.
        b: Position of the run in question, greater than ``a``.
        result: What changed, with McNemar's exact p-value; None where the two cannot be compared.
        difference: Accuracy of B less that of A, -1 to 1.
        interval: Newcombe's 95 % interval of the difference, (low, high).
        p_holm: The p-value corrected for the number of pairs that could be compared.
        error: Why they cannot be compared; empty where they can.
    """

    a: int
    b: int
    result: McNemar | None = None
    difference: float = 0.0
    interval: tuple[float, float] = (-1.0, 1.0)
    p_holm: float = 1.0
    error: str = ""

    def turned(self) -> PairTest:
        """Run A against run B."""
        if self.result is None:
            return replace(self, a=self.b, b=self.a)
        result = replace(
            self.result,
            fixed=self.result.broken,
            broken=self.result.fixed,
            fixed_indices=self.result.broken_indices,
            broken_indices=self.result.fixed_indices,
        )
        low, high = self.interval
        return replace(
            self, a=self.b, b=self.a, result=result, difference=-self.difference, interval=(-high, -low)
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without ``a`` and ``b``, which mean positions here and runs elsewhere."""
        if self.result is None:
            return {"error": self.error}
        return self.result.to_dict() | {
            "difference": self.difference,
            "difference_ci95": list(self.interval),
            "p_value_holm": self.p_holm,
            "error": None,
        }


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
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    values[order] = np.maximum.accumulate(raised)
    return values.tolist()


def pairwise(predictions: Sequence[PredictionsLike | None], *, sets: Sequence[str]) -> tuple[PairTest, ...]:
    """Compare each run with each later one; the p-values are corrected by Holm's method over all pairs together.

    Args:
        predictions: One a run, in the order of the runs; None for a run that has none.
        sets: A key a run; runs with different keys were measured on images of different data and are not compared.
    """
    tests: list[PairTest] = []
    for a, b in combinations(range(len(predictions)), 2):
        old, new = predictions[a], predictions[b]
        if old is None or new is None:
            tests.append(PairTest(a, b, error="There are no predictions of one of the two."))
            continue
        if sets[a] != sets[b]:
            tests.append(PairTest(a, b, error="The two were measured on different images."))
            continue
        try:
            result = compare_predictions(old, new)
        except DataError as error:
            tests.append(PairTest(a, b, error=str(error)))
            continue
        both = int((predicted_labels(new.probabilities) == new.labels).sum()) - result.fixed
        interval = newcombe_interval(both, result.fixed, result.broken, result.n - both - result.fixed - result.broken)
        tests.append(PairTest(a, b, result, (result.fixed - result.broken) / result.n, interval))
    known = [test.result.p_value for test in tests if test.result is not None]
    corrected = iter(holm(known))
    return tuple(
        test
        if test.result is None
        else PairTest(test.a, test.b, test.result, test.difference, test.interval, next(corrected))
        for test in tests
    )
