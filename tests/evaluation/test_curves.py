"""Tests of the best epoch, the verdict on curves, ranking, calibration and out-of-distribution detection."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import average_precision_score, log_loss, precision_recall_curve, roc_auc_score, roc_curve

from aquadash.config import RunConfig
from aquadash.evaluation import best_epoch, evaluate, macro_mean, overfit_verdict, ranking_curves, wilson_interval
from aquadash.evaluation.calibration import bin_of, fit_temperature, reliability, scale
from aquadash.evaluation.intervals import class_intervals
from aquadash.evaluation.metric_table import scores, scores_to_dict, top_two_accuracy
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector, auroc
from aquadash.store import EpochRecord, Predictions
from tests.coach.test_after import Curve
from tests.coach.test_after import epochs as history
from tests.evaluation.test_metrics import drawn


def test_the_best_epoch_is_the_first_finite_one_of_those_that_tie() -> None:
    rows = history(6, loss=lambda e: 1 / e, val_loss=lambda e: [math.nan, 0.9, 0.7, 0.7, 0.8, -math.inf][e - 1])
    assert best_epoch(rows) == 3
    assert best_epoch(rows, monitor="loss") == 6
    assert best_epoch(rows, monitor="val_accuracy") == 1
    assert best_epoch([]) is None
    assert best_epoch(history(2, loss=lambda e: math.nan, val_loss=lambda e: math.nan)) is None


def expected(
    kind: str, count: int, loss: Curve, val_loss: Curve, *words: str, accuracy: float = 0.8, val_accuracy: float = 0.75
) -> tuple[str, list[EpochRecord], tuple[str, ...]]:
    """The kind of a verdict, its epochs, and its words: of the title or the reason, then of the detail."""
    return kind, history(count, loss, val_loss, accuracy=accuracy, val_accuracy=val_accuracy), words


def falling(start: float, lowest: float = 0.0) -> Curve:
    return lambda e: max(start - 0.1 * e, lowest)


def valley(lowest: float, slope: float) -> Curve:
    return lambda e: lowest + slope * abs(e - 3)


def flat(value: float) -> Curve:
    return lambda e: value


VERDICTS = {
    "nothing": expected("no data", 0, flat(1.0), flat(1.0)),
    "one epoch": expected("too short", 1, flat(1.0), flat(1.0), "only 1 epoch so far"),
    "a loss that is no number": expected(
        "diverged", 3, lambda e: 1.0 if e < 2 else math.nan, flat(1.0), "epoch 2", "learning rate"
    ),
    "both losses rise": expected("unstable", 8, valley(1.0, 0.1), valley(1.0, 0.1), "since epoch 3"),
    "flat": expected("not learning", 6, flat(1.61), flat(1.61), accuracy=0.2, val_accuracy=0.2),
    "good, with little left to learn": expected("healthy", 8, flat(0.2), flat(0.22)),
    "validation loss still falls": expected("still improving", 6, falling(1.6), falling(1.6), "epoch 6 of 6"),
    "a large gap without a rise": expected(
        "large gap", 10, falling(1.5), falling(1.2, 0.8), "20 points above", accuracy=0.9, val_accuracy=0.7
    ),
    "a low plateau, validation ahead": expected(
        "underfitting",
        12,
        falling(1.6, 1.2),
        falling(1.5, 1.1),
        *("48 %", "dropout", "augmented", "Validation is better"),
        accuracy=0.48,
        val_accuracy=0.55,
    ),
    "training accuracy held down by mixing": expected(
        "healthy",
        12,
        falling(1.6, 1.2),
        lambda e: max(1.5 - 0.2 * e, 0.6),
        "keeps up",
        "Validation is better",
        accuracy=0.58,
        val_accuracy=0.82,
    ),
    "low, but still rising": expected(
        "still improving",
        8,
        lambda e: 1.6 - 0.06 * e,
        falling(1.5, 1.2),
        "since epoch 3",
        accuracy=0.5,
        val_accuracy=0.5,
    ),
    "one bad last epoch": expected("healthy", 8, falling(1.5), lambda e: 1.5 - 0.1 * min(e, 5) + 0.08 * (e == 8)),
    "perfect, while the validation loss creeps up": expected(
        "healthy", 8, lambda e: 0.1 / e, valley(0.0113, 0.0002), accuracy=1.0, val_accuracy=1.0
    ),
}


@pytest.mark.parametrize(("kind", "rows", "words"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(kind: str, rows: list[EpochRecord], words: tuple[str, ...]) -> None:
    verdict = overfit_verdict(rows, RunConfig())
    assert verdict.kind == kind and ": " not in verdict.title
    headline = f"{verdict.title}. {verdict.reason}"
    assert all(each in headline for each in words[:1]) and all(each in verdict.detail for each in words[1:])
    if kind == "underfitting":
        assert verdict.evidence["gap"] == pytest.approx(-0.07)


def test_overfitting_gives_epoch_losses_and_gap() -> None:
    loss, val_loss = (lambda e: 1.6 - 0.1 * e if e <= 7 else 0.69), (lambda e: 1.5 - 0.1 * e if e <= 7 else 0.89)
    verdict = overfit_verdict(history(12, loss, val_loss, accuracy=0.8, val_accuracy=0.62), RunConfig())
    assert verdict.kind == "overfitting" and verdict.title == "Overfitting since epoch 7"
    assert verdict.reason == "Training loss fell by 0.21, validation loss rose by 0.09; gap 18 points."
    figures = [verdict.evidence[name] for name in ("best_epoch", "gap", "val_loss_rise")]
    assert figures == pytest.approx([7, 0.18, 0.09]) and "dropout switches" not in verdict.detail


LABELS, PROBABILITIES = drawn(90, 5, 4)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        drawn(9, 5, 1),
        drawn(900, 40, 2),
        drawn(50, 2, 3),
        # Two images with the same probabilities.
        (np.concatenate([LABELS, (LABELS + 1) % 5]), np.tile(PROBABILITIES, (2, 1))),
    ],
)
def test_curves_are_those_of_scikit_learn(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> None:
    names = [str(index) for index in range(probabilities.shape[1])]
    for index, curves in enumerate(ranking_curves(labels, probabilities, class_names=names)):
        own, scores = labels == index, probabilities[:, index]
        if own.any() and not own.all():
            false_positive_rate, true_positive_rate, _ = roc_curve(own, scores)
            np.testing.assert_allclose(curves.false_positive_rate, false_positive_rate)
            np.testing.assert_allclose(curves.true_positive_rate, true_positive_rate)
            precision, recall, _ = precision_recall_curve(own, scores, drop_intermediate=True)
            np.testing.assert_allclose(curves.precision, precision)
            np.testing.assert_allclose(curves.recall, recall)
            assert curves.average_precision == pytest.approx(average_precision_score(own, scores))
            assert curves.auc == pytest.approx(roc_auc_score(own, scores), abs=1e-9)


def test_a_class_without_images_has_no_area_and_does_not_count_in_the_mean() -> None:
    first, second = ranking_curves([0, 0], [[0.9, 0.1], [0.4, 0.6]], class_names=["a", "b"])
    assert (first.auc, first.average_precision, second.auc, second.average_precision) == (None, 1.0, None, None)
    assert macro_mean([0.5, None, 1.0]) == 0.75 and macro_mean([None]) is None


def test_top_two_is_counted_image_by_image() -> None:
    labels, probabilities = drawn(700, 8, seed=4)
    hits = (np.argsort(-probabilities, axis=1)[:, :2] == labels[:, None]).any(axis=1)
    score = top_two_accuracy(labels, probabilities)
    assert (score.value, score.interval) == (hits.mean(), wilson_interval(int(hits.sum()), 700))
    of_two = Predictions(np.arange(2), np.array([0, 1]), np.array([[0.9, 0.1], [0.9, 0.1]], np.float32))
    shown = scores_to_dict(scores(evaluate(of_two.labels, of_two.probabilities, class_names="ab"), of_two))
    assert shown["top2_accuracy"] is None and shown["accuracy"] == 0.5, "of two classes it is no score"
    all_tie = np.full((1, 3), 1 / 3)
    assert [top_two_accuracy([label], all_tie).value for label in range(3)] == [1.0, 1.0, 0.0], "the answer counts"


def test_intervals_of_a_class_are_those_of_its_counts() -> None:
    answers = [0] * 8 + [1] * 2 + [0] + [1] * 5
    report = evaluate([0] * 10 + [1] * 6, np.eye(3)[answers], class_names=["a", "b", "c"]).report
    first, second, absent = (row.intervals for row in report)
    assert first["precision"] == wilson_interval(8, 9) and first["recall"] == wilson_interval(8, 10)
    assert second["precision"] == wilson_interval(5, 7) and second["recall"] == wilson_interval(5, 6)
    assert absent == {"precision": None, "recall": None, "f1": None}
    low, high = wilson_interval(8, 11)
    assert first["f1"] == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)), abs=1e-12)
    assert first["f1"][0] < 2 * 8 / (2 * 8 + 1 + 2) < first["f1"][1]
    assert class_intervals(0, 3, 4)["f1"][0] == 0.0


def test_calibration_error_is_what_counting_gives() -> None:
    labels, probabilities = drawn(sharp=2.0)
    calibration = reliability(labels, probabilities)
    confident, right = probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == labels
    gaps, shares = [], []
    for index in range(15):
        inside = (confident > index / 15) & (confident <= (index + 1) / 15)
        assert calibration.counts[index] == inside.sum()
        if not inside.any():
            assert math.isnan(calibration.accuracy[index])
            continue
        means = right[inside].mean(), confident[inside].mean()
        assert (calibration.accuracy[index], calibration.confidence[index]) == pytest.approx(means, abs=1e-12)
        gaps.append(abs(means[0] - means[1]))
        shares.append(inside.mean())
    assert (calibration.ece, calibration.mce) == pytest.approx((np.dot(gaps, shares), max(gaps)), abs=1e-9)
    assert (calibration.mean_accuracy, calibration.mean_confidence) == pytest.approx((right.mean(), confident.mean()))
    assert calibration.brier == pytest.approx(((probabilities - np.eye(5)[labels]) ** 2).sum(axis=1).mean(), abs=1e-6)
    assert bin_of([0.0, 1 / 15, 1 / 15 + 1e-6, 1.0]).tolist() == [0, 0, 1, 14], "an edge belongs to the bin below"


def test_the_temperature_agrees_with_scipys_minimum() -> None:
    labels, probabilities = drawn(300, seed=9, sharp=2.5)
    fitted = fit_temperature(labels, probabilities)
    expected = minimize_scalar(
        lambda t: log_loss(labels, scale(probabilities, t)), bounds=(0.1, 10), method="bounded", options={"xatol": 1e-9}
    )
    assert fitted.value == pytest.approx(expected.x, abs=1e-5) and not fitted.at_limit
    assert fitted.loss_after == pytest.approx(expected.fun, abs=1e-9)
    assert fitted.loss_before == pytest.approx(log_loss(labels, scale(probabilities, 1.0)), abs=1e-9)
    scores = np.random.default_rng(1).normal(size=(20, 5)) * 4
    assert scale(softmax(scores, axis=1), 2.5) == pytest.approx(softmax(scores / 2.5, axis=1), abs=1e-12)


def test_extreme_temperatures_end_at_the_limits_and_nothing_overflows() -> None:
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    fits = [fit_temperature([0, 1], shares) for shares in ([[0.9, 0.1], [0.2, 0.8]], sure[::-1], np.full((2, 2), 0.5))]
    assert [fit.value for fit in fits] == pytest.approx([0.05, 100.0, 1.0])
    assert [fit.at_limit for fit in fits] == [True, True, False]
    assert np.isfinite(scale(sure, 0.05)).all()


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return features and labels for training, validation features and unknown ones in a third direction."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    centres = np.eye(6)[:2] * 5

    def around(labels: np.ndarray) -> np.ndarray:
        return centres[labels] + rng.normal(size=(len(labels), 6))

    strangers = np.eye(6)[[2] * 100] * 5 + rng.normal(size=(100, 6))
    return around(labels), labels, around(labels), strangers


def test_strangers_are_farther_away_than_95_percent_of_validation_images_as_also_after_storing(
    clouds: tuple[np.ndarray, ...],
) -> None:
    training, labels, validation, strangers = clouds
    detector = OutOfDistributionDetector.fit(training, labels, validation_features=validation, pretrained="of VGG")
    known, strange = detector.ood_scores(validation), detector.ood_scores(strangers)
    assert auroc(known, strange) > 0.95
    assert (strange > detector.threshold).mean() > 0.8
    assert (known <= detector.threshold).mean() == detector.accepted == 0.95
    assert detector.threshold in known
    assert [auroc([1, 2], [3, 4]), auroc([1, 3], [2, 4]), auroc([1, 1], [1, 1])] == [1, 0.75, 0.5]
    arrays = detector.to_arrays()
    again = OutOfDistributionDetector.from_arrays(arrays)
    np.testing.assert_allclose(again.ood_scores(strangers), strange, rtol=1e-4)
    assert (again.threshold, again.accepted, again.pretrained) == (detector.threshold, detector.accepted, "of VGG")
    del arrays["pretrained"]
    assert OutOfDistributionDetector.from_arrays(arrays).pretrained == "", "of version 0.6"
    with pytest.raises(ValueError, match="belong together"):
        OutOfDistributionDetector.from_arrays({**arrays, "means": np.zeros((2, 3))})


def test_the_distance_is_mahalanobiss() -> None:
    rng = np.random.default_rng(1)
    distance = OutOfDistributionDetector(rng.normal(size=(3, 4)), np.diag([1.0, 2.0, 3.0, 4.0]), 1.0, 0.95)
    rows = rng.normal(size=(5, 4))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = [min(float((row - mean) @ distance.precision @ (row - mean)) for mean in distance.means) for row in unit]
    np.testing.assert_allclose(distance.ood_scores(rows), expected)
    many = np.tile(7 * rows, (50_000, 1))
    np.testing.assert_allclose(distance.ood_scores(many), expected * 50_000, err_msg="a part of the images at a time")


def test_the_distances_of_parts_are_added(clouds: tuple[np.ndarray, ...]) -> None:
    training, labels, validation, strangers = clouds
    one = OutOfDistributionDetector.fit(training, labels, validation_features=validation)
    rows, known, unknown = (
        np.hstack([each / np.linalg.norm(each, axis=1, keepdims=True)] * 2)
        for each in (training, validation, strangers)
    )
    twice = OutOfDistributionDetector.fit(rows, labels, validation_features=known, widths=(6, 6))
    np.testing.assert_allclose(twice.ood_scores(unknown), 2 * one.ood_scores(strangers), rtol=1e-6)
