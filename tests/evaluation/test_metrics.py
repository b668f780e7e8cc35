"""Tests of metrics against scikit-learn and SciPy, of guesses, and of the choice of images."""

import json

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray
from scipy.stats import binomtest

from aquadash.errors import DataError
from aquadash.evaluation import Evaluation, evaluate, score_guess, select, wilson_interval
from aquadash.evaluation.balance import balanced_accuracy, cohens_kappa
from aquadash.evaluation.browse import doubtful_labels
from aquadash.evaluation.metrics import percent, predicted_labels
from aquadash.store import Guess


def drawn(
    n: int = 500, classes: int = 5, seed: int = 0, sharp: float = 1.0
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return labels, and probabilities of which about two thirds are right; ``sharp`` raises the confidence."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    scores = random.normal(size=(n, classes))
    scores[np.arange(n), labels] += 1.5
    shares = np.exp(sharp * scores)
    return labels, (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("n", "classes", "seed"), [(500, 5, 0), (3, 5, 0), (200, 40, 2), (50, 2, 3)])
def test_agrees_with_scikit_learn(n: int, classes: int, seed: int) -> None:
    labels, probabilities = drawn(n, classes, seed)
    names = [f"class {i}" for i in range(classes)]
    result = evaluate(labels, probabilities, class_names=names)

    predicted, every = probabilities.argmax(axis=1), list(range(classes))
    assert (result.confusion_matrix == sklearn.metrics.confusion_matrix(labels, predicted, labels=every)).all()
    # scikit-learn wants rows that sum to 1 exactly.
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    expected_loss = sklearn.metrics.log_loss(labels, exact, labels=every)
    assert result.loss == pytest.approx(expected_loss, abs=1e-6)
    assert evaluate(labels, exact, class_names=names).loss == pytest.approx(expected_loss, abs=1e-9)
    expected = sklearn.metrics.classification_report(
        labels, predicted, labels=every, target_names=names, output_dict=True, zero_division=0
    )
    report = result.to_dict()["report"]
    assert report["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted), abs=1e-9)
    for name in [*names, "macro avg", "weighted avg"]:
        assert report[name] == pytest.approx(expected[name], abs=1e-9), name


def test_a_confident_mistake_costs_what_keras_charges_and_the_first_of_classes_that_tie_is_predicted() -> None:
    result = evaluate([1], np.array([[1.0, 0.0]]), class_names=["a", "b"])
    assert result.loss == pytest.approx(-np.log(1e-7))
    assert result.accuracy == 0.0 and result.accuracy_ci95[0] == 0.0
    assert predicted_labels(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])).tolist() == [1, 0]


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (67, 100), (1, 1)])
def test_wilson_interval_agrees_with_scipy(successes: int, n: int) -> None:
    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_json_form_and_a_class_called_accuracy() -> None:
    plain = json.loads(json.dumps(evaluate([0, 1], np.eye(2), class_names=["accuracy", "other"]).to_dict()))
    assert set(plain) == {"accuracy", "accuracy_ci95", "loss", "n", "confusion_matrix", "report", "classes"}
    assert (plain["classes"], plain["n"], plain["confusion_matrix"]) == (["accuracy", "other"], 2, [[1, 0], [0, 1]])
    assert plain["report"]["accuracy"]["support"] == 1, "it keeps its row"


GOOD = np.array([[0.5, 0.5], [0.1, 0.9]])


@pytest.mark.parametrize(
    ("labels", "probabilities", "names", "message"),
    [
        ([], np.zeros((0, 2)), "ab", "no predictions"),
        ([0], GOOD, "ab", "do not belong together"),
        ([0, 2], GOOD, "ab", "must be 0 to 1"),
        ([-1, 0], GOOD, "ab", "must be 0 to 1"),
        ([0, 1], GOOD, "a", "1 class names"),
        ([0, 1], np.array([[0.5, 0.5], [np.nan, 0]]), "ab", "first is row 1"),
        ([0, 1], np.array([[0.5, 0.6], [0, 1]]), "ab", "sums to 1.1"),
        ([0, 1], np.array([[-0.5, 1.5], [0, 1]]), "ab", "-0.5 as its lowest"),
    ],
)
def test_bad_arrays_are_refused_in_words(labels, probabilities, names, message) -> None:
    with pytest.raises(DataError, match=message):
        evaluate(labels, probabilities, class_names=names)


CLASSES = ("beaver", "otter", "seal")


def with_matrix(matrix: list[list[int]]) -> Evaluation:
    """Return an evaluation with this confusion matrix."""
    cells = [(true, answer, count) for true, row in enumerate(matrix) for answer, count in enumerate(row)]
    labels, answers, counts = zip(*cells, strict=True)
    return evaluate(np.repeat(labels, counts), np.eye(3)[np.repeat(answers, counts)], class_names=CLASSES)


#: 300 of 500 are right; otters are taken for seals most often, and seals for beavers as often as for otters.
USUAL = with_matrix([[120, 20, 10], [15, 100, 75], [40, 40, 80]])
TIED = with_matrix([[10, 5, 0], [0, 10, 5], [0, 0, 10]])
PERFECT = with_matrix([[10, 0, 0], [0, 10, 0], [0, 0, 10]])


def test_the_interval_of_a_fraction_decides_its_digits() -> None:
    fractions = [percent(right / n, wilson_interval(right, n)) for right, n in ((614, 1000), (6140, 10_000))]
    assert list(map(str, fractions)) == ["61 % (58 % to 64 %)", "61.4 % (60.4 % to 62.3 %)"]
    assert percent(0.614) == ("61 %", "") and f"{percent(0.614)}, {percent(None)}" == "61 %, –"


@pytest.mark.parametrize(
    ("guessed", "words"),
    [
        (0.57, "Spot on: you guessed 57 %; it got 60 %, and your guess lies in the 95 % interval from 56 % to 64 %."),
        (0.52, "Close: you guessed 52 %; it got 60 %. Your guess was 8 points too low."),
        (0.70, "Close: you guessed 70 %; it got 60 %. Your guess was 10 points too high."),
        (0.95, "You guessed 95 %; it got 60 %. Your guess was 35 points too high."),
    ],
)
def test_a_guessed_accuracy_is_measured_by_the_interval_and_the_distance(guessed: float, words: str) -> None:
    score = score_guess(Guess(guessed), USUAL)
    assert score.pair is None and score.accuracy.words == words
    low, high = USUAL.accuracy_ci95
    assert [score_guess(Guess(end), USUAL).accuracy.is_right for end in (low - 1e-6, low, high)] == [False, True, True]


@pytest.mark.parametrize(
    ("evaluation", "pair", "hit", "rank", "count", "words"),
    [
        (USUAL, ("otter", "seal"), True, 1, 75, "the most frequent mistake, with 75 images."),
        (USUAL, ("seal", "otter"), False, 2, 40, "Not this time: seal taken for otter happened to 40 images"),
        (USUAL, ("beaver", "otter"), False, 4, 20, "number 4 among"),
        (TIED, ("otter", "seal"), True, 1, 5, "the most frequent mistake, with 5 images"),
        (TIED, ("seal", "beaver"), False, 3, 0, "Not this time: seal taken for beaver did not happen at all."),
        (PERFECT, ("otter", "seal"), False, 1, 0, "no test image was taken for another class"),
    ],
)
def test_a_guessed_mistake_has_its_rank_among_all_and_ties_share_one(
    evaluation: Evaluation, pair: tuple[str, str], hit: bool, rank: int, count: int, words: str
) -> None:
    score = score_guess(Guess(confused_pair=pair), evaluation)
    figures = score.pair.figures
    assert score.accuracy is None and score.pair.is_right is figures["hit"] is hit
    assert (figures["rank"], figures["count"]) == (rank, count) and words in score.pair.words
    with pytest.raises(DataError, match="'cat', which is not there. The classes are beaver, otter, seal."):
        score_guess(Guess(confused_pair=("otter", "cat")), evaluation)


LABELS = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 1, 1, 0, 2, 0])
CONFIDENT = np.array([0.9, 0.6, 0.5, 0.95, 0.7, 0.6])
PROBABILITIES = np.repeat((1 - CONFIDENT)[:, None] / 2, 3, axis=1).astype(np.float32)
PROBABILITIES[np.arange(6), PREDICTED] = CONFIDENT


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"true_class": 0}, [0, 1]),
        ({"predicted_class": 0}, [0, 3, 5]),
        ({"predicted_class": 0, "outcome": "wrong", "confidence": (0.0, 0.7)}, [5]),
        # Both ends of the range count.
        ({"confidence": (0.9, 0.95)}, [0, 3]),
        ({"sort": "most confident"}, [3, 0, 4, 1, 5, 2]),
        ({"sort": "least confident"}, [2, 1, 5, 4, 0, 3]),
        ({"sort": "most confident mistakes first"}, [3, 1, 5, 2, 4, 0]),
        ({"outcome": "right", "sort": "most confident"}, [0, 4, 2]),
        ({"outcome": "wrong", "among": [True, True, True, False, False, False]}, [1]),
    ],
)
def test_filters_and_orders(options: dict[str, object], expected: list[int]) -> None:
    assert select(LABELS, PROBABILITIES, **options).tolist() == expected


def test_label_mistakes_are_found_and_come_first() -> None:
    """A good network knows 300 images, of which 12 have the label of another class."""
    truth = np.repeat(np.arange(3), 100)
    scores = np.random.default_rng(3).normal(size=(300, 3)) + 4 * np.eye(3)[truth]
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wrong = np.arange(300) % 25 == 0
    labels = np.where(wrong, (truth + 1) % 3, truth)
    doubtful = select(labels, shares, outcome="doubtful", sort="likely label mistakes first")
    assert 8 <= len(doubtful) <= 12 and wrong[doubtful].all(), "few are missed, and none that is right is suspected"
    everything = select(labels, shares, sort="likely label mistakes first")
    assert len(everything) == 300 and everything[: len(doubtful)].tolist() == doubtful.tolist()
    own = shares[np.arange(300), labels]
    assert (np.diff(own[doubtful]) >= 0).all() and (np.diff(own[everything[len(doubtful) :]]) >= 0).all()


def test_confident_learning_by_hand() -> None:
    labels = [0, 0, 1, 1]
    shares = [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.45, 0.55]]
    # Thresholds: class 0 (0.9 + 0.2) / 2 = 0.55, class 1 (0.7 + 0.55) / 2 = 0.625.
    assert doubtful_labels(labels, shares).tolist() == [False, True, False, False]
    assert doubtful_labels([0], [[0.1, 0.9]]).tolist() == [False], "nothing is taken for a class without images"


@pytest.mark.parametrize("seed", range(3))
def test_balanced_accuracy_and_kappa_agree_with_scikit_learn(seed: int) -> None:
    labels, probabilities = drawn(200, 4, seed)
    labels = np.where(labels == 3, 0, labels)  # One class without images, one with twice as many.
    matrix = evaluate(labels, probabilities, class_names="abcd").confusion_matrix
    predicted = probabilities.argmax(axis=1)
    with pytest.warns(UserWarning, match="y_pred contains classes"):
        expected = sklearn.metrics.balanced_accuracy_score(labels, predicted)
    for (value, (low, high)), reference in (
        (balanced_accuracy(matrix), expected),
        (cohens_kappa(matrix), sklearn.metrics.cohen_kappa_score(labels, predicted)),
    ):
        assert value == pytest.approx(reference, abs=1e-9) and low < value < high
    assert cohens_kappa([[7, 0], [0, 0]]) == (0.0, (0.0, 0.0)) and balanced_accuracy([[7, 0], [0, 0]])[0] == 1


def test_intervals_of_balanced_accuracy_and_kappa_contain_the_truth_at_least_95_times_of_100() -> None:
    random = np.random.default_rng(0)
    sizes, recall = np.array([150, 40, 20]), np.array([0.9, 0.6, 0.3])
    expected = np.diag(sizes * recall) + (sizes * (1 - recall))[:, None] / 2 * (1 - np.eye(3))
    truths = recall.mean(), cohens_kappa(1_000 * expected)[0]
    inside = np.zeros(2)
    for _ in range(1_000):
        rows = [random.multinomial(size, row / size) for size, row in zip(sizes, expected, strict=True)]
        for index, measure in enumerate((balanced_accuracy, cohens_kappa)):
            _, (low, high) = measure(rows)
            inside[index] += low <= truths[index] <= high
    # 1.4 % is two standard errors of a share of 1,000.
    assert inside[0] == pytest.approx(950, abs=14) and inside[1] > 936, inside
