"""Searches carried out in threads of this process, on runs that train nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aquadash.config import RunConfig
from aquadash.errors import ConfigError, DataError, RunError, StorageError
from aquadash.runs import RunStatus
from aquadash.search import Budget, Searches, TrialState
from aquadash.search import searches as module
from aquadash.search import store as kept
from aquadash.search.store import SearchStore, open_search_store
from tests.search_fakes import QuickRuns, plan
from tests.waiting import wait_for


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


@pytest.fixture
def runs() -> QuickRuns:
    return QuickRuns()


@pytest.fixture
def searches(store: SearchStore, runs: QuickRuns) -> Iterator[Searches]:
    searches = Searches(store, engine=runs, runs=runs, poll_seconds=0.02)
    yield searches
    runs.gate.set()
    for head in store.heads():
        assert searches.wait(head.search_id, timeout=30)


def test_it_runs_to_its_end(searches: Searches, runs: QuickRuns) -> None:
    runs.gate.set()
    search_id = searches.start(plan(budget=Budget(4)))
    assert searches.wait(search_id, timeout=60)
    search = searches.get(search_id)
    assert search.status is RunStatus.FINISHED and len(search.complete) == 4


def test_a_plan_that_cannot_be_carried_out_is_not_stored(searches: Searches, store: SearchStore) -> None:
    with pytest.raises(ConfigError):
        searches.start(plan(budget=Budget(None)))
    assert store.heads() == []


def test_weights_that_cannot_be_had_are_told_before_anything_starts(
    searches: Searches, store: SearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(config: RunConfig) -> None:
        raise DataError("no weights")

    monkeypatch.setattr(module, "check", missing)
    with pytest.raises(DataError, match="no weights"):
        searches.start(plan())
    assert store.heads() == []


def test_a_grid_without_a_point_left_is_not_continued(searches: Searches, runs: QuickRuns) -> None:
    runs.gate.set()
    search_id = searches.start(plan("training.optimizer=sgd,adam", sampler="grid", budget=Budget(2)))
    assert searches.wait(search_id, timeout=60)
    assert searches.get(search_id).exhausted
    with pytest.raises(RunError, match="every point of its grid"):
        searches.resume(search_id, budget=Budget(20))


def test_stop_and_continue(searches: Searches, runs: QuickRuns) -> None:
    search_id = searches.start(plan(budget=Budget(3)))
    wait_for(lambda: runs.at_work)
    with pytest.raises(RunError, match="running already"):
        searches.resume(search_id)
    searches.stop(search_id)
    assert searches.wait(search_id, timeout=60)
    stopped = searches.get(search_id)
    assert stopped.status is RunStatus.STOPPED and stopped.trials[0].state is TrialState.PAUSED
    runs.gate.set()
    searches.resume(search_id)
    assert searches.wait(search_id, timeout=60)
    finished = searches.get(search_id)
    assert finished.status is RunStatus.FINISHED and len(runs.runs) == 3 and not finished.stop_requested


def test_a_spent_budget_must_grow(searches: Searches, runs: QuickRuns) -> None:
    runs.gate.set()
    search_id = searches.start(plan(budget=Budget(3)))
    assert searches.wait(search_id, timeout=60)
    with pytest.raises(RunError, match="all of its 3 trials"):
        searches.resume(search_id)
    searches.resume(search_id, budget=Budget(5))
    assert searches.wait(search_id, timeout=60)
    assert len(searches.get(search_id).complete) == 5
    with pytest.raises(RunError, match="minutes"):
        searches.resume(search_id, budget=Budget(None, minutes=1e-6))


def test_it_is_carried_out_once(
    searches: Searches, store: SearchStore, runs: QuickRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.1)
    search_id = searches.start(plan(budget=Budget(2)))
    other = Searches(store, engine=runs, runs=runs, poll_seconds=0.02)
    assert other.adopt() == []
    with pytest.raises(RunError, match="Another process"):
        other._take_up(search_id, {})
    runs.gate.set()


def test_what_a_dead_process_left_is_adopted_and_what_was_stopped_is_not(
    searches: Searches, store: SearchStore, runs: QuickRuns
) -> None:
    runs.gate.set()
    stopped, left = store.create(plan(budget=Budget(3))), store.create(plan(budget=Budget(3)))
    store.set_attributes(left, {kept.STATUS: str(RunStatus.RUNNING)})
    assert searches.adopt() == [left]
    assert searches.wait(left, timeout=60)
    assert searches.get(left).status is RunStatus.FINISHED
    assert searches.get(stopped).status is RunStatus.STOPPED and searches.get(stopped).trials == ()


def test_a_stop_that_was_asked_for_before_the_crash_is_heeded_after_it(
    searches: Searches, store: SearchStore, runs: QuickRuns
) -> None:
    left = store.create(plan(budget=Budget(3)))
    store.set_attributes(left, {kept.STATUS: str(RunStatus.RUNNING), kept.STOP: True})
    assert searches.adopt() == [left]
    assert searches.wait(left, timeout=60)
    assert searches.get(left).status is RunStatus.STOPPED and runs.runs == {}


def test_a_passing_error_of_the_store_is_outlived(searches: Searches, runs: QuickRuns) -> None:
    errors = iter([StorageError("database is locked")] * 3)

    def stumble(config: RunConfig) -> None:
        if error := next(errors, None):
            raise error

    runs.on_submit = stumble
    runs.gate.set()
    search_id = searches.start(plan(budget=Budget(2)))
    assert searches.wait(search_id, timeout=60)
    assert [trial.state for trial in searches.get(search_id).trials] == [TrialState.COMPLETE] * 2


@pytest.mark.parametrize(
    ("error", "said"), [(StorageError("disk full"), "disk full"), (ZeroDivisionError("x"), "Zero")]
)
def test_a_lasting_error_ends_it_and_is_told(
    searches: Searches, runs: QuickRuns, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(config: RunConfig) -> None:
        raise error

    monkeypatch.setattr(module, "_MOST_ERRORS", 3)
    runs.on_submit = fail
    search_id = searches.start(plan())
    assert searches.wait(search_id, timeout=60)
    search = searches.get(search_id)
    assert search.status is RunStatus.FAILED and said in search.message
