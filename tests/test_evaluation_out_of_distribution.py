from __future__ import annotations

import numpy as np
import pytest

from aquadash.errors import DataError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector, auroc


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training, validation and stranger features: two classes in two directions, strangers in a third."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    centres = np.eye(6)[:2] * 5

    def around(which: np.ndarray) -> np.ndarray:
        return centres[which] + rng.normal(size=(len(which), 6))

    strangers = np.eye(6)[[2] * 100] * 5 + rng.normal(size=(100, 6))
    return around(labels), labels, around(labels), strangers


def test_strangers_are_farther_away_than_95_percent_of_validation_images(clouds: tuple[np.ndarray, ...]) -> None:
    training, labels, validation, strangers = clouds
    detector = OutOfDistributionDetector.fit(training, labels, validation_features=validation)
    known, strange = detector.ood_scores(validation), detector.ood_scores(strangers)
    assert auroc(known, strange) > 0.95
    assert (strange > detector.threshold).mean() > 0.8
    assert (known <= detector.threshold).mean() == detector.accepted == 0.95
    assert detector.threshold in known


def test_the_distance_is_mahalanobiss(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    distance = OutOfDistributionDetector(rng.normal(size=(3, 4)), np.diag([1.0, 2.0, 3.0, 4.0]), 1.0, 0.95)
    rows = rng.normal(size=(5, 4))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = [min(float((row - mean) @ distance.precision @ (row - mean)) for mean in distance.means) for row in unit]
    np.testing.assert_allclose(distance.ood_scores(rows), expected)
    monkeypatch.setattr("aquadash.evaluation.out_of_distribution._GAPS", 24)
    np.testing.assert_allclose(distance.ood_scores(7 * rows), expected, err_msg="two images at a time")


def test_the_distances_of_parts_are_added(clouds: tuple[np.ndarray, ...]) -> None:
    training, labels, validation, strangers = clouds
    one = OutOfDistributionDetector.fit(training, labels, validation_features=validation)
    rows, known, unknown = (
        np.hstack([each / np.linalg.norm(each, axis=1, keepdims=True)] * 2)
        for each in (training, validation, strangers)
    )
    twice = OutOfDistributionDetector.fit(rows, labels, validation_features=known, widths=(6, 6))
    np.testing.assert_allclose(twice.ood_scores(unknown), 2 * one.ood_scores(strangers), rtol=1e-6)


def test_arrays_bring_it_back(clouds: tuple[np.ndarray, ...]) -> None:
    training, labels, validation, strangers = clouds
    detector = OutOfDistributionDetector.fit(
        training, labels, validation_features=validation, pretrained="these weights"
    )
    again = OutOfDistributionDetector.from_arrays(detector.to_arrays())
    np.testing.assert_allclose(again.ood_scores(strangers), detector.ood_scores(strangers), rtol=1e-4)
    assert (again.threshold, again.accepted, again.pretrained) == (
        detector.threshold,
        detector.accepted,
        "these weights",
    )
    of_0_6 = {name: array for name, array in detector.to_arrays().items() if name != "pretrained"}
    assert OutOfDistributionDetector.from_arrays(of_0_6).pretrained == ""
    for means in (np.zeros((2, 3)), np.zeros((0, 6))):
        with pytest.raises(ValueError, match="belong together"):
            OutOfDistributionDetector.from_arrays({**detector.to_arrays(), "means": means})


def test_a_missing_class_or_no_validation_image_is_refused() -> None:
    with pytest.raises(DataError, match="expected every class"):
        OutOfDistributionDetector.fit(np.eye(4), [0, 0, 2, 2], validation_features=np.eye(4))
    with pytest.raises(DataError, match="no validation images"):
        OutOfDistributionDetector.fit(np.eye(4), [0, 0, 1, 1], validation_features=np.zeros((0, 4)))


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    assert auroc([1, 2], [3, 4]) == 1.0
    assert auroc([1, 3], [2, 4]) == 0.75
    assert auroc([1, 1], [1, 1]) == 0.5
