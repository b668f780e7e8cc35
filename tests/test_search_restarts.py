"""A search that was stopped, continued, or ended by a crash goes on where it was."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.config import RunConfig
from aquadash.errors import StorageError
from aquadash.jobs import JobStatus
from aquadash.runs import RunStatus
from aquadash.search import Budget, TrialState
from aquadash.search.store import SearchStore, open_search_store
from tests.search_fakes import FakeRuns, accuracy_of, plan
from tests.search_steps import begin, carry_out, controller, go_on_after_stop, request_stop


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


def test_stop_rests_the_runs_and_a_continued_search_resumes_them(store: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(store, plan(budget=Budget(4)))
    control = controller(store, search_id, runs, slots=2)
    control.step()
    request_stop(search_id)
    assert control.step() is JobStatus.RUNNING  # Asked, not ended yet.
    assert all(run.stop_requested for run in runs.at_work)
    runs.heed_stops()
    assert control.step() is JobStatus.STOPPED and len(runs.runs) == 2

    go_on_after_stop(search_id)
    control = controller(store, search_id, runs, slots=2)
    control.step()
    assert [call for call in runs.calls if call[0] == "resume"] == [
        ("resume", run_id) for run_id in list(runs.runs)[:2]
    ]
    assert len(runs.runs) == 2  # Nothing is repeated.
    carry_out(control, runs)
    search = store.get(search_id)
    assert len(search.trials) == len(runs.runs) == 4 and all(trial.value is not None for trial in search.trials)


def test_a_search_continued_while_its_runs_still_stop_waits_for_them(store: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(store, plan(budget=Budget(2)))
    control = controller(store, search_id, runs)
    control.step()
    runs.train(runs.at_work[0].run_id, 0.5)
    request_stop(search_id)
    control.step()
    go_on_after_stop(search_id)
    control = controller(store, search_id, runs)
    control.step()
    assert len(runs.runs) == 1 and ("resume", next(iter(runs.runs))) not in runs.calls
    runs.heed_stops()
    control.step()
    assert runs.calls[-1] == ("resume", next(iter(runs.runs)))
    assert store.get(search_id).trials[0].state is TrialState.RUNNING


def test_after_a_crash_runs_at_work_and_runs_that_ended_are_picked_up(store: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(store, plan(budget=Budget(6)))
    controller(store, search_id, runs, slots=3).step()
    first, second, third = list(runs.runs)
    runs.finish(first, 0.7)
    runs.train(second, 0.4)
    # Nobody looks any more.
    control = controller(store, search_id, runs, slots=3)
    control.step()
    search = store.get(search_id)
    assert [trial.run_id for trial in search.trials[:3]] == [first, second, third]
    assert search.trials[0].value == 0.7 and search.trials[1].state is TrialState.RUNNING
    assert len(runs.runs) == 4
    carry_out(control, runs)
    assert len(store.get(search_id).trials) == len(runs.runs) == 6


def test_a_search_after_a_restart_draws_what_it_would_have_drawn(store: SearchStore) -> None:
    def values(restart_after: int) -> list[float]:
        runs = FakeRuns()
        search_id = begin(store, plan(budget=Budget(14)))
        control = controller(store, search_id, runs)
        for _ in range(restart_after):
            control.step()
            for run in runs.at_work:
                runs.finish(run.run_id, accuracy_of(run.config))
        carry_out(controller(store, search_id, runs), runs)
        return [float(trial.params["training.learning_rate"]) for trial in store.get(search_id).trials]

    assert values(0) == values(9)


def test_a_trial_whose_run_was_not_noted_finds_it_again(store: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(store, plan(budget=Budget(2)))
    original = runs.submit

    def crash_after(config: RunConfig, **told: Any) -> None:
        original(config, **told)
        raise StorageError("the power went off")

    runs.submit = crash_after  # type: ignore[method-assign, assignment]
    with pytest.raises(StorageError):
        controller(store, search_id, runs).step()
    assert store.get(search_id).trials[0].run_id == ""
    runs.submit = original  # type: ignore[method-assign]
    control = controller(store, search_id, runs)
    control.step()
    assert store.get(search_id).trials[0].run_id == next(iter(runs.runs)) and len(runs.runs) == 1
    carry_out(control, runs)
    assert len(runs.runs) == 2


def test_a_trial_without_any_run_is_submitted(store: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(store, plan(budget=Budget(2)))

    def crash(config: RunConfig) -> None:
        raise StorageError("the disk is full")

    runs.on_submit = crash
    with pytest.raises(StorageError):
        controller(store, search_id, runs).step()
    runs.on_submit = lambda config: None
    control = controller(store, search_id, runs)
    carry_out(control, runs)
    assert [trial.state for trial in store.get(search_id).trials] == [TrialState.COMPLETE] * 2


def test_a_run_that_its_workers_were_lost_with_is_a_failed_trial(store: SearchStore, runs: FakeRuns) -> None:
    control = controller(store, search_id := begin(store, plan(budget=Budget(2))), runs)
    control.step()
    runs.end(runs.at_work[0].run_id, RunStatus.FAILED, "3 workers in a row were lost with it")
    control.step()
    trial = store.get(search_id).trials[0]
    assert trial.state is TrialState.FAILED and "3 workers" in trial.message
    assert not [call for call in runs.calls if call[0] == "resume"]


def test_a_run_whose_home_came_without_its_job_goes_on(store: SearchStore, runs: FakeRuns) -> None:
    control = controller(store, begin(store, plan(budget=Budget(2))), runs)
    control.step()
    run_id = runs.at_work[0].run_id
    runs.end(run_id, RunStatus.INTERRUPTED)
    control.step()
    assert runs.calls[-1] == ("resume", run_id)


def test_a_run_that_somebody_stopped_is_a_pruned_trial(store: SearchStore, runs: FakeRuns) -> None:
    control = controller(store, search_id := begin(store, plan(budget=Budget(2))), runs)
    control.step()
    runs.request_stop(runs.at_work[0].run_id)
    runs.heed_stops()
    control.step()
    trial = store.get(search_id).trials[0]
    assert trial.state is TrialState.PRUNED and trial.message == "Somebody stopped its run."
