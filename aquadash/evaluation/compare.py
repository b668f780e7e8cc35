"""Runs on the same test images: what one fixed and broke against another, may that be chance, and which agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import DataError
from aquadash.evaluation.intervals import Interval, newcombe_interval
from aquadash.evaluation.metrics import checked, predicted_labels
from aquadash.evaluation.records import Predictions


@dataclass(frozen=True, eq=False)
class AccuracyChange:
    """Model B against model A on the same images, image by image, with McNemar's exact test."""

    #: bool, shape (n,), n at least 1: whether A has the image right.
    right_a: NDArray[np.bool_]
    #: Likewise of B.
    right_b: NDArray[np.bool_]
    #: The class of the images, or what else they have in common.
    label: str = "all classes"

    @property
    def n(self) -> int:
        """How many images."""
        return len(self.right_a)

    @cached_property
    def fixed_indices(self) -> NDArray[np.int64]:
        """Positions of the images that A had wrong and B has right, int64 (fixed,), ascending."""
        return np.flatnonzero(~self.right_a & self.right_b)

    @cached_property
    def broken_indices(self) -> NDArray[np.int64]:
        """Positions of the images that A had right and B has wrong, likewise."""
        return np.flatnonzero(self.right_a & ~self.right_b)

    @property
    def fixed(self) -> int:
        """How many A had wrong and B has right."""
        return len(self.fixed_indices)

    @property
    def broken(self) -> int:
        """How many A had right and B has wrong."""
        return len(self.broken_indices)

    @property
    def before(self) -> float:
        """A's accuracy, 0 to 1."""
        return int(self.right_a.sum()) / self.n

    @property
    def after(self) -> float:
        """B's."""
        return int(self.right_b.sum()) / self.n

    @property
    def change(self) -> float:
        """``after - before``, -1 to 1."""
        return (self.fixed - self.broken) / self.n

    @property
    def interval(self) -> Interval:
        """Newcombe's 95 % interval of the change, (low, high)."""
        both = int((self.right_a & self.right_b).sum())
        return newcombe_interval(both, self.fixed, self.broken, self.n - both - self.fixed - self.broken)

    @cached_property
    def p_value(self) -> float:
        """How likely a split of the changed images at least this uneven is if each goes either way with one chance.

        0 to 1; below 0.05 is usually taken as a real difference.
        """
        return exact_p_value(self.fixed, self.broken)

    def turned(self) -> AccuracyChange:
        """Model A against model B."""
        return AccuracyChange(self.right_b, self.right_a, self.label)

    def mcnemar_dict(self) -> dict[str, Any]:
        """The test as plain values for JSON, with the images that changed."""
        return {
            "n": self.n,
            "fixed": self.fixed,
            "broken": self.broken,
            "p_value": self.p_value,
            "statistic": min(self.fixed, self.broken),
            "fixed_indices": self.fixed_indices.tolist(),
            "broken_indices": self.broken_indices.tolist(),
        }


def compare_predictions(a: Predictions, b: Predictions) -> AccuracyChange:
    """McNemar's exact two-sided test of two models on the same images.

    Images that both have right or both have wrong say nothing about which is better. The others are like tosses of a
    coin: under "no difference" each falls either way with chance one half, so the p-value is a binomial tail, doubled.
    Q. McNemar, Psychometrika 12 (1947), 153-157; the exact form as in A. Agresti, Categorical Data Analysis, 10.1.
    """
    check_same_images(a, b)
    y_true, y_prob_a = checked(a.labels, a.probabilities)
    _, y_prob_b = checked(b.labels, b.probabilities)
    return AccuracyChange(predicted_labels(y_prob_a) == y_true, predicted_labels(y_prob_b) == y_true)


def check_same_images(a: Predictions, b: Predictions) -> None:
    """Let predictions pass that are of the same images and classes."""
    if not np.array_equal(a.indices, b.indices):
        raise DataError(
            f"The runs were measured on different images ({len(a.indices)} and {len(b.indices)} of them); only runs on "
            "the same images can be compared image by image."
        )
    if not np.array_equal(a.labels, b.labels):
        differ = int((np.asarray(a.labels) != np.asarray(b.labels)).sum()) if len(a.labels) == len(b.labels) else "all"
        raise DataError(
            f"The runs' images carry different labels ({differ} of {len(a.labels)} differ), so they come from "
            "different data sets; only runs on the same data set can be compared image by image."
        )
    classes_a, classes_b = a.probabilities.shape[1], b.probabilities.shape[1]
    if classes_a != classes_b:
        raise DataError(
            f"One run tells {classes_a} classes apart, the other {classes_b}; only runs on the same data set can be "
            "compared image by image."
        )


def exact_p_value(fixed: int, broken: int) -> float:
    """The two-sided binomial probability of a split at least as uneven as this; 1 when nothing changed."""
    from scipy.stats import binomtest

    changed = fixed + broken
    return float(binomtest(fixed, changed).pvalue) if changed else 1.0


@dataclass(frozen=True)
class PairTest:
    """Run B against run A."""

    #: Position of the run to compare with.
    a: int
    #: Position of the run in question, greater than ``a``.
    b: int
    #: What changed, with McNemar's exact p-value; None where the two cannot be compared.
    result: AccuracyChange | None = None
    #: The p-value corrected for the number of pairs that could be compared.
    p_holm: float = 1.0
    #: Why they cannot be compared; empty where they can.
    error: str = ""

    def turned(self) -> PairTest:
        """Run A against run B."""
        return replace(self, a=self.b, b=self.a, result=self.result and self.result.turned())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without ``a`` and ``b``, which mean positions here and runs elsewhere."""
        if self.result is None:
            return {"error": self.error}
        return self.result.mcnemar_dict() | {
            "difference": self.result.change,
            "difference_ci95": list(self.result.interval),
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
    """
    if any(not 0.0 <= value <= 1.0 for value in p_values):
        raise DataError(f"p-values must be 0 to 1; got {[value for value in p_values if not 0.0 <= value <= 1.0][0]}.")
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    values[order] = np.maximum.accumulate(raised)
    return values.tolist()


def pairwise(predictions: Sequence[Predictions | None], *, sets: Sequence[str]) -> tuple[PairTest, ...]:
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
            tests.append(PairTest(a, b, compare_predictions(old, new)))
        except DataError as error:
            tests.append(PairTest(a, b, error=str(error)))
    corrected = iter(holm([test.result.p_value for test in tests if test.result is not None]))
    return tuple(test if test.result is None else replace(test, p_holm=next(corrected)) for test in tests)


def measured_together(tests: Sequence[PairTest]) -> list[int]:
    """Positions of the first run that can be compared with another, and of all that can be compared with it."""
    comparable = {(test.a, test.b) for test in tests if test.result is not None}
    first = min((a for a, _ in comparable), default=None)
    return [] if first is None else [first, *sorted(b for a, b in comparable if a == first)]


@dataclass(frozen=True, eq=False)
class Agreement:
    """Several runs on the same images."""

    #: bool, shape (runs, n): whether the run has the image right.
    right: NDArray[np.bool_]
    #: int64, shape (runs, n): the class that it says.
    answers: NDArray[np.int64]
    #: float32, shape (runs, n): the probability that it gives to that class.
    confidence: NDArray[np.float32]

    @property
    def runs_right(self) -> NDArray[np.int64]:
        """By how many runs each image is had right, int64 (n,), 0 to the number of runs."""
        return self.right.sum(axis=0).astype(np.int64)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many images are had right by none of the runs, by one, ... by all: int64 (runs + 1,)."""
        return np.bincount(self.runs_right, minlength=len(self.right) + 1).astype(np.int64)

    def right_by(self, number: int) -> NDArray[np.int64]:
        """Positions of the images that exactly so many runs have right, the most confidently mistaken ones first."""
        found = np.flatnonzero(self.runs_right == number)
        mistaken = np.where(self.right, 0.0, self.confidence).sum(axis=0)
        return found[np.argsort(-mistaken[found], kind="stable")]


def agreement_of(predictions: Sequence[Predictions]) -> Agreement:
    """Hold the answers of some runs beside one another.

    Raises:
        DataError: There are none, or they are not of the same images and classes.
    """
    if not predictions:
        raise DataError("There are no predictions to hold beside one another; expected those of at least one run.")
    first = predictions[0]
    for other in predictions[1:]:
        check_same_images(first, other)
    y_prob = np.stack([np.asarray(each.probabilities, dtype=np.float32) for each in predictions])
    y_pred = y_prob.argmax(axis=2).astype(np.int64)
    return Agreement(y_pred == np.asarray(first.labels)[None, :], y_pred, y_prob.max(axis=2))


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
