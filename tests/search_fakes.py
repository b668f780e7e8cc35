"""Runs that train nothing, for the tests of searches: they are told what becomes of them."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from aquadash.augment import embedded
from aquadash.config import RunConfig, with_values
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.people import Person
from aquadash.search import Search, SearchPlan, job, parse_all
from aquadash.search.store import KIND, open_search_store
from aquadash.store import Job, Worker, open_jobs
from aquadash.store.job_types import job_id
from aquadash.store.types import EpochRecord, Progress, Run, RunStatus
from aquadash.work import worker
from tests import job_rows
from tests.waiting import wait_for

#: Settings to start from that the fakes understand.
BASE = with_values(RunConfig(), {"training.epochs": 20, "training.learning_rate": 0.01})


def plan(*over: str, **values: object) -> SearchPlan:
    """A plan over the learning rate, or over what is given."""
    space = parse_all(over or ("training.learning_rate=1e-4..1e-1:log",))
    return replace(SearchPlan(BASE, space, trials=5, name="mine"), **values)


def take_up(search_id: str) -> Job:
    """Have a job for the search, whose worker is this process."""
    open_jobs().submit(KIND, search_id, {})
    return job_rows.claim(KIND)


class FakeRuns:
    """Engine and run store in one. Runs wait until :meth:`work` or one of the others says how they end."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.histories: dict[str, list[EpochRecord]] = {}
        self.calls: list[tuple[str, object]] = []
        self.num_slots = 1
        #: Whether the scheduler does not answer.
        self.away = False
        #: Called with each config that is submitted; may raise.
        self.on_submit: Callable[[RunConfig], None] = lambda config: None

    # -- what a search uses ------------------------------------------------------------------------------------------

    def submit(
        self,
        config: RunConfig,
        *,
        name: str | None = None,
        search_id: str = "",
        owner: Person | None = None,
        hidden: bool = False,
    ) -> Run:
        self.slots()
        self.on_submit(config)
        config = embedded(config)
        run_id = f"{len(self.runs):032x}"
        about: dict[str, Any] = {"search_id": search_id, "hidden": hidden}
        self.runs[run_id] = Run(run_id, name or "", RunStatus.QUEUED, config, time.time(), **about)
        self.histories[run_id] = []
        self.calls.append(("submit", run_id))
        return self.runs[run_id]

    def request_stop(self, run_id: str) -> None:
        run = self.get(run_id)
        if run.status.ended:
            raise RunError("ended")
        self.calls.append(("stop", run_id))
        self.change(run_id, stop_requested=True)

    def resume(self, run_id: str) -> Run:
        self.slots()
        if not self.get(run_id).status.resumable:
            raise RunError("cannot be resumed")
        self.calls.append(("resume", run_id))
        self.change(run_id, status=RunStatus.QUEUED, stop_requested=False, message="")
        return self.runs[run_id]

    def slots(self) -> int:
        if self.away:
            raise RunError("The scheduler does not answer.")
        return self.num_slots

    def get(self, run_id: str) -> Run:
        run = self.read(run_id)
        if run.status is RunStatus.UNREADABLE:
            raise StorageError(run.message)
        return run

    def read(self, run_id: str) -> Run:
        if run_id not in self.runs:
            raise UnknownNameError(f"There is no run {run_id}.")
        return self.runs[run_id]

    def history(self, run_id: str) -> list[EpochRecord]:
        return list(self.histories[run_id])

    def set_hidden(self, run_id: str, hidden: bool = True) -> None:
        self.change(run_id, hidden=hidden)

    def list_runs(self) -> list[Run]:
        return list(reversed(self.runs.values()))

    # -- what a test does --------------------------------------------------------------------------------------------

    @property
    def at_work(self) -> list[Run]:
        """The runs that have not ended, in the order in which they came."""
        return [run for run in self.runs.values() if not run.status.ended]

    def change(self, run_id: str, **values: object) -> None:
        self.runs[run_id] = replace(self.runs[run_id], **values)

    def train(self, run_id: str, *accuracies: float) -> None:
        """More epochs with these validation accuracies; the run is then in the middle of the next."""
        history = self.histories[run_id]
        for accuracy in accuracies:
            history.append(EpochRecord(len(history) + 1, 1.0, accuracy, 1.0, accuracy, 0.01, 1.0))
        progress = Progress("training", len(history) + 1, 20, 1, 10, time=time.time())
        self.change(run_id, status=RunStatus.RUNNING, progress=progress, started_at=time.time())

    def finish(self, run_id: str, accuracy: float) -> None:
        """The run ends with that validation accuracy."""
        self.change(run_id, status=RunStatus.FINISHED, metrics={"val_accuracy": accuracy, "test_accuracy": 0.01})

    def end(self, run_id: str, status: RunStatus, message: str = "") -> None:
        """The run ends otherwise."""
        self.change(run_id, status=status, message=message)

    def heed_stops(self) -> None:
        """Workers that were asked to stop do so."""
        for run in self.at_work:
            if run.stop_requested:
                self.end(run.run_id, RunStatus.STOPPED, "Stopped by request.")


def accuracy_of(config: RunConfig) -> float:
    """A validation accuracy that is best for a learning rate of 0.003, so that 0.01 can be beaten."""
    return 0.8 - 0.1 * abs(math.log10(config.training.learning_rate / 0.003))


class QuickRuns(FakeRuns):
    """Runs that finish as soon as the gate is open, and stop as soon as they are asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def read(self, run_id: str) -> Run:
        self.heed_stops()
        run = super().read(run_id)
        if self.gate.is_set() and not run.status.ended:
            self.finish(run_id, accuracy_of(run.config))
        return super().read(run_id)


class InThreads:
    """An engine whose searches are carried out in threads of this process, on runs that train nothing."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> InThreads:
        return self

    def __exit__(self, *_: object) -> None: ...

    def serve(self) -> None:
        """Begin with the searches that wait."""
        here = Worker("here", os.getpid())
        while claimed := open_jobs().claim([KIND], here):
            thread = threading.Thread(target=worker.do_job, args=(open_jobs(), claimed), daemon=True)
            thread.start()
            self._threads.append(thread)

    def join(self) -> None:
        """Wait until no search is at work."""
        for thread in self._threads:
            thread.join(timeout=60)
            assert not thread.is_alive()

    def ended(self, search_id: str) -> Search:
        """A search, once its worker has written how it ended."""
        wait_for(lambda: open_jobs().get(job_id(KIND, search_id)).status.ended, every=0.05)
        return open_search_store().get(search_id)


@contextmanager
def searching(runs: QuickRuns, monkeypatch: pytest.MonkeyPatch) -> Iterator[InThreads]:
    """Searches use these runs, and look and report at short intervals; all have ended when the block does."""
    monkeypatch.setattr(job, "open_store", lambda: runs)
    monkeypatch.setattr(job, "Engine", lambda store, serving: runs)
    monkeypatch.setattr(job, "POLL_SECONDS", 0.02)
    engine = InThreads()
    yield engine
    runs.gate.set()
    engine.join()
