"""Choosing and ordering test images by what the model said of them."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError, UnknownNameError
from aquadash.evaluation import label_errors
from aquadash.evaluation.metrics import checked

Outcome = Literal["all", "right", "wrong", "doubtful"]
Sort = Literal[
    "index",
    "most confident",
    "least confident",
    "closest call first",
    "most confident mistakes first",
    "likely label mistakes first",
]

#: The choices, in the order of a menu.
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
SORTS: tuple[Sort, ...] = get_args(Sort)


def select(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    true_class: int | None = None,
    predicted_class: int | None = None,
    outcome: Outcome = "all",
    confidence: tuple[float, float] = (0.0, 1.0),
    sort: Sort = "index",
    among: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """The positions of the images that pass every filter, in the order asked for.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        true_class: Only images of this class; None for any.
        predicted_class: Only images that were called this class; None for any.
        outcome: ``"right"`` and ``"wrong"`` keep images named rightly or wrongly; ``"doubtful"`` those whose
            label the answers speak against (:func:`aquadash.evaluation.label_errors.suspects`, over all images).
        confidence: The lowest and highest probability of the predicted class to keep, both ends included, 0 to 1.
        sort: ``"most confident mistakes first"`` puts wrong predictions first, the most confident at the top, and then
            the right ones from the least confident on. ``"closest call first"`` goes by the distance between the two
            most probable classes. ``"likely label mistakes first"`` puts doubtful labels first and goes by the
            probability of the label, the lowest at the top. Images that tie stay in the order of their positions.
        among: A mask of shape (n,): only images where it is true; None for all.

    Returns:
        int64, shape (m,), 0 <= m <= n.

    Raises:
        DataError: The arrays do not belong together, a class does not exist, or the confidence range is reversed.
        UnknownNameError: There is no such outcome or sort.
    """
    truth, shares = checked(labels, probabilities)
    if outcome not in OUTCOMES:
        raise UnknownNameError.of("outcome", str(outcome), OUTCOMES)
    if sort not in SORTS:
        raise UnknownNameError.of("order", str(sort), SORTS)
    for chosen in (true_class, predicted_class):
        if chosen is not None and not 0 <= chosen < shares.shape[1]:
            raise DataError(
                f"There is no class {chosen}; with {shares.shape[1]} classes they are 0 to {shares.shape[1] - 1}."
            )
    low, high = confidence
    if not low <= high:
        raise DataError(f"The confidence range runs from {low} to {high}; expected the lower end first.")

    predicted, confident = shares.argmax(axis=1), shares.max(axis=1)
    right = predicted == truth
    # Stored as float32, a probability of 0.9 reads 0.89999998: without the margin a slider set to 0.9 would lose it.
    keep = (confident >= low - 1e-6) & (confident <= high + 1e-6)
    if true_class is not None:
        keep &= truth == true_class
    if predicted_class is not None:
        keep &= predicted == predicted_class
    if outcome == "doubtful":
        keep &= label_errors.suspects(truth, shares)
    elif outcome != "all":
        keep &= right if outcome == "right" else ~right
    if among is not None:
        mask = np.asarray(among, dtype=bool)
        if mask.shape != truth.shape:
            raise DataError(f"A mask of shape {mask.shape} does not go with {len(truth)} images.")
        keep &= mask
    kept = np.flatnonzero(keep)

    if sort == "index":
        return kept
    return kept[np.argsort(_sort_key(sort, truth, shares)[kept], kind="stable")]


def _sort_key(sort: Sort, truth: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[Any]:
    """What to sort by, ascending, shape (n,)."""
    confident, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    if sort == "most confident":
        return -confident
    if sort == "least confident":
        return confident
    if sort == "closest call first":
        # With one class there is no second.
        return confident - np.partition(shares, -2, axis=1)[:, -2] if shares.shape[1] > 1 else confident
    if sort == "likely label mistakes first":
        # Suspects come before the others, whose keys are 1 higher.
        return label_errors.self_confidence(truth, shares) + ~label_errors.suspects(truth, shares)
    # Turned round for the mistakes alone, whose keys are all negative.
    return np.where(right, confident, -confident)
