"""The robustness section of the Evaluate page: nothing measured, at work, ended in every way, laid over one another."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from aquadash import data
from aquadash.jobs import JobProgress, JobStatus, open_jobs
from aquadash.lab import memory
from aquadash.robustness.corruptions import Cell, Subjects
from aquadash.robustness.job import KIND, job_of
from aquadash.robustness.requests import RobustnessRequest, read_request
from aquadash.runs import Run, RunStore
from aquadash.runs.artifacts import MODEL, ROBUSTNESS
from aquadash.ui.evaluate import robustness
from tests import job_rows
from tests.app_pages import address_of, charts, html, metrics, open_app_page, words
from tests.robust_runs import add_result, made_up_result, of_model
from tests.stored_runs import HOSTILE, add_run

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture
def run(store: RunStore) -> Run:
    return add_run(store, name="mine")


@pytest.fixture
def started(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds that the page starts a worker for; no process is started."""
    store.add_text_artifact(run.run_id, MODEL, "a model")
    return job_rows.start_no_process(monkeypatch)


@pytest.fixture(autouse=True)
def unspoilt(monkeypatch: pytest.MonkeyPatch) -> list[Subjects]:
    """Pictures of the test images, all but contrast as they are, for spoiling takes seconds; which they are of."""
    shown: list[Subjects] = []
    spoil = robustness.sample

    def sample(source: Subjects, cell: Cell, row: int) -> NDArray[np.uint8]:
        shown.append(source)
        return spoil(source, cell, row) if cell[0] == "contrast" else source.images[row]

    monkeypatch.setattr(robustness, "sample", sample)
    return shown


def open_section(run: Run, **address: str) -> AppTest:
    memory.refresh()
    return open_app_page("evaluate", run=run.run_id, section="robustness", **address)


def button(app: AppTest, label: str) -> Button | None:
    return next((entry for entry in app.button if entry.label == label), None)


def press(app: AppTest, label: str) -> AppTest:
    found = button(app, label)
    assert found is not None
    return found.click().run()


def charts_of_section(app: AppTest) -> list[str]:
    """The text alternatives of the section's charts, empty ones among them."""
    return [alt for alt in charts(app) if alt.startswith(("Accuracy by", "Points of", "What the", "The curve appears"))]


def test_nothing_measured_yet_and_a_start(run: Run, started: list[str]) -> None:
    app = open_section(run)
    assert not app.error and charts_of_section(app) == []
    app.number_input(key=f"robustness-seed-{run.run_id}").set_value(7)
    app.segmented_control(key=f"robustness-images-{run.run_id}").set_value("quick")
    app = press(app, "Measure the robustness")
    assert started == [KIND] and not app.error
    job = open_jobs().get(job_of(run))
    assert job is not None and read_request(job.request) == RobustnessRequest(seed=7, limit=100)
    assert "Starting" in words(app) and button(app, "Stop") is not None


def test_at_work_it_shows_progress_and_what_is_there_and_stops(store: RunStore, run: Run) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint, cells=20)
    job = add_result(store, run, result, status=JobStatus.RUNNING)
    progress = JobProgress("fog, severity 2", 10_000, 40_000, 75.0)
    open_jobs().heartbeat(job, progress)
    app = open_section(run)
    assert not app.error
    (bar,) = app.get("progress")
    assert (bar.proto.text, bar.proto.value) == ("Fog, severity 2 · 10,000 of 40,000 images", 25)
    assert "about 1 min 15 s left" in words(app)
    assert "Mean corruption error · so far 20 of 75" in metrics(app)
    (table,) = (each.value for each in app.dataframe if "Lost, in points" in each.value.columns)
    assert len(table) == 15 and "Corruption" in table.columns, "none of the pipelines, which are not measured"
    assert table["2"][0] == 100 * result.curve("corruption", "gaussian_noise")[2].accuracy and table["2"].isna()[5]
    assert any("What the pipelines cost appears here" in alt for alt in charts_of_section(app))
    app = press(app, "Stop")
    assert open_jobs().heartbeat(job, progress), "the job hears of it"
    assert button(app, "Stop") is None and button(app, "Stopping ...") is not None


def test_finished(store: RunStore, run: Run) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint)
    add_result(store, run, result)
    # One corruption and image from the address.
    app = open_section(run, corruption="contrast", image="33")
    assert not app.error and not app.warning and button(app, "Go on") is None
    mce = result.mean_corruption_error
    assert mce is not None
    assert metrics(app)["Mean corruption error"] == f"{100 * mce.value:.0f} %"
    assert len(charts_of_section(app)) == 3
    of_corruptions, of_branches = app.dataframe[-2].value, app.dataframe[-1].value
    assert len(of_corruptions) == 15 and of_corruptions["Corruption"][0] == "Gaussian noise"
    assert len(of_branches) == len(result.of_kind("pipeline"))
    expected = [bool(scores.right[33]) for scores in result.curve("corruption", "contrast").values()]
    told = ["not recognised" not in html(app).split(f"Low contrast, severity {s}: ")[1][:20] for s in range(1, 6)]
    assert told == expected
    spoilt = re.findall(r'Low contrast, severity \d: [^"]*" src="([^"]+)', html(app))
    assert len(set(spoilt)) == 5
    assert any(text.startswith("Accuracy by severity, Low contrast") for text in charts_of_section(app))

    app.selectbox(key="corruption").set_value("mean").run()
    assert address_of(app, "corruption") is None and address_of(app, "image") == "33"
    assert "Pixelate, severity 3" in html(app) and html(app).count("recognised</span>") >= 16


def test_the_test_images_are_not_copied_to_show_one(store: RunStore, run: Run, unspoilt: list[Subjects]) -> None:
    add_result(store, run, made_up_result(fingerprint=run.dataset_fingerprint, images=300))
    open_section(run, corruption="contrast", image="33")
    images = data.load("synthetic").test.images
    for source in unspoilt:
        assert len(source.images) == 300 and np.may_share_memory(source.images, images)
        assert np.array_equal(source.images[33], images[source.positions[33]])
    assert len(unspoilt) == 5


def test_ended_early_it_says_why_and_goes_on(store: RunStore, run: Run, started: list[str]) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint, cells=30, seed=9)
    add_result(store, run, result, status=JobStatus.FAILED, message="No memory left.")
    app = open_section(run)
    assert "No memory left." in words(app) and "Mean corruption error · so far 30 of 75" in metrics(app)
    press(app, "Go on")
    assert started == [KIND]
    found = open_jobs().get(job_of(run))
    assert found is not None and found.request["seed"] == 9, "what was asked for the last time"


@pytest.mark.parametrize("cells", [75, 30])
def test_older_or_imported_figures_have_no_job(store: RunStore, run: Run, started: list[str], cells: int) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint, cells=cells, seed=9, images=100)
    store.add_robustness(run.run_id, of_model(store, run, result).to_json())
    app = open_section(run)
    assert not app.error and any(label.startswith("Mean corruption error") for label in metrics(app))
    assert ("Measured " in words(app)) == (button(app, "Go on") is None) == (cells == 75)
    if cells < 75:
        press(app, "Go on")
        job = open_jobs().get(job_of(run))
        assert job is not None and (job.request["seed"], job.request["limit"]) == (9, 100)


def test_runs_are_laid_over_one_another(store: RunStore, run: Run) -> None:
    add_result(store, run, made_up_result(fingerprint=run.dataset_fingerprint))
    other = add_run(store, name=HOSTILE)
    add_result(store, other, made_up_result(fingerprint=other.dataset_fingerprint, skill=0.5, seed=3, images=100))
    bare = add_run(store, name="not measured")
    app = open_section(run, over=other.run_id)
    picker = app.multiselect(key="over")
    assert picker.value == [other.run_id] and len(picker.options) == 1 and bare.name not in picker.options[0]
    assert "different images or seeds" in words(app)
    assert all("mine" in alt for alt in charts_of_section(app)) and not app.error
    picker.set_value([]).run()
    assert address_of(app, "over") is None


def test_a_damaged_file_is_a_message_and_can_be_measured_again(store: RunStore, run: Run, started: list[str]) -> None:
    add_result(store, run, made_up_result(fingerprint=run.dataset_fingerprint))
    store.add_text_artifact(run.run_id, ROBUSTNESS, "{")
    app = open_section(run)
    assert "damaged" in app.error[0].value and metrics(app)["Test accuracy"]
    app = press(app, "Measure the robustness")
    assert started == [KIND] and button(app, "Stop") is not None


def test_figures_of_other_data_have_no_pictures(store: RunStore) -> None:
    run = add_run(store, fingerprint="0" * 64)
    add_result(store, run, made_up_result(fingerprint="0" * 64))
    app = open_section(run)
    assert not app.error and "images are not shown" in words(app) and len(charts_of_section(app)) == 3
