"""The Evaluate page, with runs whose answers are made up: its browser of images, every section, the replay."""

import dataclasses
import re
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.lab import memory
from aquadash.store import EpochRecord, EpochReplay, Progress, Run, RunStatus, RunStore, open_store
from aquadash.ui.evaluate import epoch_section
from aquadash.ui.evaluate.page import SECTIONS
from tests.support import live_runs
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
        "sharp": with_answers(shared_store, "sharp " + HOSTILE, seed=1),
        "hostile": with_answers(shared_store, HOSTILE, seed=2),
        "plain": make_run(shared_store),
        "failed": make_run(shared_store, "failed", status=RunStatus.FAILED, message=reason),
        "photographs": make_run(shared_store, "photographs", {"data.source": "cifar100"}),
    }


def line_above_images(app: AppTest) -> str:
    """The line that says what is shown."""
    return next(block.value for block in app.markdown if " of 500 test images" in block.value and "**" in block.value)


def test_a_clicked_cell_shows_its_images_and_stands_in_the_address(shelf: Shelf) -> None:
    run = shelf["plain"]
    app = open_page(run=run.run_id, outcome="right", page="3")
    assert metrics(app)["Test accuracy"] == f"{100 * run.metrics['test_accuracy']:.0f} %"
    assert "Confusion matrix of 500" in charts(app)[0] and html(app).count('alt="Test image') == 12

    click(app, "matrix", [OTTER, SEAL])
    confused = len(np.flatnonzero(data.load("synthetic").test.labels == OTTER)[::4])
    assert f"taken for 🦭 seal: {confused} of 500" in line_above_images(app)
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


@pytest.mark.parametrize("section", [word for word, each in SECTIONS.table.items() if each.second_run])
def test_a_second_run_is_laid_over_and_hostile_names_are_text(shelf: Shelf, section: str) -> None:
    app = open_page(run=shelf["sharp"].run_id, section=section, **{"with": shelf["hostile"].run_id})

    assert not app.error and not address_notes(app) and all(charts(app))
    shown = [block.value for block in (*app.markdown, *app.caption, *app.info, *app.warning)]
    assert not any("<img" in text.replace("\\<", "") or ":red[" in text.replace("\\:", "") for text in shown)
    assert "onerror" not in html(app)


def test_another_data_set_shows_its_best_run_or_says_which_one_it_is_not(shelf: Shelf) -> None:
    app = open_page(run=shelf["report"].run_id)
    app.selectbox(key="data-set").set_value("cifar100").run()
    assert address_of(app, "run") != shelf["report"].run_id and not address_notes(app) and not app.exception
    notes = [caption.value for caption in app.caption]
    assert "This run learned from Synthetic drawings, not CIFAR-100 aquatic mammals." in notes


EPOCHS = 6


def replay() -> EpochReplay:
    """In each epoch one more of ten images of every class is right; a wrong answer is the next class."""
    labels = data.load("synthetic").train.labels
    chosen = np.concatenate([np.flatnonzero(labels == label)[:2] for label in range(5)])
    matrices = np.array([epoch * np.eye(5) + (10 - epoch) * np.eye(5, k=1) for epoch in range(1, EPOCHS + 1)])
    answers = np.full((EPOCHS, 10, 5), 0.1, np.float32)
    for epoch in range(EPOCHS):
        answers[epoch, np.arange(10), (labels[chosen] + (epoch < 3)) % 5] = 0.6
    return EpochReplay(chosen, labels[chosen], answers, matrices.astype(np.int32))


def said(app: AppTest) -> str:
    return next(block.value for block in app.markdown if block.value.startswith("**After epoch"))


def test_the_last_epoch_is_shown_first_and_any_other_with_its_images_stands_in_the_address(shelf: Shelf) -> None:
    run = shelf["plain"]
    assert any("No replay" in box.value for box in open_page(run=run.run_id, section="epochs").info)
    open_store().add_epoch_replay(run.run_id, replay())
    memory.refresh()
    app = open_page(run=run.run_id, section="epochs")
    assert said(app).startswith("**After epoch 6: 30 of 46")
    assert address_of(app, "epoch") is None and html(app).count('data-opens="train-') == 10

    app.slider(key=epoch_section.KEY).set_value(2).run()
    assert said(app).startswith("**After epoch 2: 10 of 42")
    assert said(open_page(run=run.run_id, section="epochs", epoch="2")) == said(app)

    for button, epoch in (("epoch-back", 1), ("epoch-back", 1), ("epoch-next", 2)):
        app.button(key=button).click().run()
        assert said(app).startswith(f"**After epoch {epoch}:"), "steps stop at the ends"


def test_a_run_at_work_is_followed_to_its_newest_epoch(shelf: Shelf) -> None:
    run, store, whole = shelf["plain"], open_store(), replay()
    working = make_run(store, "working", run.config, status=RunStatus.QUEUED)
    job = live_runs.start(store, working.run_id)
    store.update(working.run_id, class_names=run.class_names, dataset_fingerprint=run.dataset_fingerprint)
    store.log_epoch(working.run_id, EpochRecord(1, 1.5, 0.3, 1.5, 0.3, 0.01, 1.0), curve=[0.3])
    live_runs.report(store, job, Progress("training", time=time.time()))
    names = ("probe_probabilities", "confusion_matrices")
    store.add_epoch_replay(working.run_id, dataclasses.replace(whole, **{n: getattr(whole, n)[:3] for n in names}))
    app = open_page(run=working.run_id)
    assert said(app).startswith("**After epoch 3:")
    store.add_epoch_replay(working.run_id, whole)
    memory.refresh()
    app.run()
    assert said(app).startswith("**After epoch 6:") and address_of(app, "epoch") is None
    app.slider(key=epoch_section.KEY).set_value(2).run()
    assert said(app).startswith("**After epoch 2:") and not app.exception
