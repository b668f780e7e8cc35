"""The threads that warm the app up beside the first pages."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from aquadash.errors import StorageError
from aquadash.ui.kit import warmup
from aquadash.work import queue


class EngineStub:
    """An engine that counts how often it was asked to serve."""

    def __init__(self) -> None:
        self.served: list[str] = []
        #: Called before the engine opens.
        self.on_open: Callable[[], object] = lambda: None

    def open(self) -> EngineStub:
        self.on_open()
        return self

    def serve(self) -> None:
        self.served.append("served")


@pytest.fixture
def engine(home: object, monkeypatch: pytest.MonkeyPatch) -> EngineStub:
    engine = EngineStub()
    monkeypatch.setattr(queue, "open_engine", engine.open)
    return engine


def finished(start: Callable[[], None]) -> None:
    """Start something beside the page, and wait for its thread."""
    before = set(threading.enumerate())
    start()
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("aquadash"):
            thread.join(60)


def test_what_waits_is_given_to_workers_once(engine: EngineStub) -> None:
    for _ in range(3):
        finished(warmup.start)
    assert engine.served == ["served"]


def test_a_failed_attempt_is_no_error_of_the_page_and_is_repeated(engine: EngineStub) -> None:
    attempts = iter([StorageError("read-only"), None])

    def refuse_once() -> None:
        if (error := next(attempts)) is not None:
            raise error

    engine.on_open = refuse_once
    finished(warmup.start)
    finished(warmup.start)
    assert engine.served == ["served"]


def test_jobs_of_another_home_are_left_alone(
    engine: EngineStub, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.on_open = lambda: monkeypatch.setenv("AQUADASH_HOME", f"{tmp_path}/another")
    finished(warmup.start)
    assert engine.served == []
