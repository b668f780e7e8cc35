"""The search view of the Train page: empty, launched, running, finished."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from aquadash.config import with_values
from aquadash.lab import memory
from aquadash.presets import PRESETS
from aquadash.search import SearchPlan, parse_all, start_search
from aquadash.search.store import SearchStore, open_search_store
from aquadash.store import RunStatus, open_jobs, open_store
from aquadash.work import queue as engine
from tests.support.app_pages import address_of, charts, go_back, metrics, open_app_page, words
from tests.support.runs import HOSTILE, make_run
from tests.support.search_fakes import FakeEngine, plan, searching, take_up
from tests.support.waiting import wait_for

open_page = partial(open_app_page, "train", view="search")


@pytest.fixture
def store() -> SearchStore:
    return open_search_store()


@pytest.fixture
def runs(warm_home: Path, no_engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """Searches of this process train nothing, and their runs are read from the fake."""
    runs = FakeEngine()
    with searching(runs, monkeypatch):
        yield runs


def test_a_search_is_set_up_and_launched_and_watched(runs: FakeEngine, store: SearchStore) -> None:
    app = open_page()
    assert "see which values work best" in words(app) and not app.error
    app.multiselect(key="search:over").set_value(["training.momentum"]).run()
    app.selectbox(key="base").select("baseline").run()
    assert "training.learning_rate" in app.multiselect(key="search:over").value, "another base has its own settings"
    assert address_of(app, "base") == "baseline"
    app.selectbox(key="base").select("notebook-fixed").run()
    app.multiselect(key="search:over").set_value(["training.learning_rate", "training.optimizer"])
    app.number_input(key="search:trials").set_value(4).run()
    app.text_input(key="search:training.learning_rate:low").set_value("1e-3")
    app.multiselect(key="search:training.optimizer:values").set_value(["adam", "adamw"])
    app.selectbox(key="search:sampler").select("random").run()
    app.button(key="search:launch").click().run()
    assert not app.exception and not app.error
    (head,) = store.heads()
    assert store.get(head.search_id).plan == SearchPlan(
        with_values(PRESETS["notebook-fixed"].config, {"training.epochs": 15}),
        parse_all(["training.learning_rate=0.001..0.1:log", "training.optimizer=adam,adamw"]),
        sampler="random",
        pruner="median",
        trials=4,
    )
    assert address_of(app, "search") == head.search_id
    wait_for(lambda: runs.at_work)
    memory.refresh()
    assert "Trial 0: waits for its turn" in words(app.run()) and app.button(key=f"stop-{head.search_id}")


def test_the_form_says_what_is_wrong_and_how_long_it_takes_and_is_kept(runs: FakeEngine) -> None:
    # Each of its six epochs took two seconds.
    make_run(open_store(), "earlier")
    app = open_page()
    app.number_input(key="search:trials").set_value(4).run()
    assert "4 × 15 epochs, about **2 min 20 s**" in words(app)
    app.text_input(key="search:training.learning_rate:low").set_value("-1").run()
    assert "greater than 0" in words(app) and app.button(key="search:launch").disabled
    app.text_input(key="search:training.learning_rate:low").set_value("0.002").run()
    assert not app.error and not app.button(key="search:launch").disabled
    for view in ("one", "search"):
        go_back(app, view=view)
    assert app.number_input(key="search:trials").value == 4
    assert app.text_input(key="search:training.learning_rate:low").value == "0.002"


def test_a_running_search_shows_its_progress_stops_and_continues(runs: FakeEngine, store: SearchStore) -> None:
    search_id = start_search(plan(trials=3, name=HOSTILE), engine.open_engine())
    wait_for(lambda: runs.at_work)
    runs.finish(runs.at_work[0].run_id, 0.625)
    wait_for(lambda: len(store.get(search_id).trials) == 2 and store.get(search_id).trials[1].run_id)
    runs.train(runs.at_work[0].run_id, 0.2, 0.3)
    app = open_page()
    assert "Trial 1: Epoch 3 of 20" in words(app) and metrics(app)["Best so far"] == "62.5 %"
    assert "<img" not in "".join(element.value for element in app.markdown)
    app.button(key=f"stop-{search_id}").click().run()
    wait_for(lambda: store.get(search_id).status is RunStatus.STOPPED)
    memory.refresh()
    app.run()
    runs.gate.set()
    app.button(key=f"resume-{search_id}").click().run()
    wait_for(lambda: store.get(search_id).status is RunStatus.FINISHED)
    assert not app.error and len(runs.runs) == 3


def test_a_finished_search_shows_its_best_and_leads_on(runs: FakeEngine, store: SearchStore) -> None:
    over = ("training.learning_rate=1e-3..1e-1:log", "training.optimizer=sgd,adam", "training.batch_size=16,32,1024")
    runs.gate.set()
    search_id = start_search(plan(*over, trials=7), engine.open_engine())
    wait_for(lambda: store.get(search_id).status is RunStatus.FINISHED)
    app = open_page(search=search_id[:6])
    search = store.get(search_id)
    assert search.best is not None and f"Trial {search.best.number} beats the settings" in words(app)
    table = app.dataframe[0].value
    assert list(table["Trial"])[0] == search.best.number and len(table) == 7
    assert set(table["Optimizer"]) <= {"SGD", "Adam"} and set(table["Batch size"]) <= {16, 32, 1024}
    assert any(alt.startswith("Settings of 7 trials") for alt in charts(app))
    assert app.button(key=f"use-best-{search.best.run_id}")
    app.selectbox(key=f"search-trial-{search_id}").select(3).run()
    assert app.button(key=f"use-trial-{search.trials[3].run_id}")
    app.number_input(key=f"more-{search_id}").set_value(2).run()
    app.button(key=f"extend-{search_id}").click().run()
    wait_for(lambda: len(store.get(search_id).complete) == 9)


def test_a_search_that_was_cut_off_failed_or_is_missing_says_so(runs: FakeEngine, store: SearchStore) -> None:
    search_id = store.submit(plan())
    open_jobs().end(take_up(search_id), RunStatus.INTERRUPTED)
    app = open_page()
    assert "This search was cut off" in words(app) and app.button(key=f"resume-{search_id}")
    open_jobs().end(take_up(search_id), RunStatus.FAILED, message=f"no memory {HOSTILE}")
    app = open_page(search="../../etc")
    assert "There is no search" in words(app)
    app.selectbox(key="search").select(search_id).run()
    assert "no memory" in words(app)
    assert all("\\<img" in error.value for error in app.error), "no markup"
