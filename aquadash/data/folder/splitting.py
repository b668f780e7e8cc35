"""Division of pictures into training and test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.data.duplicates import Copy, groups
from aquadash.data.folder.types import Picture
from aquadash.errors import DataError

#: The fewest training pictures of a class: one to learn from, and one to validate with.
MIN_TRAINING = 2

TEST_FRACTIONS = (0.05, 0.5)

#: The distance up to which two pictures count as the same. Nine in ten of CIFAR-100's photographs at 64 pixels are
#: within it of their own copies moved by one pixel.
_ALL_BUT_THE_SAME = 0.05


@dataclass(frozen=True)
class SplitChoice:
    """A way to divide pictures into training and test; a fraction out of its range raises a ``DataError``."""

    #: The fraction of test pictures in a random split.
    fraction: float = 0.2
    #: The seed of the random split.
    seed: int = 0
    #: Whether to keep the split of files that are sorted into training and test.
    use_given: bool = True
    #: Whether to leave out training pictures that look like a picture of such a test split.
    drop_leaks: bool = True

    def __post_init__(self) -> None:
        if not TEST_FRACTIONS[0] <= self.fraction <= TEST_FRACTIONS[1]:
            raise DataError(
                f"The fraction of test pictures is {self.fraction:g}; expected {TEST_FRACTIONS[0]:g} to "
                f"{TEST_FRACTIONS[1]:g}."
            )


DEFAULT_SPLIT = SplitChoice()


@dataclass(frozen=True, eq=False)
class Division:
    """Sorted positions of pictures in training and test; the others are left out."""

    #: The training pictures.
    train: NDArray[np.intp]
    #: The test pictures.
    test: NDArray[np.intp]
    #: The number of pictures that are left out as copies within a class and, if files are sorted, within a split.
    copies: int
    #: The number of training pictures that are left out because the test has the same picture.
    leaks: int


def divide(
    pictures: Sequence[Picture], near: Sequence[Copy], *, num_classes: int, split_given: bool, choice: SplitChoice
) -> Division:
    """Divide pictures by their own split or at random within each class, with pictures that look alike on one side."""
    kept = _without_copies(pictures, split_given)
    test = np.zeros(len(pictures), dtype=bool)
    leaks = np.zeros(len(pictures), dtype=bool)
    if split_given:
        test[:] = [picture.part == "test" for picture in pictures]
        if choice.drop_leaks:
            # Pairs are known for the nearest pictures only, so groups connect the other copies. With a larger distance,
            # a group would hold most pictures of a class.
            same = groups(len(pictures), [pair for pair in near if pair.distance <= _ALL_BUT_THE_SAME])
            leaks[:] = np.isin(same, same[test])
            for pair in near:
                if test[pair.first] != test[pair.second]:
                    leaks[pair.second if test[pair.first] else pair.first] = True
            leaks &= kept & ~test
    else:
        # Class by class; ``checks`` reports a picture that is in two classes.
        labels = [picture.label for picture in pictures]
        group = groups(len(pictures), [pair for pair in near if labels[pair.first] == labels[pair.second]])
        for label in range(num_classes):
            rows = np.array([row for row, one in enumerate(labels) if one == label and kept[row]], dtype=np.intp)
            test[_drawn(rows, group, fraction=choice.fraction, rng=np.random.default_rng([choice.seed, label]))] = True
    return Division(
        np.flatnonzero(kept & ~test & ~leaks), np.flatnonzero(kept & test), int((~kept).sum()), int(leaks.sum())
    )


def _without_copies(pictures: Sequence[Picture], split_given: bool) -> NDArray[np.bool_]:
    """Return False for each picture with an earlier identical file in its class and, if files are sorted, split."""
    seen: set[tuple[str, int, str | None]] = set()
    kept = np.ones(len(pictures), dtype=bool)
    for row, picture in enumerate(pictures):
        key = (picture.sha256, picture.label, picture.part if split_given else None)
        kept[row] = key not in seen
        seen.add(key)
    return kept


def _drawn(
    rows: NDArray[np.intp], group: NDArray[np.intp], *, fraction: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw the test rows of one class, whole groups if possible."""
    most = len(rows) - MIN_TRAINING
    wanted = min(max(int(np.floor(fraction * len(rows) + 0.5)), 1), most)
    if wanted < 1:
        return rows[:0]
    names, sizes = np.unique(group[rows], return_counts=True)
    order = rng.permutation(len(names))
    chosen: list[int] = []
    taken = 0
    for index in order.tolist():
        if taken + sizes[index] <= wanted:
            chosen.append(int(names[index]))
            taken += int(sizes[index])
    if not chosen:
        smallest = int(sizes.argmin())
        if sizes[smallest] > most:
            # All pictures look alike, so single ones are drawn.
            return np.sort(rng.permutation(rows)[:wanted])
        chosen = [int(names[smallest])]
    return rows[np.isin(group[rows], chosen)]
