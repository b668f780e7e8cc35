"""McNemar's test, all pairs of runs, corrected p-values, agreement, the Pareto front; what must not be compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash.errors import DataError
from aquadash.evaluation import agreement_of, pairwise, pareto_front
from aquadash.evaluation.compare import compare_predictions, exact_p_value, holm, mcnemar
from aquadash.evaluation.intervals import newcombe_interval

LABELS = np.array([0, 0, 1, 1, 1])
A = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3], [0.6, 0.4]])  # right, wrong, right, wrong, wrong
B = np.array([[0.3, 0.7], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9], [0.8, 0.2]])  # wrong, right, right, right, wrong


@dataclass(frozen=True)
class Stored:
    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def of_five(probabilities: NDArray[np.float64]) -> Stored:
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
    assert compare_predictions(of_five(A), of_five(B)).fixed == 2


def test_different_test_images_are_refused() -> None:
    with pytest.raises(DataError, match="different images"):
        compare_predictions(of_five(A), replace(of_five(B), indices=np.arange(5) + 400))
    few = Stored(np.arange(3), LABELS[:3], B[:3].astype(np.float32))
    with pytest.raises(DataError, match="5 and 3"):
        compare_predictions(of_five(A), few)


def test_different_labels_are_refused() -> None:
    with pytest.raises(DataError, match="different labels \\(2 of 5"):
        compare_predictions(of_five(A), replace(of_five(B), labels=np.array([1, 0, 0, 1, 1])))


def test_different_classes_are_refused() -> None:
    with pytest.raises(DataError, match="2 classes apart, the other 3"):
        mcnemar(LABELS, A, np.hstack([B, np.zeros((5, 1))]))


def stored(right: str, *, first: int = 0) -> Stored:
    """Predictions of two classes: a 1 for an image that is had right, a 0 for another; the later ones surer."""
    labels = np.arange(len(right)) % 2
    hits = np.array([letter == "1" for letter in right])
    sure = np.linspace(0.6, 0.9, len(right), dtype=np.float32)
    answers = np.where(hits, labels, 1 - labels)
    shares = np.repeat((1 - sure)[:, None], 2, axis=1)
    shares[np.arange(len(right)), answers] = sure
    return Stored(np.arange(len(right)) + first, labels, shares)


def test_holm_agrees_with_the_textbook() -> None:
    # Worked by hand: 4 * 0.01, then 3 * 0.02, 2 * 0.03 is raised to the one before it, and 0.5 stays.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([]) == [] and holm([0.2]) == [0.2] and holm([0.9, 0.8]) == [1.0, 1.0]
    with pytest.raises(DataError, match=r"got 1\.5"):
        holm([0.1, 1.5])


def test_holm_keeps_false_alarms_rare_where_nothing_differs() -> None:
    random = np.random.default_rng(5)
    batches = random.random((400, 45))
    plain = np.mean([(batch < 0.05).any() for batch in batches])
    corrected = np.mean([min(holm(batch.tolist())) < 0.05 for batch in batches])
    assert plain > 0.8 and corrected < 0.08


def test_pairs_have_differences_intervals_and_corrected_p_values() -> None:
    low, high = stored("1" * 20 + "0" * 40), stored("1" * 50 + "0" * 10)
    tests = pairwise([low, high, low], sets=["a", "a", "a"])
    assert [(test.a, test.b) for test in tests] == [(0, 1), (0, 2), (1, 2)]
    first, same, back = tests
    assert first.result is not None and same.result is not None and back.result is not None
    assert (first.result.fixed, first.result.broken, first.difference) == (30, 0, 0.5)
    assert first.interval == newcombe_interval(20, 30, 0, 10)
    assert first.interval[0] < 0.5 < first.interval[1]
    assert (same.difference, same.result.p_value, same.p_holm) == (0.0, 1.0, 1.0)
    assert first.p_holm == pytest.approx(3 * first.result.p_value)
    turned = first.turned()
    assert turned.result is not None
    assert (turned.a, turned.b, turned.difference, turned.result.broken) == (1, 0, -0.5, 30)
    assert turned.interval == (-first.interval[1], -first.interval[0])
    plain = json.loads(json.dumps(first.to_dict()))
    assert plain["difference"] == 0.5 and plain["p_value_holm"] == pytest.approx(first.p_holm)


def test_pairs_that_cannot_be_compared_say_so_and_do_not_count() -> None:
    one, other = stored("1" * 10 + "0" * 20), stored("0" * 10 + "1" * 20)
    tests = pairwise([one, None, other, stored("1" * 30), stored("1" * 30, first=7)], sets=["a", "a", "a", "b", "a"])
    known = {(test.a, test.b): test for test in tests if test.result is not None}
    assert list(known) == [(0, 2)]
    assert known[0, 2].p_holm == known[0, 2].result.p_value  # type: ignore[union-attr]
    errors = {(test.a, test.b): test.error for test in tests if test.result is None}
    assert "no predictions" in errors[0, 1] and "measured on different" in errors[0, 3]
    assert "tested on different images" in errors[0, 4]


def test_agreement_counts_and_sorts_the_surest_mistakes_first() -> None:
    found = agreement_of([stored("110010"), stored("100010"), stored("101000")])
    assert found.runs_right.tolist() == [3, 1, 1, 0, 2, 0]
    assert found.counts.tolist() == [2, 2, 1, 1]
    # All later images are answered more surely, so the later of two wholly wrong ones comes first.
    assert found.right_by(0).tolist() == [5, 3]
    assert found.right_by(3).tolist() == [0]
    with pytest.raises(DataError, match="different images"):
        agreement_of([stored("11"), stored("11", first=3)])
    with pytest.raises(DataError, match="no predictions"):
        agreement_of([])


def test_the_pareto_front_holds_what_nothing_beats() -> None:
    costs, gains = [1.0, 2.0, 2.0, 3.0, 1.0, float("nan")], [0.5, 0.7, 0.6, 0.7, 0.5, 0.9]
    assert pareto_front(costs, gains) == [True, True, False, False, True, False]
    assert pareto_front([], []) == []
    with pytest.raises(DataError, match="1 costs and 2 gains"):
        pareto_front([1.0], [1.0, 2.0])
