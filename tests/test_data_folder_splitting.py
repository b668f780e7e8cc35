"""Own pictures are divided into training and test: by class, by seed, and nothing is tested that was learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aquadash.data import stratified_split
from aquadash.data.duplicates import Copy
from aquadash.data.folder import splitting
from aquadash.data.folder.splitting import SplitChoice
from aquadash.data.folder.types import Picture
from aquadash.errors import DataError
from tests.own_pictures import imported, in_folder, of_classes, picture

DEFAULT = SplitChoice()


def pictures(*labels: int, parts: str = "") -> list[Picture]:
    names = {"-": None, "r": "train", "e": "test"}
    return [
        Picture(label, names[part], f"{row}.png", f"{row:064x}", 50, 50, "PNG", 50.0, 50.0)  # type: ignore[arg-type]
        for row, (label, part) in enumerate(zip(labels, parts or "-" * len(labels), strict=True))
    ]


def divided(
    them: list[Picture],
    *near: tuple[int, int],
    given: bool = False,
    choice: SplitChoice = DEFAULT,
    distance: float = 0.1,
) -> splitting.Division:
    pairs = [Copy(*pair, False, distance) for pair in near]
    classes = max(one.label for one in them) + 1
    return splitting.divide(them, pairs, num_classes=classes, given=given, choice=choice)


@pytest.mark.parametrize("seed", [0, 7])
def test_pictures_unlike_each_other_are_drawn_as_validation_images_are(seed: int) -> None:
    labels = [0] * 30 + [1] * 11 + [2] * 5
    found = divided(pictures(*labels), choice=SplitChoice(0.2, seed))
    train, test = stratified_split(labels, fraction=0.2, seed=seed)
    assert np.array_equal(found.train, train) and np.array_equal(found.test, test)


def test_pictures_that_look_alike_go_to_one_side() -> None:
    them = pictures(*[0] * 40, *[1] * 40)
    near = [(row, row + 1) for row in range(0, 80, 2)]
    for seed in range(10):
        found = divided(them, *near, choice=SplitChoice(0.25, seed))
        test = set(found.test.tolist())
        assert all((one in test) == (other in test) for one, other in near)
        assert [sum(them[row].label == label for row in test) for label in (0, 1)] == [10, 10]


def test_a_class_of_one_scene_is_divided_all_the_same() -> None:
    found = divided(pictures(*[0] * 10, *[1] * 10), *[(0, row) for row in range(1, 10)])
    labels = np.array([0] * 10 + [1] * 10)
    assert np.bincount(labels[found.test]).tolist() == [2, 2] and len(found.train) == 16


def test_every_class_keeps_two_to_learn_from_and_one_to_test() -> None:
    found = divided(pictures(0, 0, 0, 1, 1, 1), choice=SplitChoice(0.5))
    assert len(found.test) == 2 and len(found.train) == 4


def test_a_given_split_is_kept_without_the_training_pictures_that_the_test_holds() -> None:
    them = pictures(0, 0, 0, 1, 1, 1, 0, 1, parts="rrrrrree")
    found = divided(them, (0, 6), (3, 4), given=True)
    assert found.train.tolist() == [1, 2, 3, 4, 5] and found.test.tolist() == [6, 7] and found.leaks == 1
    kept = divided(them, (0, 6), given=True, choice=SplitChoice(drop_leaks=False))
    assert kept.train.tolist() == [0, 1, 2, 3, 4, 5] and kept.leaks == 0
    # Of many that are all but the same only the nearest are paired; what is merely alike is no chain.
    chain = ((0, 1), (1, 2), (2, 6))
    assert divided(them, *chain, given=True, distance=0.01).train.tolist() == [3, 4, 5]
    assert divided(them, *chain, given=True).train.tolist() == [0, 1, 3, 4, 5]
    redrawn = divided(them)
    assert len(redrawn.train) + len(redrawn.test) == 8 and redrawn.test.tolist() != [6, 7]


def test_exact_copies_are_kept_once(tmp_path: Path) -> None:
    files = of_classes({"cat": 10, "dog": 10}) | {"cat/again.png": picture(2), "dog/cat.png": picture(3)}
    found = imported(in_folder(tmp_path / "a", files)).division
    assert found.copies == 1 and len(found.train) + len(found.test) == 21


def test_exact_copies_in_both_splits_are_kept_once_where_the_split_is_drawn() -> None:
    them = pictures(0, 0, 0, 1, 1, 1, 0, 1, parts="rrrrrree")
    them[6] = replace(them[6], sha256=them[0].sha256)
    assert divided(them, (0, 6), given=True).copies == 0, "in a split that is given, it is a leak"
    found = divided([replace(one, part=None) for one in them], (0, 6))
    assert found.copies == 1 and sorted([*found.train, *found.test]) == [0, 1, 2, 3, 4, 5, 7]


@pytest.mark.parametrize("fraction", [0.0, 0.04, 0.6, float("nan")])
def test_a_share_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(DataError, match="share of test pictures"):
        SplitChoice(fraction)
