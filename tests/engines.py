"""An engine whose runs train nothing: they are at work until a test lets them end."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aquadash import people
from aquadash.engine import Engine, supervisor
from aquadash.runs import Progress, Run, RunStatus, RunStore, Worker
from tests.waiting import wait_for


class Trainings:
    """The trainings that were started, in the order in which they were."""

    def __init__(self, store: RunStore) -> None:
        self.started: list[str] = []
        self._store = store
        self._ends: dict[str, threading.Event] = {}
        self._signs: dict[str, float] = {}
        self._all = threading.Event()
        self._pids = itertools.count(1)

    def start(self, arguments: list[str], *, log_path: Path) -> _Process:
        """In the place of ``start_detached``."""
        run_id = arguments[1]
        process = _Process(self, run_id, next(self._pids))
        self._ends[run_id] = threading.Event()
        self._store.start(run_id, Worker("here", process.pid))
        self.started.append(run_id)
        return process

    def poll(self, run_id: str) -> int | None:
        if self._store.get(run_id).status.ended:
            return 0
        if not self._ends[run_id].is_set() and not self._all.is_set():
            if time.time() - self._signs.get(run_id, 0.0) > 2.0:
                self._signs[run_id] = time.time()
                self._store.heartbeat(run_id, Progress("training", time=time.time()))
            return None
        self._store.set_status(run_id, RunStatus.FINISHED)
        return 0

    def end(self, run_id: str) -> None:
        """Let one come to its end."""
        wait_for(lambda: run_id in self._ends)
        self._ends[run_id].set()

    def end_all(self) -> None:
        """Let all that are at work and that are still to come end at once."""
        self._all.set()

    def wait(self, *runs: Run) -> list[str]:
        """Wait until so many trainings have started as runs are given; returns the names of those that have."""
        names = {run.run_id: run.name for run in self._store.list_runs()}
        wait_for(lambda: len(self.started) >= len(runs), saying=lambda: self.started)
        return [names[run_id] for run_id in self.started]


class _Process:
    def __init__(self, trainings: Trainings, run_id: str, pid: int) -> None:
        self._trainings, self._run_id, self.pid = trainings, run_id, pid

    @property
    def returncode(self) -> int:
        return 0

    def poll(self) -> int | None:
        return self._trainings.poll(self._run_id)


@contextmanager
def engine_of(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Trainings]]:
    """An engine with one slot, and its trainings."""
    trainings = Trainings(store)
    monkeypatch.setattr(supervisor, "start_detached", trainings.start)
    monkeypatch.setattr(supervisor, "_POLL_SECONDS", 0.05)
    engine = Engine(store)
    try:
        yield engine, trainings
    finally:
        with people.acting(people.OWNER):
            for run in store.unfinished_runs():
                store.set_status(run.run_id, RunStatus.STOPPED)
        engine.close()
