"""Opening the store beside the pages."""

from __future__ import annotations

import threading

import pytest

import aquadash.engine
import aquadash.runs
import aquadash.search
from aquadash import data
from aquadash.errors import AquaDashError, StorageError
from aquadash.ui import warmup


class EngineStub:
    """An engine that finds nothing to take over."""

    def adopt(self) -> list[str]:
        return []


@pytest.fixture(autouse=True)
def nothing_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "load", lambda source: None)
    monkeypatch.setattr(aquadash.runs, "open_store", lambda: None)
    monkeypatch.setattr(aquadash.engine, "open_engine", EngineStub)


def test_it_says_opening_until_the_store_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(aquadash.runs, "open_store", lambda: gate.wait(10))
    warmup.start()
    assert not warmup.ready()
    gate.set()
    warmup.wait_for_store()
    assert warmup.ready()
    warmup.wait_for_engine()


def test_a_failed_store_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise StorageError("read-only")

    monkeypatch.setattr(aquadash.runs, "open_store", refuse)
    with pytest.raises(StorageError, match="read-only"):
        warmup.wait_for_store()
    with pytest.raises(StorageError, match="read-only"):
        warmup.wait_for_engine()
    with pytest.raises(StorageError, match="read-only"):
        warmup.ready()
    monkeypatch.setattr(aquadash.runs, "open_store", lambda: None)
    warmup.start()
    warmup.wait_for_store()
    assert warmup.ready()


def test_without_an_engine_the_store_can_still_be_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("no scheduler")

    monkeypatch.setattr(aquadash.engine, "open_engine", fail)
    warmup.wait_for_store()
    with pytest.raises(AquaDashError, match="engine could not be started"):
        warmup.wait_for_engine()
    assert "no scheduler" in caplog.text


def test_it_opens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(aquadash.runs, "open_store", lambda: calls.append(1))
    for _ in range(5):
        warmup.start()
    warmup.wait_for_engine()
    warmup.start()
    assert calls == [1]


def test_searches_are_taken_up_after_the_engine_has_adopted_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(EngineStub, "adopt", lambda self: calls.append("runs"))
    monkeypatch.setattr(aquadash.search, "adopt", lambda: calls.append("searches"))
    warmup.wait_for_engine()
    assert calls == ["runs", "searches"]


def test_searches_that_cannot_be_taken_up_keep_nobody_from_training(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise StorageError("damaged")

    monkeypatch.setattr(aquadash.search, "adopt", fail)
    warmup.wait_for_engine()
    assert "damaged" in caplog.text
