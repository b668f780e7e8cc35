"""Opening the store beside the pages."""

from __future__ import annotations

import threading
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace

import pytest

import aquadash.engine
import aquadash.runs
import aquadash.search
from aquadash import settings
from aquadash.errors import AquaDashError, StorageError
from aquadash.ui import warmup


class EngineStub:
    """An engine that finds nothing to take over."""

    def adopt(self) -> list[str]:
        return []


@pytest.fixture(autouse=True)
def nothing_opened(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is taken over, in order, where there are runs and searches."""
    calls: list[str] = []
    monkeypatch.setattr(EngineStub, "adopt", lambda self: calls.append("runs"))
    monkeypatch.setattr(aquadash.search, "any_stored", lambda: True)
    monkeypatch.setattr(
        aquadash.search, "open_searches", lambda: SimpleNamespace(adopt=lambda: calls.append("searches"))
    )
    return calls


def test_searches_are_taken_up_after_the_engine_has_adopted_its_runs(taken_over: list[str]) -> None:
    warmup.wait_for_engine()
    assert taken_over == ["runs", "searches"]


def test_without_any_search_none_is_opened(taken_over: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aquadash.search, "any_stored", lambda: False)
    warmup.wait_for_engine()
    assert taken_over == ["runs"]


@pytest.mark.parametrize(("what", "before"), [("engine.open_engine", []), ("search.open_searches", ["runs"])])
def test_what_lies_in_a_home_that_is_set_while_it_opens_is_left_alone(
    taken_over: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, before: list[str]
) -> None:
    opened = attrgetter(what)(aquadash)()

    def open_slowly() -> object:
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path))
        return opened

    monkeypatch.setattr(f"aquadash.{what}", open_slowly)
    opening = warmup._Opening(settings.place())
    opening.wanted.set()
    opening.engine_wanted.set()
    warmup._open(opening)
    assert taken_over == before


def test_searches_that_cannot_be_taken_up_keep_nobody_from_training(
    taken_over: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise StorageError("damaged")

    monkeypatch.setattr(aquadash.search, "open_searches", fail)
    warmup.wait_for_engine()
    assert taken_over == ["runs"] and "damaged" in caplog.text
