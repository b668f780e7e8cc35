"""Intervals, top-k, ROC and precision-recall, calibration, coverage: as scikit-learn or plain counting has them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash.errors import DataError
from aquadash.evaluation import (
    bin_of,
    class_intervals,
    coverage_at,
    coverage_curve,
    lowest_threshold,
    parts_at,
    ranking_curves,
    reliability,
    wilson_interval,
)
from aquadash.evaluation.calibration import fit_temperature, scale
from aquadash.evaluation.intervals import f1_interval
from aquadash.evaluation.metric_table import top_two_accuracy
from tests.test_evaluation_metrics import NAMES, drawn

CASES = {"500 of 5": (500, 5, 0), "few": (9, 5, 1), "40 classes": (900, 40, 2), "two": (50, 2, 3), "ties": (90, 5, 4)}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[NDArray, NDArray[np.float32]]:
    labels, probabilities = drawn(*CASES[request.param])
    if request.param == "ties":
        # The same answers to other images.
        return np.concatenate([labels, (labels + 1) % 5]), np.tile(probabilities, (2, 1))
    return labels, probabilities


def test_curves_agree_with_scikit_learn(case: tuple[NDArray, NDArray]) -> None:
    reference = pytest.importorskip("sklearn.metrics")
    labels, probabilities = case
    names = [f"class {index}" for index in range(probabilities.shape[1])]
    for index, curves in enumerate(ranking_curves(labels, probabilities, class_names=names)):
        positive, scores = labels == index, probabilities[:, index].astype(np.float64)
        if not positive.any():
            assert curves.auc is None and curves.average_precision is None
            continue
        false_rate, true_rate, thresholds = reference.roc_curve(positive, scores, drop_intermediate=False)
        np.testing.assert_allclose(curves.false_positive_rate, false_rate, rtol=0, atol=1e-9)
        np.testing.assert_allclose(curves.true_positive_rate, true_rate, rtol=0, atol=1e-9)
        assert (curves.thresholds == thresholds).all()
        precision, recall, cuts = reference.precision_recall_curve(positive, scores)
        # Scikit-learn runs the other way and may leave lower thresholds out once everything is found.
        np.testing.assert_allclose(curves.precision[: len(precision)], precision[::-1], rtol=0, atol=1e-9)
        np.testing.assert_allclose(curves.true_positive_rate[: len(recall)], recall[::-1], rtol=0, atol=1e-9)
        assert (curves.thresholds[1 : len(cuts) + 1] == cuts[::-1]).all()
        assert curves.auc == pytest.approx(reference.roc_auc_score(positive, scores), abs=1e-9)
        assert curves.average_precision == pytest.approx(reference.average_precision_score(positive, scores), abs=1e-9)


def test_an_absent_class_and_one_that_is_alone_have_no_area() -> None:
    curves = ranking_curves([0, 0], [[0.9, 0.1], [0.4, 0.6]], class_names=["a", "b"])
    assert [row.auc for row in curves] == [None, None]
    assert curves[0].average_precision == 1.0 and curves[1].average_precision is None


def test_top_two_is_counted_image_by_image() -> None:
    labels, probabilities = drawn(700, 8, seed=4)
    hits = (np.argsort(-probabilities, axis=1)[:, :2] == labels[:, None]).any(axis=1)
    found = top_two_accuracy(labels, probabilities)
    assert (found.value, found.interval) == (hits.mean(), wilson_interval(int(hits.sum()), 700))
    assert top_two_accuracy([0, 1], [[0.9, 0.1], [0.9, 0.1]]).value == 1.0, "there are but two"
    all_tie = np.full((1, 3), 1 / 3)
    assert [top_two_accuracy([label], all_tie).value for label in range(3)] == [1.0, 0.0, 1.0], "the answer counts"


def test_intervals_of_a_class_are_those_of_its_counts() -> None:
    matrix = [[8, 2, 0], [1, 5, 0], [0, 0, 0]]
    first, second, absent = class_intervals(matrix, class_names=["a", "b", "c"])
    assert first.precision == wilson_interval(8, 9) and first.recall == wilson_interval(8, 10)
    assert second.precision == wilson_interval(5, 7) and second.recall == wilson_interval(5, 6)
    assert (absent.precision, absent.recall, absent.f1) == (None, None, None)
    low, high = wilson_interval(8, 11)
    assert first.f1 == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)), abs=1e-12)
    assert first.f1[0] < 2 * 8 / (2 * 8 + 1 + 2) < first.f1[1]
    assert f1_interval(0, 0, 0) is None and f1_interval(0, 3, 4)[0] == 0.0


def test_calibration_error_is_what_counting_gives() -> None:
    labels, probabilities = drawn(sharp=2.0)
    found = reliability(labels, probabilities)
    confident, right = probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == labels
    error, largest = 0.0, 0.0
    for index in range(15):
        inside = (confident > index / 15) & (confident <= (index + 1) / 15)
        assert found.counts[index] == inside.sum()
        if inside.any():
            gap = abs(right[inside].mean() - confident[inside].mean())
            error, largest = error + gap * inside.mean(), max(largest, gap)
            assert found.accuracy[index] == pytest.approx(right[inside].mean(), abs=1e-12)
            assert found.confidence[index] == pytest.approx(confident[inside].mean(), abs=1e-12)
        else:
            assert math.isnan(found.accuracy[index])
    assert found.ece == pytest.approx(error, abs=1e-9) and found.mce == pytest.approx(largest, abs=1e-9)
    assert (found.mean_accuracy, found.mean_confidence) == pytest.approx((right.mean(), confident.mean()))
    assert found.brier == pytest.approx(((probabilities - np.eye(5)[labels]) ** 2).sum(axis=1).mean(), abs=1e-6)


def test_edges_belong_to_the_bin_below() -> None:
    assert bin_of([0.0, 1 / 15, 1 / 15 + 1e-6, 1.0]).tolist() == [0, 0, 1, 14]


def test_the_temperature_agrees_with_scipys_minimum() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    log_loss = pytest.importorskip("sklearn.metrics").log_loss
    labels, probabilities = drawn(300, seed=9, sharp=2.5)
    found = fit_temperature(labels, probabilities)
    expected = optimize.minimize_scalar(
        lambda t: log_loss(labels, scale(probabilities, t)), bounds=(0.1, 10), method="bounded", options={"xatol": 1e-9}
    )
    assert found.value == pytest.approx(expected.x, abs=1e-5) and not found.at_limit
    assert found.loss_after == pytest.approx(expected.fun, abs=1e-9)
    assert found.loss_before == pytest.approx(log_loss(labels, scale(probabilities, 1.0)), abs=1e-9)


def test_scaling_log_probabilities_scales_the_scores() -> None:
    scores = np.random.default_rng(1).normal(size=(20, 5)) * 4

    def softmax(values: NDArray) -> NDArray:
        shares = np.exp(values - values.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    assert scale(softmax(scores), 2.5) == pytest.approx(softmax(scores / 2.5), abs=1e-12)
    assert scale(softmax(scores), 1.0) == pytest.approx(softmax(scores), abs=1e-12)


def test_extreme_temperatures_end_at_the_limits_and_nothing_overflows() -> None:
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert fit_temperature([0, 1], [[0.9, 0.1], [0.2, 0.8]]).value == pytest.approx(0.05)
    wrong = fit_temperature([1, 0], sure)
    assert wrong.value == pytest.approx(100.0) and wrong.at_limit
    equal = fit_temperature([0, 1], np.full((2, 2), 0.5))
    assert equal.value == 1.0 and not equal.at_limit
    assert np.isfinite(scale(sure, 0.05)).all()
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(DataError, match="above 0"):
            scale(sure, bad)


def test_coverage_counts_what_is_answered() -> None:
    labels, probabilities = drawn(200)
    confident, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for threshold in (0.0, 0.4, 0.8, 1.0):
        point = coverage_at(labels, probabilities, threshold=threshold)
        given = confident >= threshold
        assert (point.answered, point.right) == (given.sum(), (right & given).sum())
    whole = coverage_at(labels, probabilities, threshold=0.0)
    assert whole.coverage == 1.0 and whole.accuracy == pytest.approx(right.mean())
    nothing = coverage_at([0], [[0.6, 0.4]], threshold=0.9)
    assert nothing.accuracy is None and nothing.interval is None and nothing.coverage == 0.0


def test_a_threshold_of_90_percent_answers_what_is_stored_as_float32() -> None:
    assert coverage_at([0], np.array([[0.9, 0.1]], np.float32), threshold=0.9).answered == 1


def test_the_coverage_curve_takes_ties_together() -> None:
    probabilities = [[0.9, 0.1], [0.8, 0.2], [0.8, 0.2], [0.3, 0.7]]
    curve = coverage_curve([0, 0, 1, 0], probabilities)
    assert curve.thresholds == pytest.approx([0.9, 0.8, 0.7])
    assert curve.coverage == pytest.approx([0.25, 0.75, 1.0])
    assert curve.accuracy == pytest.approx([1.0, 2 / 3, 0.5])
    assert curve.area == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)
    assert lowest_threshold([0, 0, 1, 0], probabilities, accuracy=0.6) == pytest.approx(0.71)
    assert lowest_threshold([1], [[0.9, 0.1]], accuracy=0.6) is None


def test_the_parts_of_a_threshold_are_a_confusion_matrix_of_two() -> None:
    labels, probabilities = drawn()
    parts = parts_at(labels, probabilities, class_index=3, threshold=0.35)
    assert sum(mask.astype(int) for mask in parts.values()).tolist() == [1] * 500
    curves = ranking_curves(labels, probabilities, class_names=NAMES)[3]
    at = np.flatnonzero(curves.thresholds >= 0.35)[-1]
    assert parts["hits"].sum() / (labels == 3).sum() == pytest.approx(curves.true_positive_rate[at])
    assert parts["false alarms"].sum() / (labels != 3).sum() == pytest.approx(curves.false_positive_rate[at])


def test_damaged_predictions_are_refused_everywhere() -> None:
    bad = np.array([[0.9, 0.4]])
    for function in (reliability, fit_temperature, coverage_curve, top_two_accuracy):
        with pytest.raises(DataError):
            function([0], bad)
    with pytest.raises(DataError):
        ranking_curves([0], bad, class_names=["a", "b"])
