"""The training images that a network finds most like an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def nearest(
    features: ArrayLike, of: ArrayLike, *, most: int, without: ArrayLike = ()
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rows that point most nearly the same way as one row.

    Args:
        features: What the network's last layer is given for each image, (n, features).
        of: The same of the one image, (features,).
        most: How many to name, at most.
        without: Rows to leave out.

    Returns:
        Positions of the rows, int64, and their cosine similarities, float64, the most similar first.
    """
    # Without another array as large as the features, which may be 200 MB.
    rows, row = np.asarray(features, np.float32), np.asarray(of, np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows)) * np.linalg.norm(row)
    similarity = (rows @ row / np.where(lengths > 0, lengths, 1.0)).astype(np.float64)
    similarity[np.asarray(without, np.int64)] = -np.inf
    order = np.argsort(-similarity, kind="stable")[:most]
    order = order[np.isfinite(similarity[order])]
    return order.astype(np.int64), similarity[order]
