"""What one change did: two models on the same images, accuracy against accuracy, overall and class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.compare import McNemar, exact_p_value, mcnemar
from aquadash.evaluation.metrics import checked, wilson_interval


@dataclass(frozen=True)
class AccuracyChange:
    """How the accuracy on some images changed from model A to model B.

    Attributes:
        label: The class, or what else the images have in common.
        n: How many images.
        before: A's accuracy on them, 0 to 1.
        after: B's.
        change: ``after - before``, -1 to 1.
        interval: Newcombe's 95 % interval of the change, (low, high).
        fixed: How many A had wrong and B has right.
        broken: How many A had right and B has wrong.
        p_value: McNemar's, exact and two-sided, over these images alone.
    """

    label: str
    n: int
    before: float
    after: float
    change: float
    interval: tuple[float, float]
    fixed: int
    broken: int
    p_value: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no change out."""
        return not self.interval[0] <= 0.0 <= self.interval[1]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "label": self.label,
            "n": self.n,
            "before": self.before,
            "after": self.after,
            "change": self.change,
            "change_ci95": list(self.interval),
            "fixed": self.fixed,
            "broken": self.broken,
            "p_value": self.p_value,
        }


@dataclass(frozen=True)
class PairedChange:
    """Model B against model A on the same images.

    Attributes:
        overall: Over all images.
        classes: One a class that has images, in the order of the labels.
        mcnemar: The test over all images, with the images that changed.
    """

    overall: AccuracyChange
    classes: tuple[AccuracyChange, ...]
    mcnemar: McNemar

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "overall": self.overall.to_dict(),
            "classes": [change.to_dict() for change in self.classes],
            "mcnemar": self.mcnemar.to_dict(),
        }


def paired_change(
    labels: ArrayLike, probabilities_a: ArrayLike, probabilities_b: ArrayLike, *, class_names: Sequence[str]
) -> PairedChange:
    """How accuracy changed from A to B, overall and in each class.

    Args:
        labels: Integers, shape (n,): the truth for both.
        probabilities_a: Shape (n, classes), of the model without the change.
        probabilities_b: Shape (n, classes), of the model with it, rows for the same images.
        class_names: One name a class.

    Raises:
        DataError: The arrays or the names do not belong together.
    """
    test = mcnemar(labels, probabilities_a, probabilities_b)
    truth, shares_a = checked(labels, probabilities_a)
    _, shares_b = checked(labels, probabilities_b)
    if len(class_names) != shares_a.shape[1]:
        raise DataError(f"{len(class_names)} class names do not go with {shares_a.shape[1]} probabilities an image.")
    right_a, right_b = shares_a.argmax(axis=1) == truth, shares_b.argmax(axis=1) == truth
    classes = tuple(
        _change(str(name), right_a[mine], right_b[mine])
        for label, name in enumerate(class_names)
        if (mine := truth == label).any()
    )
    return PairedChange(_change("all classes", right_a, right_b), classes, test)


def verdict(change: PairedChange, *, images: str) -> str:
    """What was found over all images, in plain text.

    Args:
        change: Of a model with something against one without it.
        images: What kind of images they are, such as ``"validation"``.
    """
    all_ = change.overall
    low, high = all_.interval
    text = (
        f"Of {all_.n:,} {images} images, {100 * all_.before:.1f} % were classified correctly without it and "
        f"{100 * all_.after:.1f} % with it: a change of {100 * all_.change:+.1f} points (95 % interval "
        f"{100 * low:+.1f} to {100 * high:+.1f}). {all_.fixed} images were fixed, {all_.broken} newly broken; were "
        f"both networks equally good, chance alone would give a split at least this uneven in "
        f"{_chance(all_.p_value)} of such comparisons (McNemar's exact test, p = {all_.p_value:.3g})."
    )
    if all_.p_value >= 0.05:
        return f"{text} So this may well be luck."
    return f"{text} So it probably {'helps' if all_.change > 0 else 'does harm'} here."


def newcombe_interval(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares that were counted on the same things: first minus second.

    Wilson's intervals of the two shares, squared and added, less what they have in common, by their correlation phi
    with its correction: method 10 of R. G. Newcombe, "Improved confidence intervals for the difference between
    binomial proportions based on paired data", Statistics in Medicine 17 (1998), 2635-2650.

    Args:
        both: How many have both properties.
        only_first: How many have the first alone.
        only_second: How many have the second alone.
        neither: How many have none.

    Raises:
        DataError: A count is negative or all are 0.
    """
    counts = (both, only_first, only_second, neither)
    n = sum(counts)
    if min(counts) < 0 or n == 0:
        raise DataError(f"The counts of pairs are {counts}; expected four that are 0 or more, and not all of them 0.")
    first, second = (both + only_first) / n, (both + only_second) / n
    low_first, high_first = wilson_interval(both + only_first, n)
    low_second, high_second = wilson_interval(both + only_second, n)
    phi = _correlation(both, only_first, only_second, neither)
    difference = first - second
    down_first, up_first = first - low_first, high_first - first
    down_second, up_second = second - low_second, high_second - second
    below = down_first**2 - 2 * phi * down_first * up_second + up_second**2
    above = up_first**2 - 2 * phi * up_first * down_second + down_second**2
    # Rounding may leave a square a hair below 0.
    low, high = difference - math.sqrt(max(below, 0.0)), difference + math.sqrt(max(above, 0.0))
    return max(low, -1.0), min(high, 1.0)


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Newcombe's phi: a positive one is drawn towards 0 by half of the number of pairs."""
    product = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    if product == 0:
        return 0.0
    above = both * neither - only_first * only_second
    if above > 0:
        return max(above - (both + only_first + only_second + neither) / 2, 0.0) / math.sqrt(product)
    return above / math.sqrt(product)


def _chance(p_value: float) -> str:
    return "less than 0.1 %" if p_value < 0.001 else f"{100 * p_value:.{1 if p_value < 0.1 else 0}f} %"


def _change(label: str, right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> AccuracyChange:
    both, neither = int((right_a & right_b).sum()), int((~right_a & ~right_b).sum())
    fixed, broken = int((~right_a & right_b).sum()), int((right_a & ~right_b).sum())
    n = len(right_a)
    return AccuracyChange(
        label=label,
        n=n,
        before=(both + broken) / n,
        after=(both + fixed) / n,
        change=(fixed - broken) / n,
        interval=newcombe_interval(both, fixed, broken, neither),
        fixed=fixed,
        broken=broken,
        p_value=exact_p_value(fixed, broken),
    )
