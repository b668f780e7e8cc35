"""Searches in their file: found by name, damaged files told plainly, the lock as the sign of life."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aquadash import settings
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.runs import RunStatus
from aquadash.search import Budget, any_stored
from aquadash.search import store as kept
from aquadash.search.store import SearchStore, open_search_store
from tests.search_fakes import plan
from tests.waiting import wait_for


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


def test_only_a_running_search_can_be_stopped(store: SearchStore) -> None:
    search_id = store.create(plan())
    with pytest.raises(RunError, match="it is stopped"):
        store.request_stop(search_id)
    store.set_attributes(search_id, {kept.STATUS: str(RunStatus.RUNNING)})
    with pytest.raises(RunError, match="it is interrupted"):
        store.request_stop(search_id)
    with store.lock(search_id):
        store.request_stop(search_id)
        assert store.get(search_id).stop_requested


def test_a_budget_can_be_changed(store: SearchStore) -> None:
    search_id = store.create(plan(budget=Budget(5)))
    store.set_budget(search_id, Budget(9, 3.0))
    assert store.get(search_id).plan == plan(budget=Budget(9, 3.0))


HOLD = """
import sys
from aquadash.search.store import open_search_store
with open_search_store().lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_search_reads_as_running_as_long_as_its_process_lives(store: SearchStore) -> None:
    search_id = store.create(plan())
    store.set_attributes(search_id, {kept.STATUS: str(RunStatus.RUNNING)})
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, search_id],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.PROJECT_ROOT,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "held\n"
    assert store.get(search_id).status is RunStatus.RUNNING
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    wait_for(lambda: store.get(search_id).status is RunStatus.INTERRUPTED)


def test_the_lock_is_within_the_home(store: SearchStore, home: Path) -> None:
    assert Path(store.lock("a" * 32).lock_file).is_relative_to(home)
    with pytest.raises(RunError):
        store.lock("../outside")


def test_a_damaged_file_is_told_in_words(home: Path) -> None:
    settings.search_database().write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(StorageError, match="Could not open the searches"):
        open_search_store()
    settings.search_database().unlink()
    open_search_store()  # The next call tries again.
