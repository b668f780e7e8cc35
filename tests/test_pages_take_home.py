"""Taking a run home on Evaluate and Compare, and bringing one from another computer."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.export import bundle, preparing
from aquadash.export.convert import FORMATS
from aquadash.export.convert_job import Conversions
from aquadash.jobs import JobStatus, Progress, open_jobs
from aquadash.runs import RunStore, open_store
from aquadash.tasks import Report
from aquadash.ui import cache
from aquadash.ui.text import plain
from tests import job_rows, stored_runs, ui_runs
from tests.app_pages import open_app_page


@pytest.fixture
def store(home_with_images: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    stored_runs.without_engine(monkeypatch)
    return open_store()


def test_the_zip_is_made_in_the_background_and_handed_out(store: RunStore) -> None:
    run = stored_runs.add_run(store)
    app = open_app_page("evaluate", run=run.run_id, section="home")
    key = f"{run.run_id}-1"
    app.button(key=f"take-home-make-{key}").click().run()
    task = preparing.prepared(store, run.run_id, include_data=True)
    assert task is not None and task.wait(100)
    app.run()
    assert not app.exception and not app.error
    assert not [button for button in app.button if button.key == f"take-home-make-{key}"]
    assert task.result is not None
    with zipfile.ZipFile(task.result.path) as archive:
        assert {"train.py", "data.npz"} <= set(archive.namelist())

    # Without the images it is another ZIP, and after a change of the run, too.
    app.toggle(key=f"take-home-data-{run.run_id}").set_value(False).run()
    assert app.button(key=f"take-home-make-{run.run_id}-0")
    store.rename(run.run_id, "another name")
    assert preparing.prepared(store, run.run_id, include_data=True) is None


def test_what_fails_is_said_and_can_be_tried_again(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stored_runs.add_run(store)
    app = open_app_page("evaluate", run=run.run_id, section="home")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparing, "export_run", full)
    app.button(key=f"take-home-make-{run.run_id}-1").click().run()
    task = preparing.prepared(store, run.run_id, include_data=True)
    assert task is not None and task.wait(60)
    app.run()
    assert any("No space left" in error.value for error in app.error)
    assert app.button(key=f"take-home-make-{run.run_id}-1")


def test_it_tells_how_far_it_is_and_can_be_stopped(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stored_runs.add_run(store)
    app = open_app_page("evaluate", run=run.run_id, section="home")
    told, go_on = threading.Event(), threading.Event()

    def slow(*_: object, progress: Report, **__: object) -> None:
        progress("packing the network", 0.25, 45.0)
        told.set()
        assert go_on.wait(60)
        progress("packing the rest", 0.5)

    monkeypatch.setattr(preparing, "export_run", slow)
    key = f"take-home-{run.run_id}-1"
    app.button(key=f"take-home-make-{run.run_id}-1").click().run()
    assert told.wait(60)
    app.run()
    assert [bar.proto.text for bar in app.get("progress")] == ["Packing the network · about 45 s left"]
    app.button(key=f"{key}-stop").click().run()
    assert app.button(key=f"{key}-stopping").disabled
    go_on.set()
    task = preparing.prepared(store, run.run_id, include_data=True)
    assert task is not None and task.wait(60)
    app.run()
    assert not app.exception and not app.error
    assert "Stopped by request." in [box.value for box in app.info]
    assert app.button(key=f"take-home-make-{run.run_id}-1")


def test_compare_brings_a_run_and_refuses_others(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ui_runs.finished(store, "from elsewhere")
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    app = open_app_page("compare", runs=run.run_id)
    app.session_state["bring"] = True
    app.run()
    app.file_uploader(key="bring-run").upload("run.zip", written.path.read_bytes(), "application/zip").run()
    for task in list(preparing._imports._tasks.values()):
        assert task.wait(60)
    app.run()
    assert any("from elsewhere" in message.value for message in app.success)
    assert len(store.list_runs()) == 2
    assert not list((Path(written.path).parent / "tmp").glob("*"))

    app.file_uploader(key="bring-run").upload("my *x*.zip", b"no zip at all", "application/zip").run()
    for task in list(preparing._imports._tasks.values()):
        assert task.wait(60)
    app.run()
    # By the name that people know it by, as text.
    assert any(plain("my *x*.zip is not a ZIP file") in message.value for message in app.error)
    assert len(store.list_runs()) == 2


def test_a_conversion_starts_tells_how_far_it_is_and_ends_in_every_way(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, form = stored_runs.add_run(store), FORMATS["tflite"]
    (tmp_path / "model.keras").write_bytes(b"weights")
    store.add_artifact(run.run_id, tmp_path / "model.keras")
    started, jobs, key = job_rows.start_no_process(monkeypatch), open_jobs(), f"convert-tflite-{run.run_id}"

    def page() -> AppTest:
        cache.refresh_jobs()
        return open_app_page("evaluate", run=run.run_id, section="home")

    page().button(key=key).click().run()
    job = job_rows.claim("convert-tflite")
    assert started == ["convert-tflite"] and job.id == key
    jobs.heartbeat(job, Progress("converting to TensorFlow Lite", 1, 502))
    app = page()
    assert [bar.proto.text for bar in app.get("progress")] == ["Converting to TensorFlow Lite"]
    app = app.button(key=f"{key}-stop").click().run()
    assert jobs.heartbeat(job, None) and app.button(key=f"{key}-stopping").disabled
    jobs.end(job, JobStatus.STOPPED, message="Stopped by request.")
    app = page()
    assert "Stopped by request." in [box.value for box in app.info] and app.button(key=key)

    Conversions(store).start(run.run_id, form)
    jobs.end(job_rows.claim("convert-tflite"), JobStatus.FAILED, message="It answers *differently*.")
    assert plain("It answers *differently*.") in [box.value for box in page().error]
    Conversions(store).start(run.run_id, form)
    job_rows.let_the_lease_run_out(job_rows.claim("convert-tflite"))
    assert any("gone silent" in box.value for box in page().warning)
