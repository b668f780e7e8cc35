"""An engine whose runs train nothing: they are at work until a test lets them end."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from aquadash.engine import Engine, slots
from aquadash.errors import AquaDashError
from aquadash.jobs import Job, JobStatus, LeaseLostError, Worker
from aquadash.jobs.kinds import KINDS
from aquadash.jobs.worker import record_end
from aquadash.runs import Run, RunStore
from aquadash.runs.reading import KIND
from tests.waiting import wait_for

#: Seconds between two heartbeats of a training, which are what tells it to stop.
_HEARTBEAT_SECONDS = 0.5


class Trainings:
    """The trainings that were started, in their order; each claims and ends its job in the table."""

    def __init__(self, store: RunStore) -> None:
        self.started: list[str] = []
        self._store = store
        self._ends: dict[str, threading.Event] = {}
        self._all = threading.Event()
        self._pids = itertools.count(1)

    def launch(self, arguments: Sequence[str], *, log_path: Path) -> _Process:
        """In the place of the same of :class:`~aquadash.jobs.standby.Standby`."""
        worker = Worker("here", next(self._pids))
        job = self._store.jobs.claim([KIND], worker)
        if job is not None:
            self._ends[job.run] = threading.Event()
            self._store.start(job.run, worker)
            self.started.append(job.run)
        return _Process(self, job, worker.pid)

    def keep_ready(self) -> bool:
        """Nothing stands by."""
        return False

    def goes_on(self, job: Job) -> bool:
        """Whether a training is still at work; one that may end does so here."""
        try:
            stop = self._store.jobs.heartbeat(job, None)
            if not stop and not self._ends[job.run].is_set() and not self._all.is_set():
                return True
            status = JobStatus.STOPPED if stop else JobStatus.FINISHED
            record_end(KINDS[KIND], job.run, status, "")
            self._store.jobs.end(job, status)
        except LeaseLostError:
            pass
        return False

    def may_end(self, job: Job) -> bool:
        """Whether a test lets one end."""
        return self._all.is_set() or self._ends[job.run].is_set()

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
    def __init__(self, trainings: Trainings, job: Job | None, pid: int) -> None:
        self.pid = pid
        self._trainings, self._job = trainings, job
        self._heard = 0.0

    def wait(self, timeout: float) -> int | None:
        if self._job is None:
            return 0
        due = time.monotonic() - self._heard > _HEARTBEAT_SECONDS
        if due or self._trainings.may_end(self._job):
            self._heard = time.monotonic()
            if not self._trainings.goes_on(self._job):
                return 0
        time.sleep(timeout)
        return None


@contextmanager
def engine_of(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Trainings]]:
    """An engine with one slot, and its trainings; at the end nothing of the store waits or trains."""
    trainings = Trainings(store)
    monkeypatch.setattr(slots, "STANDBY", trainings)
    monkeypatch.setattr(slots, "_POLL_SECONDS", 0.02)
    engine = Engine(store)
    try:
        yield engine, trainings
    finally:
        for run in store.unfinished_runs():
            # It may have come to its end by itself.
            with contextlib.suppress(AquaDashError):
                store.request_stop(run.run_id)
        for job in store.jobs.find(kind=KIND, status=(JobStatus.RUNNING,)):
            trainings.goes_on(job)
        engine.close()
