"""The robustness section of the Evaluate page: nothing measured, at work, ended in every way, laid over one another."""

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from aquadash.lab import memory
from aquadash.robustness.job import KIND, job_of
from aquadash.robustness.requests import RobustnessRequest, read_request
from aquadash.store import JobProgress, Run, RunStatus, RunStore, open_jobs
from aquadash.store.artifacts import MODEL, ROBUSTNESS
from aquadash.ui.evaluate import robustness
from tests.support import job_rows
from tests.support.app_pages import address_of, charts, html, metrics, open_app_page, words
from tests.support.robust_runs import add_result, made_up_result
from tests.support.runs import make_run

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture
def run(store: RunStore) -> Run:
    return make_run(store)


@pytest.fixture
def no_process(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has a model, and its jobs wait."""
    store.add_text_artifact(run.run_id, MODEL, "a model")
    job_rows.start_no_process(monkeypatch)


@pytest.fixture(autouse=True)
def unspoilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of the test images as they are: corrupting them takes seconds."""
    monkeypatch.setattr(robustness, "sample", lambda source, cell, row: source.images[row])


def open_section(run: Run, **address: str) -> AppTest:
    memory.refresh()
    return open_app_page("evaluate", run=run.run_id, section="robustness", **address)


def button(app: AppTest, label: str) -> Button | None:
    return next((entry for entry in app.button if entry.label == label), None)


def press(app: AppTest, label: str) -> AppTest:
    shown = button(app, label)
    assert shown is not None
    return shown.click().run()


def charts_of_section(app: AppTest) -> list[str]:
    """The text alternatives of the section's charts, empty ones among them."""
    return [alt for alt in charts(app) if alt.startswith(("Accuracy by", "Points of", "What the", "The curve appears"))]


def test_nothing_measured_yet_and_a_start(run: Run, no_process: None) -> None:
    app = open_section(run)
    assert not app.error and charts_of_section(app) == []
    app.number_input(key=f"robustness-seed-{run.run_id}").set_value(7)
    app.segmented_control(key=f"robustness-images-{run.run_id}").set_value("quick")
    app = press(app, "Measure the robustness")
    assert job_rows.queued_kinds() == [KIND] and not app.error
    job = open_jobs().get(job_of(run))
    assert job is not None and read_request(job.request) == RobustnessRequest(seed=7, limit=100)
    assert "Starting" in words(app) and button(app, "Stop") is not None


def test_at_work_it_shows_progress_and_what_is_there_and_stops(store: RunStore, run: Run) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint, cells=20)
    job = add_result(store, run, result, status=RunStatus.RUNNING)
    progress = JobProgress("fog, severity 2", 10_000, 40_000, 75.0)
    open_jobs().heartbeat(job, progress)
    app = open_section(run)
    assert not app.error
    (bar,) = app.get("progress")
    assert bar.proto.value == 25 and "Mean corruption error · so far 20 of 75" in metrics(app)
    app = press(app, "Stop")
    assert open_jobs().heartbeat(job, progress), "the job hears of it"
    assert button(app, "Stop") is None and button(app, "Stopping ...") is not None


def test_finished(store: RunStore, run: Run) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint)
    add_result(store, run, result)
    # One corruption and image from the address.
    app = open_section(run, corruption="contrast", image="33")
    assert not app.error and not app.warning and button(app, "Continue") is None
    assert len(charts_of_section(app)) == 3
    of_corruptions, of_branches = app.dataframe[-2].value, app.dataframe[-1].value
    assert (len(of_corruptions), len(of_branches)) == (15, len(result.of_kind("pipeline")))
    expected = [bool(scores.right[33]) for scores in result.curve("corruption", "contrast").values()]
    told = ["not recognised" not in html(app).split(f"Low contrast, severity {s}: ")[1][:20] for s in range(1, 6)]
    assert told == expected

    app.selectbox(key="corruption").set_value("mean").run()
    assert address_of(app, "corruption") is None and address_of(app, "image") == "33"


def test_a_damaged_file_is_a_message_and_can_be_measured_again(store: RunStore, run: Run, no_process: None) -> None:
    add_result(store, run, made_up_result(fingerprint=run.dataset_fingerprint))
    store.add_text_artifact(run.run_id, ROBUSTNESS, "{")
    app = open_section(run)
    assert "damaged" in app.error[0].value and metrics(app)["Test accuracy"]
    app = press(app, "Measure the robustness")
    assert job_rows.queued_kinds() == [KIND] and button(app, "Stop") is not None
