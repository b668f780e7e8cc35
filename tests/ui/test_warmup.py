"""The threads that warm the app up beside the first pages."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from aquadash.errors import StorageError
from aquadash.ui.kit import warmup


def start_and_wait() -> None:
    """Warm up beside the page, and wait for the thread."""
    before = set(threading.enumerate())
    warmup.start()
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("aquadash"):
            thread.join(60)


def test_waiting_jobs_are_served_once_and_a_failed_attempt_is_repeated(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[str] = []
    attempts = iter([StorageError("read-only"), None])

    def open_engine() -> SimpleNamespace:
        if (error := next(attempts)) is not None:
            raise error
        return SimpleNamespace(serve=lambda: served.append("served"))

    monkeypatch.setattr("aquadash.work.queue.open_engine", open_engine)
    for _ in range(4):
        start_and_wait()
    assert served == ["served"]
