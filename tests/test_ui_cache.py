"""What pages read, cached and shared."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import aquadash.runs
from aquadash import data, people
from aquadash.config import RunConfig
from aquadash.data import Source
from aquadash.errors import DataError, NotAllowedError, StorageError, UnknownNameError
from aquadash.people import Person, Role
from aquadash.runs import snapshot
from aquadash.runs.types import EpochRecord, Predictions, Run, RunStatus
from aquadash.search.store import open_search_store
from aquadash.ui import cache, warmup


class FakeStore:
    """Counts how often it is asked."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.asked: list[str] = []

    def list_runs(self, *, deleted: bool = False) -> list[Run]:
        self.asked.append("runs")
        return [] if deleted else [self.run]

    def get(self, run_id: str) -> Run:
        self.asked.append("get")
        return self.run

    def history(self, run_id: str) -> list[EpochRecord]:
        self.asked.append("history")
        return [EpochRecord(1, 1.0, 0.5, 1.0, 0.5, 0.01, 2.0)]

    def predictions(self, run_id: str) -> Predictions:
        self.asked.append("predictions")
        return Predictions(np.arange(2), np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]], dtype=np.float32))


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    fake = FakeStore(
        Run("a" * 32, "one", RunStatus.FINISHED, RunConfig(), 1.0, class_names=("otter", "seal"), ended_at=2.0)
    )
    monkeypatch.setattr(warmup, "ready", lambda: True)
    monkeypatch.setattr(aquadash.runs, "open_store", lambda: fake)
    monkeypatch.setattr(snapshot, "snapshot_of", lambda store: SimpleNamespace(runs=store.list_runs))
    return fake


def test_many_readers_cost_one_read(store: FakeStore) -> None:
    for _ in range(30):
        assert [run.name for run in cache.runs()] == ["one"]
    assert store.asked == ["runs"]
    assert cache.runs(deleted=True) == []


def test_those_who_watch_a_run_share_the_reading_of_those_who_look_at_all(store: FakeStore) -> None:
    for _ in range(10):
        assert cache.run("a" * 32) is cache.shared_runs()[0]
    assert store.asked == ["runs"]
    cache.run("b" * 32)
    assert store.asked == ["runs", "get"], "one in the bin, or of a moment ago, is looked for alone"


def test_what_is_hidden_is_shown_to_no_student(store: FakeStore) -> None:
    store.run = dataclasses.replace(store.run, hidden=True)
    assert cache.shared_runs() == (store.run,)
    with people.acting(Person("5" * 32, "Ada", Role.STUDENT)):
        assert cache.shared_runs() == () and cache.runs() == []
        with pytest.raises(NotAllowedError):
            cache.run("a" * 32)


def test_what_has_ended_is_read_once(store: FakeStore) -> None:
    for _ in range(3):
        assert len(cache.history("a" * 32)) == 1
        assert cache.evaluation("a" * 32).accuracy == 0.5
        cache.refresh()
    assert store.asked.count("history") == 1
    assert store.asked.count("predictions") == 1
    store.run = dataclasses.replace(store.run, ended_at=3.0)
    cache.refresh()
    cache.history("a" * 32)
    assert store.asked.count("history") == 2, "a run that was resumed and ended again is read again"


def test_what_runs_is_read_again_after_a_refresh(store: FakeStore) -> None:
    store.run = dataclasses.replace(store.run, status=RunStatus.RUNNING, ended_at=None)
    for _ in range(2):
        cache.history("a" * 32)
        cache.history("a" * 32)
        cache.refresh()
    assert store.asked.count("history") == 2


def test_the_returned_list_is_ones_own(store: FakeStore) -> None:
    cache.runs().clear()
    assert len(cache.runs()) == 1


def test_another_home_shows_other_runs(store: FakeStore, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    cache.runs()
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path))
    cache.runs()
    assert store.asked == ["runs", "runs"]


def test_a_data_set_is_never_downloaded_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*, progress: object = None) -> data.Dataset:
        raise AssertionError("nobody asked")

    monkeypatch.setitem(data.sources.BUILT_IN, "far", Source("far", "Far images", "", False, load, key=lambda: None))
    with pytest.raises(DataError, match="Far images is not on this computer yet"):
        cache.dataset("far")
    with pytest.raises(UnknownNameError):
        cache.dataset("farther")


def test_the_searches_are_opened_after_the_run_store(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise StorageError("The run store cannot be opened.")

    open_search_store()
    monkeypatch.setattr(warmup, "ready", lambda: False)
    monkeypatch.setattr(warmup, "wait_for_store", away)
    for read in (cache.search_heads, lambda: cache.search("a" * 32)):
        with pytest.raises(StorageError, match="cannot be opened"):
            read()
