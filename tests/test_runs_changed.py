"""The quick way to the runs that were written lately says what MLflow's own way says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aquadash import people
from aquadash.config import RunConfig
from aquadash.people import Person, Role
from aquadash.runs import Progress, RunStatus, RunStore, open_store
from aquadash.runs.reading import RunReading
from aquadash.runs.tags import StoredRun


@pytest.fixture
def store(home: Path, prepared_home: Path) -> RunStore:
    return open_store()


def slowly(store: RunStore, first: float, last: float, monkeypatch: pytest.MonkeyPatch) -> dict[str, StoredRun]:
    with monkeypatch.context() as patch:
        patch.setattr(RunReading, "_changed_in_database", lambda *_: None)
        return {stored.run_id: stored for stored in store.changed_runs(first, last)}


def test_both_ways_find_the_same(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [store.create(RunConfig(), name=f"run {number}").run_id for number in range(3)]
    store.set_note(ids[0], "A note, with 'quotes' and % signs.")
    store.heartbeat(ids[1], Progress("training", epoch=2, epochs=9, time=time.time()), log_tail="a line")
    store.set_status(ids[2], RunStatus.STOPPED)
    store.delete(ids[2])
    now = time.time()
    quick = {stored.run_id: stored for stored in store.changed_runs(now - 60, now + 60)}
    slow = slowly(store, now - 60, now + 60, monkeypatch)
    assert set(ids) <= set(quick) <= set(slow), "the slow way may find a few more, by the beginnings of the times"
    assert all(quick[run_id] == slow[run_id] for run_id in quick)
    assert quick[ids[2]].deleted and not quick[ids[0]].deleted
    assert quick[ids[1]].read() == store.get(ids[1])


def test_a_student_finds_nothing_that_is_hidden(store: RunStore) -> None:
    shown, hidden = (store.create(RunConfig()).run_id for _ in range(2))
    store.set_hidden(hidden)
    now = time.time()
    with people.acting(Person("5" * 32, "Ada", Role.STUDENT)):
        found = {stored.run_id for stored in store.changed_runs(now - 60, now + 60)}
    assert shown in found and hidden not in found


def test_what_was_written_before_is_not_read(store: RunStore) -> None:
    run_id = store.create(RunConfig()).run_id
    now = time.time()
    assert run_id in {stored.run_id for stored in store.changed_runs(now - 60, now + 60)}
    assert store.changed_runs(now + 120, now + 180) == []


@pytest.mark.soak
def test_the_quick_way_is_quick(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create(RunConfig())
    now = time.time()

    def seconds(read: object) -> float:
        read()  # type: ignore[operator]
        began = time.perf_counter()
        for _ in range(20):
            read()  # type: ignore[operator]
        return time.perf_counter() - began

    quick = seconds(lambda: store.changed_runs(now - 60, now + 60))
    assert quick < 0.5 * seconds(lambda: slowly(store, now - 60, now + 60, monkeypatch))
