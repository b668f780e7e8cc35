"""What changed between two runs on the same test images: what was fixed, what was broken, and may that be chance?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.metrics import checked


class PredictionsLike(Protocol):
    """What a comparison needs of a run's stored predictions (``aquadash.runs.types.Predictions`` has it)."""

    @property
    def indices(self) -> NDArray[np.int64]:
        """Positions in the test split, shape (n,)."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """True labels, shape (n,)."""

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Shape (n, classes), rows sum to 1."""


@dataclass(frozen=True, eq=False)
class McNemar:
    """Run B against run A, image by image.

    Attributes:
        n: How many test images both runs predicted.
        fixed: How many A had wrong and B has right.
        broken: How many A had right and B has wrong.
        p_value: How likely a split of the changed images at least this uneven is if a change goes either way with the
            same chance, 0 to 1. Below 0.05 is usually taken as a real difference.
        statistic: The smaller of ``fixed`` and ``broken``: what the exact test is about.
        fixed_indices: int64, shape (fixed,), positions in the arrays that came, ascending.
        broken_indices: int64, shape (broken,), likewise.
    """

    n: int
    fixed: int
    broken: int
    p_value: float
    statistic: int
    fixed_indices: NDArray[np.int64]
    broken_indices: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "fixed": self.fixed,
            "broken": self.broken,
            "p_value": self.p_value,
            "statistic": self.statistic,
            "fixed_indices": self.fixed_indices.tolist(),
            "broken_indices": self.broken_indices.tolist(),
        }


def mcnemar(labels: ArrayLike, probabilities_a: ArrayLike, probabilities_b: ArrayLike) -> McNemar:
    """McNemar's exact two-sided test of two models on the same images.

    Images that both have right or both have wrong say nothing about which is better. The others are like tosses of a
    coin: under "no difference" each falls either way with chance one half, so the p-value is a binomial tail, doubled.
    Q. McNemar, Psychometrika 12 (1947), 153-157; the exact form as in A. Agresti, Categorical Data Analysis, 10.1.

    Args:
        labels: Integers, shape (n,): the truth for both.
        probabilities_a: Shape (n, classes), of the run to compare with.
        probabilities_b: Shape (n, classes), of the run in question, rows for the same images.

    Raises:
        DataError: The arrays do not belong together.
    """
    truth, shares_a = checked(labels, probabilities_a)
    _, shares_b = checked(labels, probabilities_b)
    if shares_a.shape != shares_b.shape:
        raise DataError(
            f"One run tells {shares_a.shape[1]} classes apart, the other {shares_b.shape[1]}; only runs on the same "
            "data set can be compared image by image."
        )
    right_a, right_b = shares_a.argmax(axis=1) == truth, shares_b.argmax(axis=1) == truth
    fixed, broken = np.flatnonzero(~right_a & right_b), np.flatnonzero(right_a & ~right_b)
    return McNemar(
        n=len(truth),
        fixed=len(fixed),
        broken=len(broken),
        p_value=exact_p_value(len(fixed), len(broken)),
        statistic=min(len(fixed), len(broken)),
        fixed_indices=fixed,
        broken_indices=broken,
    )


def compare_predictions(a: PredictionsLike, b: PredictionsLike) -> McNemar:
    """:func:`mcnemar` over the stored predictions of two runs, which must be of the same test images.

    Raises:
        DataError: The runs were tested on different images, or on images with different labels.
    """
    check_same_images(a, b)
    return mcnemar(a.labels, a.probabilities, b.probabilities)


def check_same_images(a: PredictionsLike, b: PredictionsLike) -> None:
    """Let predictions pass that are of the same images.

    Raises:
        DataError: They are of different images, or of images with different labels.
    """
    if not np.array_equal(a.indices, b.indices):
        raise DataError(
            f"The runs were tested on different images ({len(a.indices)} and {len(b.indices)} of them); only runs with "
            "the same test images can be compared image by image."
        )
    if not np.array_equal(a.labels, b.labels):
        differ = int((np.asarray(a.labels) != np.asarray(b.labels)).sum()) if len(a.labels) == len(b.labels) else "all"
        raise DataError(
            f"The runs' test images carry different labels ({differ} of {len(a.labels)} differ), so they come from "
            "different data sets; only runs on the same data set can be compared image by image."
        )


def exact_p_value(fixed: int, broken: int) -> float:
    """The two-sided binomial probability of a split at least as uneven as this; 1 when nothing changed."""
    from scipy.stats import binomtest

    changed = fixed + broken
    return float(binomtest(fixed, changed).pvalue) if changed else 1.0
