"""The Evaluate page, with runs whose answers are made up: its browser of images, the talk and every section."""

import dataclasses
import re
import time
import zipfile
from functools import partial
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.config import with_values
from aquadash.export import bundle
from aquadash.export import jobs as export_jobs
from aquadash.lab import OWNER, Lab, memory
from aquadash.robustness.job import job_of
from aquadash.robustness.requests import RobustnessRequest, read_request
from aquadash.store import EpochRecord, EpochReplay, JobProgress, Progress, Run, RunStatus, RunStore, open_jobs
from aquadash.store.artifacts import MODEL, PREDICTIONS
from aquadash.training.answer_process import AnswerProcess
from aquadash.ui.evaluate import epoch_section, robustness
from aquadash.ui.evaluate.page import SECTIONS
from aquadash.ui.evaluate.repeat_section import repeats_of
from aquadash.ui.kit.text import plain
from tests.support import job_rows, live_runs
from tests.support.app_pages import (
    address_notes,
    address_of,
    buttons,
    charts,
    click,
    figure_of,
    html,
    metrics,
    open_app_page,
    unfold,
    words,
)
from tests.support.faults import let_fail
from tests.support.lessons import ANNA
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.robust_runs import add_result, made_up_result
from tests.support.runs import CLASSES, HOSTILE, OTTER, SEAL, make_run, run_record, skilled, too_confident
from tests.support.search_fakes import FakeEngine
from tests.support.weights_files import keras_file

pytestmark = pytest.mark.usefixtures("no_engine")


#: Markup that has not lost its meaning to a backslash.
_TAG = re.compile(r"(?<!\\)<")

open_page = partial(open_app_page, "evaluate")


Shelf = dict[str, Run]


@pytest.fixture(scope="module")
def shared_shelf(shared_store: RunStore) -> Shelf:
    """Runs that the tests of this module only look at, the plain one the newest of those with predictions."""
    reason = "The <b>loss</b> became nan."
    test, validation = data.load("synthetic").test.labels, np.arange(250) % 5
    one, other = (
        {"test": too_confident(test, seed=seed), "validation": too_confident(validation, seed=seed + 50)}
        for seed in (1, 2)
    )
    return {
        "report": make_run(shared_store, "reported", {"training.validation": "test"}),
        "changed": make_run(shared_store, dataset_fingerprint="0" * 64),
        "sharp": make_run(shared_store, "sharp " + HOSTILE, predictions=one),
        "hostile": make_run(shared_store, HOSTILE, predictions=other),
        "plain": make_run(shared_store),
        "failed": make_run(shared_store, "failed", status=RunStatus.FAILED, message=reason),
        "photographs": make_run(shared_store, "photographs", {"data.source": "cifar100"}),
    }


@pytest.fixture
def shelf(shared_shelf: Shelf, in_shared_home: None) -> Shelf:
    return shared_shelf


@pytest.fixture
def run(store: RunStore) -> Run:
    return make_run(store)


def test_a_clicked_cell_shows_its_images_and_stands_in_the_address(shelf: Shelf) -> None:
    run = shelf["plain"]
    app = open_page(run=run.run_id, outcome="right", page="3")
    assert metrics(app)["Test accuracy"] == f"{100 * run.metrics['test_accuracy']:.0f} %"
    assert "Confusion matrix of 500" in charts(app)[0] and html(app).count('alt="Test image') == 12
    click(app, "matrix", [OTTER, SEAL])
    confused = len(np.flatnonzero(data.load("synthetic").test.labels == OTTER)[::4])
    assert f"taken for 🦭 seal: {confused} of 500 test images" in words(app)
    assert (address_of(app, "true"), address_of(app, "predicted")) == ("otter", "seal")
    assert address_of(app, "outcome") is None and address_of(app, "page") is None
    frame = figure_of(app, 0)["layout"]["shapes"][0]
    assert (frame["x0"], frame["y0"]) == (SEAL - 0.5, OTTER - 0.5), "a column is a predicted class"
    unfold(app, "image-filters").selectbox(key="predicted").set_value("").run()
    assert "otter: 100 of 500 test images" in words(app), "the menus have the last word"
    app.session_state["matrix-clicked"] = (shelf["failed"].run_id, None), [SEAL, SEAL]
    app.run()
    assert app.selectbox(key="true").value == "otter", "that was another run's matrix"


def test_a_run_that_failed_early_says_why(shelf: Shelf) -> None:
    app = open_page(run=shelf["failed"].run_id)
    assert not app.error and not app.metric
    assert "ended before" in app.info[0].value and "became nan" in app.info[0].value
    assert not _TAG.search(app.info[0].value)


def test_changed_data_hides_only_images(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_last_epoch_is_shown_first_and_any_other_is_chosen(shelf: Shelf, shared_store: RunStore) -> None:
    run = shelf["plain"]
    assert any("No replay" in box.value for box in open_page(run=run.run_id, section="epochs").info)
    shared_store.add_epoch_replay(run.run_id, replay())
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


def test_a_run_at_work_is_followed_to_its_newest_epoch(shelf: Shelf, shared_store: RunStore) -> None:
    run, store, whole = shelf["plain"], shared_store, replay()
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


# -- the talk ----------------------------------------------------------------------------------------------------------


def screen(run: Run, number: object) -> AppTest:
    return open_page(run=run.run_id, present=str(number))


def test_every_screen_shows_one_idea_and_nothing_to_change(store: RunStore) -> None:
    run = make_run(store, HOSTILE, note=HOSTILE)
    make_run(store, "another")
    app = open_page(run=run.run_id[:8], present="1")
    headings, notes = [app.header[0].value], [box.value for box in app.markdown]
    while not (on := app.button(key="present-on")).disabled:
        app = on.click().run()
        assert not app.error
        headings.append(app.header[0].value)
    assert headings[0] == plain(HOSTILE) and plain(HOSTILE) in notes and len(headings) == len(set(headings)) == 9
    app = screen(run, 4)
    assert "test images, which it had never seen." in app.markdown[-1].value
    assert set(buttons(app)) == {"present-back", "present-on", "present-leave"}
    assert not (*app.title, *app.selectbox, *app.text_input, *app.multiselect, *app.segmented_control)
    # A number outside the talk opens its last or first screen.
    assert [screen(run, number).header[0].value for number in (99, "x")] == [headings[-1], headings[0]]


def test_test_images_that_decided_when_to_stop_are_not_called_unseen(store: RunStore) -> None:
    run = make_run(store, settings={"training.validation": "test"})
    assert "of which 400 decided when to stop, so the accuracy is" in screen(run, 4).markdown[-1].value
    said = open_page(run=run.run_id).warning[0].value
    assert "400 of the 500 test images decided when to stop" in said
    assert f"On the other 100 test images it is {100 * run.metrics['unseen_test_accuracy']:.0f} % (" in said
    nothing = with_values(run.config, {"training.patience": 0, "training.restore_best_weights": False})
    store.update(run.run_id, config=nothing.model_dump(mode="json"))
    said = open_page(run=run.run_id).warning[0].value
    assert "400 of the 500 test images were its validation images.**" in said


def test_a_talk_without_a_run_or_results_can_be_left(run: Run, store: RunStore) -> None:
    predictions = store.artifact(run.run_id, PREDICTIONS)
    assert predictions is not None
    predictions.write_bytes(b"damaged")
    for query in ({}, {"run": run.run_id}, {"run": "0" * 32}):
        app = open_page(present="1", **query)
        assert app.error and app.button(key="present-leave")
    assert "no run" in app.error[0].value
    app.button(key="present-leave").click().run()
    assert not app.exception and app.title[0].value.endswith("Evaluate") and address_of(app, "present") is None


def test_evaluate_with_an_empty_store_offers_the_first_model(store: RunStore) -> None:
    app = open_page().button(key="show-first-model").click().run()
    assert not app.error and len(store.list_runs()) == 1


# -- repeats -----------------------------------------------------------------------------------------------------------


def test_one_click_queues_a_repeat_and_a_stopped_run_has_none(store: RunStore, run: Run, engine: FakeEngine) -> None:
    app = open_page(run=run.run_id, section="repeat").button(key="repeat-run").click().run()
    assert not app.error
    repeat = next(each for each in store.list_runs() if each.repeats)
    assert repeat.repeats == run.run_id and repeat.config == run.config
    assert "mine again" in words(app) and "repeat-run" not in buttons(app), "one at a time"
    stopped = make_run(store, status=RunStatus.STOPPED)
    assert "repeat-run" not in buttons(open_page(run=stopped.run_id, section="repeat"))


def test_identical_and_not(store: RunStore, run: Run, tmp_path: Path) -> None:
    def with_network(run: Run, scale: float = 1.0) -> Run:
        store.add_artifact(run.run_id, keras_file(tmp_path / "model.keras", 8, scale=scale))
        return run

    with_network(run)
    same = with_network(make_run(store, "mine again", repeats=run.run_id))
    app = open_page(run=run.run_id, section="repeat")
    assert not app.error and "Identical" in app.success[0].value
    with_network(make_run(store, "mine again", repeats=run.run_id), scale=2.0)
    app = open_page(run=run.run_id, section="repeat")
    assert "Not identical" in app.warning[0].value and "Identical" in app.success[0].value
    assert "repeats another one" in words(open_page(run=same.run_id, section="repeat"))


def test_nobody_hangs_an_import_onto_anothers_run() -> None:
    run = run_record("hers", owner="anna", shared=False)
    brought = {"origin": "imported", "repeats": run.run_id}
    seen = [
        run_record("trained here", repeats=run.run_id, owner="ben", shared=False),
        run_record("her own", **brought, owner="anna", shared=False),
        run_record("the teacher's", **brought),
    ]
    assert repeats_of(run, [*seen, run, run_record("another's", **brought, owner="ben", shared=False)]) == seen


def test_a_run_is_repeated_on_its_own_images_alone(store: RunStore, engine: FakeEngine, tmp_path: Path) -> None:
    kept = imported(in_folder(tmp_path / "cats", of_classes({"cat": 12, "dog": 12}))).keep("Cats")
    settings = {"data.source": kept.source, "training.epochs": 60}
    other = {"class_names": CLASSES, "dataset_fingerprint": "f" * 64}
    run = make_run(store, "old", settings, predictions=skilled(0.9), **other)
    app = open_page(run=run.run_id, section="repeat").button(key="repeat-run").click().run()
    assert "Cats has other images now. Only the old ones, imported again" in app.error[0].value and not engine.calls
    store.update(run.run_id, class_names=run.class_names, dataset_fingerprint=kept.fingerprint)
    assert Lab(OWNER).runs.repeat(run.run_id).repeats == run.run_id


# -- robustness --------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait, and pictures of the test images are as they were: corrupting them takes seconds."""
    job_rows.start_no_process(monkeypatch)
    monkeypatch.setattr(robustness, "sample", lambda source, cell, row: source.images[row])


def test_nothing_measured_yet_and_a_start(store: RunStore, run: Run) -> None:
    store.add_text_artifact(run.run_id, MODEL, "a model")
    app = open_page(run=run.run_id, section="robustness")
    app.number_input(key=f"robustness-seed-{run.run_id}").set_value(7)
    app.segmented_control(key=f"robustness-images-{run.run_id}").set_value("quick")
    app.button(key=f"robustness-start-{run.run_id}").click().run()
    assert not app.error and "Starting" in words(app)
    job = open_jobs().get(job_of(run))
    assert job is not None and read_request(job.request) == RobustnessRequest(seed=7, limit=100)


def test_at_work_it_shows_progress_and_what_is_there_and_stops(store: RunStore, run: Run) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint, cells=20)
    job = add_result(store, run, result, status=RunStatus.RUNNING)
    progress = JobProgress("fog, severity 2", 10_000, 40_000, 75.0)
    open_jobs().heartbeat(job, progress)
    app = open_page(run=run.run_id, section="robustness")
    (bar,) = app.get("progress")
    assert bar.proto.value == 25 and "Mean corruption error · so far 20 of 75" in metrics(app)
    assert not app.button(key=f"robustness-{run.run_id}-stop").click().run().error
    assert open_jobs().heartbeat(job, progress), "the job hears of it"


def test_finished(store: RunStore, run: Run) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint)
    add_result(store, run, result)
    # One corruption and image from the address.
    app = open_page(run=run.run_id, section="robustness", corruption="contrast", image="33")
    assert not app.error and not app.warning and len(charts(app)) == 3
    of_corruptions, of_branches = app.dataframe[-2].value, app.dataframe[-1].value
    assert (len(of_corruptions), len(of_branches)) == (15, len(result.of_kind("pipeline")))
    expected = [bool(scores.right[33]) for scores in result.curve("corruption", "contrast").values()]
    told = ["not recognised" not in html(app).split(f"Low contrast, severity {s}: ")[1][:20] for s in range(1, 6)]
    assert told == expected


# -- taking home -------------------------------------------------------------------------------------------------------


def test_the_zip_is_made_in_the_background(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(run=run.run_id, section="home")
    key = f"{run.run_id}-1"
    with monkeypatch.context() as patch:
        let_fail(patch, bundle, "export_run", OSError(28, "No space left on device"))
        app.button(key=f"take-home-make-{key}").click().run()
        assert job_rows.queued_kinds() == ["export"] and app.button(key=f"take-home-{key}-stop")
        job_rows.do_next("export")
    app = open_page(run=run.run_id, section="home")
    assert any("No space left" in error.value for error in app.error)
    app.button(key=f"take-home-make-{key}").click().run()
    job = job_rows.do_next("export")
    app = open_page(run=run.run_id, section="home")
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
    written = bundle.export_run(store, make_run(store).run_id, tmp_path / "run.zip").path.read_bytes()
    Lab(ANNA).jobs.import_run("file-1", called="run.zip", write=lambda path: path.write_bytes(written))
    taken = store.get(job_rows.do_next("import").result["run_id"])
    assert (taken.owner, taken.owner_name, taken.shared) == (ANNA.person_id, "Anna", False)


def test_tensorflow_lite_is_made_on_the_click(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = create_autospec(AnswerProcess.ask, return_value=bytes(1_500_000))
    monkeypatch.setattr(AnswerProcess, "ask", ask)
    app = open_page(run=run.run_id, section="home").button(key=f"tflite-{run.run_id}").click().run()
    assert not ask.called and any("model.keras of" in error.value for error in app.error), "there is none to convert"
    store.add_text_artifact(run.run_id, "model.keras", "a network")
    app = open_page(run=run.run_id, section="home").button(key=f"tflite-{run.run_id}").click().run()
    assert ask.call_args.args[-3:] == (store.model_path(run.run_id), run.config.model, 5)
    assert [link.proto.label for link in app.get("download_button")] == ["Download model.tflite (1.5 MB)"]
