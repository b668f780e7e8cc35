"""Paired runs on the Augment page and on Compare: the form, the work, the result."""

from __future__ import annotations

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.augment import PIPELINES, PipelineSpec
from aquadash.errors import RunError
from aquadash.runs import RunStatus, RunStore
from aquadash.ui.augment import paired_runs
from tests.app_pages import address_of, charts, open_app_page, words
from tests.paired import add_pair
from tests.stored_runs import HOSTILE
from tests.studios import open_view, without_links
from tests.train_page import FakeEngine


@pytest.fixture(autouse=True)
def alone(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch)


open_launch = partial(open_view, paired_runs.launch)


def changes(app: AppTest) -> list[str]:
    return [alt for alt in charts(app) if alt.startswith("Change of accuracy")]


def test_one_click_queues_both(engine: FakeEngine) -> None:
    app = open_launch(pair_epochs="7", pair_seed="3")
    app.button(key="pair-launch").click().run()
    assert not app.exception
    ((_, (config, pipeline, same_updates)),) = engine.calls
    assert (config.training.epochs, config.seed, config.data.source) == (7, 3, "synthetic")
    assert (pipeline, same_updates) == ("notebook-1", False)
    assert address_of(app, "pair") == app.selectbox(key="pair").value
    assert "Without: New" in words(app) and "With: New" in words(app)


def test_more_images_ask_for_the_number_of_updates(engine: FakeEngine) -> None:
    app = open_launch(pipeline="notebook", pair_updates="yes")
    app.button(key="pair-launch").click().run()
    assert engine.calls[0][1][2] is True
    assert "pair-updates" not in [box.key for box in open_launch().selectbox]


def test_what_goes_wrong_is_told(engine: FakeEngine) -> None:
    engine.error = RunError("The scheduler does not answer.")
    app = open_launch()
    app.button(key="pair-launch").click().run()
    assert "The scheduler does not answer." in words(app)
    assert not [box for box in app.selectbox if box.key == "pair"]


def test_a_pipeline_has_to_be_saved_and_to_change_something(engine: FakeEngine) -> None:
    draft = PipelineSpec("notebook-1", "Mine", "", PIPELINES["notebook-2"].branches)
    assert "Save the pipeline first" in words(open_launch(pipeline=draft))
    assert "both runs would be the same" in words(open_launch(pipeline="none"))


def test_the_settings_of_a_run_can_be_taken(store: RunStore, engine: FakeEngine) -> None:
    with_it = add_pair(store)[1]
    add_pair(store)  # Its runs have the same names.
    app = open_launch(pair_base=with_it.run_id)
    assert "Expected: at most" in words(app)
    titles = app.selectbox(key="pair-base").options
    assert len(set(titles)) == len(titles), "the browser knows them by their text alone"
    app.button(key="pair-launch").click().run()
    assert engine.calls[0][1][0].training == with_it.config.training


def test_a_pair_at_work_shows_both_and_can_be_stopped(store: RunStore, engine: FakeEngine) -> None:
    without, with_it = add_pair(store, title=HOSTILE, status=RunStatus.QUEUED)
    app = open_launch(pair=without.pair_id)
    assert "without: waits for its turn" in [bar.proto.text for bar in app.get("progress")][0]
    app.button(key="pair-stop").click().run()
    assert {store.get(run.run_id).status for run in (without, with_it)} == {RunStatus.STOPPED}
    app = open_launch(pair=without.pair_id)
    assert "ended early says little" in words(app)
    assert "before its first epoch was complete" in words(app)


def test_a_pair_that_is_done_shows_the_change_by_class(store: RunStore) -> None:
    without, _ = add_pair(store)
    add_pair(store, title="Later", status=RunStatus.QUEUED)
    app = open_launch(pair=without.pair_id)
    said = words(app)
    assert "Of 375 validation images" in said
    assert "so the run with it is probably better" in said
    assert "another seed gives others" in said
    (alt,) = changes(app)
    assert alt.startswith("Change of accuracy on validation images")
    assert "beaver +" in alt and "whale +" in alt
    app.segmented_control(key="pair-images").set_value("test").run()
    assert address_of(app, "pair-images") == "test"
    assert "Of 500 test images" in words(app)
    assert address_of(app, "pair") == without.pair_id


def test_the_advice_against_more_updates_names_the_menu_that_there_is(store: RunStore) -> None:
    add_pair(store, pipeline="notebook")
    app = open_launch(pipeline="notebook")
    menu = app.selectbox(key="pair-updates")
    assert f"“{menu.options[1]}”, at “{menu.label}”, takes it out" in words(app)


def test_weight_updates_are_not_counted_on_images_that_came_later(store: RunStore) -> None:
    pair = add_pair(store, pipeline="notebook")
    assert "changed its weights" in words(open_launch(pair=pair[0].pair_id))
    for run in pair:
        store.set_dataset(run.run_id, class_names=run.class_names, fingerprint="f" * 64)
    said = words(open_launch(pair=pair[0].pair_id))
    assert "another seed gives others" in said and "changed its weights" not in said


def test_half_of_a_pair_is_told(store: RunStore) -> None:
    without, _ = add_pair(store)
    store.delete(without.run_id)
    assert "One of the two runs has been deleted" in words(open_launch(pair=without.pair_id))


def test_compare_shows_the_change_of_a_pair_and_of_no_others(store: RunStore) -> None:
    first, second = add_pair(store), add_pair(store, title="Other")
    app = open_app_page("compare", section="results", runs=f"{first[0].run_id},{first[1].run_id}")
    assert len(changes(app)) == 1
    app = open_app_page("compare", section="results", runs=f"{first[0].run_id},{second[1].run_id}")
    assert changes(app) == []
