"""Opening the store beside the pages."""

from __future__ import annotations

import threading

import pytest

import aquadash.store
import aquadash.work
from aquadash.errors import AquaDashError, StorageError
from aquadash.ui import warmup


class EngineStub:
    """An engine that gives nothing out."""

    def serve(self) -> None: ...


@pytest.fixture(autouse=True)
def nothing_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aquadash.store, "open_store", lambda **_: None)
    monkeypatch.setattr(aquadash.work, "open_engine", EngineStub)
    monkeypatch.setattr(warmup, "_HEAD_START", 0)


def test_it_says_opening_until_the_store_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(aquadash.store, "open_store", lambda **_: gate.wait(10))
    warmup.start()
    assert not warmup.ready()
    gate.set()
    warmup.wait_for_store()
    assert warmup.ready()
    warmup._opening(retry=False).engine.result()


def test_a_failed_store_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise StorageError("read-only")

    monkeypatch.setattr(aquadash.store, "open_store", refuse)
    with pytest.raises(StorageError, match="read-only"):
        warmup.wait_for_store()
    with pytest.raises(StorageError, match="read-only"):
        warmup._opening(retry=False).engine.result()
    with pytest.raises(StorageError, match="read-only"):
        warmup.ready()
    monkeypatch.setattr(aquadash.store, "open_store", lambda **_: None)
    warmup.start()
    warmup.wait_for_store()
    assert warmup.ready()


def test_the_store_is_read_without_an_engine(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("no scheduler")

    monkeypatch.setattr(aquadash.work, "open_engine", fail)
    warmup.wait_for_store()
    with pytest.raises(AquaDashError, match="engine could not be started"):
        warmup._opening(retry=False).engine.result()
    assert "no scheduler" in caplog.text


def test_it_opens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(aquadash.store, "open_store", lambda **_: calls.append(1))
    for _ in range(5):
        warmup.start()
    warmup._opening(retry=False).engine.result()
    warmup.start()
    assert calls == [1]


def test_what_waits_is_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    served = threading.Event()
    monkeypatch.setattr(EngineStub, "serve", lambda self: served.set())
    warmup._opening(retry=False).engine.result()
    assert served.is_set()
