"""The compare page's sections: runs side by side."""

import re
from functools import partial

import pytest

from aquadash.store import Run, RunStatus, RunStore
from aquadash.ui.compare.page import SECTIONS
from tests.support.app_pages import address_of, charts, click, figure_of, html, ids, metrics, open_app_page, words
from tests.support.runs import make_run, skilled
from tests.support.weights_files import keras_file

pytestmark = pytest.mark.usefixtures("in_shared_home")

open_page = partial(open_app_page, "compare")


@pytest.fixture(scope="module")
def three(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs of like skill with different settings, and a better one."""
    file = tmp_path_factory.mktemp("networks") / "model.keras"
    runs = [
        make_run(shared_store, "plain", predictions=skilled(0.5), history=8),
        make_run(shared_store, "other seed", {"seed": 5}, predictions=skilled(0.52, seed=1)),
        make_run(shared_store, "better", {"training.optimizer": "adam"}, predictions=skilled(0.8, seed=2)),
    ]
    for count, run in enumerate(runs, start=1):
        shared_store.add_artifact(run.run_id, keras_file(file, 1000 * count))
    return runs


@pytest.fixture(scope="module")
def without_results(shared_store: RunStore) -> list[Run]:
    """A waiting run, a running one and a failed one."""
    return [
        make_run(shared_store, "waits", status=RunStatus.QUEUED),
        make_run(shared_store, "works", status=RunStatus.RUNNING),
        make_run(shared_store, "broke", status=RunStatus.FAILED, history=1),
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
    one, two = (make_run(shared_store, name, status=RunStatus.QUEUED) for name in ("heron *x*", "stork"))
    app = open_page(runs=ids(one, two))
    told = [bar.proto.text for bar in app.get("progress")]
    assert len(told) == 2 and all(text.endswith("waits for its turn") and "*x*" not in text for text in told)
    stop = app.button(key="stop-compared")
    assert stop.label == "Stop these 2" and "resume them" in stop.help
    stop.click().run()
    assert {shared_store.get(run.run_id).status for run in (one, two)} == {RunStatus.STOPPED}
    failed = make_run(shared_store, "broke again", status=RunStatus.FAILED, message="The loss is no number.")
    waits = make_run(shared_store, "waits again", status=RunStatus.QUEUED)
    said = words(open_page(runs=ids(failed, waits)))
    assert "**broke again** ended without results (failed). The loss is no number." in said


def test_a_run_has_one_validation_accuracy_on_every_page(shared_store: RunStore) -> None:
    run = make_run(shared_store, "one", predictions=skilled(0.64, seed=1))
    other = make_run(shared_store, "other", predictions=skilled(0.4, seed=2))
    app = open_page(runs=ids(run, other))
    table = app.dataframe[0].value.set_index("Name")
    assert f"{table.loc['one', 'Validation accuracy']:.0f}" == "64"
    assert any("one 64 % (" in alt for alt in charts(app)), "of the stored predictions"
    train = open_app_page("train", run=run.run_id)
    assert metrics(train)["Validation accuracy"] == "64 %"
    evaluate = open_app_page("evaluate", run=run.run_id)
    assert "64 %" in next(text for text in evaluate.selectbox(key="run").options if text.startswith("one ·"))


def test_results_are_by_validation_images_where_all_kept_them(shared_store: RunStore, three: list[Run]) -> None:
    app = open_page(runs=ids(*three), section="curves", first=three[0].run_id, second=three[2].run_id)
    assert "Best of 3: **better** is" in words(app) and "Of 375 validation images, **better** gets" in words(app)
    click(app, "pair-matrix", [0, 2])
    assert (address_of(app, "first"), address_of(app, "second")) == (three[2].run_id, three[0].run_id)
    assert "**plain** gets" in words(app), "the row of the cell against its column"
    app.segmented_control(key="on").set_value("test").run()
    assert "Of 500 test images" in words(app) and "final measurement" in words(app)
    assert address_of(app, "on") == "test"
    app = open_page(runs=ids(three[0], three[2]), section="confusion")
    cells = figure_of(app, -1)["data"][0]["text"]
    assert sum(int(cells[label][label] or 0) for label in range(5)) > 0, "the difference is that to the better run"

    without = make_run(shared_store, "older", predictions={"test": skilled(0.5, seed=9)["test"]})
    app = open_page(runs=ids(three[0], without))
    assert app.segmented_control(key="on").value == "test" and "last measurement" not in words(app)


def test_different_data_is_warned_of_and_not_compared(shared_store: RunStore) -> None:
    drawn = make_run(shared_store, "drawn", predictions=skilled(0.6))
    photos = make_run(shared_store, "photos", {"data.source": "cifar100"}, dataset_fingerprint="e" * 64)
    app = open_page(runs=ids(drawn, photos))
    assert "learned from different data" in words(app) and "accuracies cannot be compared" in words(app)
    elsewhere = make_run(shared_store, "elsewhere", {"data.source": "cifar100"}, predictions=skilled(0.7))
    verdict = words(open_page(runs=ids(drawn, elsewhere)))
    assert "**elsewhere** is" in verdict and "cannot be compared" not in verdict, "the same images from another source"
