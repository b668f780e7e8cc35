"""Searches as rows: their names, unknown ids, and trials that cannot be read."""

import pytest
from sqlalchemy import select

from aquadash.errors import ConfigError, RunError, UnknownNameError
from aquadash.search.plan import DEFAULT_TRIALS
from aquadash.search.store import SearchStore, open_search_store, read_search
from aquadash.store import RunStatus, open_store
from aquadash.store.schema import searches
from aquadash.store.types import TrialOf
from tests.support.runs import make_run
from tests.support.search_fakes import plan


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


def test_searches_are_listed_newest_first_and_found_by_id_prefix_or_name(store: SearchStore) -> None:
    first, second = store.submit(plan(name="first")), store.submit(plan(name=""))
    assert [head.search_id for head in store.heads()] == [second, first]
    assert store.get(second).name == f"search-{second[:6]}"
    two = store.submit(plan(name=" two \n lines "))
    assert store.get(two).name == "two lines" and store.resolve(" two \n lines ") == two
    assert store.resolve(first) == store.resolve(first[:8]) == store.resolve("first") == first
    with pytest.raises(UnknownNameError, match="no search called 'furst'.*Did you mean 'first'"):
        store.resolve("furst")
    store.submit(plan(name="first"))
    with pytest.raises(RunError, match="fits 2 searches"):
        store.resolve("first")


def test_a_search_that_is_not_there(store: SearchStore) -> None:
    for name in ("0" * 32, "../../etc/passwd", ""):
        with pytest.raises(UnknownNameError):
            store.get(name)


def test_a_plan_is_read_as_it_was_written(store: SearchStore) -> None:
    one = plan("training.optimizer=sgd,adam", "model.dropout=0..0.5", pruner="median", seed=4, trials=7)
    assert store.get(store.submit(one)).plan == one


def row_of(search_id: str, **plan: object) -> dict[str, object]:
    """The row of a search with other values in its plan."""
    with open_store().database.reading("read the search") as connection:
        row = connection.execute(select(searches).where(searches.c.search_id == search_id)).mappings().one()
    return {**row, "plan": {**row["plan"], **plan}}


def test_the_plan_of_an_earlier_version_is_read(store: SearchStore) -> None:
    search_id = store.submit(plan())
    earlier = {"sampler": "grid", "pruner": "hyperband"}
    for budget, trials in (({"trials": None, "minutes": 2.0}, DEFAULT_TRIALS), ({"trials": 3, "minutes": None}, 3)):
        assert read_search(row_of(search_id, budget=budget, **earlier)).plan == plan(trials=trials, **earlier)


@pytest.mark.parametrize("damage", [{"config": {"seed": "x"}}, {"space": 3}, {"trials": None}, {"budget": None}])
def test_a_damaged_plan_is_an_error_for_people(store: SearchStore, damage: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="This search cannot be read"):
        read_search(row_of(store.submit(plan()), **damage))


def test_a_trial_that_cannot_be_read_is_hidden_with_the_others(store: SearchStore) -> None:
    search_id, runs = store.submit(plan()), open_store()
    trials = [
        make_run(runs, status=RunStatus.QUEUED, search_id=search_id, trial=TrialOf(number, {})).run_id
        for number in range(3)
    ]
    runs.update(trials[1], metrics=5)
    store.set_hidden(search_id)
    assert all(runs.read(run_id).hidden for run_id in trials)
