"""The search's loop, with runs that train nothing: every look is made by the test."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.data.folder.about import About
from aquadash.data.folder.store import delete
from aquadash.errors import ConfigError
from aquadash.search import Search, SearchPlan, Trial, TrialState
from aquadash.search.controller import MAX_FAILURES, Controller
from aquadash.search.store import open_search_store
from aquadash.store import RunStatus
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.search_fakes import BASE, FakeEngine, accuracy_of, plan, take_up


@pytest.fixture
def runs(warm_home: Path) -> FakeEngine:
    return FakeEngine()


def begin(runs: FakeEngine, of: SearchPlan, *, slots: int = 1) -> Controller:
    """Store a search whose worker is this process, and return its controller."""
    search_id = open_search_store().submit(of)
    take_up(search_id)
    runs.num_slots = slots
    return continued(runs, search_id)


def continued(runs: FakeEngine, search_id: str) -> Controller:
    """Return the controller of the search in a new worker."""
    return Controller(open_search_store(), search_id, engine=runs, runs=runs.store)


def carry_out(control: Controller, runs: FakeEngine) -> Search:
    """Step until the search has finished; each run finishes as soon as it was started."""
    for _ in range(100):
        if (status := control.step()).ended:
            assert status is RunStatus.FINISHED
            return open_search_store().get(control.search.search_id)
        for run in runs.at_work:
            runs.finish(run.run_id, accuracy_of(run.config))
    raise AssertionError("the search does not end")


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_all_trials_are_made_and_ranked_by_validation(runs: FakeEngine, sampler: str) -> None:
    over = ("training.learning_rate=1e-4..1e-1:log", "training.optimizer=sgd,adam", "training.batch_size=16,32")
    search = carry_out(begin(runs, plan(*over, sampler=sampler, trials=12)), runs)
    assert search.fraction == 1.0
    assert [trial.number for trial in search.trials] == list(range(12))
    assert all(trial.state is TrialState.COMPLETE for trial in search.trials)
    first = search.trials[0]
    assert runs.get(first.run_id).config == BASE and search.default_value == pytest.approx(accuracy_of(BASE))
    assert first.params == {"training.learning_rate": 0.01, "training.optimizer": "sgd", "training.batch_size": 32}
    for trial in search.trials:
        run = runs.get(trial.run_id)
        assert run.config == with_values(BASE, trial.params)
        assert run.search_id == search.search_id and run.name == f"mine #{trial.number}"
        assert trial.value == pytest.approx(accuracy_of(run.config))  # Never the test figure.
    assert search.best.value == max(trial.value or 0 for trial in search.trials)
    assert len({repr(sorted(trial.params.items())) for trial in search.trials}) == 12


def test_settings_outside_of_the_space_are_tried_first_all_the_same(runs: FakeEngine) -> None:
    over = ("training.learning_rate=1e-4..1e-3:log", "training.optimizer=adam,adamw")
    first, *others = carry_out(begin(runs, plan(*over, trials=12)), runs).trials
    assert runs.get(first.run_id).config == BASE and first.params["training.optimizer"] == "sgd"
    assert all(trial.params["training.optimizer"] in ("adam", "adamw") for trial in others)
    assert all(1e-4 <= trial.params["training.learning_rate"] <= 1e-3 for trial in others)


def test_a_run_without_a_result_is_a_failed_trial_and_the_search_goes_on(runs: FakeEngine) -> None:
    ends: dict[str, Callable[[str], object]] = {
        "The loss became nan.": lambda run_id: runs.end(run_id, RunStatus.FAILED, "The loss became nan."),
        "without a validation accuracy": lambda run_id: runs.end(run_id, RunStatus.FINISHED),
        "was deleted": lambda run_id: (runs.end(run_id, RunStatus.STOPPED), runs.store.delete(run_id)),
    }
    control = begin(runs, plan(trials=2 * len(ends)))
    for end in ends.values():
        control.step()
        runs.finish(runs.at_work[0].run_id, 0.5)
        control.step()
        end(runs.at_work[0].run_id)
    # A worker that continues the search after a crash sees the last trial.
    assert continued(runs, control.search.search_id).step() is control.step() is RunStatus.FINISHED
    trials = control.search.trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.FAILED] * len(ends)
    assert all(said in trial.message for said, trial in zip(ends, trials[1::2], strict=True))


def test_values_that_do_not_go_together_are_a_failed_trial(runs: FakeEngine) -> None:
    def refuse(config: RunConfig) -> None:
        if config.training.optimizer == "adam":
            raise ConfigError("not with adam")

    runs.on_submit = refuse
    search = carry_out(begin(runs, plan("training.optimizer=adam,adamw", trials=8)), runs)
    failed = [trial for trial in search.trials if trial.params["training.optimizer"] == "adam"]
    assert failed and {(trial.state, trial.message) for trial in failed} == {(TrialState.FAILED, "not with adam")}


def test_many_failures_in_a_row_end_it(runs: FakeEngine) -> None:
    control = begin(runs, plan(trials=50))
    while not (status := control.step()).ended:
        for run in runs.at_work:
            runs.end(run.run_id, RunStatus.FAILED, "no memory")
    assert status is RunStatus.FAILED and len(control.search.trials) == MAX_FAILURES
    assert "no memory" in control.message


def test_a_search_ends_when_its_pictures_were_replaced(runs: FakeEngine, tmp_path: Path) -> None:
    def import_pictures(first_seed: int) -> About:
        files = of_classes({"cat": 12, "dog": 12}, first_seed=first_seed)
        return imported(in_folder(tmp_path / f"{first_seed}", files)).keep("Cats", replacing=True)

    kept = import_pictures(0)
    control = begin(runs, plan(trials=5, config=with_values(BASE, {"data.source": kept.source})), slots=2)
    control.step()
    first, second = runs.runs
    delete(kept.name)
    import_pictures(500)
    runs.finish(first, 0.5)
    assert control.step() is RunStatus.RUNNING, "the trial under way has the old ones"
    runs.end(second, RunStatus.INTERRUPTED)
    assert control.step() is RunStatus.FAILED and "has other images now" in control.message
    assert [trial.state.ended for trial in control.search.trials] == [True, False]
    import_pictures(0)
    search = carry_out(continued(runs, control.search.search_id), runs)
    assert len(search.complete) == 5 and search.images == kept.fingerprint


def test_a_trial_behind_the_median_is_pruned(runs: FakeEngine) -> None:
    control = begin(runs, plan(pruner="median", trials=8))
    for _ in range(5):
        control.step()
        run_id = runs.at_work[0].run_id
        runs.train(run_id, *(0.1 * epoch for epoch in range(1, 6)))
        runs.finish(run_id, 0.6)
    control.step()
    run_id = runs.at_work[0].run_id
    for accuracy, is_pruned in ((0.01, False), (0.03, True)):  # The first epochs are mostly chance.
        runs.train(run_id, accuracy)
        control.step()
        assert runs.get(run_id).stop_requested is is_pruned
    runs.heed_stops()
    control.step()
    trial = control.search.trials[5]
    assert (trial.state, trial.value, trial.pruned_at) == (TrialState.PRUNED, None, 2)
    assert "after epoch 2" in trial.message
    run_id = runs.at_work[0].run_id
    runs.train(run_id, *[0.01] * 5)
    control.step()
    assert runs.get(run_id).stop_requested
    runs.finish(run_id, 0.95)
    control.step()
    assert control.search.trials[6].value == 0.95, "it finished first"


def test_a_first_trial_that_others_overtake_is_not_pruned(runs: FakeEngine) -> None:
    control = begin(runs, plan(pruner="median", trials=8), slots=6)
    control.step()
    first, *others, last = runs.at_work
    for run in others:
        runs.train(run.run_id, *[0.5] * 5)
        runs.finish(run.run_id, 0.5)
    for run in (first, last):
        runs.train(run.run_id, *[0.1] * 5)
    control.step()
    assert [runs.get(run.run_id).stop_requested for run in (first, last)] == [False, True]


def test_the_time_left_follows_from_the_median_trial(runs: FakeEngine) -> None:
    search = begin(runs, plan(trials=6)).search
    ended = [Trial(number, TrialState.COMPLETE, 0.5, seconds=float(10 + number)) for number in range(3)]
    assert search.eta_seconds is None
    assert replace(search, trials=tuple(ended)).eta_seconds == 3 * 11
    side_by_side = [Trial(number, TrialState.RUNNING) for number in (3, 4)]
    assert replace(search, trials=(*ended, *side_by_side)).eta_seconds == pytest.approx(3 * 11 / 2)


# -- stopped, continued, or ended by a crash ---------------------------------------------------------------------------


def test_an_interrupted_run_goes_on_and_a_stopped_one_does_not(runs: FakeEngine) -> None:
    control = begin(runs, plan(trials=2), slots=2)
    control.step()
    first, second = (run.run_id for run in runs.at_work)
    runs.end(first, RunStatus.INTERRUPTED)
    runs.end(second, RunStatus.STOPPED)
    control.step()
    assert ("resume", first) in runs.calls
    assert [trial.state for trial in carry_out(control, runs).trials] == [TrialState.COMPLETE, TrialState.PRUNED]


def test_a_sampler_and_a_pruner_of_an_earlier_version_count_as_random_and_none(runs: FakeEngine) -> None:
    control = begin(runs, plan(trials=3, sampler="grid", pruner="hyperband"))
    assert len(carry_out(control, runs).complete) == 3


def test_after_a_crash_runs_at_work_and_runs_that_ended_are_picked_up(runs: FakeEngine) -> None:
    crashed = begin(runs, plan(trials=6), slots=3)
    crashed.step()
    first, second, third = list(runs.runs)  # As many at once as there are slots.
    runs.finish(first, 0.7)
    runs.train(second, 0.4)
    control = continued(runs, crashed.search.search_id)
    control.step()
    trials = control.search.trials
    assert [trial.run_id for trial in trials[:3]] == [first, second, third]
    assert trials[0].value == 0.7 and trials[1].state is TrialState.RUNNING
    assert len(runs.at_work) == 3 and len(runs.runs) == 4
    assert len(carry_out(control, runs).trials) == len(runs.runs) == 6


def test_a_search_after_a_restart_draws_what_it_would_have_drawn(warm_home: Path) -> None:
    def values(restart_after: int, sampler: str = "tpe") -> list[float]:
        runs = FakeEngine()
        control = begin(runs, plan(sampler=sampler, trials=14))
        for _ in range(restart_after):
            control.step()
            for run in runs.at_work:
                runs.finish(run.run_id, accuracy_of(run.config))
        search = carry_out(continued(runs, control.search.search_id), runs)
        return [float(trial.params["training.learning_rate"]) for trial in search.trials]

    assert values(0) == values(9) != values(0, "random"), "TPE learns"


@pytest.mark.parametrize("hidden", [True, False])
def test_hiding_a_search_hides_the_trial_it_submits(runs: FakeEngine, hidden: bool) -> None:
    control, store = begin(runs, plan()), open_search_store()
    search_id = control.search.search_id
    store.set_hidden(search_id, not hidden)
    runs.on_submit = lambda config: store.set_hidden(search_id, hidden)
    control.step()
    assert [run.hidden for run in runs.runs.values()] == [hidden]
