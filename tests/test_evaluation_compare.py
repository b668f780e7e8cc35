"""McNemar's test against scipy's binomial test, and runs that must not be compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash.errors import DataError
from aquadash.evaluation.compare import compare_predictions, exact_p_value, mcnemar

LABELS = np.array([0, 0, 1, 1, 1])
A = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3], [0.6, 0.4]])  # right, wrong, right, wrong, wrong
B = np.array([[0.3, 0.7], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9], [0.8, 0.2]])  # wrong, right, right, right, wrong


@dataclass(frozen=True)
class Stored:
    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def stored(probabilities: NDArray[np.float64]) -> Stored:
    return Stored(np.arange(len(LABELS)), LABELS, probabilities.astype(np.float32))


def test_fixed_and_broken_images() -> None:
    result = mcnemar(LABELS, A, B)
    assert (result.n, result.fixed, result.broken, result.statistic) == (5, 2, 1, 1)
    assert result.fixed_indices.tolist() == [1, 3]
    assert result.broken_indices.tolist() == [0]
    assert result.p_value == 1.0


def test_turning_the_runs_round_swaps_fixed_and_broken() -> None:
    forth, back = mcnemar(LABELS, A, B), mcnemar(LABELS, B, A)
    assert (back.fixed, back.broken, back.p_value) == (forth.broken, forth.fixed, forth.p_value)


@pytest.mark.parametrize(
    ("fixed", "broken"), [(1, 0), (5, 0), (0, 6), (7, 7), (8, 7), (12, 3), (40, 61), (300, 251), (0, 1200)]
)
def test_p_value_agrees_with_scipy(fixed: int, broken: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(fixed, fixed + broken, 0.5).pvalue
    assert exact_p_value(fixed, broken) == pytest.approx(expected, abs=1e-9)


def test_equal_runs_differ_by_chance_alone() -> None:
    result = mcnemar(LABELS, A, A)
    assert (result.fixed, result.broken, result.p_value) == (0, 0, 1.0)


def test_the_json_form_is_plain() -> None:
    plain = json.loads(json.dumps(mcnemar(LABELS, A, B).to_dict()))
    assert plain["fixed_indices"] == [1, 3] and plain["p_value"] == 1.0


def test_stored_predictions_of_the_same_images_are_compared() -> None:
    assert compare_predictions(stored(A), stored(B)).fixed == 2


def test_different_test_images_are_refused() -> None:
    with pytest.raises(DataError, match="different images"):
        compare_predictions(stored(A), replace(stored(B), indices=np.arange(5) + 400))
    few = Stored(np.arange(3), LABELS[:3], B[:3].astype(np.float32))
    with pytest.raises(DataError, match="5 and 3"):
        compare_predictions(stored(A), few)


def test_different_labels_are_refused() -> None:
    with pytest.raises(DataError, match="different labels \\(2 of 5"):
        compare_predictions(stored(A), replace(stored(B), labels=np.array([1, 0, 0, 1, 1])))


def test_different_classes_are_refused() -> None:
    with pytest.raises(DataError, match="2 classes apart, the other 3"):
        mcnemar(LABELS, A, np.hstack([B, np.zeros((5, 1))]))
