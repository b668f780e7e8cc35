"""The training images that are most similar to an image, by a network's features."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def nearest(
    features: ArrayLike, of: ArrayLike, *, most: int, without: ArrayLike = ()
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return positions and cosine similarities of the rows (n, features) most similar to one row, best first."""
    # No second array of the features' size, which may be 200 MB.
    rows, row = np.asarray(features, np.float32), np.asarray(of, np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows)) * np.linalg.norm(row)
    similarity = (rows @ row / np.where(lengths > 0, lengths, 1.0)).astype(np.float64)
    similarity[np.asarray(without, np.int64)] = -np.inf
    order = np.argsort(-similarity, kind="stable")[:most]
    order = order[np.isfinite(similarity[order])]
    return order.astype(np.int64), similarity[order]
