from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.lab import OWNER, Lab
from aquadash.store import Run, RunStatus, RunStore
from aquadash.ui.evaluate.repeat_section import repeats_of
from tests.support.app_pages import buttons, open_app_page, words
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import CLASSES, make_run, run_record, skilled
from tests.support.search_fakes import FakeEngine
from tests.support.weights_files import keras_file

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture
def run(store: RunStore, tmp_path: Path) -> Run:
    return with_network(store, make_run(store), tmp_path)


def with_network(store: RunStore, run: Run, folder: Path, *, scale: float = 1.0) -> Run:
    folder = folder / run.run_id
    folder.mkdir()
    store.add_artifact(run.run_id, keras_file(folder / "model.keras", 8, scale=scale))
    return run


def open_section(run: Run) -> AppTest:
    return open_app_page("evaluate", run=run.run_id, section="repeat")


def test_one_click_queues_a_repeat(store: RunStore, run: Run, engine: FakeEngine) -> None:
    app = open_section(run)
    app = app.button(key="repeat-run").click().run()
    assert not app.error
    repeat = next(each for each in store.list_runs() if each.repeats)
    assert repeat.repeats == run.run_id and repeat.config == run.config
    assert "mine again" in words(app)
    assert "repeat-run" not in buttons(app), "one at a time"


def test_identical_and_not(store: RunStore, run: Run, tmp_path: Path) -> None:
    same = finished_repeat(store, run, tmp_path)
    app = open_section(run)
    assert not app.error and "Identical" in app.success[0].value
    finished_repeat(store, run, tmp_path, scale=2.0)
    app = open_section(run)
    assert "Not identical" in app.warning[0].value and "Identical" in app.success[0].value
    assert "repeats another one" in words(open_section(same))


def finished_repeat(store: RunStore, run: Run, folder: Path, *, scale: float = 1.0) -> Run:
    """A copy of the run, marked as its repeat."""
    copy = with_network(store, make_run(store, "mine again"), folder, scale=scale)
    store.update(copy.run_id, repeats=run.run_id)
    return store.get(copy.run_id)


def test_nobody_hangs_an_import_onto_anothers_run() -> None:
    run = run_record("hers", owner="anna", shared=False)
    brought = {"origin": "imported", "repeats": run.run_id}
    seen = [
        run_record("trained here", repeats=run.run_id, owner="ben", shared=False),
        run_record("her own", **brought, owner="anna", shared=False),
        run_record("the teacher's", **brought),
    ]
    assert repeats_of(run, [*seen, run, run_record("another's", **brought, owner="ben", shared=False)]) == seen


def test_a_stopped_run_cannot_be_repeated(store: RunStore, run: Run) -> None:
    store.update(run.run_id, status=RunStatus.STOPPED)
    assert "repeat-run" not in buttons(open_section(run))


def test_a_run_is_repeated_on_its_own_images_alone(store: RunStore, engine: FakeEngine, tmp_path: Path) -> None:
    kept = imported(in_folder(tmp_path / "cats", of_classes({"cat": 12, "dog": 12}))).keep("Cats")
    other = {"class_names": CLASSES, "dataset_fingerprint": "f" * 64}
    run = make_run(
        store, settings={"data.source": kept.source, "training.epochs": 60}, predictions=skilled(0.9), **other
    )
    app = open_section(run).button(key="repeat-run").click().run()
    assert "Cats has other images now. Only the old ones, imported again" in app.error[0].value and not engine.calls
    store.update(run.run_id, class_names=run.class_names, dataset_fingerprint=kept.fingerprint)
    assert Lab(OWNER).runs.repeat(run.run_id).repeats == run.run_id
