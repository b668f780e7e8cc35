"""Two models on the same images: the change of accuracy and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multinomial

from aquadash.errors import DataError
from aquadash.evaluation import clustered_interval, paired_change, wilson_interval
from aquadash.evaluation.intervals import newcombe_interval


def test_newcombes_interval_has_the_published_values() -> None:
    # M. W. Fagerland, S. Lydersen, P. Laake, Statistics in Medicine 33 (2014), 2850-2875, table of intervals for the
    # airway data of 21 children: Newcombe's square-and-add interval.
    assert newcombe_interval(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)


def test_without_a_correlation_it_is_the_interval_of_independent_shares() -> None:
    # both * neither is only a little above the product of the others, so that the corrected phi is 0.
    low, high = newcombe_interval(26, 25, 24, 25)
    (low_a, high_a), (low_b, high_b) = wilson_interval(51, 100), wilson_interval(50, 100)
    assert low == pytest.approx(0.01 - np.hypot(0.51 - low_a, high_b - 0.5))
    assert high == pytest.approx(0.01 + np.hypot(high_a - 0.51, 0.5 - low_b))


def test_the_other_way_round_it_is_mirrored() -> None:
    low, high = newcombe_interval(40, 12, 5, 20)
    assert newcombe_interval(40, 5, 12, 20) == pytest.approx((-high, -low))


@pytest.mark.parametrize("counts", [(50, 0, 0, 0), (0, 0, 0, 9), (0, 5, 0, 0), (1, 0, 0, 1), (0, 3, 3, 0)])
def test_extreme_counts_have_an_interval_around_the_difference(counts: tuple[int, int, int, int]) -> None:
    low, high = newcombe_interval(*counts)
    difference = (counts[1] - counts[2]) / sum(counts)
    assert -1 <= low <= difference <= high <= 1
    assert high > low


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    shares = (0.55, 0.12, 0.06, 0.27)
    drawn = multinomial(80, shares).rvs(size=600, random_state=1)
    hits = [low <= 0.06 <= high for low, high in (newcombe_interval(*map(int, row)) for row in drawn)]
    assert 0.92 <= np.mean(hits) <= 0.98


def test_bad_counts_are_refused() -> None:
    with pytest.raises(DataError, match="not all of them 0"):
        newcombe_interval(0, 0, 0, 0)
    with pytest.raises(DataError, match="0 or more"):
        newcombe_interval(3, -1, 0, 0)


def answers(predicted: list[int]) -> np.ndarray:
    shares = np.full((len(predicted), 3), 0.1)
    shares[np.arange(len(predicted)), predicted] = 0.8
    return shares


def test_the_change_is_counted_overall_and_in_each_class() -> None:
    labels = [0, 0, 0, 0, 1, 1, 1, 1]
    change = paired_change(
        labels, answers([0, 0, 1, 1, 1, 1, 1, 0]), answers([0, 0, 0, 0, 1, 1, 2, 0]), class_names=("a", "b", "c")
    )
    assert (change.overall.n, change.overall.before, change.overall.after) == (8, 5 / 8, 6 / 8)
    assert (change.overall.fixed, change.overall.broken, change.overall.change) == (2, 1, 1 / 8)
    assert [(one.label, one.fixed, one.broken) for one in change.classes] == [("a", 2, 0), ("b", 0, 1)]
    assert change.overall.p_value == change.mcnemar.p_value == 1.0
    assert change.classes[0].interval == newcombe_interval(2, 2, 0, 0)
    assert not change.overall.is_clear
    values = change.to_dict()
    assert values["overall"]["change_ci95"] == list(change.overall.interval)


def test_a_large_change_is_clear() -> None:
    labels = [0] * 40
    change = paired_change(labels, answers([1] * 30 + [0] * 10), answers([0] * 40), class_names=("a", "b", "c"))
    assert change.overall.is_clear
    assert change.overall.p_value < 1e-6


def test_names_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="2 class names"):
        paired_change([0], answers([0]), answers([0]), class_names=("a", "b"))


def test_copies_of_few_images_have_a_wide_interval() -> None:
    spread = clustered_interval([50, 50, 0, 0, 50, 0], trials=50)
    even = clustered_interval([25, 24, 26, 25, 25, 25], trials=50)
    assert spread is not None and even is not None
    # All or nothing: six images say as much as six trials at most. Alike: as three hundred.
    assert spread[1] - spread[0] > 0.6
    assert even == pytest.approx(wilson_interval(150, 300), abs=0.01)


def test_images_that_are_all_right_leave_room_for_others() -> None:
    interval = clustered_interval([50] * 10, trials=50)
    assert interval is not None
    assert 0.5 < interval[0] < wilson_interval(10, 10)[0]
    assert interval[1] == 1.0


def test_one_image_says_nothing_of_others() -> None:
    assert clustered_interval([7], trials=50) is None
    with pytest.raises(DataError, match="do not go with"):
        clustered_interval([51, 2], trials=50)


def test_clustered_intervals_cover_the_mean_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(2)
    hits = []
    for _ in range(500):
        chances = random.beta(2, 1, size=20)
        interval = clustered_interval(random.binomial(50, chances), trials=50)
        assert interval is not None
        hits.append(interval[0] <= 2 / 3 <= interval[1])
    assert 0.91 <= np.mean(hits) <= 0.985
