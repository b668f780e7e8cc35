"""The Evaluate page, with stored runs whose predictions are made up: its browser of images, and every section."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.config import RunConfig
from aquadash.errors import DataError
from aquadash.lab import memory
from aquadash.store import EpochRecord, Predictions, Run, RunStatus, RunStore, Worker, open_store
from aquadash.ui import datasets
from aquadash.ui.evaluate.evaluate_sections import SECTIONS
from tests import live_runs
from tests.app_pages import address_notes, address_of, charts, click, html, metrics, open_app_page, unfold
from tests.made_runs import create, set_status, start
from tests.stored_runs import HOSTILE, OTTER, SEAL, add_run

pytestmark = pytest.mark.usefixtures("in_shared_home")

#: Markup that has not lost its meaning to a backslash.
_TAG = re.compile(r"(?<!\\)<")

open_page = partial(open_app_page, "evaluate")


@dataclass(frozen=True)
class Shelf:
    """Runs that the tests of this module only look at, the plain one the newest of those with predictions."""

    report: Run
    changed: Run
    sharp: Run
    hostile: Run
    plain: Run
    failed: Run


def sharp(labels: np.ndarray, *, seed: int) -> np.ndarray:
    """Too confident probabilities, more often right than not."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(len(labels), 5))
    scores[np.arange(len(labels)), labels] += 1.3
    shares = np.exp(2.5 * (scores - scores.max(axis=1, keepdims=True)))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def with_answers(store: RunStore, name: str, *, seed: int, validation: str = "training") -> Run:
    run = add_run(store, name=name, validation=validation)
    labels = data.load("synthetic").test.labels
    shares = sharp(labels, seed=seed)
    store.add_predictions(run.run_id, Predictions(np.arange(500), labels, shares))
    if validation == "test":
        store.add_validation_predictions(run.run_id, Predictions(np.arange(400), labels[:400], shares[:400]))
    else:
        learnt = np.arange(250) % 5
        store.add_validation_predictions(run.run_id, Predictions(np.arange(250), learnt, sharp(learnt, seed=seed + 50)))
    return store.get(run.run_id)


@pytest.fixture(scope="module")
def shelf(shared_store: RunStore) -> Shelf:
    failed = create(shared_store, RunConfig(), name="failed")
    start(shared_store, failed.run_id, Worker("here", 1))
    set_status(shared_store, failed.run_id, RunStatus.FAILED, message="The <b>loss</b> became nan.")
    return Shelf(
        with_answers(shared_store, "reported", seed=3, validation="test"),
        add_run(shared_store, fingerprint="0" * 64),
        with_answers(shared_store, "sharp", seed=1),
        with_answers(shared_store, HOSTILE, seed=2),
        add_run(shared_store),
        failed,
    )


def answers(run: Run) -> Predictions:
    return open_store().predictions(run.run_id)


def found(app: AppTest) -> str:
    """The line that says what is shown."""
    return next(block.value for block in app.markdown if " of 500 test images" in block.value and "**" in block.value)


def confused() -> int:
    return len(np.flatnonzero(data.load("synthetic").test.labels == OTTER)[::4])


def test_scores_curves_matrix_report_and_images(shelf: Shelf) -> None:
    run = shelf.plain
    app = open_page(run=run.run_id[:8])

    assert not app.error
    assert metrics(app)["Test accuracy"] == f"{100 * run.metrics['test_accuracy']:.0f} %"
    assert "Confusion matrix of 500" in charts(app)[0]
    assert html(app).count('alt="Test image') == 12


def test_the_reports_way_is_explained_and_the_unseen_images_counted(shelf: Shelf) -> None:
    run = shelf.report
    app = open_page(run=run.run_id)

    said = app.warning[0].value
    assert "400 of the 500 test images decided when to stop" in said
    assert f"On the 100 unseen images it is {100 * run.metrics['unseen_test_accuracy']:.0f} % (" in said


def test_a_clicked_cell_shows_its_images_and_stands_in_the_address(shelf: Shelf) -> None:
    app = open_page(run=shelf.plain.run_id, outcome="right", page="3")

    click(app, "matrix", [OTTER, SEAL])

    assert f"taken for 🦭 seal: {confused()} of 500" in found(app)
    assert (address_of(app, "true"), address_of(app, "predicted")) == ("otter", "seal")
    assert address_of(app, "outcome") is None and address_of(app, "page") is None

    unfold(app, "image-filters").selectbox(key="predicted").set_value("").run()
    assert "100 of 500" in found(app), "the menus have the last word"

    click(app, "matrix", [4, 4])
    assert app.selectbox(key="true").value == "whale"
    app.session_state["matrix-clicked"] = (shelf.failed.run_id, None), [OTTER, SEAL]
    app.run()
    assert app.selectbox(key="true").value == "whale", "that was another run's matrix"


def test_frequent_mistakes_and_show_all_are_buttons(shelf: Shelf) -> None:
    app = open_page()
    assert app.selectbox(key="run").value == address_of(app, "run") == shelf.plain.run_id, "the newest with predictions"

    app.button(key=f"mistake-{OTTER}-{SEAL}").click().run()
    assert f"{confused()} of 500" in found(app)
    app.button(key="no-filters").click().run()
    assert "500 of 500" in found(app)
    assert address_of(app, "true") is None


def test_filters_from_the_address(shelf: Shelf) -> None:
    run = shelf.plain
    app = open_page(run=run.run_id, outcome="wrong", confidence="50-90", sort="most-confident", show="96", cells="rows")

    assert not address_notes(app) and "wrong only, confidence 50 to 90 %" in found(app)
    assert html(app).count("taken for") and "recognised" not in html(app)
    assert unfold(app, "image-filters").slider(key="confidence").value == (50, 90)


def test_a_run_that_failed_early_says_why(shelf: Shelf) -> None:
    app = open_page(run=shelf.failed.run_id)

    assert not app.error and not app.metric
    assert "ended before" in app.info[0].value and "became nan" in app.info[0].value
    assert not _TAG.search(app.info[0].value)


def test_a_run_that_has_not_ended_shows_how_far_it_has_come(shelf: Shelf) -> None:
    store = open_store()
    run = live_runs.queue(store, create(store, RunConfig(), name="on its way").run_id)
    app = open_page(run=run.run_id)
    assert not app.error and "has not ended" in app.info[0].value and not charts(app)
    job = live_runs.start(store, run.run_id)
    store.log_epoch(run.run_id, EpochRecord(1, 1.5, 0.3, 1.4, 0.35, 0.01, 2.0), curve=[0.35])
    app = open_page(run=run.run_id)
    assert not app.error and "has not ended" in app.info[0].value and len(charts(app)) == 2
    live_runs.end(store, job, RunStatus.STOPPED)
    memory.refresh()


def test_changed_data_hides_the_images_and_nothing_else(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(run=shelf.changed.run_id)
    assert not app.error and "images cannot be shown" in app.info[0].value
    assert len(charts(app)) == 1 and len(app.dataframe[0].value) == 12
    assert "<img" not in html(app)

    def refuse(source: str) -> data.Dataset:
        raise DataError("The archive is <b>gone</b>.")

    monkeypatch.setattr(datasets, "dataset", refuse)
    app = open_page(run=shelf.plain.run_id)
    assert not app.error and "gone" in app.info[0].value and not _TAG.search(app.info[0].value)
    assert app.metric and len(app.dataframe[0].value) == 12


def test_hostile_names_are_text(shelf: Shelf) -> None:
    app = open_page(run=shelf.hostile.run_id)

    shown = [block.value for block in (*app.markdown, *app.caption, *app.info, *app.warning)]
    assert not app.error
    assert "onerror" not in html(app) and not any("<img" in text or ":red[" in text for text in shown)


@pytest.mark.parametrize("way", ["plain", "report"])
def test_without_predictions_of_validation_images_calibration_is_drawn(shelf: Shelf, way: str) -> None:
    app = open_page(run=getattr(shelf, way).run_id, section="calibration")
    assert not app.error and all(charts(app))


@pytest.mark.parametrize("section", [word for word, each in SECTIONS.table.items() if each.second_run])
def test_a_second_run_is_laid_over_whatever_its_name_is(shelf: Shelf, section: str) -> None:
    app = open_page(run=shelf.sharp.run_id, section=section, **{"with": shelf.hostile.run_id})

    assert not app.error and not app.exception
    assert not address_notes(app) and all(charts(app))
    shown = [block.value for block in (*app.markdown, *app.caption, *app.info, *app.warning)]
    assert not any("<img" in text and "\\<img" not in text for text in shown)
    assert "onerror" not in html(app)


def test_a_score_of_a_class_shows_the_images_that_it_counts(shelf: Shelf) -> None:
    app = open_page(run=shelf.plain.run_id, section="classes")
    assert len(app.dataframe[0].value) == 7

    click(app, "class-scores", [1, 2])
    assert address_of(app, "true") == "otter" and address_of(app, "predicted") is None
    assert "100 of 500" in found(app)
    click(app, "class-scores", [0, 3])
    assert address_of(app, "true") is None and address_of(app, "predicted") == "seal"
    called = int((answers(shelf.plain).probabilities.argmax(axis=1) == 3).sum())
    assert f"{called} of 500" in found(app)


def test_a_second_run_is_laid_over_the_matrix_and_can_be_taken_away(shelf: Shelf) -> None:
    app = open_page(run=shelf.sharp.run_id, cells="difference", **{"with": shelf.hostile.run_id[:10]})
    assert "Difference of two confusion matrices" in charts(app)[0]
    assert address_of(app, "with") == shelf.hostile.run_id
    click(app, "matrix", [2, 3])
    assert address_of(app, "true") == "otter" and address_of(app, "predicted") == "seal"

    app.selectbox(key="with").set_value("").run()
    assert address_of(app, "with") is None and not app.exception
    app.selectbox(key="with").set_value(shelf.hostile.run_id).run()
    app.selectbox(key="run").set_value(shelf.hostile.run_id).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="with").value == "" and address_of(app, "with") is None, "over itself"


def test_near_duplicates_are_shown_as_pairs(shelf: Shelf) -> None:
    app = open_page(run=shelf.sharp.run_id, section="duplicates", distance="25")
    assert "and training image" in html(app) and 'alt="Test image' in html(app)
    assert any("have a training image that looks (nearly) the same" in block.value for block in app.markdown)
    app.segmented_control(key="labels").set_value("other").run()
    assert address_of(app, "labels") == "other" and not app.error
    app.slider(key="distance").set_value(0).run()
    assert any("None of 500 test images" in block.value for block in app.markdown)
