"""The compare page's sections: runs side by side."""

from __future__ import annotations

import re
from functools import partial

import pytest

from aquadash.figures.theme import RUN_COLOURS
from aquadash.store import Run, RunStatus, RunStore
from aquadash.ui.compare import comparison
from aquadash.ui.compare.comparison import SECTIONS
from tests import ui_runs
from tests.app_pages import address_of, charts, click, html, ids, metrics, open_app_page, unfold, words
from tests.compared_runs import add_compared

pytestmark = pytest.mark.usefixtures("in_shared_home")

open_page = partial(open_app_page, "compare")


@pytest.fixture(scope="module")
def three(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs of like skill with different settings, and a better one."""
    add, folder = partial(add_compared, shared_store), tmp_path_factory.mktemp("networks")
    return [
        add("plain", skill=0.5, seed=0, epochs=8, folder=folder / "a"),
        add("other seed", {"seed": 5}, skill=0.52, seed=1, folder=folder / "b"),
        add("better", {"training.optimizer": "adam"}, skill=0.8, seed=2, folder=folder / "c"),
    ]


@pytest.fixture(scope="module")
def without_results(shared_store: RunStore) -> list[Run]:
    """A waiting run, a running one and a failed one."""
    return [
        ui_runs.queued(shared_store, "waits"),
        ui_runs.running(shared_store, "works"),
        ui_runs.ended(shared_store, "broke", RunStatus.FAILED, epochs=1),
    ]


@pytest.mark.parametrize("section", SECTIONS.table)
def test_sections_are_drawn_without_results_too(three: list[Run], without_results: list[Run], section: str) -> None:
    app = open_page(runs=ids(*three, *without_results), section=section)
    assert not app.error and all(charts(app))
    shown = {"images": "aqua-cards" in html(app), "settings": len(app.dataframe) > 1}
    assert charts(app) or shown[section]
    alone = open_page(runs=ids(*without_results), section=section)
    assert not alone.error


def test_curves_of_several_metrics_by_time_stand_in_the_address(three: list[Run]) -> None:
    app = open_page(runs=ids(*three), metric="val_loss,accuracy", x="time", smooth="0.5")

    assert any(alt.startswith("Validation loss by training time of 3 runs") for alt in charts(app))
    assert unfold(app, "curves-box").slider(key="smooth").value == 0.5
    app.segmented_control(key="x").set_value("epoch").run()
    assert address_of(app, "x") is None and any(" by epoch of 3 runs" in alt for alt in charts(app))


def test_only_differing_settings_unless_everything_is_asked_for(three: list[Run]) -> None:
    app = open_page(runs=ids(three[0], three[2]), section="settings")
    table = app.dataframe[1].value
    assert table.index.tolist() == ["Validation accuracy", "Optimizer"] and table["better"].tolist()[1] == "Adam"
    app = open_page(runs=ids(*three), section="settings", every="yes")
    assert len(app.dataframe[1].value) > 10


def test_runs_of_one_name_are_told_apart_and_one_may_have_the_name_of_a_column(shared_store: RunStore) -> None:
    names = ("Setting", "same", "same")
    setting, one, two = (ui_runs.finished(shared_store, name, {"seed": seed}) for seed, name in enumerate(names))
    app = open_page(runs=ids(setting, one, two), section="settings")
    table = app.dataframe[1].value
    assert table.columns.tolist() == ["Setting", f"same ({one.run_id[:8]})", f"same ({two.run_id[:8]})"]
    assert table.to_numpy().tolist()[1:] == [["0", "1", "2"]] and "Only the seed differs" in words(app)


def test_two_ticks_show_the_answer_and_what_differs(three: list[Run], without_results: list[Run]) -> None:
    plain, other_seed, better = three
    app = open_page(runs=ids(plain, better))
    assert re.search(r"\*\*better\*\* is \d+\.\d points better than \*\*plain\*\* on 375 validation", words(app))
    assert "**Different:** Optimizer: Adam, not SGD" in words(app)
    app = open_page(runs=ids(other_seed, plain))
    assert "which may be luck" in words(app)
    app = open_page(runs=ids(plain, without_results[0]))
    assert "Once two of these runs have results" in words(app)


def test_the_change_in_each_class_is_on_the_images_that_are_chosen(three: list[Run]) -> None:
    plain, _, better = three
    app = open_page(runs=ids(plain, better))
    assert any(alt.startswith("Change of accuracy on validation images") for alt in charts(app))
    app.segmented_control(key="on").set_value("test").run()
    assert any(alt.startswith("Change of accuracy on test images") for alt in charts(app))


def test_runs_at_work_show_their_progress_and_can_be_stopped(shared_store: RunStore, no_engine: None) -> None:
    one, two = (ui_runs.queued(shared_store, name) for name in ("heron *x*", "stork"))
    app = open_page(runs=ids(one, two))
    told = [bar.proto.text for bar in app.get("progress")]
    assert len(told) == 2 and all(text.endswith("waits for its turn") and "*x*" not in text for text in told)
    stop = app.button(key="stop-compared")
    assert stop.label == "Stop these 2" and "resume them" in stop.help
    stop.click().run()
    assert {shared_store.get(run.run_id).status for run in (one, two)} == {RunStatus.STOPPED}
    failed = ui_runs.ended(shared_store, "broke again", RunStatus.FAILED, message="The loss is no number.")
    waits = ui_runs.queued(shared_store, "waits again")
    said = words(open_page(runs=ids(failed, waits)))
    assert "**broke again** ended without results (failed). The loss is no number." in said


def test_a_run_has_one_validation_accuracy_on_every_page(shared_store: RunStore) -> None:
    run = add_compared(shared_store, "one", skill=0.64, seed=1)
    other = add_compared(shared_store, "other", skill=0.4, seed=2)
    app = open_page(runs=ids(run, other))
    table = app.dataframe[0].value.set_index("Name")
    assert f"{table.loc['one', 'Validation accuracy']:.0f}" == "64"
    assert any("one 64 % (" in alt for alt in charts(app)), "of the stored predictions"
    train = open_app_page("train", run=run.run_id)
    assert metrics(train)["Validation accuracy"] == "64 %"
    evaluate = open_app_page("evaluate", run=run.run_id)
    assert "64 %" in next(text for text in evaluate.selectbox(key="run").options if text.startswith("one ·"))


def test_results_are_by_validation_images_where_all_kept_them(shared_store: RunStore, three: list[Run]) -> None:
    app = open_page(runs=ids(*three), section="results", first=three[0].run_id, second=three[2].run_id)
    assert address_of(app, "section") is None, "an address of an older version"
    assert "Best of 3: **better** is" in words(app) and "Of 375 validation images, **better** has" in words(app)
    app.segmented_control(key="on").set_value("test").run()
    assert "Of 500 test images" in words(app) and "last measurement" in words(app)
    assert address_of(app, "on") == "test"

    without = add_compared(shared_store, "older", skill=0.5, seed=9, validation=False)
    app = open_page(runs=ids(three[0], without))
    assert app.segmented_control(key="on").value == "test" and "last measurement" not in words(app)


def test_a_click_on_a_cell_chooses_the_pair_whatever_its_images(shared_store: RunStore, three: list[Run]) -> None:
    changes = {"training.validation": "test"}
    others = [add_compared(shared_store, f"report {seed}", changes, skill=0.6, seed=seed) for seed in (10, 11)]
    app = open_page(runs=ids(*three[:2], *others), on="validation")
    assert "**other seed** has" in words(app) and app.selectbox(key="second").options == ["other seed"]
    click(app, "pair-matrix", [3, 2])
    assert (app.selectbox(key="first").value, app.selectbox(key="second").value) == tuple(run.run_id for run in others)
    assert address_of(app, "first") == others[0].run_id
    assert "**report 11** has" in words(app) and not app.error
    # The other menu takes the run of this one: this one gives it up.
    app.selectbox(key="first").set_value(others[1].run_id).run()
    assert app.selectbox(key="second").value == others[0].run_id and not app.error
    app.selectbox(key="first").set_value(three[1].run_id).run()
    assert app.selectbox(key="second").options == ["plain"] and "**plain** has" in words(app) and not app.info


def test_images_fixed_broken_and_by_how_many_are_right(three: list[Run]) -> None:
    app = open_page(runs=ids(*three), section="images", on="test", second=three[2].run_id)
    cards = [each for each in app.get("html") if "aqua-cards" in each.proto.body]
    assert cards and "better: " in cards[0].proto.body and "other seed: " not in cards[0].proto.body
    app = open_page(runs=ids(*three), section="images", on="test", changed="agreement", right="1")
    click(app, "right-counts", [3])
    assert address_of(app, "right") == "3"


def test_different_data_is_warned_of_and_not_compared(shared_store: RunStore) -> None:
    drawn = ui_runs.finished(shared_store, "drawn")
    photos = ui_runs.finished(shared_store, "photos", {"data.source": "cifar100"}, fingerprint="e" * 64)
    app = open_page(runs=ids(drawn, photos))
    assert "learned from different data" in words(app) and "accuracies cannot be compared" in words(app)
    elsewhere = ui_runs.finished(shared_store, "elsewhere", {"data.source": "cifar100"}, right=0.7)
    verdict = words(open_page(runs=ids(drawn, elsewhere)))
    assert "**elsewhere** is" in verdict and "cannot be compared" not in verdict, "the same images from another source"


def test_no_more_runs_are_drawn_than_can_be_told_apart(three: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(RUN_COLOURS) == comparison.MAX_RUNS
    monkeypatch.setattr(comparison, "MAX_RUNS", 2)
    app = open_page(runs=ids(*three))
    assert "3 runs are picked; the first 2 are shown" in words(app)
    assert any("of 2 runs" in alt for alt in charts(app))
