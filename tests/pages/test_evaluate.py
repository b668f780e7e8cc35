"""The Evaluate page, with stored runs whose predictions are made up: its browser of images, and every section."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.store import Run, RunStatus, RunStore
from aquadash.ui.evaluate.page import SECTIONS
from tests.support.app_pages import (
    address_notes,
    address_of,
    charts,
    click,
    figure_of,
    html,
    metrics,
    open_app_page,
    unfold,
)
from tests.support.runs import HOSTILE, OTTER, SEAL, make_run, too_confident

pytestmark = pytest.mark.usefixtures("in_shared_home")


#: Markup that has not lost its meaning to a backslash.
_TAG = re.compile(r"(?<!\\)<")

open_page = partial(open_app_page, "evaluate")


Shelf = dict[str, Run]


def with_answers(store: RunStore, name: str, *, seed: int) -> Run:
    run = make_run(store, name)
    store.add_predictions(run.run_id, too_confident(data.load("synthetic").test.labels, seed=seed))
    store.add_validation_predictions(run.run_id, too_confident(np.arange(250) % 5, seed=seed + 50))
    return store.get(run.run_id)


@pytest.fixture(scope="module")
def shelf(shared_store: RunStore) -> Shelf:
    """Runs that the tests of this module only look at, the plain one the newest of those with predictions."""
    reason = "The <b>loss</b> became nan."
    return {
        "report": make_run(shared_store, "reported", {"training.validation": "test"}),
        "changed": make_run(shared_store, dataset_fingerprint="0" * 64),
        "sharp": with_answers(shared_store, "sharp", seed=1),
        "hostile": with_answers(shared_store, HOSTILE, seed=2),
        "plain": make_run(shared_store),
        "failed": make_run(shared_store, "failed", status=RunStatus.FAILED, message=reason),
        "photographs": make_run(shared_store, "photographs", {"data.source": "cifar100"}),
    }


def line_above_images(app: AppTest) -> str:
    """The line that says what is shown."""
    return next(block.value for block in app.markdown if " of 500 test images" in block.value and "**" in block.value)


def confused() -> int:
    return len(np.flatnonzero(data.load("synthetic").test.labels == OTTER)[::4])


def test_scores_curves_matrix_report_and_images(shelf: Shelf) -> None:
    run = shelf["plain"]
    app = open_page(run=run.run_id[:8])

    assert not app.error
    assert metrics(app)["Test accuracy"] == f"{100 * run.metrics['test_accuracy']:.0f} %"
    assert "Confusion matrix of 500" in charts(app)[0]
    assert html(app).count('alt="Test image') == 12


def test_the_reports_way_is_explained_and_the_unseen_images_counted(shelf: Shelf) -> None:
    run = shelf["report"]
    app = open_page(run=run.run_id)

    said = app.warning[0].value
    assert "400 of the 500 test images decided when to stop" in said
    assert f"On the other 100 test images it is {100 * run.metrics['unseen_test_accuracy']:.0f} % (" in said


def test_a_clicked_cell_shows_its_images_and_stands_in_the_address(shelf: Shelf) -> None:
    app = open_page(run=shelf["plain"].run_id, outcome="right", page="3")

    click(app, "matrix", [OTTER, SEAL])

    assert f"taken for 🦭 seal: {confused()} of 500" in line_above_images(app)
    assert (address_of(app, "true"), address_of(app, "predicted")) == ("otter", "seal")
    assert address_of(app, "outcome") is None and address_of(app, "page") is None
    frame = figure_of(app, 0)["layout"]["shapes"][0]
    assert (frame["x0"], frame["y0"]) == (SEAL - 0.5, OTTER - 0.5), "a column is a predicted class"

    unfold(app, "image-filters").selectbox(key="predicted").set_value("").run()
    assert "100 of 500" in line_above_images(app), "the menus have the last word"

    click(app, "matrix", [4, 4])
    assert app.selectbox(key="true").value == "whale"
    app.session_state["matrix-clicked"] = (shelf["failed"].run_id, None), [OTTER, SEAL]
    app.run()
    assert app.selectbox(key="true").value == "whale", "that was another run's matrix"


def test_a_run_that_failed_early_says_why(shelf: Shelf) -> None:
    app = open_page(run=shelf["failed"].run_id)

    assert not app.error and not app.metric
    assert "ended before" in app.info[0].value and "became nan" in app.info[0].value
    assert not _TAG.search(app.info[0].value)


def test_changed_data_hides_the_images_and_nothing_else(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(run=shelf["changed"].run_id)
    assert not app.error and "images cannot be shown" in app.info[0].value
    assert len(charts(app)) == 2 and len(app.dataframe[0].value) == 12
    assert "<img" not in html(app)

    archive = tmp_path / "<b>torn.tar.gz"
    archive.write_bytes(b"no archive")
    monkeypatch.setenv("AQUADASH_CIFAR100", str(archive))
    app = open_page(run=shelf["photographs"].run_id)
    assert not app.error and "torn" in app.info[0].value and not _TAG.search(app.info[0].value)
    assert app.metric and len(app.dataframe[0].value) == 12


def test_hostile_names_are_text(shelf: Shelf) -> None:
    app = open_page(run=shelf["hostile"].run_id)

    shown = [block.value for block in (*app.markdown, *app.caption, *app.info, *app.warning)]
    assert not app.error
    assert "onerror" not in html(app) and not any("<img" in text or ":red[" in text for text in shown)


@pytest.mark.parametrize("section", [word for word, each in SECTIONS.table.items() if each.second_run])
def test_a_second_run_is_laid_over_whatever_its_name_is(shelf: Shelf, section: str) -> None:
    app = open_page(run=shelf["sharp"].run_id, section=section, **{"with": shelf["hostile"].run_id})

    assert not app.error and not app.exception
    assert not address_notes(app) and all(charts(app))
    shown = [block.value for block in (*app.markdown, *app.caption, *app.info, *app.warning)]
    assert not any("<img" in text and "\\<img" not in text for text in shown)
    assert "onerror" not in html(app)


def test_another_data_set_shows_its_best_run_or_says_which_one_it_is_not(shelf: Shelf) -> None:
    app = open_page(run=shelf["report"].run_id)
    app.selectbox(key="data-set").set_value("cifar100").run()
    assert address_of(app, "run") != shelf["report"].run_id and not address_notes(app) and not app.exception
    notes = [caption.value for caption in app.caption]
    assert "This run learned from Synthetic drawings, not CIFAR-100 aquatic mammals." in notes
