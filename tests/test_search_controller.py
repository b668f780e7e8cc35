"""The search's loop, with runs that train nothing: every look is made by the test."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aquadash.augment import embedded, pipeline, save
from aquadash.config import RunConfig, with_values
from aquadash.data.folder import drafts
from aquadash.data.folder.about import About
from aquadash.data.folder.drafts import SplitChoice
from aquadash.data.folder.store import delete, restore
from aquadash.errors import ConfigError, RunError, StorageError
from aquadash.jobs import JobStatus, open_jobs
from aquadash.jobs.types import job_id
from aquadash.runs import RunStatus
from aquadash.search import Budget, SearchPlan, TrialState
from aquadash.search.controller import MAX_FAILURES, Controller
from aquadash.search.store import HIDDEN, IMAGES, KIND, SearchStore, open_search_store
from tests.own_pictures import drafted, in_folder, of_classes
from tests.search_fakes import BASE, FakeRuns, accuracy_of, plan, take_up


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def begin(store: SearchStore, of: SearchPlan) -> str:
    """Store a search whose worker is this process; returns its id."""
    search_id = store.create(of.checked())
    take_up(search_id)
    return search_id


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


@pytest.fixture
def store() -> SearchStore:
    """One in memory: the home's file would take most of the time."""
    from optuna.storages import InMemoryStorage

    return SearchStore(InMemoryStorage())


@pytest.fixture
def stored() -> SearchStore:
    """The home's, from which another process could go on."""
    return open_search_store()


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_it_spends_its_budget_and_ranks_by_validation_accuracy(
    store: SearchStore, runs: FakeRuns, sampler: str
) -> None:
    over = ("training.learning_rate=1e-4..1e-1:log", "training.optimizer=sgd,adam", "training.batch_size=16,32")
    search_id = begin(store, plan(*over, sampler=sampler, budget=Budget(12)))
    assert carry_out(controller(store, search_id, runs), runs) is JobStatus.FINISHED
    search = store.get(search_id)
    assert search.fraction == 1.0
    assert [trial.number for trial in search.trials] == list(range(12))
    assert all(trial.state is TrialState.COMPLETE for trial in search.trials)
    first = runs.get(search.trials[0].run_id)
    assert first.config == BASE and search.default_value == pytest.approx(accuracy_of(BASE))
    assert search.trials[0].params == {
        "training.learning_rate": 0.01,
        "training.optimizer": "sgd",
        "training.batch_size": 32,
    }
    for trial in search.trials:
        run = runs.get(trial.run_id)
        assert run.config == with_values(BASE, trial.params)
        assert run.search_id == search_id and run.name == f"mine #{trial.number}"
        assert trial.value == pytest.approx(accuracy_of(run.config))  # Never the test figure.
    best = search.best
    assert best.value == max(trial.value or 0 for trial in search.trials)
    assert len({repr(sorted(trial.params.items())) for trial in search.trials}) == 12


def test_a_grid_ends_with_its_last_point_and_tries_none_twice(store: SearchStore, runs: FakeRuns) -> None:
    # The settings to start from, 0.01, are a point of the grid.
    of = plan(
        "training.learning_rate=1e-4..1e-1:log", "training.optimizer=sgd,adam", sampler="grid", budget=Budget(None, 60)
    )
    search_id = begin(store, of)
    carry_out(controller(store, search_id, runs), runs)
    search = store.get(search_id)
    points = {(trial.params["training.learning_rate"], trial.params["training.optimizer"]) for trial in search.trials}
    assert len(search.trials) == of.max_trials == 8 == len(points)
    assert {rate for rate, _ in points} == {0.0001, 0.001, 0.01, 0.1}


def test_settings_outside_of_the_space_are_tried_first_all_the_same(store: SearchStore, runs: FakeRuns) -> None:
    over = (
        "training.learning_rate=1e-4..1e-3:log",
        "training.optimizer=adam,adamw",
        "training.weight_decay=1e-5..1e-2:log",
    )
    search_id = begin(store, plan(*over, budget=Budget(12)))
    carry_out(controller(store, search_id, runs), runs)
    search = store.get(search_id)
    assert runs.get(search.trials[0].run_id).config == BASE
    assert search.trials[0].params["training.optimizer"] == "sgd"
    assert all(trial.params["training.optimizer"] in ("adam", "adamw") for trial in search.trials[1:])
    assert all(1e-4 <= trial.params["training.learning_rate"] <= 1e-3 for trial in search.trials[1:])


def test_as_many_trials_at_once_as_there_are_slots(store: SearchStore, runs: FakeRuns) -> None:
    control = controller(store, search_id := begin(store, plan(budget=Budget(5))), runs, slots=3)
    assert control.step() is JobStatus.RUNNING
    assert len(runs.at_work) == 3
    runs.finish(runs.at_work[1].run_id, 0.5)
    control.step()
    assert len(runs.at_work) == 3 and len(runs.runs) == 4
    carry_out(control, runs)
    assert len(store.get(search_id).trials) == 5


def test_minutes_end_it_after_the_trials_under_way(store: SearchStore, runs: FakeRuns) -> None:
    clock = Clock()
    search_id = begin(store, plan(budget=Budget(None, minutes=2)))
    control = controller(store, search_id, runs, clock=clock)
    for _ in range(3):
        assert control.step() is JobStatus.RUNNING
        clock.now += 45
        runs.finish(runs.at_work[0].run_id, 0.5)
    assert control.step() is JobStatus.FINISHED
    search = store.get(search_id)
    assert len(search.trials) == 3
    assert search.seconds == pytest.approx(135)


def test_minutes_do_not_pass_while_its_trials_only_wait_for_the_queue(store: SearchStore, runs: FakeRuns) -> None:
    search_id, clock = begin(store, plan(budget=Budget(None, minutes=1))), Clock()
    control = controller(store, search_id, runs, slots=2, clock=clock)
    control.step()
    for _ in range(3):
        clock.now += 50
        control.step()
    assert store.get(search_id).seconds == 0
    runs.train(runs.at_work[0].run_id)
    clock.now += 50
    control.step()
    assert store.get(search_id).seconds == 50, "one of two works"


def test_a_sleeping_computer_does_not_spend_the_budget(store: SearchStore, runs: FakeRuns) -> None:
    clock = Clock()
    control = controller(store, search_id := begin(store, plan(budget=Budget(None, minutes=5))), runs, clock=clock)
    control.step()
    runs.train(runs.at_work[0].run_id)
    clock.now += 8 * 3600
    control.step()
    assert store.get(search_id).seconds == 60


def test_a_run_without_a_result_is_a_failed_trial_and_the_search_goes_on(store: SearchStore, runs: FakeRuns) -> None:
    ends: dict[str, Callable[[str], object]] = {
        "The loss became nan.": lambda run_id: runs.end(run_id, RunStatus.FAILED, "The loss became nan."),
        "without a validation accuracy": lambda run_id: runs.change(run_id, status=RunStatus.FINISHED, metrics={}),
        "no longer in the run store": lambda run_id: runs.runs.pop(run_id),
        "was deleted": lambda run_id: runs.change(run_id, deleted=True, status=RunStatus.STOPPED),
        "cannot be read": lambda run_id: runs.end(run_id, RunStatus.UNREADABLE, "Its record cannot be read."),
    }
    control = controller(store, search_id := begin(store, plan(budget=Budget(2 * len(ends)))), runs)
    for end in ends.values():
        control.step()
        runs.finish(runs.at_work[0].run_id, 0.5)
        control.step()
        end(runs.at_work[0].run_id)
    # Whoever takes the search up after a crash finds the last one.
    assert controller(store, search_id, runs).step() is control.step() is JobStatus.FINISHED
    search = store.get(search_id)
    assert [trial.state for trial in search.trials] == [TrialState.COMPLETE, TrialState.FAILED] * len(ends)
    assert all(said in trial.message for said, trial in zip(ends, search.trials[1::2], strict=True))


def test_a_search_waits_for_a_scheduler_that_is_away(store: SearchStore, runs: FakeRuns) -> None:
    clock, runs.away = Clock(), True
    control = controller(store, search_id := begin(store, plan(budget=Budget(2))), runs, clock=clock)
    with pytest.raises(RunError, match="does not answer"):
        control.step()  # Who began it, with a wrong address perhaps, is told.
    for number in range(2):
        runs.away = False
        control.step()
        runs.away = True
        runs.finish(runs.at_work[0].run_id, 0.5)
        assert control.step() is (JobStatus.FINISHED if number else JobStatus.RUNNING)
        if not number:
            clock.now += 50
            control.step()
        assert [trial.value for trial in store.get(search_id).trials] == [0.5] * (number + 1)
    assert store.get(search_id).seconds == 0, "no time is spent while nobody works"


def test_trials_that_rest_or_have_not_begun_wait_for_the_scheduler_too(store: SearchStore, runs: FakeRuns) -> None:
    def crash(config: RunConfig) -> None:
        if runs.runs:
            raise StorageError("the power went off")

    runs.on_submit, search_id = crash, begin(store, plan(budget=Budget(2)))
    with pytest.raises(StorageError):
        controller(store, search_id, runs, slots=2).step()
    runs.end(runs.at_work[0].run_id, RunStatus.STOPPED)
    runs.on_submit, runs.away, clock = lambda config: None, True, Clock()
    control = controller(store, search_id, runs, slots=2, clock=clock)
    with pytest.raises(RunError, match="does not answer"):
        control.step()
    runs.away = False
    control.step()
    assert len(runs.at_work) == 2
    for run in runs.at_work:
        runs.end(run.run_id, RunStatus.INTERRUPTED)
    runs.away = True
    clock.now += 50
    assert control.step() is JobStatus.RUNNING and not runs.at_work
    runs.away = False
    assert carry_out(control, runs) is JobStatus.FINISHED
    search = store.get(search_id)
    assert len(search.complete) == 2 and search.seconds == 0, "no time is spent while nobody works"


def test_values_that_do_not_go_together_are_a_failed_trial(store: SearchStore, runs: FakeRuns) -> None:
    def refuse(config: RunConfig) -> None:
        if config.training.optimizer == "adam":
            raise ConfigError("not with adam")

    runs.on_submit = refuse
    of = plan("training.optimizer=sgd,adam", sampler="grid")
    carry_out(controller(store, search_id := begin(store, of), runs), runs)
    search = store.get(search_id)
    assert [(trial.state, trial.message) for trial in search.trials[1:]] == [(TrialState.FAILED, "not with adam")]


def test_many_failures_in_a_row_end_it(store: SearchStore, runs: FakeRuns) -> None:
    control = controller(store, search_id := begin(store, plan(budget=Budget(50))), runs)
    while not (status := control.step()).ended:
        for run in runs.at_work:
            runs.end(run.run_id, RunStatus.FAILED, "no memory")
    search = store.get(search_id)
    assert status is JobStatus.FAILED and len(search.trials) == MAX_FAILURES
    assert "no memory" in control.message
    assert search.best is None and not search.beats_default


def test_a_search_ends_when_its_pictures_were_replaced(store: SearchStore, runs: FakeRuns, tmp_path: Path) -> None:
    def import_pictures(first_seed: int) -> About:
        draft = drafted(
            in_folder(tmp_path / f"{first_seed}", of_classes({"cat": 12, "dog": 12}, first_seed=first_seed))
        )
        return drafts.use(draft, SplitChoice(), title="Cats")

    kept = import_pictures(0)
    of = plan(budget=Budget(5), config=with_values(BASE, {"data.source": kept.source}))
    control = controller(store, search_id := begin(store, of), runs, slots=2)
    control.step()
    first, second = runs.runs
    old = delete(kept.name)
    import_pictures(500)
    runs.finish(first, 0.5)
    assert control.step() is JobStatus.RUNNING, "the trial under way has the old ones"
    runs.end(second, RunStatus.INTERRUPTED)
    assert control.step() is JobStatus.FAILED and "has other images now" in control.message
    assert [trial.state.ended for trial in store.get(search_id).trials] == [True, False]
    store.set_attributes(search_id, {IMAGES: ""})  # As of 0.6.0.
    runs.change(first, dataset_fingerprint=kept.fingerprint)
    assert controller(store, search_id, runs).step() is JobStatus.FAILED
    restore(old, replace=True)
    store.set_attributes(search_id, {IMAGES: ""})
    runs.change(first, dataset_fingerprint="")  # It cannot be read any more.
    assert carry_out(controller(store, search_id, runs), runs) is JobStatus.FINISHED
    search = store.get(search_id)
    assert len(search.complete) == 5 and search.images == kept.fingerprint


def test_what_falls_behind_the_median_is_pruned_but_never_the_first(store: SearchStore, runs: FakeRuns) -> None:
    control = controller(store, search_id := begin(store, plan(pruner="median", budget=Budget(8))), runs)
    for number in range(5):
        control.step()
        run_id = runs.at_work[0].run_id
        runs.train(run_id, *(0.1 * epoch + (0.0 if number == 0 else 0.05) for epoch in range(1, 6)))
        control.step()  # Even the worst first trial goes on.
        assert not runs.get(run_id).stop_requested
        runs.finish(run_id, 0.6)
    control.step()
    run_id = runs.at_work[0].run_id
    runs.train(run_id, 0.01)
    control.step()
    assert not runs.get(run_id).stop_requested  # The first epochs are mostly chance.
    runs.train(run_id, 0.03)
    control.step()
    assert runs.get(run_id).stop_requested
    control.step()
    assert runs.calls.count(("stop", run_id)) == 1  # Asked once, however long it takes.
    runs.heed_stops()
    control.step()
    trial = store.get(search_id).trials[5]
    assert trial.state is TrialState.PRUNED and trial.value is None and trial.reached == 0.03
    assert "after epoch" in trial.message
    run_id = runs.at_work[0].run_id
    runs.train(run_id, *[0.01] * 5)
    control.step()
    assert runs.get(run_id).stop_requested
    runs.finish(run_id, 0.95)
    control.step()
    assert store.get(search_id).trials[6].value == 0.95, "it finished first"


@pytest.mark.slow
def test_hyperband_gives_poor_trials_few_epochs(store: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(store, plan(pruner="hyperband", budget=Budget(16)))
    control = controller(store, search_id, runs)
    while not control.step().ended:
        for run in runs.at_work:
            if run.stop_requested:
                runs.heed_stops()
            elif len(runs.history(run.run_id)) < 20:
                runs.train(run.run_id, *[accuracy_of(run.config) - 0.3] * 5)
            else:
                runs.finish(run.run_id, accuracy_of(run.config))
    search = store.get(search_id)
    pruned = search.of(TrialState.PRUNED)
    assert pruned and search.trials[0].state is TrialState.COMPLETE
    assert all(len(runs.history(trial.run_id)) < 20 for trial in pruned)
    assert search.best.value == max(trial.value or 0 for trial in search.trials)


def test_the_time_left_follows_from_the_trials_so_far(store: SearchStore, runs: FakeRuns) -> None:
    clock = Clock()
    search_id = begin(store, plan(budget=Budget(5)))
    control = controller(store, search_id, runs, clock=clock)
    for _ in range(2):
        control.step()
        clock.now += 30
        runs.finish(runs.at_work[0].run_id, 0.5)
    control.step()
    search = store.get(search_id)
    assert search.status is RunStatus.RUNNING and search.fraction == pytest.approx(0.4)
    assert search.eta_seconds == pytest.approx(90) and math.isclose(search.seconds, 60)
    limited = [replace(search, plan=plan(budget=Budget(5, minutes=minutes))) for minutes in (3, 2, 1)]
    assert [each.eta_seconds for each in limited] == [pytest.approx(90), None, None], "a trial under way is finished"


# -- stopped, continued, or ended by a crash: it goes on where it was --------------------------------------------------


def test_stop_rests_the_runs_and_a_continued_search_resumes_them(stored: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(stored, plan(budget=Budget(4)))
    control = controller(stored, search_id, runs, slots=2)
    control.step()
    request_stop(search_id)
    assert control.step() is JobStatus.RUNNING  # Asked, not ended yet.
    assert all(run.stop_requested for run in runs.at_work)
    runs.heed_stops()
    assert control.step() is JobStatus.STOPPED and len(runs.runs) == 2

    go_on_after_stop(search_id)
    control = controller(stored, search_id, runs, slots=2)
    control.step()
    assert [call for call in runs.calls if call[0] == "resume"] == [
        ("resume", run_id) for run_id in list(runs.runs)[:2]
    ]
    assert len(runs.runs) == 2  # Nothing is repeated.
    carry_out(control, runs)
    search = stored.get(search_id)
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


def test_after_a_crash_runs_at_work_and_runs_that_ended_are_picked_up(stored: SearchStore, runs: FakeRuns) -> None:
    search_id = begin(stored, plan(budget=Budget(6)))
    controller(stored, search_id, runs, slots=3).step()
    first, second, third = list(runs.runs)
    runs.finish(first, 0.7)
    runs.train(second, 0.4)
    # Nobody looks any more.
    control = controller(stored, search_id, runs, slots=3)
    control.step()
    search = stored.get(search_id)
    assert [trial.run_id for trial in search.trials[:3]] == [first, second, third]
    assert search.trials[0].value == 0.7 and search.trials[1].state is TrialState.RUNNING
    assert len(runs.runs) == 4
    carry_out(control, runs)
    assert len(stored.get(search_id).trials) == len(runs.runs) == 6


def test_a_search_after_a_restart_draws_what_it_would_have_drawn(store: SearchStore) -> None:
    def values(restart_after: int, sampler: str = "tpe") -> list[float]:
        runs = FakeRuns()
        search_id = begin(store, plan(sampler=sampler, budget=Budget(14)))
        control = controller(store, search_id, runs)
        for _ in range(restart_after):
            control.step()
            for run in runs.at_work:
                runs.finish(run.run_id, accuracy_of(run.config))
        carry_out(controller(store, search_id, runs), runs)
        return [float(trial.params["training.learning_rate"]) for trial in store.get(search_id).trials]

    assert values(0) == values(9) != values(0, "random"), "TPE learns"


def test_a_trial_whose_run_was_not_noted_finds_it_again(store: SearchStore, runs: FakeRuns) -> None:
    save(pipeline("notebook-1"), title="Mine")
    # As a search begins that may come to the saved pipeline later.
    config = embedded(BASE, also=["mine"])
    search_id = begin(store, replace(plan(budget=Budget(2)), config=config))
    original = runs.submit

    def crash_after(config: RunConfig, **told: Any) -> None:
        original(config, **told)
        raise StorageError("the power went off")

    runs.submit = crash_after
    with pytest.raises(StorageError):
        controller(store, search_id, runs).step()
    assert store.get(search_id).trials[0].run_id == ""
    runs.submit = original
    store.set_attributes(search_id, {HIDDEN: True})
    control = controller(store, search_id, runs)
    control.step()
    assert store.get(search_id).trials[0].run_id == next(iter(runs.runs)) and len(runs.runs) == 1
    assert next(iter(runs.runs.values())).hidden, "the search was hidden in between"
    carry_out(control, runs)
    assert len(runs.runs) == 2


@pytest.mark.parametrize("hidden", [True, False])
def test_a_search_that_is_hidden_or_shown_while_it_submits_a_trial_takes_the_trial_along(
    store: SearchStore, runs: FakeRuns, hidden: bool
) -> None:
    search_id = begin(store, plan())
    store.set_attributes(search_id, {HIDDEN: not hidden})
    runs.on_submit = lambda config: store.set_attributes(search_id, {HIDDEN: hidden})
    controller(store, search_id, runs).step()
    assert [run.hidden for run in runs.runs.values()] == [hidden]


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
