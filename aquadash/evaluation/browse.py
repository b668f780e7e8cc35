"""Choosing and ordering test images by what the model said of them; labels that its answers speak against."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError, UnknownNameError
from aquadash.evaluation.metrics import checked, predicted_labels

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
        true_class: Only images of this class; None for any.
        predicted_class: Only images that were called this class; None for any.
        outcome: ``"right"`` and ``"wrong"`` keep images named rightly or wrongly; ``"doubtful"`` those whose
            label the answers speak against (:func:`doubtful_labels`, over all images).
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
    y_true, y_prob = checked(labels, probabilities)
    if outcome not in OUTCOMES:
        raise UnknownNameError.of("outcome", str(outcome), OUTCOMES)
    if sort not in SORTS:
        raise UnknownNameError.of("order", str(sort), SORTS)
    for chosen in (true_class, predicted_class):
        if chosen is not None and not 0 <= chosen < y_prob.shape[1]:
            raise DataError(
                f"There is no class {chosen}; with {y_prob.shape[1]} classes they are 0 to {y_prob.shape[1] - 1}."
            )
    low, high = confidence
    if not low <= high:
        raise DataError(f"The confidence range runs from {low} to {high}; expected the lower end first.")

    y_pred, confident = predicted_labels(y_prob), y_prob.max(axis=1)
    right = y_pred == y_true
    # Stored as float32, a probability of 0.9 reads 0.89999998: without the margin a slider set to 0.9 would lose it.
    keep = (confident >= low - 1e-6) & (confident <= high + 1e-6)
    if true_class is not None:
        keep &= y_true == true_class
    if predicted_class is not None:
        keep &= y_pred == predicted_class
    if outcome == "doubtful":
        keep &= doubtful_labels(y_true, y_prob)
    elif outcome != "all":
        keep &= right if outcome == "right" else ~right
    if among is not None:
        mask = np.asarray(among, dtype=bool)
        if mask.shape != y_true.shape:
            raise DataError(f"A mask of shape {mask.shape} does not go with {len(y_true)} images.")
        keep &= mask
    kept = np.flatnonzero(keep)

    if sort == "index":
        return kept
    return kept[np.argsort(_sort_key(sort, y_true, y_prob)[kept], kind="stable")]


def _sort_key(sort: Sort, y_true: NDArray[np.int64], y_prob: NDArray[np.float64]) -> NDArray[Any]:
    """What to sort by, ascending, shape (n,)."""
    confident, right = y_prob.max(axis=1), y_prob.argmax(axis=1) == y_true
    if sort == "most confident":
        return -confident
    if sort == "least confident":
        return confident
    if sort == "closest call first":
        # With one class there is no second.
        return confident - np.partition(y_prob, -2, axis=1)[:, -2] if y_prob.shape[1] > 1 else confident
    if sort == "likely label mistakes first":
        # Doubtful labels come before the others, whose keys are 1 higher.
        return y_prob[np.arange(len(y_true)), y_true] + ~doubtful_labels(y_true, y_prob)
    # Turned round for the mistakes alone, whose keys are all negative.
    return np.where(right, confident, -confident)


def doubtful_labels(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.bool_]:
    """Which labels are probably wrong, bool (n,): those of images that confidently belong to another class.

    Confident learning: C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident Learning: Estimating Uncertainty in
    Dataset Labels", Journal of Artificial Intelligence Research 70 (2021), 1373-1411. A class's threshold is how sure
    the network is of it on average over the images that bear its label (equation 2). An image belongs to the class
    whose threshold it reaches, the most probable of several (equation 1: the confident joint without its counts).
    """
    y_true, y_prob = checked(labels, probabilities)
    own = y_prob[np.arange(len(y_true)), y_true]
    counts = np.bincount(y_true, minlength=y_prob.shape[1])
    sums = np.bincount(y_true, weights=own, minlength=y_prob.shape[1])
    # Nothing is taken for a class without images.
    thresholds = np.divide(sums, counts, out=np.full(len(counts), np.inf), where=counts > 0)
    # A class whose images all have the same probability must reach its own mean in spite of rounding.
    reached = y_prob >= thresholds - 1e-9
    likely = np.where(reached, y_prob, -1.0).argmax(axis=1)
    return reached.any(axis=1) & (likely != y_true)
