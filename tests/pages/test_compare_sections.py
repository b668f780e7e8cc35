"""The compare page's sections: runs side by side."""

from __future__ import annotations

import re
from functools import partial

import pytest

from aquadash.store import Run, RunStatus, RunStore
from aquadash.ui.compare.page import SECTIONS
from tests.support import ui_runs
from tests.support.app_pages import address_of, charts, html, ids, metrics, open_app_page, words
from tests.support.compared_runs import add_compared

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


def test_two_ticks_show_the_answer_and_what_differs(three: list[Run], without_results: list[Run]) -> None:
    plain, other_seed, better = three
    app = open_page(runs=ids(plain, better))
    assert re.search(r"\*\*better\*\* is \d+\.\d points better than \*\*plain\*\* on 375 validation", words(app))
    assert "**Different:** Optimizer: Adam vs SGD" in words(app)
    app = open_page(runs=ids(other_seed, plain))
    assert "which may be luck" in words(app)
    app = open_page(runs=ids(plain, without_results[0]))
    assert "once two of these runs have results" in words(app)


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
    assert "Best of 3: **better** is" in words(app) and "Of 375 validation images, **better** gets" in words(app)
    app.segmented_control(key="on").set_value("test").run()
    assert "Of 500 test images" in words(app) and "final measurement" in words(app)
    assert address_of(app, "on") == "test"

    without = add_compared(shared_store, "older", skill=0.5, seed=9, validation=False)
    app = open_page(runs=ids(three[0], without))
    assert app.segmented_control(key="on").value == "test" and "last measurement" not in words(app)


def test_different_data_is_warned_of_and_not_compared(shared_store: RunStore) -> None:
    drawn = ui_runs.finished(shared_store, "drawn")
    photos = ui_runs.finished(shared_store, "photos", {"data.source": "cifar100"}, fingerprint="e" * 64)
    app = open_page(runs=ids(drawn, photos))
    assert "learned from different data" in words(app) and "accuracies cannot be compared" in words(app)
    elsewhere = ui_runs.finished(shared_store, "elsewhere", {"data.source": "cifar100"}, right=0.7)
    verdict = words(open_page(runs=ids(drawn, elsewhere)))
    assert "**elsewhere** is" in verdict and "cannot be compared" not in verdict, "the same images from another source"
