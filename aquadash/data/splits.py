"""Holding images out of a labelled set."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError


def stratified_split(labels: ArrayLike, *, fraction: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose at random which images are held out, the same share of each class.

    Every class draws from a generator of its own, seeded with ``(seed, label)``, so that its choice does not depend on
    the other classes.

    Args:
        labels: Integers from 0, shape (n,).
        fraction: The share to hold out, between 0 and 1, both excluded. A class gives ``fraction`` of its images,
            rounded to a whole number (a half is rounded up), at least one, and keeps at least one.
        seed: From 0; the same labels, fraction and seed give the same split.

    Returns:
        Positions to train on and positions held out: sorted, together every position once.

    Raises:
        DataError: A class has only one image.
        ValueError: ``fraction`` or ``labels`` is out of its range.
    """
    values = np.asarray(labels)
    if values.ndim != 1 or (values.size and (not np.issubdtype(values.dtype, np.integer) or values.min() < 0)):
        raise ValueError(f"labels are {values.dtype} {values.shape}; expected integers from 0, shape (n,)")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}; expected more than 0 and less than 1")
    held_out = np.zeros(len(values), dtype=bool)
    for label in np.unique(values):
        positions = np.flatnonzero(values == label)
        if len(positions) < 2:
            raise DataError(
                f"Class number {label} has only one image; it needs at least two, one to learn from and one to check."
            )
        count = min(max(int(np.floor(fraction * len(positions) + 0.5)), 1), len(positions) - 1)
        order = np.random.default_rng([seed, int(label)]).permutation(positions)
        held_out[order[:count]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
