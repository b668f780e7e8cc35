"""Searches as rows: their names, unknown ids, and trials that cannot be read."""

from __future__ import annotations

import pytest

from aquadash.errors import RunError, UnknownNameError
from aquadash.search.store import SearchStore, open_search_store
from aquadash.store import open_store
from aquadash.store.types import TrialOf
from tests.support.made_runs import create
from tests.support.search_fakes import plan


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


def test_searches_are_listed_newest_first_and_found_by_id_prefix_or_name(store: SearchStore) -> None:
    first, second = store.submit(plan(name="first")), store.submit(plan(name=""))
    assert [head.search_id for head in store.heads()] == [second, first]
    assert store.get(second).name == f"search-{second[:6]}"
    two = store.submit(plan(name=" two \n lines "))
    assert store.get(two).name == "two lines" and store.resolve(" two \n lines ") == two
    assert store.resolve(first) == store.resolve(first[:8]) == store.resolve("first") == first
    with pytest.raises(UnknownNameError, match="no search called 'furst'.*Did you mean 'first'"):
        store.resolve("furst")
    store.submit(plan(name="first"))
    with pytest.raises(RunError, match="fits 2 searches"):
        store.resolve("first")


def test_a_search_that_is_not_there(store: SearchStore) -> None:
    for name in ("0" * 32, "../../etc/passwd", ""):
        with pytest.raises(UnknownNameError):
            store.get(name)


def test_a_trial_that_cannot_be_read_is_hidden_with_the_others(store: SearchStore) -> None:
    search_id, runs = store.submit(plan()), open_store()
    trials = [create(runs, search_id=search_id, trial=TrialOf(number, {})).run_id for number in range(3)]
    runs.update(trials[1], metrics=5)
    store.set_hidden(search_id)
    assert all(runs.read(run_id).hidden for run_id in trials)
