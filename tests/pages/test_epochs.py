"""The replay of a run's epochs on the Evaluate page, with answers that are made up."""

import dataclasses
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.lab import memory
from aquadash.store import EpochRecord, EpochReplay, Progress, Run, RunStatus, RunStore, open_store
from aquadash.ui.evaluate import epoch_section
from tests.support import live_runs
from tests.support.app_pages import address_of, html, open_app_page
from tests.support.runs import make_run

pytestmark = pytest.mark.usefixtures("in_shared_home")

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


@pytest.fixture(scope="module")
def run(shared_store: RunStore) -> Run:
    added = make_run(shared_store)
    shared_store.add_epoch_replay(added.run_id, replay())
    return added


def open_epochs(run: Run, **address: str) -> AppTest:
    return open_app_page("evaluate", run=run.run_id, section="epochs", **address)


def said(app: AppTest) -> str:
    return next(block.value for block in app.markdown if block.value.startswith("**After epoch"))


def test_the_last_epoch_is_shown_first_and_any_other_with_its_images_stands_in_the_address(run: Run) -> None:
    app = open_epochs(run)
    assert said(app).startswith("**After epoch 6: 30 of 46")
    assert address_of(app, "epoch") is None and html(app).count('data-opens="train-') == 10

    app.slider(key=epoch_section.KEY).set_value(2).run()
    assert said(app).startswith("**After epoch 2: 10 of 42")
    assert said(open_epochs(run, epoch="2")) == said(app)

    for button, epoch in (("epoch-back", 1), ("epoch-back", 1), ("epoch-next", 2)):
        app.button(key=button).click().run()
        assert said(app).startswith(f"**After epoch {epoch}:"), "steps stop at the ends"


def test_a_run_at_work_is_followed_to_its_newest_epoch(run: Run) -> None:
    store, whole = open_store(), replay()
    working = make_run(store, "working", run.config, status=RunStatus.QUEUED)
    job = live_runs.start(store, working.run_id)
    store.update(working.run_id, class_names=run.class_names, dataset_fingerprint=run.dataset_fingerprint)
    store.log_epoch(working.run_id, EpochRecord(1, 1.5, 0.3, 1.5, 0.3, 0.01, 1.0), curve=[0.3])
    names = ("probe_probabilities", "confusion_matrices")
    live_runs.report(store, job, Progress("training", time=time.time()))
    store.add_epoch_replay(working.run_id, dataclasses.replace(whole, **{n: getattr(whole, n)[:3] for n in names}))
    app = open_app_page("evaluate", run=working.run_id)
    assert said(app).startswith("**After epoch 3:")
    store.add_epoch_replay(working.run_id, whole)
    memory.refresh()
    app.run()
    assert said(app).startswith("**After epoch 6:") and address_of(app, "epoch") is None
    app.slider(key=epoch_section.KEY).set_value(2).run()
    assert said(app).startswith("**After epoch 2:") and not app.exception


def test_a_run_without_a_replay_says_why(run: Run) -> None:
    older = make_run(open_store(), "older")
    app = open_epochs(older)
    assert any("No replay" in box.value for box in app.info)
