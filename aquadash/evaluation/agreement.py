"""Which images several runs have right: what is easy, what is hard, and what only one of them can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import DataError
from aquadash.evaluation.compare import PredictionsLike, check_same_images


@dataclass(frozen=True, eq=False)
class Agreement:
    """Several runs on the same images.

    Attributes:
        right: bool, shape (runs, n): whether the run has the image right.
        answers: int64, shape (runs, n): the class that it says.
        confidence: float32, shape (runs, n): the probability that it gives to that class.
    """

    right: NDArray[np.bool_]
    answers: NDArray[np.int64]
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


def agreement_of(predictions: Sequence[PredictionsLike]) -> Agreement:
    """Hold the answers of some runs beside one another.

    Raises:
        DataError: There are none, or they are not of the same images.
    """
    if not predictions:
        raise DataError("There are no predictions to hold beside one another; expected those of at least one run.")
    first = predictions[0]
    for other in predictions[1:]:
        check_same_images(first, other)
        if np.asarray(other.probabilities).shape != np.asarray(first.probabilities).shape:
            raise DataError("The runs tell different classes apart; only runs on the same data set can be compared.")
    shares = np.stack([np.asarray(each.probabilities, dtype=np.float32) for each in predictions])
    answers = shares.argmax(axis=2).astype(np.int64)
    return Agreement(answers == np.asarray(first.labels)[None, :], answers, shares.max(axis=2))
