"""Looks of a search's loop, one by one, for the tests that make every look themselves."""

from __future__ import annotations

from collections.abc import Callable

from aquadash.config import RunConfig
from aquadash.jobs import Job, JobStatus, open_jobs
from aquadash.jobs.types import job_id
from aquadash.search import SearchPlan
from aquadash.search.controller import Controller
from aquadash.search.store import KIND, SearchStore
from tests import job_rows
from tests.search_fakes import FakeRuns, accuracy_of


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def begin(store: SearchStore, of: SearchPlan) -> str:
    """Store a search whose worker is this process; returns its id."""
    search_id = store.create(of.checked())
    take_up(search_id)
    return search_id


def take_up(search_id: str) -> Job:
    """Have a job for the search, whose worker is this process."""
    open_jobs().submit(KIND, search_id, {})
    return job_rows.claim(KIND)


def request_stop(search_id: str) -> None:
    open_jobs().request_stop(job_id(KIND, search_id))


def go_on_after_stop(search_id: str) -> None:
    """Its worker has stopped it, and somebody has continued it since."""
    job = open_jobs().get(job_id(KIND, search_id))
    assert job is not None
    open_jobs().end(job, JobStatus.STOPPED)
    take_up(search_id)


def controller(
    store: SearchStore, search_id: str, runs: FakeRuns, *, slots: int = 1, clock: Clock | None = None
) -> Controller:
    runs.num_slots = slots
    return Controller(store, search_id, engine=runs, runs=runs, clock=clock or Clock())


def carry_out(
    control: Controller, runs: FakeRuns, value: Callable[[RunConfig], float] = accuracy_of, *, most_steps: int = 500
) -> JobStatus:
    """Step to the end, and say how it ended; each run finishes as soon as it was started."""
    for _ in range(most_steps):
        if (status := control.step()).ended:
            return status
        runs.heed_stops()
        for run in runs.at_work:
            runs.finish(run.run_id, value(run.config))
    raise AssertionError("the search does not end")
