"""The score of a guess, and its words."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.errors import DataError
from aquadash.evaluation import Evaluation, accuracy_words, evaluate, pair_words, score_guess
from aquadash.store import Guess

CLASSES = ("beaver", "otter", "seal")


def with_matrix(matrix: list[list[int]]) -> Evaluation:
    """An evaluation with this confusion matrix."""
    cells = [(true, answer, count) for true, row in enumerate(matrix) for answer, count in enumerate(row)]
    labels, answers, counts = zip(*cells, strict=True)
    return evaluate(np.repeat(labels, counts), np.eye(3)[np.repeat(answers, counts)], class_names=CLASSES)


#: 300 of 500 are right; otters are taken for seals most often, and seals for beavers as often as for otters.
USUAL = with_matrix([[120, 20, 10], [15, 100, 75], [40, 40, 80]])
TIED = with_matrix([[10, 5, 0], [0, 10, 5], [0, 0, 10]])
PERFECT = with_matrix([[10, 0, 0], [0, 10, 0], [0, 0, 10]])


@pytest.mark.parametrize(
    ("guessed", "words"),
    [
        (0.57, "Spot on: guessed 57 %, it is 60 %, and the 95 % interval from 56 % to 64 % holds the guess."),
        (0.52, "Close: guessed 52 %, it is 60 %, so 8 points too low."),
        (0.70, "Close: guessed 70 %, it is 60 %, so 10 points too high."),
        (0.95, "A surprise: guessed 95 %, it is 60 %, so 35 points too high."),
    ],
)
def test_a_guessed_accuracy_is_measured_by_the_interval_and_the_distance(guessed: float, words: str) -> None:
    score = score_guess(Guess(guessed), USUAL)
    assert score.pair is None and accuracy_words(score.accuracy) == words


def test_both_ends_of_the_interval_are_spot_on() -> None:
    low, high = USUAL.accuracy_ci95
    assert [score_guess(Guess(end), USUAL).accuracy.spot_on for end in (low - 1e-6, low, high)] == [False, True, True]


@pytest.mark.parametrize(
    ("evaluation", "pair", "hit", "rank", "count", "words"),
    [
        (USUAL, ("otter", "seal"), True, 1, 75, "the most frequent mistake, with 75 images."),
        (USUAL, ("seal", "otter"), False, 2, 40, "Not this time: seal taken for otter happened to 40 images"),
        (USUAL, ("beaver", "otter"), False, 4, 20, "number 4 among"),
        (TIED, ("otter", "seal"), True, 1, 5, "together with 1 other, with 5 images"),
        (TIED, ("seal", "beaver"), False, 3, 0, "Not this time: seal taken for beaver did not happen at all."),
        (PERFECT, ("otter", "seal"), False, 1, 0, "no test image was taken for another class"),
    ],
)
def test_a_guessed_mistake_has_its_rank_among_all_and_ties_share_one(
    evaluation: Evaluation, pair: tuple[str, str], hit: bool, rank: int, count: int, words: str
) -> None:
    score = score_guess(Guess(confused_pair=pair), evaluation)
    assert score.accuracy is None and (score.pair.hit, score.pair.rank, score.pair.count) == (hit, rank, count)
    assert words in pair_words(score.pair)


def test_a_class_that_is_not_there() -> None:
    with pytest.raises(DataError, match="'cat', which is not there. The classes are beaver, otter, seal."):
        score_guess(Guess(confused_pair=("otter", "cat")), USUAL)
