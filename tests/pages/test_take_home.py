"""Taking a run home on Evaluate and Compare, and bringing one from another computer."""

import shutil
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aquadash import settings
from aquadash.export import bundle
from aquadash.export import jobs as export_jobs
from aquadash.lab import Lab, memory
from aquadash.people import Person, Role
from aquadash.store import Run, RunStatus, RunStore
from aquadash.training.answer_process import AnswerProcess
from aquadash.ui.kit.text import plain
from tests.support import job_rows
from tests.support.app_pages import open_app_page
from tests.support.faults import let_fail
from tests.support.runs import make_run

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait."""
    job_rows.start_no_process(monkeypatch)


def open_home(run: Run) -> AppTest:
    """Open the section that exports a run."""
    memory.refresh()
    return open_app_page("evaluate", run=run.run_id, section="home")


def test_the_zip_is_made_in_the_background(store: RunStore, no_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(store)
    others = [settings.exports() / f"{number}.zip" for number in range(20)]
    settings.exports().mkdir()
    for other in others:
        other.write_bytes(b"somebody else's")
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
    assert not app.exception and not app.error
    assert not [button for button in app.button if button.key == f"take-home-make-{key}"]
    path = export_jobs.exported_file(job)
    assert path is not None and path.stat().st_size == job.result["size"]
    assert all(other.is_file() for other in others), "a whole class takes its runs home"
    with zipfile.ZipFile(path) as archive:
        assert {"train.py", "data.npz"} <= set(archive.namelist())

    # Without the images it is another ZIP, and after a change of the run, too.
    app.toggle(key=f"take-home-data-{run.run_id}").set_value(False).run()
    assert app.button(key=f"take-home-make-{run.run_id}-0")
    store.rename(run.run_id, "another name")
    assert export_jobs.export_id(store, run.run_id, include_data=True) != job.id
    # The folder may be emptied at any time.
    shutil.rmtree(settings.exports())
    assert export_jobs.exported_file(job) is None
    export_jobs.start_export(store, run.run_id, include_data=False)
    assert job_rows.do_next("export").status is RunStatus.FINISHED


def test_compare_imports_a_run_or_refuses_it(store: RunStore, no_process: None, tmp_path: Path, home: Path) -> None:
    run = make_run(store, "from elsewhere")
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    app = open_app_page("compare", runs=run.run_id)
    app.session_state["bring"] = True
    app.run()
    app.file_uploader(key="bring-run").upload("run.zip", written.path.read_bytes(), "application/zip").run()
    assert job_rows.queued_kinds() == ["import"]
    job_rows.do_next("import")
    memory.refresh()
    app.run()
    assert any("from elsewhere" in message.value for message in app.success)
    assert len(store.list_runs()) == 2
    assert not list((home / "tmp").iterdir())

    app.file_uploader(key="bring-run").upload("my *x*.zip", b"no zip at all", "application/zip").run()
    job_rows.do_next("import")
    memory.refresh()
    app.run()
    # By the name that people know it by, as text.
    assert any(plain("my *x*.zip is not a sound ZIP archive") in message.value for message in app.error)
    assert len(store.list_runs()) == 2


def test_an_imported_run_belongs_to_whoever_imports_it(store: RunStore, no_process: None, tmp_path: Path) -> None:
    run = make_run(store)
    anna = Person("a" * 32, "Anna", Role.STUDENT)
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip").path.read_bytes()
    Lab(anna).jobs.import_run("file-1", called="run.zip", write=lambda path: path.write_bytes(written))
    job = job_rows.do_next("import")
    assert job.owner == anna.person_id
    taken = store.get(job.result["run_id"])
    assert (taken.owner, taken.owner_name, taken.shared) == (anna.person_id, "Anna", False)


def test_tensorflow_lite_is_made_on_the_click(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[object, ...]] = []

    def ask(self: AnswerProcess, function: object, *args: object) -> bytes:
        made.append(args)
        return bytes(1_500_000)

    monkeypatch.setattr(AnswerProcess, "ask", ask)
    run = make_run(store)
    app = open_home(run).button(key=f"tflite-{run.run_id}").click().run()
    assert not made and any("model.keras of" in error.value for error in app.error), "there is none to convert"
    store.add_text_artifact(run.run_id, "model.keras", "a network")
    app = open_home(run).button(key=f"tflite-{run.run_id}").click().run()
    assert made == [(store.model_path(run.run_id), run.config.model, 5)]
    assert [link.proto.label for link in app.get("download_button")] == ["Download model.tflite (1.5 MB)"]
