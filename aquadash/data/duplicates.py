"""Near-duplicates between training and test images, and among the pictures of an import.

B. Barz and J. Denzler, "Do We Train on Test Data? Purging CIFAR of Near-Duplicates", Journal of Imaging 6 (2020), 41,
found near-duplicates for a tenth of CIFAR-100's test images by the features of a network. We scale images to 16 x 16
pixels and subtract the mean of each pixel's neighbourhood, which leaves shapes and edges and takes a second.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.data.dataset import Dataset, in_chunks
from aquadash.data.progress import ProgressCallback, silent

#: In CIFAR-100's aquatic mammals the pairs up to this distance showed the same photograph (21 test images). Different
#: photographs begin at 0.22, drawings of one pose at 0.14.
DEFAULT_DISTANCE = 0.2

#: The largest distance of a pair; images further apart are unrelated.
MAX_DISTANCE = 0.5

#: The most training images that are paired with a test image, and earlier pictures with a picture.
MAX_PER_IMAGE = 3

#: Side of the compared images, and radius of the neighbourhood that is subtracted, in pixels.
_SIDE, _REACH = 16, 2

#: The least contrast (root mean square, of 255) that is scaled to full contrast; less contrast is only noise.
_MIN_CONTRAST = 1.0

_CHUNK = 1024


@dataclass(frozen=True)
class DuplicatePair:
    """A test image and a training image that look the same."""

    #: The position in the test split.
    test: int
    #: The position in the training split.
    train: int
    #: 1 minus the correlation of their shapes: 0 for the same picture, about 1 for unrelated ones.
    distance: float
    #: Whether one looks like the mirror image of the other.
    mirrored: bool
    test_label: int
    train_label: int


@dataclass(frozen=True)
class Duplicates:
    """The pairs of a data set, the nearest first."""

    #: At most :data:`MAX_PER_IMAGE` for each test image, up to :data:`MAX_DISTANCE` apart.
    pairs: tuple[DuplicatePair, ...]
    #: The number of test images.
    num_test: int
    class_names: tuple[str, ...]

    def within(self, distance: float) -> tuple[DuplicatePair, ...]:
        """Return the pairs up to a distance."""
        return tuple(pair for pair in self.pairs if pair.distance <= distance)

    def test_images(self, distance: float) -> int:
        """Return the number of test images with a training image up to a distance."""
        return len({pair.test for pair in self.within(distance)})

    def to_dict(self, distance: float = DEFAULT_DISTANCE) -> dict[str, Any]:
        """Plain values for JSON."""
        pairs, names = self.within(distance), self.class_names
        return {
            "distance": distance,
            "test": self.num_test,
            "test_with_duplicate": self.test_images(distance),
            "other_label": sum(pair.test_label != pair.train_label for pair in pairs),
            "pairs": [
                asdict(pair) | {"test_label": names[pair.test_label], "train_label": names[pair.train_label]}
                for pair in pairs
            ],
        }


def find_duplicates(dataset: Dataset, *, progress: ProgressCallback = silent) -> Duplicates:
    """Return for each test image the training images that look most like it or its mirror image."""
    train, test = dataset.train, dataset.test
    test_shapes = np.concatenate([_all_shapes(test.images), _all_shapes(test.images, mirrored=True)])
    near: list[tuple[float, int, int, bool]] = []
    for start in range(0, len(train), _CHUNK):
        progress("comparing training and test images", start / len(train))
        train_shapes = _all_shapes(train.images[start : start + _CHUNK])
        for begin in range(0, len(test_shapes), _CHUNK):
            # Rounded, because the order of additions differs between machines.
            distances = np.round(1.0 - (test_shapes[begin : begin + _CHUNK] @ train_shapes.T).astype(np.float64), 6)
            # Adding 0.0 turns -0.0 into 0.0.
            distances = np.maximum(0.0, distances) + 0.0
            for row in np.flatnonzero((distances <= MAX_DISTANCE).any(axis=1)):
                mirrored, position = divmod(begin + int(row), len(test))
                columns = np.flatnonzero(distances[row] <= MAX_DISTANCE)
                # Only the nearest, because the frames of a film would give millions of pairs.
                for column in columns[np.argsort(distances[row, columns], kind="stable")][:MAX_PER_IMAGE]:
                    near.append((float(distances[row, column]), position, start + int(column), bool(mirrored)))
    progress("comparing training and test images", 1.0)
    return Duplicates(_nearest(near, dataset), len(test), dataset.class_names)


def shapes(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the features that are compared, float32 (n, features), in rows of length 1, shorter with low contrast."""
    small = _means(_means(images, axis=1), axis=2)
    detail = small - _neighbourhood(small)
    detail -= detail.mean(axis=(1, 2), keepdims=True)
    rows = detail.reshape(len(detail), -1)
    least = _MIN_CONTRAST * np.sqrt(rows.shape[1])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, least), np.float32)


def _all_shapes(images: NDArray[np.uint8], *, mirrored: bool = False) -> NDArray[np.float32]:
    """Compute :func:`shapes` in chunks, since it needs several times the memory of the images."""
    return np.concatenate([shapes(part[:, :, ::-1] if mirrored else part) for part in in_chunks(images)])


def _nearest(near: list[tuple[float, int, int, bool]], dataset: Dataset) -> tuple[DuplicatePair, ...]:
    counts: dict[int, int] = {}
    taken: set[tuple[int, int]] = set()
    pairs = []
    # A pair can be in the list twice, the second time mirrored: the nearer one comes first.
    for distance, test, train, mirrored in sorted(near):
        if (test, train) in taken or counts.get(test, 0) >= MAX_PER_IMAGE:
            continue
        taken.add((test, train))
        counts[test] = counts.get(test, 0) + 1
        labels = int(dataset.test.labels[test]), int(dataset.train.labels[train])
        pairs.append(DuplicatePair(test, train, distance, mirrored, *labels))
    return tuple(pairs)


def _means(images: NDArray[Any], *, axis: int) -> NDArray[np.float32]:
    """Shorten an axis to :data:`_SIDE` by means over equal parts; leave a shorter axis as it is."""
    length = images.shape[axis]
    if length <= _SIDE:
        return images.astype(np.float32)
    starts = np.arange(_SIDE) * length // _SIDE
    sizes = np.diff(np.append(starts, length))
    shape = [1] * images.ndim
    shape[axis] = _SIDE
    sums: NDArray[Any] = np.add.reduceat(images, starts, axis=axis, dtype=np.float32)
    return np.asarray(sums / sizes.reshape(shape), np.float32)


def _neighbourhood(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean over the square around each pixel; pixels of the edge are repeated beyond it."""
    reach = ((0, 0), (_REACH, _REACH), (_REACH, _REACH), (0, 0))
    padded = np.pad(images, reach, mode="edge")
    slide: Callable[..., Any] = np.lib.stride_tricks.sliding_window_view
    width = 2 * _REACH + 1
    lines = slide(padded, width, axis=1).mean(axis=-1)
    return np.asarray(slide(lines, width, axis=2).mean(axis=-1))


@dataclass(frozen=True)
class Copy:
    """Two pictures that look the same, by their positions among the pictures read."""

    first: int
    second: int
    #: Whether the files are identical.
    exact: bool
    #: As in :class:`DuplicatePair`.
    distance: float


def find_copies(
    sha256s: Sequence[str], images: NDArray[np.uint8], *, progress: ProgressCallback = silent
) -> tuple[Copy, ...]:
    """Pair each picture with the nearest earlier ones, as it is or mirrored; pairs connect all copies of a picture."""
    copies: dict[tuple[int, int], Copy] = {}
    first_of: dict[str, int] = {}
    for row, sha256 in enumerate(sha256s):
        first = first_of.setdefault(sha256, row)
        if first != row:
            copies[first, row] = Copy(first, row, True, 0.0)
    if not len(images):
        return ()
    features = _all_shapes(images)
    mirrored = _all_shapes(images, mirrored=True)
    for start in range(0, len(features), _CHUNK):
        progress("Comparing pictures", (start / len(features)) ** 2)
        later = slice(start, start + _CHUNK)
        likeness = np.full((len(features[later]), min(start + _CHUNK, len(features))), -1.0, np.float32)
        for begin in range(0, likeness.shape[1], _CHUNK):
            earlier = features[begin : begin + _CHUNK]
            np.maximum(
                features[later] @ earlier.T, mirrored[later] @ earlier.T, out=likeness[:, begin : begin + len(earlier)]
            )
        # Each pair once, with the earlier picture as the column.
        likeness[np.arange(likeness.shape[1]) >= start + np.arange(len(likeness))[:, None]] = -1.0
        alike = likeness >= 1.0 - DEFAULT_DISTANCE
        for row in np.flatnonzero(alike.any(axis=1)):
            near = np.flatnonzero(alike[row])
            # The nearest first, then the earliest.
            order = near[np.lexsort((near, -np.round(likeness[row, near], 4)))][:MAX_PER_IMAGE]
            for column in order.tolist():
                key = (column, start + int(row))
                if key not in copies:
                    copies[key] = Copy(*key, False, max(0.0, round(1.0 - float(likeness[row, column]), 4)))
    return tuple(sorted(copies.values(), key=lambda pair: (not pair.exact, pair.distance, pair.first, pair.second)))


def groups(count: int, copies: Sequence[Copy]) -> NDArray[np.intp]:
    """Return for each of ``count`` pictures the position of the first picture that pairs connect it with."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(pair.first, pair.second) for pair in copies], np.intp).reshape(-1, 2)
    links = coo_array((np.ones(len(ends), bool), ends.T), shape=(count, count))
    _, group = connected_components(links, directed=False)
    _, first = np.unique(group, return_index=True)
    return first[group]
