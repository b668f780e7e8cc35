"""The label-safety meter: its questions, its work in the background, its answers, and what stands in the address."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from aquadash import data, settings
from aquadash.augment import PIPELINES, PipelineSpec
from aquadash.errors import StorageError
from aquadash.jobs import JobProgress, JobStatus, open_jobs
from aquadash.lab import memory
from aquadash.robustness import label_safety_job
from aquadash.runs import Predictions, Run, RunStatus, RunStore
from aquadash.ui.augment import label_safety as label_safety_view
from tests import job_rows, live_runs
from tests.app_pages import address_of, charts, words
from tests.stored_runs import add_run
from tests.studios import open_view, without_links


class Sharpness:
    """Knows every image by its label as long as it is sharp; a blurred one is a whale."""

    image_shape = (32, 32, 3)
    class_names = ("beaver", "dolphin", "otter", "seal", "whale")

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self._known = {image[5].tobytes(): label for image, label in zip(images, labels, strict=True)}
        self._known |= {image[5, ::-1].tobytes(): label for image, label in zip(images, labels, strict=True)}

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        shares = np.full((len(images), 5), 0.05, np.float32)
        for row, image in enumerate(images):
            shares[row, self._known.get(image[5].tobytes(), 4)] = 0.8
        return shares


@pytest.fixture(autouse=True)
def alone(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch)
    job_rows.start_no_process(monkeypatch)


@pytest.fixture
def run(store: RunStore) -> Run:
    run = add_run(store)
    train = data.load("synthetic").train
    chosen = np.arange(100, 2500, 24)
    answers = np.full((len(chosen), 5), 0.2, np.float32)
    store.add_validation_predictions(run.run_id, Predictions(chosen, train.labels[chosen], answers))
    return run


@pytest.fixture
def sharp(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run's network is one whose answers are known."""
    train = data.load("synthetic").train
    network = Sharpness(train.images, train.labels)
    monkeypatch.setattr(label_safety_job, "load_network", lambda store, run: network)
    return run


open_meter = partial(open_view, label_safety_view.show)


def measured(app: AppTest) -> AppTest:
    """After its measurement has ended."""
    app.button(key="safety-start").click().run()
    return ended(app)


def ended(app: AppTest) -> AppTest:
    job_rows.do_next("label-safety")
    return again(app)


def again(app: AppTest) -> AppTest:
    """The page as it is now."""
    memory.refresh()
    app.run()
    assert not app.exception
    return app


def test_without_steps_a_run_or_its_validation_images_it_says_so(store: RunStore) -> None:
    assert "changes nothing" in words(open_meter(pipeline="notebook", branch=0))
    # The included model knows another data set.
    assert "No finished run has learned from" in words(open_meter())
    run = add_run(store)
    assert "kept no validation images" in words(open_meter())
    store.set_status(run.run_id, RunStatus.STOPPED)
    live_runs.queue(store, run.run_id)
    assert "mine has not ended yet" in words(open_meter())


def test_it_measures_a_draft_in_the_background_and_says_how_far_one_can_go(sharp: Run) -> None:
    draft = PipelineSpec("draft", "Draft", "", PIPELINES["notebook-1"].branches)
    asked = [settings.label_safety() / f"{number}.question.json" for number in range(70)]
    settings.label_safety().mkdir()
    for other in asked:
        other.write_bytes(b"somebody else's")
    app = open_meter(pipeline=draft, safety_copies="4")
    # The first step that has a strength, not the flip before it.
    assert app.selectbox(key="safety-step").value == "2"
    assert app.selectbox(key="safety-parameter").value == "sigma"
    assert "80 copies for each" in words(app)
    measured(app)
    said = words(app)
    assert "classifies 100 % of these images correctly" in said
    assert "it mostly calls whale" in said
    assert "2. Blur: up to sigma" in said
    steps, curve = charts(app)
    assert steps.startswith("Copies classified correctly: unchanged 100 %; 1. Flip left-right 100 % so far")
    assert "100 % at 0, 20 % at 10" in curve
    assert "The threshold is 80 %" in curve
    assert address_of(app, "safety") is not None
    assert app.select_slider[0].label == "Misread copies at sigma"
    waiting = sorted(settings.label_safety().glob("*.question.json"))
    assert waiting == sorted(asked), "what a whole class asks for at once stays, what was answered goes"


def test_a_link_to_a_result_shows_it_and_measures_it_again_elsewhere(sharp: Run, home: Path) -> None:
    app = measured(open_meter(safety_copies="4", safety_high="2"))
    shown = address_of(app, "safety")
    assert shown
    # An app that was started again has it still.
    label_safety_view._kept_result.clear()
    link = {"safety_copies": "4", "safety_high": "2", "safety": shown}
    assert charts(open_meter(**link)) == charts(app)
    # Another computer has not, nor one whose folder was emptied.
    shutil.rmtree(home / "label-safety")
    label_safety_view._kept_result.clear()
    elsewhere = ended(open_meter(**link))
    assert charts(elsewhere) == charts(app)
    # Another setting asks for another measurement, which nobody has wished for.
    elsewhere.number_input(key="safety-threshold").set_value(50).run()
    assert elsewhere.button(key="safety-start").label == "Measure"
    assert address_of(elsewhere, "safety") is None
    assert address_of(elsewhere, "safety-threshold") == "50"


def test_another_step_brings_its_own_range(sharp: Run) -> None:
    app = open_meter(pipeline="notebook-4", safety_copies="4", safety_high="3")
    assert app.number_input(key="safety-high").value == 3.0
    app.selectbox(key="safety-parameter").select("probability").run()
    assert (app.number_input(key="safety-low").value, app.number_input(key="safety-high").value) == (0.0, 1.0)
    assert address_of(app, "safety-high") is None
    app.selectbox(key="safety-step").select("none").run()
    assert address_of(app, "safety-step") == "none"
    assert not [field for field in app.number_input if field.key == "safety-high"]


def test_a_channel_is_no_strength_and_can_be_tried_out_all_the_same(
    sharp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_meter(pipeline="notebook-2", safety_copies="4")
    assert app.selectbox(key="safety-step").value == "2.children.1.children.1"
    assert app.selectbox(key="safety-parameter").value == "value"
    app.selectbox(key="safety-step").select("2.children.1").run()
    assert not app.exception and not app.error
    assert (app.number_input(key="safety-low").value, app.number_input(key="safety-high").value) == (0, 2)
    assert app.button(key="safety-start").label == "Measure"
    # Another pipeline has no such step, and nobody has typed it.
    monkeypatch.setitem(PIPELINES, "notebook-2", PIPELINES["notebook-4"])
    app.run()
    assert app.selectbox(key="safety-step").value != "2.children.1" and address_of(app, "safety-step") is None
    assert "The address asks for" not in words(app)


def test_another_data_set_brings_its_own_run(sharp: Run, store: RunStore) -> None:
    other = add_run(store, name="other")
    app = open_meter(safety_run=other.run_id)
    # As if another data set were chosen: the other run is none of this one's any more.
    store.set_dataset(other.run_id, class_names=other.class_names, fingerprint="f" * 64)
    again(app)
    assert app.selectbox(key="safety-run").value == address_of(app, "safety-run") == sharp.run_id
    assert not app.warning
    # A link to it is told.
    assert "has no results to show here" in open_meter(safety_run=other.run_id).warning[0].value


def test_an_address_is_followed_as_far_as_it_makes_sense_else_there_are_notes_and_defaults(sharp: Run) -> None:
    app = open_meter(safety_images="view", safety_copies="many", safety_high="99", safety_step="7")
    said = words(app)
    for text in ("safety-copies", "safety-high", "safety-step"):
        assert f"The address asks for {text}" in said
    assert app.number_input(key="safety-copies").value == 50
    assert "250 copies for each" in said, "of the five images in view"


def test_work_shows_its_progress_and_can_be_stopped(sharp: Run) -> None:
    app, jobs = open_meter(safety_copies="4"), open_jobs()
    app.button(key="safety-start").click().run()
    job = job_rows.claim("label-safety")
    jobs.heartbeat(job, JobProgress("step 1 alone", 500, 2000, 6.0))
    (bar,) = again(app).get("progress")
    assert bar.proto.text == "Step 1 alone · 500 of 2,000 copies" and "about 6.0 s left" in words(app)
    app.button(key="safety-stop").click().run()
    assert app.button(key="safety-stop").disabled and jobs.heartbeat(job, None)
    jobs.end(job, JobStatus.STOPPED, message="Stopped by request.")
    assert "Stopped by request" in words(again(app))
    assert app.button(key="safety-start").label == "Measure"


def test_a_network_that_is_gone_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(store: RunStore, run: Run) -> object:
        raise StorageError("The model is damaged.")

    monkeypatch.setattr(label_safety_job, "load_network", broken)
    app = measured(open_meter())
    assert "The model is damaged." in words(app)
    assert app.button(key="safety-start").label == "Measure"


def test_a_refusal_to_measure_is_said_beside_the_button(sharp: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr("aquadash.lab.jobs.Jobs.measure_label_safety", refuse)
    app = open_meter()
    app.button(key="safety-start").click().run()
    assert [error.value for error in again(app).error] == ["The disk is full."]
