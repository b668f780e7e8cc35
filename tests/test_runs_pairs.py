"""Pairs of runs in the store, and what a pipeline changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aquadash.errors import DataError, RunError, UnknownNameError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import RunStatus, RunStore
from aquadash.runs.pairs import find_pair, pairs
from tests.paired import add_pair
from tests.ui_runs import predictions

change = Lab(OWNER).runs.change


def test_the_two_halves_are_found_again(store: RunStore) -> None:
    without, with_it = add_pair(store, title="Flips: twice", pair_id="abc1")
    add_pair(store, status=RunStatus.QUEUED, pair_id="abc2")
    waiting, done = pairs(store.list_runs())
    assert waiting.at_work and not done.at_work
    assert (done.without, done.with_it, done.title) == (without, with_it, "Flips: twice")
    assert done.pipeline == "notebook-1"
    assert find_pair(store.list_runs(), "abc1") == done
    assert done.to_dict()["with"] == {"run_id": with_it.run_id, "name": "With: Flips: twice", "status": "finished"}
    with pytest.raises(UnknownNameError, match="no pair"):
        find_pair(store.list_runs(), "xyz")
    with pytest.raises(RunError, match="'abc' fits 2 pairs"):
        find_pair(store.list_runs(), "abc")
    copy = replace(without, run_id="c" * 32, name="Mine is better", origin=without.run_id)
    for runs in ((copy, without, with_it), (without, with_it, copy)):
        assert pairs(runs)[0].without == without, "an imported copy takes no place in what was trained here"
    assert pairs((copy, with_it))[0].without == copy, "it stands in where there is no other"


def test_the_change_is_that_on_the_images_that_are_asked_for(store: RunStore) -> None:
    add_pair(store)
    (pair,) = pairs(store.list_runs())
    found = change(pair, "validation")
    assert (found.overall.n, found.overall.broken) == (375, 0)
    assert found.overall.change == pytest.approx(0.2, abs=0.06) and found.overall.interval[0] > 0
    assert [row.label for row in found.classes] == list(pair.runs[0].class_names)
    assert sum(row.n for row in found.classes) == 375
    assert change(pair, "test").overall.n == 500


def test_what_cannot_be_compared_is_refused(store: RunStore) -> None:
    without, with_it = add_pair(store)
    waiting, _ = add_pair(store, status=RunStatus.QUEUED)
    with pytest.raises(RunError, match="not done yet"):
        change(find_pair(store.list_runs(), waiting.pair_id), "validation")
    for run in find_pair(store.list_runs(), waiting.pair_id).runs:
        Lab(OWNER).runs.stop(run.run_id)
    with pytest.raises(RunError, match="before its first epoch was complete"):
        change(find_pair(store.list_runs(), waiting.pair_id), "validation")
    labels = store.validation_predictions(without.run_id).labels
    store.add_validation_predictions(with_it.run_id, predictions(labels[:100], 0.5))
    with pytest.raises(DataError, match="measured on different images"):
        change(find_pair(store.list_runs(), without.pair_id), "validation")
    store.delete(without.run_id)
    with pytest.raises(RunError, match="is not here"):
        change(find_pair(store.list_runs(), without.pair_id), "validation")
