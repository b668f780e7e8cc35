"""Choosing and ordering test images by the model's answers; labels that are probably wrong."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

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

#: The orders of a menu.
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
    """Return the positions of the images that pass every filter, int64 (m,), sorted; ties stay in their order.

    Args:
        confidence: The lowest and highest probability of the predicted class, 0 to 1, both ends included.
        among: A mask of shape (n,): only images where it is true.
    """
    y_true, y_prob = checked(labels, probabilities)
    low, high = confidence
    y_pred, confident = predicted_labels(y_prob), y_prob.max(axis=1)
    right = y_pred == y_true
    # float32 stores 0.9 as 0.89999998; without the margin a slider at 0.9 would drop it.
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
        keep &= np.asarray(among, dtype=bool)
    kept = np.flatnonzero(keep)
    if sort == "index":
        return kept
    return kept[np.argsort(_sort_key(sort, y_true, y_prob)[kept], kind="stable")]


def _sort_key(sort: Sort, y_true: NDArray[np.int64], y_prob: NDArray[np.float64]) -> NDArray[Any]:
    confident, right = y_prob.max(axis=1), y_prob.argmax(axis=1) == y_true
    if sort == "most confident":
        return -confident
    if sort == "least confident":
        return confident
    if sort == "closest call first":
        # The distance to the second most probable class, if there is one.
        return confident - np.partition(y_prob, -2, axis=1)[:, -2] if y_prob.shape[1] > 1 else confident
    if sort == "likely label mistakes first":
        # By the probability of the label; 1 more for labels that are not doubtful, so that these come later.
        return y_prob[np.arange(len(y_true)), y_true] + ~doubtful_labels(y_true, y_prob)
    # Mistakes first, the most confident at the top; then right answers, the least confident at the top.
    return np.where(right, confident, -confident)


def doubtful_labels(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.bool_]:
    """Return which labels are probably wrong, bool (n,): the network confidently names another class.

    Confident learning: Northcutt, Jiang and Chuang, Journal of Artificial Intelligence Research 70 (2021), 1373-1411.
    """
    y_true, y_prob = checked(labels, probabilities)
    own = y_prob[np.arange(len(y_true)), y_true]
    counts = np.bincount(y_true, minlength=y_prob.shape[1])
    sums = np.bincount(y_true, weights=own, minlength=y_prob.shape[1])
    # Equation 2: the mean probability of a class over its own images. A class without images is never reached.
    thresholds = np.divide(sums, counts, out=np.full(len(counts), np.inf), where=counts > 0)
    # Equation 1: the most probable class that reaches its threshold; the margin absorbs rounding of equal values.
    reached = y_prob >= thresholds - 1e-9
    likely = np.where(reached, y_prob, -1.0).argmax(axis=1)
    return reached.any(axis=1) & (likely != y_true)
