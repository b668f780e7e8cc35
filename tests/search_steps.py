"""Looks of a search's loop, one by one, for the tests that make every look themselves."""

from __future__ import annotations

from collections.abc import Callable

from aquadash.config import RunConfig
from aquadash.runs import RunStatus
from aquadash.search import Search, SearchPlan
from aquadash.search import store as kept
from aquadash.search.controller import Controller
from aquadash.search.store import SearchStore
from tests.search_fakes import FakeRuns, accuracy_of


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def begin(store: SearchStore, of: SearchPlan) -> str:
    search_id = store.create(of.checked())
    store.set_attributes(search_id, {kept.STATUS: str(RunStatus.RUNNING)})
    return search_id


def controller(
    store: SearchStore, search_id: str, runs: FakeRuns, *, slots: int = 1, clock: Clock | None = None
) -> Controller:
    return Controller(store, search_id, engine=runs, runs=runs, slots=slots, clock=clock or Clock())


def carry_out(
    control: Controller, runs: FakeRuns, value: Callable[[RunConfig], float] = accuracy_of, *, most_steps: int = 500
) -> None:
    """Step to the end; each run finishes as soon as it was started."""
    for _ in range(most_steps):
        if not control.step():
            return
        runs.heed_stops()
        for run in runs.at_work:
            runs.finish(run.run_id, value(run.config))
    raise AssertionError("the search does not end")


def stored(store: SearchStore, search_id: str) -> Search:
    """With the status as it is written: nobody holds the lock in these tests."""
    return store.get(search_id)
