"""The Evaluate page, with stored runs whose predictions are made up."""

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
from aquadash.lab.runs import Runs
from aquadash.runs import EpochRecord, Run, RunStatus, RunStore, Worker, open_store
from aquadash.ui import datasets
from tests import live_runs
from tests.app_pages import address_notes, address_of, charts, click, html, metrics, open_app_page, unfold
from tests.stored_runs import HOSTILE, OTTER, SEAL, add_run

pytestmark = pytest.mark.usefixtures("in_shared_home")

#: Markup that has not lost its meaning to a backslash.
_TAG = re.compile(r"(?<!\\)<")


@dataclass(frozen=True)
class Shelf:
    """Runs that the tests of this module only look at."""

    plain: Run
    report: Run
    changed: Run
    hostile: Run
    failed: Run


@pytest.fixture(scope="module")
def shelf(shared_store: RunStore) -> Shelf:
    report = add_run(shared_store, validation="test")
    changed = add_run(shared_store, fingerprint="0" * 64)
    hostile = add_run(shared_store, name=HOSTILE, note=HOSTILE)
    plain = add_run(shared_store)
    failed = shared_store.create(RunConfig(), name="failed")
    shared_store.start(failed.run_id, Worker("here", 1))
    shared_store.set_status(failed.run_id, RunStatus.FAILED, message="The <b>loss</b> became nan.")
    return Shelf(plain, report, changed, hostile, failed)


open_page = partial(open_app_page, "evaluate")


def found(app: AppTest) -> str:
    """The line that says what is shown."""
    return next(block.value for block in app.markdown if "test image" in block.value)


def confused() -> int:
    return len(np.flatnonzero(data.load("synthetic").test.labels == OTTER)[::4])


def test_scores_curves_matrix_report_and_images(shelf: Shelf) -> None:
    run = shelf.plain
    app = open_page(run=run.run_id[:8])

    assert not app.error
    values = metrics(app)
    assert float(values["Top-2 accuracy"].rstrip(" %")) > 100 * run.metrics["test_accuracy"]
    assert values["Test accuracy"] == f"{100 * run.metrics['test_accuracy']:.0f} %"
    note = next(metric.delta for metric in app.metric if metric.label == "Test accuracy")
    assert re.fullmatch(r"\d+ to \d+ % · chance 20 %", note)
    (chart,) = charts(app)
    assert "Confusion matrix of 500" in chart
    assert html(app).count("<img") == 12
    assert html(app).count('alt="Test image') == 12


def test_curves_and_what_the_coach_says_of_them_are_a_section(shelf: Shelf) -> None:
    app = open_page(run=shelf.plain.run_id, section="training")

    assert not app.error and any("Still improving" in box.value for box in app.info)
    assert len(charts(app)) == 2 and all(charts(app))
    assert "<img" not in html(app)


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
    unfold(app, "image-filters")
    assert app.selectbox(key="true").value == "otter" and app.selectbox(key="predicted").value == "seal"
    assert (address_of(app, "true"), address_of(app, "predicted")) == ("otter", "seal")
    assert address_of(app, "outcome") is None and address_of(app, "page") is None
    assert app.number_input(key="page").value == 1

    app.selectbox(key="predicted").set_value("").run()
    assert "100 of 500" in found(app), "the menus have the last word"

    click(app, "matrix", [4, 4])
    assert app.selectbox(key="true").value == "whale"


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

    assert not address_notes(app)
    stored = open_store().predictions(run.run_id)
    sure, answers = stored.probabilities.max(axis=1), stored.probabilities.argmax(axis=1)
    expected = int(((answers != stored.labels) & (sure >= 0.5) & (sure <= 0.9)).sum())
    assert f"wrong only, confidence 50 to 90 %: {expected} of 500" in found(app)
    assert html(app).count('alt="Test image') == min(96, expected)
    assert html(app).count("taken for") and "recognised" not in html(app)
    assert unfold(app, "image-filters").slider(key="confidence").value == (50, 90)
    assert address_of(app, "confidence") == "50-90"


def test_a_run_that_failed_early_says_why(shelf: Shelf) -> None:
    app = open_page(run=shelf.failed.run_id)

    assert not app.error and not app.metric
    assert "ended before" in app.info[0].value and "became nan" in app.info[0].value
    assert not _TAG.search(app.info[0].value)


def test_a_run_that_has_not_ended_shows_how_far_it_has_come(shelf: Shelf) -> None:
    store = open_store()
    run = live_runs.queue(store, store.create(RunConfig(), name="on its way").run_id)
    app = open_page(run=run.run_id)
    assert not app.error and "has not ended" in app.info[0].value and not charts(app)
    job = live_runs.start(store, run.run_id)
    store.log_epoch(run.run_id, EpochRecord(1, 1.5, 0.3, 1.4, 0.35, 0.01, 2.0), curve=[0.35])
    app = open_page(run=run.run_id)
    assert not app.error and "has not ended" in app.info[0].value and len(charts(app)) == 2
    live_runs.end(store, job, RunStatus.STOPPED)
    memory.refresh()


def test_the_page_is_drawn_again_when_the_run_has_ended(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    run = live_runs.queue(store, store.create(RunConfig(), name="ends in a moment").run_id)
    job, get = live_runs.start(store, run.run_id), Runs.get

    def ends_before_it_is_looked_at(runs: Runs, run_id: str) -> Run:
        if not store.get(run.run_id).status.ended:
            live_runs.end(store, job, RunStatus.STOPPED)
            memory.refresh()
        return get(runs, run_id)

    monkeypatch.setattr(Runs, "get", ends_before_it_is_looked_at)
    assert "ended before" in open_page(run=run.run_id).info[0].value


def test_changed_data_hides_the_images_and_nothing_else(shelf: Shelf) -> None:
    app = open_page(run=shelf.changed.run_id)

    assert not app.error
    assert "images cannot be shown" in app.info[0].value
    assert len(charts(app)) == 1
    assert "<img" not in html(app)
    assert len(app.dataframe[0].value) == 12


def test_data_that_cannot_be_loaded_hides_the_images_and_nothing_else(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str) -> data.Dataset:
        raise DataError("The archive is <b>gone</b>.")

    monkeypatch.setattr(datasets, "dataset", refuse)
    app = open_page(run=shelf.plain.run_id)

    assert not app.error
    assert "gone" in app.info[0].value and not _TAG.search(app.info[0].value)
    assert app.metric and len(app.dataframe[0].value) == 12


def test_hostile_names_are_text(shelf: Shelf) -> None:
    app = open_page(run=shelf.hostile.run_id)

    shown = [block.value for block in (*app.markdown, *app.caption, *app.info, *app.warning)]
    assert not app.error
    assert "onerror" not in html(app) and not any("<img" in text or ":red[" in text for text in shown)
