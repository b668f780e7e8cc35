"""Searches in their file: found by name, damaged files told plainly."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.search import any_stored
from aquadash.search.store import RUN, SearchStore, open_search_store
from aquadash.store import open_store
from tests.search_fakes import plan


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


def test_nothing_is_made_before_the_first_search(home: Path) -> None:
    assert not any_stored() and list(home.iterdir()) == []
    open_search_store()
    assert any_stored()


def test_searches_are_listed_newest_first_and_found_by_id_prefix_or_name(store: SearchStore) -> None:
    first, second = store.create(plan(name="first")), store.create(plan(name=""))
    assert [head.search_id for head in store.heads()] == [second, first]
    assert store.get(second).name == f"search-{second[:6]}"
    two = store.create(plan(name=" two \n lines "))
    assert store.get(two).name == "two lines" and store.resolve(" two \n lines ") == two
    assert store.resolve(first) == store.resolve(first[:8]) == store.resolve("first") == first
    with pytest.raises(UnknownNameError, match="no search called 'furst'.*Did you mean 'first'"):
        store.resolve("furst")
    store.create(plan(name="first"))
    with pytest.raises(RunError, match="fits 2 searches"):
        store.resolve("first")


def test_a_search_that_is_not_there(store: SearchStore) -> None:
    for name in ("0" * 32, "../../etc/passwd", ""):
        with pytest.raises(UnknownNameError):
            store.get(name)


def test_a_damaged_file_is_told_in_words(home: Path) -> None:
    settings.search_database().write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(StorageError, match="Could not open the searches"):
        open_search_store()
    settings.search_database().unlink()
    open_search_store()  # The next call tries again.


def test_a_trial_that_cannot_be_read_is_hidden_with_the_others(store: SearchStore) -> None:
    search_id, runs = store.create(plan()), open_store()
    trials = [runs.create(RunConfig(), search_id=search_id).run_id for _ in range(3)]
    for run_id in trials:
        store.study(search_id).ask().set_user_attr(RUN, run_id)
    runs.set_tags(trials[1], "damage the run", {"aquadash.metrics": "5"})
    store.set_hidden(search_id)
    assert all(runs.read(run_id).hidden for run_id in trials)
