"""How near a guess came."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aquadash.errors import DataError
from aquadash.evaluation import Evaluation, accuracy_words, evaluate, pair_words, score_guess
from aquadash.store import Guess

CLASSES = ("beaver", "otter", "seal")


def found(matrix: list[list[int]]) -> Evaluation:
    """An evaluation with this confusion matrix."""
    labels, answers = [], []
    for true, row in enumerate(matrix):
        for predicted, count in enumerate(row):
            labels += [true] * count
            answers += [predicted] * count
    return evaluate(labels, np.eye(3)[answers], class_names=CLASSES)


#: 300 of 500 are right; otters are taken for seals most often, and seals for beavers as often as for otters.
USUAL = found([[120, 20, 10], [15, 100, 75], [40, 40, 80]])


def accuracy(guessed: float):  # noqa: ANN201
    score = score_guess(Guess(guessed), USUAL)
    assert score.pair is None
    return score.accuracy


def pair(true: str, predicted: str, evaluation: Evaluation = USUAL):  # noqa: ANN201
    score = score_guess(Guess(confused_pair=(true, predicted)), evaluation)
    assert score.accuracy is None
    return score.pair


def test_a_guess_within_the_interval_is_spot_on() -> None:
    low, high = USUAL.accuracy_ci95
    assert accuracy_words(accuracy(0.57)) == (
        "Spot on: guessed 57 %, it is 60 %, and the 95 % interval from 56 % to 64 % holds the guess."
    )
    assert accuracy(low).spot_on and accuracy(high).spot_on
    assert not accuracy(low - 1e-6).spot_on


@pytest.mark.parametrize(
    ("guessed", "words"),
    [
        (0.52, "Close: guessed 52 %, it is 60 %, so 8 points too low."),
        (0.70, "Close: guessed 70 %, it is 60 %, so 10 points too high."),
        (0.95, "A surprise: guessed 95 %, it is 60 %, so 35 points too high."),
    ],
)
def test_a_guess_outside_of_it_is_told_its_distance(guessed: float, words: str) -> None:
    assert accuracy_words(accuracy(guessed)) == words


def test_a_guessed_mistake_has_its_rank_among_all_and_ties_share_one() -> None:
    score = pair("otter", "seal")
    assert score.hit and (score.rank, score.count) == (1, 75)
    assert pair_words(score) == "Right: otter taken for seal is the most frequent mistake, with 75 images."
    other_way_round = pair("seal", "otter")
    assert not other_way_round.hit and (other_way_round.rank, other_way_round.count) == (2, 40)
    assert pair("seal", "beaver").rank == 2 and pair("beaver", "otter").rank == 4
    assert pair_words(other_way_round) == (
        "Not this time: seal taken for otter happened to 40 images and is number 2 among the mistakes. The most "
        "frequent: otter taken for seal, with 75 images."
    )


def test_a_tie_for_the_first_place_counts() -> None:
    tied = found([[10, 5, 0], [0, 10, 5], [0, 0, 10]])
    assert pair("beaver", "otter", tied).hit and pair("otter", "seal", tied).hit
    assert "together with 1 other, with 5 images" in pair_words(pair("otter", "seal", tied))
    missed = pair_words(pair("seal", "otter", tied))
    assert "did not happen at all" in missed
    assert missed.endswith("beaver taken for otter and otter taken for seal, with 5 images each.")


def test_without_any_mistake_there_is_nothing_to_know() -> None:
    score = pair("otter", "seal", found([[10, 0, 0], [0, 10, 0], [0, 0, 10]]))
    assert not score.hit and "no test image was taken for another class" in pair_words(score)


def test_a_class_that_is_not_there() -> None:
    with pytest.raises(DataError, match="'cat', which is not there. The classes are beaver, otter, seal."):
        score_guess(Guess(confused_pair=("otter", "cat")), USUAL)


def test_a_score_as_plain_values() -> None:
    values = json.loads(json.dumps(score_guess(Guess(0.57, ("otter", "seal")), USUAL).to_dict()))
    assert values["accuracy"]["spot_on"] is True and values["accuracy"]["points_off"] == pytest.approx(3)
    assert values["confused_pair"] == {
        "hit": True,
        "count": 75,
        "rank": 1,
        "most_confused": [["otter", "seal"]],
        "most_confused_count": 75,
    }
