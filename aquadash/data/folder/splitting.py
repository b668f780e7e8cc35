"""Division of pictures into training and test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.data.duplicates import Copy, groups
from aquadash.data.folder.types import Picture
from aquadash.errors import DataError

#: A class keeps at least so many training pictures: one to learn from, and one to validate with.
MIN_TRAINING = 2

TEST_FRACTIONS = (0.05, 0.5)

#: Nine in ten of CIFAR-100's photographs at 64 pixels are nearer than this to themselves moved by one pixel.
_ALL_BUT_THE_SAME = 0.05


@dataclass(frozen=True)
class SplitChoice:
    """How pictures are to be divided into training and test; DataError for a fraction out of its range."""

    #: The test's fraction of the pictures where the split is drawn, and the seed of that draw.
    fraction: float = 0.2
    seed: int = 0
    #: Keep the split that the files come in, if they do.
    use_given: bool = True
    #: Leave out the training pictures that look like one of a given test split.
    drop_leaks: bool = True

    def __post_init__(self) -> None:
        if not TEST_FRACTIONS[0] <= self.fraction <= TEST_FRACTIONS[1]:
            raise DataError(
                f"The share of test pictures is {self.fraction:g}; expected {TEST_FRACTIONS[0]:g} to "
                f"{TEST_FRACTIONS[1]:g}."
            )


DEFAULT_SPLIT = SplitChoice()


@dataclass(frozen=True, eq=False)
class Division:
    """Positions among the pictures read, sorted; a picture that is in neither is left out."""

    #: To learn from.
    train: NDArray[np.intp]
    #: Kept for the test.
    test: NDArray[np.intp]
    #: How many were left out as copies of a picture of the same class and, where it is given, split.
    copies: int
    #: How many training pictures were left out because the test holds the same picture.
    leaks: int


def divide(
    pictures: Sequence[Picture],
    near: Sequence[Copy],
    *,
    num_classes: int,
    given: bool,
    choice: SplitChoice,
) -> Division:
    """Divide the pictures into training and test.

    Exact copies within a class are left out. A drawn split takes the same fraction of each class and keeps pictures
    that look alike, such as the frames of a film, on one side.
    """
    kept = _without_copies(pictures, given)
    test = np.zeros(len(pictures), dtype=bool)
    leaks = np.zeros(len(pictures), dtype=bool)
    if given:
        test[:] = [picture.part == "test" for picture in pictures]
        if choice.drop_leaks:
            # Pairs name the nearest picture only, so nearly equal ones are joined to groups. Groups by a larger
            # distance would chain most pictures of a class together.
            same = groups(len(pictures), [pair for pair in near if pair.distance <= _ALL_BUT_THE_SAME])
            leaks[:] = np.isin(same, same[test])
            for pair in near:
                if test[pair.first] != test[pair.second]:
                    leaks[pair.second if test[pair.first] else pair.first] = True
            leaks &= kept & ~test
    else:
        # Classes are drawn one by one; ``checks`` reports a picture that is in two of them.
        labels = [picture.label for picture in pictures]
        group = groups(len(pictures), [pair for pair in near if labels[pair.first] == labels[pair.second]])
        for label in range(num_classes):
            rows = np.array([row for row, one in enumerate(labels) if one == label and kept[row]], dtype=np.intp)
            test[_drawn(rows, group, fraction=choice.fraction, rng=np.random.default_rng([choice.seed, label]))] = True
    return Division(
        np.flatnonzero(kept & ~test & ~leaks), np.flatnonzero(kept & test), int((~kept).sum()), int(leaks.sum())
    )


def _without_copies(pictures: Sequence[Picture], given: bool) -> NDArray[np.bool_]:
    """False for a picture whose file was there before in the same class and, where it is given, split."""
    seen: set[tuple[str, int, str | None]] = set()
    kept = np.ones(len(pictures), dtype=bool)
    for row, picture in enumerate(pictures):
        key = (picture.sha256, picture.label, picture.part if given else None)
        kept[row] = key not in seen
        seen.add(key)
    return kept


def _drawn(
    rows: NDArray[np.intp], group: NDArray[np.intp], *, fraction: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """The rows of one class that are kept for the test, whole groups where that can be."""
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
