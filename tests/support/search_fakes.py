"""An engine that trains nothing, and searches whose trials it runs: the test decides how each run ends."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from aquadash.augment import embedded
from aquadash.config import RunConfig, with_values
from aquadash.errors import RunError
from aquadash.search import Search, SearchPlan, job, parse_all
from aquadash.search.store import KIND, open_search_store
from aquadash.store import Job, LeaseLostError, RunStore, Worker, open_jobs, open_store
from aquadash.store.job_types import job_id
from aquadash.store.types import EpochRecord, Progress, Run, RunStatus
from aquadash.work import worker
from tests.support import job_rows, live_runs
from tests.support.waiting import wait_for

#: Settings to start from that the fakes understand.
BASE = with_values(RunConfig(), {"training.epochs": 20, "training.learning_rate": 0.01})


def plan(*over: str, **values: object) -> SearchPlan:
    """A plan over the learning rate, or over what is given."""
    space = parse_all(over or ("training.learning_rate=1e-4..1e-1:log",))
    return replace(SearchPlan(BASE, space, trials=5, name="mine"), **values)


def take_up(search_id: str) -> Job:
    """Claim the search's job for this process; submit it first if the search has ended."""
    if open_jobs().get(job_id(KIND, search_id)).status.ended:
        open_jobs().submit(KIND, search_id, {})
    return job_rows.claim(KIND)


class FakeEngine:
    """An engine whose runs train nothing: they wait until a test, or :meth:`work_until`, says how they end."""

    def __init__(self, store: RunStore | None = None) -> None:
        self.store = store or open_store()
        #: The names and arguments of the calls that succeeded.
        self.calls: list[tuple[str, Any]] = []
        #: The error of each call of :meth:`submit`.
        self.error: Exception | None = None
        self.num_slots = 1
        #: Called with each config that is submitted; may raise.
        self.on_submit: Callable[[RunConfig], None] = lambda config: None
        #: While it is set, :meth:`work_until` finishes runs.
        self.gate = threading.Event()

    def serve(self) -> None: ...

    def slots(self) -> int:
        return self.num_slots

    def submit(self, config: RunConfig, **about: Any) -> Run:
        if self.error:
            raise self.error
        self.on_submit(config)
        self.calls.append(("submit", config))
        return self.store.submit(embedded(config), **about)

    def resume(self, run_id: str) -> Run:
        self.store.queue(run_id)
        self.calls.append(("resume", run_id))
        return self.store.get(run_id)

    @property
    def runs(self) -> dict[str, Run]:
        """All runs in the order in which they came."""
        return {run.run_id: run for run in reversed(self.store.list_runs())}

    @property
    def at_work(self) -> list[Run]:
        """The runs that have not ended, in the order in which they came."""
        return [run for run in self.runs.values() if not run.status.ended]

    def get(self, run_id: str) -> Run:
        return self.store.read(run_id)

    def train(self, run_id: str, *accuracies: float) -> None:
        """Complete more epochs with these validation accuracies; the run is then in the middle of the next."""
        job = self._job(run_id)
        first = len(self.store.history(run_id)) + 1
        records = [EpochRecord(first + n, 1.0, value, 1.0, value, 0.01, 1.0) for n, value in enumerate(accuracies)]
        self.store.log_epoch(run_id, *records, curve=list(accuracies))
        progress = Progress("training", first + len(records), 20, 1, 10, time=time.time())
        live_runs.report(self.store, job, progress)

    def finish(self, run_id: str, accuracy: float) -> None:
        """End the run with that validation accuracy."""
        self.store.update(run_id, metrics={"val_accuracy": accuracy, "test_accuracy": 0.01})
        self.end(run_id, RunStatus.FINISHED)

    def end(self, run_id: str, status: RunStatus, message: str = "") -> None:
        """End the run otherwise."""
        live_runs.end(self.store, self._job(run_id), status, message=message)

    def heed_stops(self) -> None:
        """Stop the runs that were asked to."""
        for run in self.at_work:
            if run.stop_requested:
                self.end(run.run_id, RunStatus.STOPPED, "Stopped by request.")

    def work_until(self, ended: threading.Event) -> None:
        """Do the workers' part until ``ended`` is set."""
        while not ended.wait(0.02):
            # A search may stop a run at the same moment.
            with suppress(RunError, LeaseLostError):
                self.heed_stops()
                for run in self.at_work if self.gate.is_set() else ():
                    self.finish(run.run_id, accuracy_of(run.config))

    def _job(self, run_id: str) -> Job:
        if self.store.read(run_id).status is RunStatus.QUEUED:
            live_runs.start(self.store, run_id)
        return live_runs.job_of(run_id)


def accuracy_of(config: RunConfig) -> float:
    """A validation accuracy that is best for a learning rate of 0.003, so that 0.01 can be beaten."""
    return 0.8 - 0.1 * abs(math.log10(config.training.learning_rate / 0.003))


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


def use_engine(monkeypatch: pytest.MonkeyPatch, engine: object) -> None:
    """Let the app have its runs and jobs done by this engine."""
    monkeypatch.setattr("aquadash.work.queue.open_engine", lambda: engine)


@contextmanager
def searching(runs: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[InThreads]:
    """Searches use these runs, and look and report at short intervals; all have ended when the block does."""
    monkeypatch.setattr(job, "Engine", lambda store, serving: runs)
    monkeypatch.setattr(job, "POLL_SECONDS", 0.02)
    engine, ended = InThreads(), threading.Event()
    use_engine(monkeypatch, engine)
    working = threading.Thread(target=runs.work_until, args=(ended,), daemon=True)
    working.start()
    yield engine
    runs.gate.set()
    engine.join()
    ended.set()
    working.join(timeout=60)
