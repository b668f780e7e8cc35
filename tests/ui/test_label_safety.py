"""Label safety on the Augment page: what is asked, the work in the background, what is shown of it."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.augment import PIPELINES, PipelineSpec
from aquadash.lab import memory
from aquadash.lab.jobs import measured as kept_measurement
from aquadash.robustness import measure
from aquadash.robustness.job import KIND
from aquadash.store import Predictions, Run, RunStore
from aquadash.store.artifacts import MODEL
from aquadash.ui.augment import label_safety as label_safety_view
from tests.support import job_rows
from tests.support.app_pages import address_of, charts, html, words
from tests.support.runs import make_run
from tests.support.studios import open_view, without_links


class Sharpness:
    """A network that names every sharp image rightly and calls a blurred one a whale."""

    image_shape = (32, 32, 3)
    class_names = ("beaver", "dolphin", "otter", "seal", "whale")

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self._known = {image[5].tobytes(): label for image, label in zip(images, labels, strict=True)}
        self._known |= {image[5, ::-1].tobytes(): label for image, label in zip(images, labels, strict=True)}

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.eye(5, dtype=np.float32)[[self._known.get(image[5].tobytes(), 4) for image in images]]


@pytest.fixture(autouse=True)
def alone(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch)
    job_rows.start_no_process(monkeypatch)


@pytest.fixture
def sharp(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose network is one whose answers are known."""
    run, train = make_run(store), data.load("synthetic").train
    store.add_text_artifact(run.run_id, MODEL, "a model")
    chosen = np.arange(100, 2500, 24)
    answers = np.full((len(chosen), 5), 0.2, np.float32)
    store.add_validation_predictions(run.run_id, Predictions(chosen, train.labels[chosen], answers))
    network = Sharpness(train.images, train.labels)
    monkeypatch.setattr(measure, "load_network", lambda store, run: network)
    return run


open_meter = partial(open_view, label_safety_view.render)


def measured(app: AppTest) -> AppTest:
    """After its measurement has ended."""
    app.button(key="safety-start").click().run()
    job_rows.do_next(KIND)
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
    assert "No finished run was trained on" in words(open_meter())
    run = make_run(store)
    store.add_text_artifact(run.run_id, MODEL, "a model")
    assert "kept no validation images" in words(measured(open_meter()))


def test_it_measures_a_draft_in_the_background_and_says_how_far_one_can_go(sharp: Run, home: Path) -> None:
    draft = PipelineSpec("draft", "Draft", "", PIPELINES["notebook-1"].branches)
    app = open_meter(pipeline=draft)
    # The flip comes first, but has no strength to vary.
    assert (app.selectbox(key="safety-step").value, app.selectbox(key="safety-parameter").value) == ("2", "sigma")
    measured(app)
    assert "2. Blur: safe up to sigma" in words(app)
    (curve,) = charts(app)
    assert "100 % at 0, 20 % at 10" in curve and "The threshold is 80 %" in curve
    assert html(app).count(">0 of 50 right") == 16 and html(app).count(">50 of 50 right") == 4
    app.number_input(key="safety-threshold").set_value(10).run()
    assert "safe at every sigma" in words(app) and not app.button, "another threshold needs no measurement"
    # The result is read again after a restart; without its file the page offers to measure.
    kept_measurement.cache_clear()
    assert charts(open_meter(pipeline=draft)) == [curve]
    shutil.rmtree(home / "label-safety")
    kept_measurement.cache_clear()
    assert again(open_meter(pipeline=draft)).button(key="safety-start").label == "Measure"


def test_a_step_and_a_run_that_are_gone_are_replaced_without_a_note(
    sharp: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_run(store, "other")
    app = open_meter(pipeline="notebook-2", safety_run=other.run_id)
    app.selectbox(key="safety-step").select("2.children.1").run()
    assert not app.error and app.slider[0].value == (0, 2)
    # Another pipeline and another data set are chosen.
    monkeypatch.setitem(PIPELINES, "notebook-2", PIPELINES["notebook-4"])
    store.update(other.run_id, class_names=other.class_names, dataset_fingerprint="f" * 64)
    again(app)
    assert app.selectbox(key="safety-step").value != "2.children.1" and address_of(app, "safety-step") is None
    assert app.selectbox(key="safety-run").value == address_of(app, "safety-run") == sharp.run_id
    assert "The address asks for" not in words(app) and not app.warning
    assert "has no results to show here" in open_meter(safety_run=other.run_id).warning[0].value, "a link"
