"""Searches as rows and as jobs, which people start, stop and continue; their runs train nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from aquadash.config import RunConfig
from aquadash.errors import ConfigError, DataError, RunError, StorageError, UnknownNameError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.search import TrialState, job, resume_search, start_search
from aquadash.search.store import KIND, STOPPED, SearchStore, open_search_store, read_search
from aquadash.store import RunStatus, open_jobs, open_store
from aquadash.store.schema import searches
from aquadash.store.types import TrialOf
from aquadash.work.worker import JobContext
from tests.support import job_rows
from tests.support.faults import let_fail
from tests.support.search_fakes import FakeEngine, InThreads, plan, searching, take_up
from tests.support.waiting import wait_for


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


@pytest.fixture
def runs(store: SearchStore) -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def engine(runs: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[InThreads]:
    with searching(runs, monkeypatch) as engine:
        yield engine


def test_an_impossible_search_is_refused_before_storing(store: SearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError):
        start_search(plan(trials=1), FakeEngine())
    let_fail(monkeypatch, job, "check", DataError("no weights"))
    with pytest.raises(DataError, match="no weights"):
        start_search(plan(), FakeEngine())
    assert store.heads() == [] and open_jobs().find(kind=KIND) == []


def test_stop_and_continue(engine: InThreads, store: SearchStore, runs: FakeEngine) -> None:
    search_id = start_search(plan(trials=3), engine)
    wait_for(lambda: runs.at_work)
    with pytest.raises(RunError, match="running already"):
        resume_search(search_id, engine)
    Lab(OWNER).searches.stop(search_id)
    stopped = engine.ended(search_id)
    assert (stopped.status, stopped.message) == (RunStatus.STOPPED, "")
    assert [(trial.state, trial.message) for trial in stopped.trials] == [(TrialState.PRUNED, STOPPED)]
    with pytest.raises(RunError, match="it is stopped"):
        Lab(OWNER).searches.stop(search_id)
    runs.gate.set()
    resume_search(search_id, engine)
    finished = engine.ended(search_id)
    assert finished.status is RunStatus.FINISHED and not finished.stop_requested
    assert [trial.state for trial in finished.trials] == [TrialState.PRUNED, *[TrialState.COMPLETE] * 2]
    assert len(runs.runs) == 3 and "resume" not in dict(runs.calls)
    assert "3 of 3 trials done, best" in job_rows.latest(KIND).progress.phase


def test_more_trials_must_be_more(engine: InThreads, store: SearchStore, runs: FakeEngine) -> None:
    runs.gate.set()
    search_id = start_search(plan(trials=2), engine)
    engine.ended(search_id)
    for trials in (None, 2):
        with pytest.raises(RunError, match="all of its 2 trials"):
            resume_search(search_id, engine, trials=trials)
    with pytest.raises(ConfigError, match="from 2 to 1,000 trials"):
        resume_search(search_id, engine, trials=1001)
    assert store.get(search_id).plan.trials == 2, "what is refused changes nothing"
    resume_search(search_id, engine, trials=3)
    assert len(engine.ended(search_id).complete) == 3


def test_a_lost_worker_s_search_is_taken_up_next(engine: InThreads, store: SearchStore, runs: FakeEngine) -> None:
    search_id = start_search(plan(trials=2), runs)
    lost = job_rows.claim(KIND)
    open_jobs().requeue(lost, "AquaDash has ended", is_failure=False)
    left = store.get(search_id)
    assert left.status is RunStatus.QUEUED and "AquaDash has ended" in left.message
    runs.gate.set()
    # The search is queued already: continuing it must not add a second job.
    resume_search(search_id, engine)
    assert engine.ended(search_id).status is RunStatus.FINISHED and len(runs.runs) == 2


def test_what_had_ended_before_is_no_progress_of_the_worker_that_takes_it_up(
    engine: InThreads, store: SearchStore, runs: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_id = store.submit(plan(trials=3))
    lost = take_up(search_id)
    control = job.Controller(store, search_id, engine=runs, runs=runs.store)
    control.step()
    runs.finish(runs.at_work[0].run_id, 0.5)
    control.step()
    open_jobs().requeue(lost, "The worker was lost")
    context = JobContext(open_jobs(), job_rows.claim(KIND))
    # It dies with its second look.
    with monkeypatch.context() as dying, pytest.raises(IndexError):
        dying.setattr(runs, "slots", [1].pop)
        job.work(context)
    assert job_rows.latest(KIND).worker_failures == 1
    runs.gate.set()
    job.work(context)
    assert job_rows.latest(KIND).worker_failures == 0 and len(store.get(search_id).complete) == 3


def test_a_stop_without_a_worker_stops_the_runs(engine: InThreads, store: SearchStore, runs: FakeEngine) -> None:
    search_id = store.submit(plan(trials=2))
    lost = take_up(search_id)
    control = job.Controller(store, search_id, engine=runs, runs=runs.store)
    control.step()
    open_jobs().requeue(lost, "AquaDash has ended", is_failure=False)
    Lab(OWNER).searches.stop(search_id)
    search = store.get(search_id)
    assert search.status is RunStatus.STOPPED and search.trials[0].state is TrialState.PRUNED
    assert search.message == "Taken out of the queue before it started again."
    assert runs.get(search.trials[0].run_id).status is RunStatus.STOPPED
    runs.gate.set()
    resume_search(search_id, engine)
    finished = engine.ended(search_id)
    assert [trial.state for trial in finished.trials] == [TrialState.PRUNED, TrialState.COMPLETE]


def test_a_passing_error_of_the_store_is_outlived(engine: InThreads, runs: FakeEngine) -> None:
    errors = iter([StorageError("database is locked")] * 3)

    def stumble(config: RunConfig) -> None:
        if error := next(errors, None):
            raise error

    runs.on_submit = stumble
    runs.gate.set()
    search = engine.ended(start_search(plan(trials=2), engine))
    assert [trial.state for trial in search.trials] == [TrialState.COMPLETE] * 2


def test_a_lasting_error_ends_a_search(engine: InThreads, runs: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "MAX_ERRORS", 3)
    runs.error = StorageError("disk full")
    search = engine.ended(start_search(plan(), engine))
    assert search.status is RunStatus.FAILED and "disk full" in search.message


# -- rows ------------------------------------------------------------------------------------------------------------


def test_searches_are_listed_newest_first_and_found_by_id_prefix_or_name(store: SearchStore) -> None:
    first, second = store.submit(plan(name="first")), store.submit(plan(name=""))
    assert [head.search_id for head in store.heads()] == [second, first]
    assert store.get(second).name == f"search-{second[:6]}"
    two = store.submit(plan(name=" two \n lines "))
    assert store.get(two).name == "two lines" and store.resolve(" two \n lines ") == two
    assert store.resolve(first) == store.resolve(first[:8]) == store.resolve("first") == first
    with pytest.raises(UnknownNameError, match="no search called 'furst'.*Did you mean 'first'"):
        store.resolve("furst")
    with pytest.raises(UnknownNameError):
        store.get("../../etc/passwd")


@pytest.mark.parametrize("damage", [{"config": {"seed": "x"}}, {"space": 3}, {"trials": None}])
def test_a_plan_is_read_as_it_was_written_and_a_damaged_one_is_an_error_for_people(
    store: SearchStore, damage: dict[str, object]
) -> None:
    one = plan("training.optimizer=sgd,adam", "model.dropout=0..0.5", pruner="median", seed=4, trials=7)
    assert store.get(store.submit(one)).plan == one
    with open_store().database.reading("read the search") as connection:
        row = connection.execute(select(searches)).mappings().one()
    with pytest.raises(ConfigError, match="This search cannot be read"):
        read_search({**row, "plan": {**row["plan"], **damage}})


def test_a_trial_that_cannot_be_read_is_hidden_with_the_others(store: SearchStore) -> None:
    search_id, runs = store.submit(plan()), open_store()
    for number in range(3):
        runs.submit(RunConfig(), search_id=search_id, trial=TrialOf(number, {}))
    runs.update(runs.trials(search_id)[1].run_id, metrics=5)
    store.set_hidden(search_id)
    assert [run.hidden for run in runs.trials(search_id)] == 3 * [True]
