"""Taking a run home on Evaluate and Compare, and bringing one from another computer."""

import zipfile
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.export import bundle
from aquadash.export import jobs as export_jobs
from aquadash.lab import Lab, memory
from aquadash.people import Person, Role
from aquadash.store import Run, RunStore
from aquadash.training.answer_process import AnswerProcess
from aquadash.ui.kit.text import plain
from tests.support import job_rows
from tests.support.app_pages import buttons, open_app_page, unfold
from tests.support.faults import let_fail
from tests.support.runs import make_run

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait."""
    job_rows.start_no_process(monkeypatch)


def open_home(run: Run) -> AppTest:
    """Open the section that exports a run."""
    memory.refresh()
    return open_app_page("evaluate", run=run.run_id, section="home")


def test_the_zip_is_made_in_the_background(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(store)
    app = open_home(run)
    key = f"{run.run_id}-1"
    with monkeypatch.context() as patch:
        let_fail(patch, bundle, "export_run", OSError(28, "No space left on device"))
        app.button(key=f"take-home-make-{key}").click().run()
        assert job_rows.queued_kinds() == ["export"] and app.button(key=f"take-home-{key}-stop")
        job_rows.do_next("export")
    app = open_home(run)
    assert any("No space left" in error.value for error in app.error)
    app.button(key=f"take-home-make-{key}").click().run()
    job = job_rows.do_next("export")
    app = open_home(run)
    assert not app.exception and not app.error and f"take-home-make-{key}" not in buttons(app)
    path = export_jobs.exported_file(job)
    assert path is not None and path.stat().st_size == job.result["size"]
    with zipfile.ZipFile(path) as archive:
        assert {"train.py", "data.npz"} <= set(archive.namelist())

    # Without the images it is another ZIP, and after a change of the run, too.
    app.toggle(key=f"take-home-data-{run.run_id}").set_value(False).run()
    assert app.button(key=f"take-home-make-{run.run_id}-0")
    store.rename(run.run_id, "another name")
    assert export_jobs.export_id(store, run.run_id, include_data=True) != job.id
    path.unlink()
    assert export_jobs.exported_file(job) is None


def test_compare_imports_a_run_or_refuses_it(store: RunStore, tmp_path: Path, home: Path) -> None:
    run = make_run(store, "from elsewhere")
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    app = unfold(open_app_page("compare", runs=run.run_id), "bring")
    for name, content in (("run.zip", written.path.read_bytes()), ("my *x*.zip", b"no zip at all")):
        app.file_uploader(key="bring-run").set_value((name, content, "application/zip")).run()
        job_rows.do_next("import")
        memory.refresh()
        app.run()
        assert len(store.list_runs()) == 2 and not list((home / "tmp").iterdir())
        assert name != "run.zip" or "from elsewhere" in app.success[0].value
    assert any(plain("my *x*.zip is not a sound ZIP archive") in message.value for message in app.error)


def test_an_imported_run_belongs_to_whoever_imports_it(store: RunStore, tmp_path: Path) -> None:
    run = make_run(store)
    anna = Person("a" * 32, "Anna", Role.STUDENT)
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip").path.read_bytes()
    Lab(anna).jobs.import_run("file-1", called="run.zip", write=lambda path: path.write_bytes(written))
    job = job_rows.do_next("import")
    assert job.owner == anna.person_id
    taken = store.get(job.result["run_id"])
    assert (taken.owner, taken.owner_name, taken.shared) == (anna.person_id, "Anna", False)


def test_tensorflow_lite_is_made_on_the_click(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = create_autospec(AnswerProcess.ask, return_value=bytes(1_500_000))
    monkeypatch.setattr(AnswerProcess, "ask", ask)
    run = make_run(store)
    app = open_home(run).button(key=f"tflite-{run.run_id}").click().run()
    assert not ask.called and any("model.keras of" in error.value for error in app.error), "there is none to convert"
    store.add_text_artifact(run.run_id, "model.keras", "a network")
    app = open_home(run).button(key=f"tflite-{run.run_id}").click().run()
    assert ask.call_args.args[-3:] == (store.model_path(run.run_id), run.config.model, 5)
    assert [link.proto.label for link in app.get("download_button")] == ["Download model.tflite (1.5 MB)"]
