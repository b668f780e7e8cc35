"""Metrics agree with scikit-learn's report and scipy, and bad arrays are refused in words."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray
from scipy.stats import binomtest

from aquadash.errors import DataError
from aquadash.evaluation import evaluate, wilson_interval
from aquadash.evaluation.metrics import predicted_labels


def drawn(
    n: int = 500, classes: int = 5, seed: int = 0, sharp: float = 1.0
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels, and probabilities of which about two thirds are right; the sharper, the surer."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    scores = random.normal(size=(n, classes))
    scores[np.arange(n), labels] += 1.5
    shares = np.exp(sharp * scores)
    return labels, (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("n", "classes", "seed"), [(500, 5, 0), (3, 5, 1), (200, 40, 2), (50, 2, 3)])
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


def test_a_class_without_images_and_one_never_predicted_score_zero() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0]])
    result = evaluate([0, 1], probabilities, class_names=["a", "b", "c"])
    assert [(row.precision, row.recall, row.support) for row in result.report] == [(0.5, 1.0, 1), (0, 0, 1), (0, 0, 0)]
    assert result.macro_average.recall == pytest.approx(1 / 3)
    assert result.weighted_average.recall == pytest.approx(1 / 2)


def test_a_confident_mistake_costs_what_keras_charges() -> None:
    result = evaluate([1], np.array([[1.0, 0.0]]), class_names=["a", "b"])
    assert result.loss == pytest.approx(-np.log(1e-7))
    assert result.accuracy == 0.0 and result.accuracy_ci95[0] == 0.0


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (67, 100), (300, 500), (1, 1), (0, 1)])
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
        ([], np.zeros((0, 2)), ["a", "b"], "no predictions"),
        ([0], GOOD, ["a", "b"], "do not belong together"),
        ([0, 1], GOOD[0], ["a", "b"], "do not belong together"),
        ([0, 2], GOOD, ["a", "b"], "must be 0 to 1"),
        ([-1, 0], GOOD, ["a", "b"], "must be 0 to 1"),
        ([0.0, 1.0], GOOD, ["a", "b"], "whole numbers"),
        ([0, 1], GOOD, ["a"], "1 class names"),
        ([0, 1], np.array([[np.nan, 1], [0, 1]]), ["a", "b"], "not numbers"),
        ([0, 1], np.array([[0.5, 0.5], [np.inf, 0]]), ["a", "b"], "first is row 1"),
        ([0, 1], np.array([[0.5, 0.6], [0, 1]]), ["a", "b"], "sums to 1.1"),
        ([0, 1], np.array([[-0.5, 1.5], [0, 1]]), ["a", "b"], "-0.5 as its lowest"),
        ([0, 1], np.array([["x", "y"], ["z", "w"]]), ["a", "b"], "expected numbers"),
    ],
)
def test_bad_arrays_are_refused_in_words(labels, probabilities, names, message) -> None:
    with pytest.raises(DataError, match=message):
        evaluate(labels, probabilities, class_names=names)


def test_the_first_of_classes_that_tie_is_predicted() -> None:
    assert predicted_labels(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])).tolist() == [1, 0]
