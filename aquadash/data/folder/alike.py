"""Pictures of an import that are the same, or nearly: found among all of them, whatever their class and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.data.duplicates import DEFAULT_DISTANCE, shapes
from aquadash.data.folder.types import Picture
from aquadash.data.mapped import in_chunks
from aquadash.data.progress import ProgressCallback, silent

#: How many earlier pictures at most are named for a picture: enough to connect any number of copies.
_MOST_PER_PICTURE = 3

_CHUNK = 1024


@dataclass(frozen=True)
class Pair:
    """Two pictures that look the same, by their positions among the pictures read.

    Attributes:
        first: The earlier one.
        second: The later one.
        exact: True if the files are the same byte for byte.
        distance: As in :class:`aquadash.data.duplicates.Pair`.
    """

    first: int
    second: int
    exact: bool
    distance: float


def pairs(
    pictures: Sequence[Picture],
    images: NDArray[np.uint8],
    *,
    distance: float = DEFAULT_DISTANCE,
    progress: ProgressCallback = silent,
) -> tuple[Pair, ...]:
    """Each picture with the earlier ones that it is a copy of, as it is or mirrored; the nearest first.

    Of many copies of one picture each is paired with a few only; together the pairs connect all of them. Time grows
    with the square of the number of pictures: 10,000 take some seconds.

    Args:
        pictures: What is known of them.
        images: uint8 (n, height, width, 3), in the same order.
        distance: How far apart two pictures may be.
        progress: Told how much is done.
    """
    found: dict[tuple[int, int], Pair] = {}
    first_of: dict[str, int] = {}
    for row, picture in enumerate(pictures):
        first = first_of.setdefault(picture.sha256, row)
        if first != row:
            found[first, row] = Pair(first, row, True, 0.0)
    if not len(images):
        return ()
    features = np.concatenate([shapes(chunk) for chunk in in_chunks(images)])
    mirrored = np.concatenate([shapes(chunk[:, :, ::-1]) for chunk in in_chunks(images)])
    for start in range(0, len(features), _CHUNK):
        progress("Comparing pictures", (start / len(features)) ** 2)
        later = slice(start, start + _CHUNK)
        likeness = np.full((len(features[later]), min(start + _CHUNK, len(features))), -1.0, np.float32)
        for begin in range(0, likeness.shape[1], _CHUNK):
            earlier = features[begin : begin + _CHUNK]
            np.maximum(
                features[later] @ earlier.T, mirrored[later] @ earlier.T, out=likeness[:, begin : begin + len(earlier)]
            )
        # Each pair once: the earlier picture is the column.
        likeness[np.arange(likeness.shape[1]) >= start + np.arange(len(likeness))[:, None]] = -1.0
        for row in np.flatnonzero((likeness >= 1.0 - distance).any(axis=1)):
            near = np.flatnonzero(likeness[row] >= 1.0 - distance)
            # The nearest, the earliest of equals.
            order = near[np.lexsort((near, -np.round(likeness[row, near], 4)))][:_MOST_PER_PICTURE]
            for column in order.tolist():
                key = (column, start + int(row))
                if key not in found:
                    found[key] = Pair(*key, False, max(0.0, round(1.0 - float(likeness[row, column]), 4)))
    return tuple(sorted(found.values(), key=lambda pair: (not pair.exact, pair.distance, pair.first, pair.second)))


def groups(count: int, alike: Sequence[Pair]) -> NDArray[np.intp]:
    """For each of ``count`` pictures the position of the first picture that it is connected with through pairs."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(pair.first, pair.second) for pair in alike], np.intp).reshape(-1, 2)
    links = coo_array((np.ones(len(ends), bool), ends.T), shape=(count, count))
    _, group = connected_components(links, directed=False)
    _, first = np.unique(group, return_index=True)
    return first[group]
