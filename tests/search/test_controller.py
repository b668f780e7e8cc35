"""The search's loop, with runs that train nothing: every look is made by the test."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.data.folder.about import About
from aquadash.data.folder.store import delete
from aquadash.errors import ConfigError
from aquadash.search import SearchPlan, Trial, TrialState
from aquadash.search.controller import MAX_FAILURES, Controller
from aquadash.search.store import KIND, STOPPED, SearchStore, open_search_store
from aquadash.store import RunStatus, open_jobs
from aquadash.store.job_types import job_id
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.search_fakes import BASE, FakeEngine, accuracy_of, plan, take_up


def begin(store: SearchStore, of: SearchPlan) -> str:
    """Store a search whose worker is this process; returns its id."""
    search_id = store.submit(of.checked())
    take_up(search_id)
    return search_id


def controller(store: SearchStore, search_id: str, runs: FakeEngine, *, slots: int = 1) -> Controller:
    runs.num_slots = slots
    return Controller(store, search_id, engine=runs, runs=runs.store)


def carry_out(
    control: Controller, runs: FakeEngine, value: Callable[[RunConfig], float] = accuracy_of, *, most_steps: int = 500
) -> RunStatus:
    """Step to the end, and say how it ended; each run finishes as soon as it was started."""
    for _ in range(most_steps):
        if (status := control.step()).ended:
            return status
        runs.heed_stops()
        for run in runs.at_work:
            runs.finish(run.run_id, value(run.config))
    raise AssertionError("the search does not end")


@pytest.fixture
def store(warm_home: Path) -> SearchStore:
    return open_search_store()


@pytest.fixture
def runs(store: SearchStore) -> FakeEngine:
    return FakeEngine()


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_all_trials_are_made_and_ranked_by_validation(store: SearchStore, runs: FakeEngine, sampler: str) -> None:
    over = ("training.learning_rate=1e-4..1e-1:log", "training.optimizer=sgd,adam", "training.batch_size=16,32")
    search_id = begin(store, plan(*over, sampler=sampler, trials=12))
    assert carry_out(controller(store, search_id, runs), runs) is RunStatus.FINISHED
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


def test_settings_outside_of_the_space_are_tried_first_all_the_same(store: SearchStore, runs: FakeEngine) -> None:
    over = (
        "training.learning_rate=1e-4..1e-3:log",
        "training.optimizer=adam,adamw",
        "training.weight_decay=1e-5..1e-2:log",
    )
    search_id = begin(store, plan(*over, trials=12))
    carry_out(controller(store, search_id, runs), runs)
    search = store.get(search_id)
    assert runs.get(search.trials[0].run_id).config == BASE
    assert search.trials[0].params["training.optimizer"] == "sgd"
    assert all(trial.params["training.optimizer"] in ("adam", "adamw") for trial in search.trials[1:])
    assert all(1e-4 <= trial.params["training.learning_rate"] <= 1e-3 for trial in search.trials[1:])


def test_as_many_trials_at_once_as_there_are_slots(store: SearchStore, runs: FakeEngine) -> None:
    control = controller(store, search_id := begin(store, plan(trials=5)), runs, slots=3)
    assert control.step() is RunStatus.RUNNING
    assert len(runs.at_work) == 3
    runs.finish(runs.at_work[1].run_id, 0.5)
    control.step()
    assert len(runs.at_work) == 3 and len(runs.runs) == 4
    carry_out(control, runs)
    assert len(store.get(search_id).trials) == 5


def test_a_run_without_a_result_is_a_failed_trial_and_the_search_goes_on(store: SearchStore, runs: FakeEngine) -> None:
    ends: dict[str, Callable[[str], object]] = {
        "The loss became nan.": lambda run_id: runs.end(run_id, RunStatus.FAILED, "The loss became nan."),
        "without a validation accuracy": lambda run_id: runs.end(run_id, RunStatus.FINISHED),
        "was deleted": lambda run_id: (runs.end(run_id, RunStatus.STOPPED), runs.store.delete(run_id)),
    }
    control = controller(store, search_id := begin(store, plan(trials=2 * len(ends))), runs)
    for end in ends.values():
        control.step()
        runs.finish(runs.at_work[0].run_id, 0.5)
        control.step()
        end(runs.at_work[0].run_id)
    # A worker that continues the search after a crash sees the last trial.
    assert controller(store, search_id, runs).step() is control.step() is RunStatus.FINISHED
    search = store.get(search_id)
    assert [trial.state for trial in search.trials] == [TrialState.COMPLETE, TrialState.FAILED] * len(ends)
    assert all(said in trial.message for said, trial in zip(ends, search.trials[1::2], strict=True))


def test_values_that_do_not_go_together_are_a_failed_trial(store: SearchStore, runs: FakeEngine) -> None:
    def refuse(config: RunConfig) -> None:
        if config.training.optimizer == "adam":
            raise ConfigError("not with adam")

    runs.on_submit = refuse
    of = plan("training.optimizer=adam,adamw", trials=8)
    carry_out(controller(store, search_id := begin(store, of), runs), runs)
    failed = [trial for trial in store.get(search_id).trials if trial.params["training.optimizer"] == "adam"]
    assert failed and {(trial.state, trial.message) for trial in failed} == {(TrialState.FAILED, "not with adam")}


def test_many_failures_in_a_row_end_it(store: SearchStore, runs: FakeEngine) -> None:
    control = controller(store, search_id := begin(store, plan(trials=50)), runs)
    while not (status := control.step()).ended:
        for run in runs.at_work:
            runs.end(run.run_id, RunStatus.FAILED, "no memory")
    search = store.get(search_id)
    assert status is RunStatus.FAILED and len(search.trials) == MAX_FAILURES
    assert "no memory" in control.message
    assert search.best is None and not search.beats_default


def test_a_search_ends_when_its_pictures_were_replaced(store: SearchStore, runs: FakeEngine, tmp_path: Path) -> None:
    def import_pictures(first_seed: int) -> About:
        files = of_classes({"cat": 12, "dog": 12}, first_seed=first_seed)
        return imported(in_folder(tmp_path / f"{first_seed}", files)).keep("Cats", replacing=True)

    kept = import_pictures(0)
    of = plan(trials=5, config=with_values(BASE, {"data.source": kept.source}))
    control = controller(store, search_id := begin(store, of), runs, slots=2)
    control.step()
    first, second = runs.runs
    delete(kept.name)
    import_pictures(500)
    runs.finish(first, 0.5)
    assert control.step() is RunStatus.RUNNING, "the trial under way has the old ones"
    runs.end(second, RunStatus.INTERRUPTED)
    assert control.step() is RunStatus.FAILED and "has other images now" in control.message
    assert [trial.state.ended for trial in store.get(search_id).trials] == [True, False]
    import_pictures(0)
    assert carry_out(controller(store, search_id, runs), runs) is RunStatus.FINISHED
    search = store.get(search_id)
    assert len(search.complete) == 5 and search.images == kept.fingerprint


def test_what_falls_behind_the_median_is_pruned_but_never_the_first(store: SearchStore, runs: FakeEngine) -> None:
    control = controller(store, search_id := begin(store, plan(pruner="median", trials=8)), runs)
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
    runs.heed_stops()
    control.step()
    trial = store.get(search_id).trials[5]
    assert trial.state is TrialState.PRUNED and trial.value is None
    assert "after epoch" in trial.message
    run_id = runs.at_work[0].run_id
    runs.train(run_id, *[0.01] * 5)
    control.step()
    assert runs.get(run_id).stop_requested
    runs.finish(run_id, 0.95)
    control.step()
    assert store.get(search_id).trials[6].value == 0.95, "it finished first"


def test_the_time_left_follows_from_the_median_trial(store: SearchStore) -> None:
    search = store.get(begin(store, plan(trials=6)))
    ended = [Trial(number, TrialState.COMPLETE, 0.5, seconds=float(10 + number)) for number in range(3)]
    assert search.eta_seconds is None
    assert replace(search, trials=tuple(ended)).eta_seconds == 3 * 11
    side_by_side = [Trial(number, TrialState.RUNNING) for number in (3, 4)]
    assert replace(search, trials=(*ended, *side_by_side)).eta_seconds == pytest.approx(3 * 11 / 2)


# -- stopped, continued, or ended by a crash ---------------------------------------------------------------------------


def test_a_search_stops_once_its_trials_have(store: SearchStore, runs: FakeEngine) -> None:
    search_id = begin(store, plan(trials=4))
    control = controller(store, search_id, runs, slots=2)
    control.step()
    open_jobs().request_stop(job_id(KIND, search_id))
    assert control.step() is RunStatus.RUNNING  # Asked, not ended yet.
    assert all(run.stop_requested for run in runs.at_work)
    runs.heed_stops()
    assert control.step() is RunStatus.STOPPED
    stopped = store.get(search_id).trials
    assert [(trial.state, trial.message) for trial in stopped] == [(TrialState.PRUNED, STOPPED)] * 2


def test_an_interrupted_run_goes_on_and_a_stopped_one_does_not(store: SearchStore, runs: FakeEngine) -> None:
    control = controller(store, search_id := begin(store, plan(trials=2)), runs, slots=2)
    control.step()
    first, second = (run.run_id for run in runs.at_work)
    runs.end(first, RunStatus.INTERRUPTED)
    runs.end(second, RunStatus.STOPPED)
    control.step()
    assert ("resume", first) in runs.calls
    assert carry_out(control, runs) is RunStatus.FINISHED
    trials = store.get(search_id).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert trials[1].message == STOPPED


def test_a_first_trial_that_others_overtake_is_not_pruned(store: SearchStore, runs: FakeEngine) -> None:
    control = controller(store, begin(store, plan(pruner="median", trials=8)), runs, slots=6)
    control.step()
    first, *others, last = runs.at_work
    for run in others:
        runs.train(run.run_id, *[0.5] * 5)
        runs.finish(run.run_id, 0.5)
    for run in (first, last):
        runs.train(run.run_id, *[0.1] * 5)
    control.step()
    assert [runs.get(run.run_id).stop_requested for run in (first, last)] == [False, True]


def test_a_sampler_and_a_pruner_of_an_earlier_version_count_as_random_and_none(
    store: SearchStore, runs: FakeEngine
) -> None:
    search_id = store.submit(plan(trials=3, sampler="grid", pruner="hyperband"))
    take_up(search_id)
    assert carry_out(controller(store, search_id, runs), runs) is RunStatus.FINISHED
    assert len(store.get(search_id).complete) == 3


def test_after_a_crash_runs_at_work_and_runs_that_ended_are_picked_up(store: SearchStore, runs: FakeEngine) -> None:
    search_id = begin(store, plan(trials=6))
    controller(store, search_id, runs, slots=3).step()
    first, second, third = list(runs.runs)
    runs.finish(first, 0.7)
    runs.train(second, 0.4)
    # The worker of the search has gone; a new one begins.
    control = controller(store, search_id, runs, slots=3)
    control.step()
    search = store.get(search_id)
    assert [trial.run_id for trial in search.trials[:3]] == [first, second, third]
    assert search.trials[0].value == 0.7 and search.trials[1].state is TrialState.RUNNING
    assert len(runs.runs) == 4
    carry_out(control, runs)
    assert len(store.get(search_id).trials) == len(runs.runs) == 6


def test_a_search_after_a_restart_draws_what_it_would_have_drawn(store: SearchStore) -> None:
    def values(restart_after: int, sampler: str = "tpe") -> list[float]:
        runs = FakeEngine()
        search_id = begin(store, plan(sampler=sampler, trials=14))
        control = controller(store, search_id, runs)
        for _ in range(restart_after):
            control.step()
            for run in runs.at_work:
                runs.finish(run.run_id, accuracy_of(run.config))
        carry_out(controller(store, search_id, runs), runs)
        return [float(trial.params["training.learning_rate"]) for trial in store.get(search_id).trials]

    assert values(0) == values(9) != values(0, "random"), "TPE learns"


@pytest.mark.parametrize("hidden", [True, False])
def test_hiding_a_search_hides_the_trial_it_submits(store: SearchStore, runs: FakeEngine, hidden: bool) -> None:
    search_id = begin(store, plan())
    store.set_hidden(search_id, not hidden)
    runs.on_submit = lambda config: store.set_hidden(search_id, hidden)
    controller(store, search_id, runs).step()
    assert [run.hidden for run in runs.runs.values()] == [hidden]
