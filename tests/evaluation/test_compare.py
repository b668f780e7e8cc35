"""Tests of McNemar's test, all pairs of runs, corrected p-values, agreement, the Pareto front and intervals."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multinomial

from aquadash.errors import DataError
from aquadash.evaluation import agreement_of, clustered_interval, paired_change, pairwise, pareto_front, wilson_interval
from aquadash.evaluation.compare import AccuracyChange, compare_predictions, holm
from aquadash.evaluation.intervals import newcombe_interval
from aquadash.evaluation.records import Predictions


def stored(right: str, *, first: int = 0) -> Predictions:
    """Return predictions of two classes, right for each 1 and wrong for each 0; later ones are more confident."""
    labels = np.arange(len(right)) % 2
    answers = np.where(np.array(list(right)) == "1", labels, 1 - labels)
    sure = np.linspace(0.6, 0.9, len(right), dtype=np.float32)[:, None]
    return Predictions(np.arange(len(right)) + first, labels, np.where(np.eye(2)[answers] == 1, sure, 1 - sure))


A, B = stored("10100"), stored("01110")


def test_fixed_and_broken_images() -> None:
    result, same = (compare_predictions(A, other) for other in (B, A))
    assert (result.n, result.fixed, result.broken, result.p_value) == (5, 2, 1, 1.0)
    assert result.fixed_indices.tolist() == [1, 3] and result.broken_indices.tolist() == [0]
    assert (same.fixed, same.broken, same.p_value) == (0, 0, 1.0)
    # The probability of five heads or five tails.
    none, all_five = np.zeros(5, bool), np.ones(5, bool)
    assert AccuracyChange(none, all_five).p_value == AccuracyChange(all_five, none).p_value == pytest.approx(2 / 2**5)


@pytest.mark.parametrize(
    "other",
    [
        stored("01110", first=400),
        replace(B, labels=1 - B.labels),
        replace(B, probabilities=np.hstack([B.probabilities, np.zeros((5, 1))])),
    ],
)
def test_predictions_of_other_images_labels_or_classes_are_refused(other: Predictions) -> None:
    with pytest.raises(DataError, match="different images, labels or classes"):
        compare_predictions(A, other)


def test_holm_agrees_with_the_textbook() -> None:
    # By hand: 4 * 0.01, then 3 * 0.02, 2 * 0.03 is raised to the one before it, and 0.5 stays.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([]) == [] and holm([0.2]) == [0.2] and holm([0.9, 0.8]) == [1.0, 1.0]


def test_pairs_have_differences_intervals_and_corrected_p_values() -> None:
    low, high = stored("1" * 20 + "0" * 40), stored("1" * 50 + "0" * 10)
    tests = pairwise([low, high, low], sets=["a", "a", "a"])
    assert [(test.a, test.b) for test in tests] == [(0, 1), (0, 2), (1, 2)]
    first, same, back = tests
    assert (first.result.fixed, first.result.broken, first.result.change) == (30, 0, 0.5)
    assert first.result.interval == newcombe_interval(20, 30, 0, 10)
    assert first.result.interval[0] < 0.5 < first.result.interval[1]
    assert (same.result.change, same.result.p_value, same.p_holm) == (0.0, 1.0, 1.0)
    assert first.p_holm == pytest.approx(3 * first.result.p_value)
    turned = first.turned()
    assert (turned.a, turned.b, turned.result.change, turned.result.broken) == (1, 0, -0.5, 30)
    plain = json.loads(json.dumps(first.to_dict()))
    assert plain["difference"] == 0.5 and plain["fixed_indices"] == list(range(20, 50)) and plain["statistic"] == 0
    assert plain["p_value_holm"] == pytest.approx(first.p_holm)


def test_pairs_that_cannot_be_compared_say_so_and_do_not_count() -> None:
    one, other = stored("1" * 10 + "0" * 20), stored("0" * 10 + "1" * 20)
    tests = pairwise([one, None, other, stored("1" * 30), stored("1" * 30, first=7)], sets=["a", "a", "a", "b", "a"])
    known = {(test.a, test.b): test for test in tests if test.result is not None}
    assert list(known) == [(0, 2)]
    assert known[0, 2].p_holm == known[0, 2].result.p_value
    errors = {(test.a, test.b): test.error for test in tests if test.result is None}
    assert "no predictions" in errors[0, 1] and "measured on different" in errors[0, 3]
    assert "measured on different images" in errors[0, 4]


def test_agreement_counts_and_sorts_the_surest_mistakes_first() -> None:
    agreement = agreement_of([stored("110010"), stored("100010"), stored("101000")])
    assert agreement.runs_right.tolist() == [3, 1, 1, 0, 2, 0] and agreement.counts.tolist() == [2, 2, 1, 1]
    # Later answers are more confident, so the later of two wrong ones comes first.
    assert agreement.right_by(0).tolist() == [5, 3] and agreement.right_by(3).tolist() == [0]
    with pytest.raises(DataError, match="different images"):
        agreement_of([stored("11"), stored("11", first=3)])


def test_the_pareto_front_holds_what_nothing_beats() -> None:
    costs, gains = [1.0, 2.0, 2.0, 3.0, 1.0, float("nan")], [0.5, 0.7, 0.6, 0.7, 0.5, 0.9]
    assert pareto_front(costs, gains) == [True, True, False, False, True, False]


def test_newcombes_interval_has_the_published_values_and_covers_the_truth() -> None:
    # Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014), 2850-2875: airway data of 21 children.
    assert newcombe_interval(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)
    # By hand from the formula, where phi's correction does not set it to 0 as above.
    assert newcombe_interval(55, 12, 6, 27) == pytest.approx((-0.02436, 0.14302), abs=5e-5)

    for both, fixed, broken, neither in ((50, 0, 0, 0), (0, 5, 0, 0), (1, 0, 0, 1), (0, 3, 3, 0)):
        low, high = newcombe_interval(both, fixed, broken, neither)
        assert -1 <= low <= (fixed - broken) / (both + fixed + broken + neither) <= high <= 1 and high > low
    table = multinomial(80, (0.55, 0.12, 0.06, 0.27)).rvs(size=600, random_state=1)
    hits = [low <= 0.06 <= high for low, high in (newcombe_interval(*map(int, row)) for row in table)]
    assert 0.92 <= np.mean(hits) <= 0.98, "it covers the truth about as often as it says"


def test_the_change_is_counted_overall_and_in_each_class() -> None:
    labels = [0, 0, 0, 0, 1, 1, 1, 1]
    before, after = (
        Predictions(np.arange(8), np.array(labels), np.eye(3)[answers])
        for answers in ([0, 0, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 2, 0])
    )
    overall, *classes = paired_change(before, after, class_names=("a", "b", "c"))
    assert (overall.n, overall.before, overall.after) == (8, 5 / 8, 6 / 8)
    assert (overall.fixed, overall.broken, overall.change) == (2, 1, 1 / 8)
    assert [(one.label, one.fixed, one.broken) for one in classes] == [("a", 2, 0), ("b", 0, 1)]
    assert classes[0].interval == newcombe_interval(2, 2, 0, 0)


def test_copies_of_few_images_have_a_wide_interval() -> None:
    low, high = clustered_interval([50, 50, 0, 0, 50, 0], trials=50)
    assert high - low > 0.6, "six images of which all copies or none are right are worth six trials at most"
    even = clustered_interval([25, 24, 26, 25, 25, 25], trials=50)
    assert even == pytest.approx(wilson_interval(150, 300), abs=0.01), "three hundred, where the images are alike"
    low, high = clustered_interval([50] * 10, trials=50)
    assert 0.5 < low < wilson_interval(10, 10)[0] and high == 1.0, "ten, where all are right"
    assert clustered_interval([7], trials=50) is None
    random = np.random.default_rng(2)
    hits = []
    for _ in range(500):
        chances = random.beta(2, 1, size=20)
        interval = clustered_interval(random.binomial(50, chances), trials=50)
        hits.append(interval[0] <= 2 / 3 <= interval[1])
    assert 0.91 <= np.mean(hits) <= 0.985, "it covers the mean about as often as it says"
