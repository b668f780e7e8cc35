"""Two or more runs on the same test images: fixed and broken images, McNemar's test, agreement, the Pareto front."""

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

#: Significance level: a difference with a smaller p-value counts as significant.
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class AccuracyChange:
    """Model B against model A on the same images, image by image, with McNemar's exact test."""

    #: bool, shape (n,), n at least 1: the images that A classifies correctly.
    right_a: NDArray[np.bool_]
    #: The same for B.
    right_b: NDArray[np.bool_]
    #: The class of the images.
    label: str = "all classes"

    @property
    def n(self) -> int:
        """The number of images."""
        return len(self.right_a)

    @cached_property
    def fixed_indices(self) -> NDArray[np.int64]:
        """Positions of the images that A gets wrong and B right, int64 (fixed,), ascending."""
        return np.flatnonzero(~self.right_a & self.right_b)

    @cached_property
    def broken_indices(self) -> NDArray[np.int64]:
        """Positions of the images that A gets right and B wrong, int64 (broken,), ascending."""
        return np.flatnonzero(self.right_a & ~self.right_b)

    @property
    def fixed(self) -> int:
        """The number of images that A gets wrong and B right."""
        return len(self.fixed_indices)

    @property
    def broken(self) -> int:
        """The number of images that A gets right and B wrong."""
        return len(self.broken_indices)

    @property
    def before(self) -> float:
        """A's accuracy, 0 to 1."""
        return int(self.right_a.sum()) / self.n

    @property
    def after(self) -> float:
        """B's accuracy, 0 to 1."""
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
        """McNemar's exact two-sided p-value, 0 to 1: the binomial probability of a split at least this uneven.

        McNemar, Psychometrika 12 (1947), 153-157; the exact form as in Agresti, Categorical Data Analysis, 10.1.
        """
        from scipy.stats import binomtest

        changed = self.fixed + self.broken
        return float(binomtest(self.fixed, changed).pvalue) if changed else 1.0

    def turned(self) -> AccuracyChange:
        """Return the change from B to A."""
        return AccuracyChange(self.right_b, self.right_a, self.label)


def compare_predictions(a: Predictions, b: Predictions) -> AccuracyChange:
    """Compare two models on the same images."""
    check_same_images(a, b)
    y_true, y_prob_a = checked(a.labels, a.probabilities)
    _, y_prob_b = checked(b.labels, b.probabilities)
    return AccuracyChange(predicted_labels(y_prob_a) == y_true, predicted_labels(y_prob_b) == y_true)


def paired_change(a: Predictions, b: Predictions, *, class_names: Sequence[str]) -> list[AccuracyChange]:
    """Compare A with B overall, then in each class that has images, in the order of the labels."""
    overall = compare_predictions(a, b)
    masks = {str(name): a.labels == label for label, name in enumerate(class_names)}
    return [
        overall,
        *(
            AccuracyChange(overall.right_a[mask], overall.right_b[mask], name)
            for name, mask in masks.items()
            if mask.any()
        ),
    ]


def check_same_images(a: Predictions, b: Predictions) -> None:
    """Refuse predictions of different images or classes."""
    same_images = np.array_equal(a.indices, b.indices) and np.array_equal(a.labels, b.labels)
    if not same_images or a.probabilities.shape != b.probabilities.shape:
        raise DataError(
            "The runs were measured on different images, labels or classes; only runs on the same data set can be "
            "compared image by image."
        )


@dataclass(frozen=True)
class PairTest:
    """Run B against run A."""

    #: Position of run A.
    a: int
    #: Position of run B, greater than ``a``.
    b: int
    #: The change from A to B; None where the two cannot be compared.
    result: AccuracyChange | None = None
    #: The p-value, corrected for the number of pairs that could be compared.
    p_holm: float = 1.0
    #: The reason why they cannot be compared; empty where they can.
    error: str = ""

    def turned(self) -> PairTest:
        """Return run A against run B."""
        return replace(self, a=self.b, b=self.a, result=self.result and self.result.turned())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; callers add the runs themselves."""
        if self.result is None:
            return {"error": self.error}
        changed = self.result
        return {
            "n": changed.n,
            "fixed": changed.fixed,
            "broken": changed.broken,
            "p_value": changed.p_value,
            "statistic": min(changed.fixed, changed.broken),
            "fixed_indices": changed.fixed_indices.tolist(),
            "broken_indices": changed.broken_indices.tolist(),
            "difference": changed.change,
            "difference_ci95": list(changed.interval),
            "p_value_holm": self.p_holm,
            "error": None,
        }


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number: among 45 pairs of equal runs about two are below 0.05 by luck.

    The step-down method of Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
    """
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    values[order] = np.maximum.accumulate(raised)
    return values.tolist()


def pairwise(predictions: Sequence[Predictions | None], *, sets: Sequence[str]) -> tuple[PairTest, ...]:
    """Compare each run with each later one, and correct the p-values by Holm's method over all pairs.

    Runs with different keys in ``sets`` were measured on different data and are not compared.
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
    """Return the position of the first run that can be compared, and of all runs that can be compared with it."""
    comparable = {(test.a, test.b) for test in tests if test.result is not None}
    first = min((a for a, _ in comparable), default=None)
    return [] if first is None else [first, *sorted(b for a, b in comparable if a == first)]


@dataclass(frozen=True, eq=False)
class Agreement:
    """Several runs on the same images."""

    #: bool, shape (runs, n): the images that each run classifies correctly.
    right: NDArray[np.bool_]
    #: int64, shape (runs, n): the predicted classes.
    answers: NDArray[np.int64]
    #: float32, shape (runs, n): the probabilities of the predicted classes.
    confidence: NDArray[np.float32]

    @property
    def runs_right(self) -> NDArray[np.int64]:
        """The number of runs that classify each image correctly, int64 (n,)."""
        return self.right.sum(axis=0).astype(np.int64)

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of images that no run classifies correctly, one run, ... all runs: int64 (runs + 1,)."""
        return np.bincount(self.runs_right, minlength=len(self.right) + 1).astype(np.int64)

    def right_by(self, number: int) -> NDArray[np.int64]:
        """Return the positions of the images that so many runs get right, the most confident mistakes first."""
        positions = np.flatnonzero(self.runs_right == number)
        mistaken = np.where(self.right, 0.0, self.confidence).sum(axis=0)
        return positions[np.argsort(-mistaken[positions], kind="stable")]


def agreement_of(predictions: Sequence[Predictions]) -> Agreement:
    """Compare the answers of at least one run image by image; all must be of the same images and classes."""
    first = predictions[0]
    for other in predictions[1:]:
        check_same_images(first, other)
    y_prob = np.stack([np.asarray(each.probabilities, dtype=np.float32) for each in predictions])
    y_pred = y_prob.argmax(axis=2).astype(np.int64)
    return Agreement(y_pred == np.asarray(first.labels)[None, :], y_pred, y_prob.max(axis=2))


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> list[bool]:
    """Return which points lie on the front: no other point costs at most as much and gains at least as much.

    Equal points lie on it together; a point whose cost or gain is not finite does not.
    """
    points = list(zip(costs, gains, strict=True))
    finite = [point for point in points if all(map(math.isfinite, point))]

    def beaten(cost: float, gain: float) -> bool:
        return any(c <= cost and g >= gain and (c < cost or g > gain) for c, g in finite)

    return [all(map(math.isfinite, point)) and not beaten(*point) for point in points]


def describe_change(
    change: AccuracyChange, *, before: str, after: str, images: str, p_holm: float | None = None, pairs: int = 1
) -> str:
    """Describe a change and McNemar's test in a few sentences."""
    seen = f"Of {change.n:,} {images} image{'' if change.n == 1 else 's'}, "
    if not change.fixed + change.broken:
        return f"{seen}{after} and {before} have exactly the same right."
    low, high = change.interval
    chance = (
        "less than 0.1 %"
        if change.p_value < 0.001
        else f"{100 * change.p_value:.{1 if change.p_value < 0.1 else 0}f} %"
    )
    better = after if change.fixed > change.broken else before
    if (change.p_value if p_holm is None else p_holm) < LEVEL:
        judged = f"so {better} is probably better"
    elif change.p_value < LEVEL:
        judged = f"but among {pairs} pairs some look like this by luck, so it does not count"
    else:
        judged = "so this difference may well be luck"
    corrected = (
        f"; by Holm's correction for {pairs} pairs p {p_text(p_holm)}" if p_holm is not None and pairs > 1 else ""
    )
    return (
        f"{seen}{after} gets {change.fixed} right that {before} got wrong (fixed) and {change.broken} wrong that "
        f"{before} got right (newly broken): {100 * change.change:+.1f} points (95 % interval {100 * low:+.1f} to "
        f"{100 * high:+.1f}). If both were equally good, chance would give a gap like this {chance} of the time, "
        f"{judged} (McNemar's exact test, p {p_text(change.p_value)}{corrected}). Another seed would give other "
        "networks."
    )


def p_text(p_value: float) -> str:
    """Format a p-value: ``"= 0.012"`` or ``"< 0.001"``."""
    return f"= {p_value:.3f}" if p_value >= 0.001 else "< 0.001"
