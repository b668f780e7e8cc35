"""Paired runs: the form and the links on the Augment page, the work and the result on Compare."""

from __future__ import annotations

from functools import partial

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.augment import PIPELINES, PipelineSpec
from aquadash.errors import RunError
from aquadash.runs import Run, RunStatus, RunStore
from aquadash.ui.augment import paired_runs
from tests import live_runs
from tests.app_pages import address_of, charts, ids, open_app_page, words
from tests.paired import add_pair
from tests.stored_runs import HOSTILE
from tests.studios import open_view, without_links
from tests.train_page import FakeEngine


@pytest.fixture(autouse=True)
def went(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """The pages and addresses that the view has gone to, which stands alone."""
    without_links(monkeypatch)
    gone: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(st, "switch_page", lambda page, *, query_params: gone.append((page, query_params)))
    return gone


@pytest.fixture(scope="module")
def pair(shared_store: RunStore) -> tuple[Run, Run]:
    """One of the shared home that is done; the pipeline makes five images of one."""
    return add_pair(shared_store, pipeline="notebook")


@pytest.fixture(scope="module")
def stopped(shared_store: RunStore) -> tuple[Run, Run]:
    """Another one there."""
    return add_pair(shared_store, title="Other", status=RunStatus.STOPPED)


open_launch = partial(open_view, paired_runs.launch)


def open_pair(*runs: Run) -> AppTest:
    return open_app_page("compare", runs=ids(*runs))


def changes(app: AppTest) -> list[str]:
    return [alt for alt in charts(app) if alt.startswith("Change of accuracy")]


def test_one_click_queues_both_and_compares_them(
    store: RunStore, engine: FakeEngine, went: list[tuple[str, dict[str, str]]]
) -> None:
    app = open_launch(pair_epochs="7", pair_seed="3")
    assert "pair-updates" not in [box.key for box in app.selectbox], "both have as many images"
    app.button(key="pair-launch").click().run()
    assert not app.exception
    ((_, (config, pipeline, same_updates)),) = engine.calls
    assert (config.training.epochs, config.seed, config.data.source) == (7, 3, "synthetic")
    assert (pipeline, same_updates) == ("notebook-1", False)
    halves = {run.pair_role: run for run in store.list_runs()}
    assert went == [("pages/compare.py", {"runs": ids(halves["without"], halves["with"])})]


def test_more_images_ask_for_the_number_of_updates(engine: FakeEngine) -> None:
    app = open_launch(pipeline="notebook", pair_updates="yes")
    app.button(key="pair-launch").click().run()
    assert engine.calls[0][1][2] is True


def test_what_goes_wrong_is_told(engine: FakeEngine) -> None:
    engine.error = RunError("The scheduler does not answer.")
    app = open_launch()
    app.button(key="pair-launch").click().run()
    assert "The scheduler does not answer." in words(app)


def test_a_pipeline_has_to_be_saved_and_to_change_something(engine: FakeEngine) -> None:
    draft = PipelineSpec("notebook-1", "Mine", "", PIPELINES["notebook-2"].branches)
    assert "Save the pipeline first" in words(open_launch(pipeline=draft))
    assert "both runs would be the same" in words(open_launch(pipeline="none"))


def test_the_settings_of_a_run_can_be_taken_with_its_seed_unless_one_was_chosen(
    store: RunStore, engine: FakeEngine
) -> None:
    run = add_pair(store, seed=5)[1]
    add_pair(store)  # Its runs have the same names.
    app = open_launch(pair_base=run.run_id)
    assert "Expected: at most" in words(app)
    titles = app.selectbox(key="pair-base").options
    assert len(set(titles)) == len(titles), "the browser knows them by their text alone"
    app.button(key="pair-launch").click().run()
    assert engine.calls[0][1][0].training == run.config.training
    for base, seed in (("notebook-fixed", 0), (run.run_id, 5)):
        app.selectbox(key="pair-base").set_value(base).run()
        assert app.number_input(key="pair-seed").value == seed and address_of(app, "pair-seed") is None
    app.number_input(key="pair-seed").set_value(3).run()
    app.selectbox(key="pair-base").set_value("notebook-fixed").run()
    assert app.number_input(key="pair-seed").value == 3 and address_of(app, "pair-seed") == "3"


def test_a_pair_at_work_shows_both_and_can_be_stopped(store: RunStore, engine: FakeEngine) -> None:
    without, with_it = add_pair(store, title=HOSTILE, status=RunStatus.QUEUED)
    app = open_pair(without, with_it)
    told = [bar.proto.text for bar in app.get("progress")]
    assert len(told) == 2 and all(text.endswith("waits for its turn") and HOSTILE not in text for text in told)
    stop = app.button(key="stop-compared")
    assert stop.label == "Stop these 2" and "resume them" in stop.help
    stop.click().run()
    assert {store.get(run.run_id).status for run in (without, with_it)} == {RunStatus.STOPPED}
    app = open_pair(without, with_it)
    said = words(app)
    assert not app.get("progress") and "Once two of these runs have results" not in said
    assert said.count("ended without results (stopped)") == 2 and HOSTILE not in said


def test_a_pair_of_which_one_failed_says_which_and_why(store: RunStore) -> None:
    without, with_it = add_pair(store, status=RunStatus.QUEUED)
    live_runs.end(store, live_runs.start(store, with_it.run_id), RunStatus.FAILED, message="The loss is no number.")
    said = words(open_pair(without, with_it))
    assert "**With: Flips** ended without results (failed). The loss is no number." in said
    assert "Without: Flips** ended" not in said
    live_runs.end(store, live_runs.start(store, without.run_id), RunStatus.FINISHED)
    assert " · ended without results · " in words(open_launch())


@pytest.mark.usefixtures("in_shared_home")
def test_a_pair_that_ended_early_says_little(stopped: tuple[Run, Run]) -> None:
    said = words(open_pair(*stopped))
    assert said.count("ended early says little about the pipeline") == 2 and "Of 375 validation images" in said


@pytest.mark.usefixtures("in_shared_home")
def test_a_pair_that_is_done_shows_the_change_by_class(pair: tuple[Run, Run]) -> None:
    app = open_pair(*pair)
    said = words(app)
    assert "Of 375 validation images" in said
    assert "so **With: Flips** is probably better" in said
    assert "Another seed would give other networks" in said and "changed its weights" in said
    menu = open_launch(pipeline="notebook").selectbox(key="pair-updates")
    assert f"“{menu.options[1]}”, at “{menu.label}”, takes it out" in said, "the menu that there is"
    (alt,) = changes(app)
    assert alt.startswith("Change of accuracy on validation images")
    assert "beaver +" in alt and "whale +" in alt
    table = next(each.value for each in app.dataframe if "Newly broken" in each.value.columns)
    assert table["Class"].tolist()[0] == "all" and table["Images"][0] == 375 == table["Images"][1:].sum()
    app.segmented_control(key="on").set_value("test").run()
    assert "Of 500 test images" in words(app) and changes(app)[0].startswith("Change of accuracy on test images")


@pytest.mark.usefixtures("in_shared_home")
def test_any_two_runs_have_the_change_by_class_and_only_pairs_are_judged_as_pairs(
    pair: tuple[Run, Run], stopped: tuple[Run, Run]
) -> None:
    app = open_pair(pair[1], pair[0])
    assert len(changes(app)) == 1 and "The run without the pipeline" in words(app), "whatever the order"
    assert "**Change in each class** from **With: Flips** to **Without: Flips**" in words(app)
    app = open_pair(pair[0], stopped[1])
    assert len(changes(app)) == 1 and "The run without the pipeline" not in words(app)


def test_pairs_are_links_those_with_the_pipeline_first(store: RunStore) -> None:
    store.delete(add_pair(store, title="Blur", pipeline="notebook-2")[0].run_id)
    for _ in range(2):
        add_pair(store, title=HOSTILE, pipeline="notebook-2", status=RunStatus.QUEUED)
    add_pair(store, status=RunStatus.QUEUED)
    links = [text.value for text in open_launch(pipeline="notebook-2").caption if "(pages/compare.py)" in text.value]
    assert all(" · not done yet · " in link and "· seed 0 ·" in link and HOSTILE not in link for link in links[:2])
    assert links[0] != links[1], "of one minute"
    assert [link.split(" · ")[:-1:3] for link in links[2:]] == [
        ["Blur", "one of the two is not here"],
        ["Flips", "not done yet"],
    ]


@pytest.mark.usefixtures("in_shared_home")
def test_the_address_of_an_older_version_leads_to_compare(
    pair: tuple[Run, Run], went: list[tuple[str, dict[str, str]]]
) -> None:
    app = open_launch(pair=pair[0].pair_id)
    assert went == [("pages/compare.py", {"runs": ids(*pair)})]
    assert address_of(app, "pair") is None, "Back does not lead there again"
