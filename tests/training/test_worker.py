"""The results of a worker in the store, however it ends; in this process. test_engine.py has real processes."""

import csv
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from aquadash import augment, data, models
from aquadash.augment import Branch, embedded, op, saved_pipelines
from aquadash.augment.spec import as_pipeline
from aquadash.config import with_values
from aquadash.data import Dataset
from aquadash.data.folder import store as folder_store
from aquadash.data.folder.about import About
from aquadash.errors import AquaDashError, RunError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector
from aquadash.people import Person
from aquadash.store import (
    EpochRecord,
    EpochReplay,
    LeaseLostError,
    Predictions,
    Progress,
    Run,
    RunStatus,
    RunStore,
    Stopped,
)
from aquadash.store.artifacts import EPOCHS, OOD_DETECTOR
from aquadash.store.runs import KIND
from aquadash.training import checkpoint, fit, worker
from aquadash.training.checkpoint import Checkpoint, probe_positions, with_epoch
from aquadash.training.prepare import TrainingData
from aquadash.training.schedules import EarlyStopping
from aquadash.work.queue import Engine
from aquadash.work.worker import JobContext
from tests.support import job_rows, live_runs
from tests.support.drawn_images import use_images
from tests.support.lessons import ANNA, BEN
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import make_run, without_seconds
from tests.support.tiny_networks import QUICK, assigned


def trained(store: RunStore, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Run:
    use_images(monkeypatch, dataset)
    return live_runs.train(store, make_run(store, settings=with_values(QUICK, changes), status=RunStatus.QUEUED).run_id)


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_a_finished_run_has_its_files(store: RunStore, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(store, tiny_dataset, monkeypatch)
    assert (run.status, run.message) == (RunStatus.FINISHED, "")
    assert run.dataset_fingerprint == tiny_dataset.fingerprint and run.class_names == tiny_dataset.class_names
    files = "config.json environment.json model.keras history.csv epochs.npz strangers.npz worker.log predictions.npz"
    assert set(store.artifact_names(run.run_id)) == {*files.split(), "validation_predictions.npz"}
    assert store.artifact_names(run.run_id, folder="checkpoint") == []

    history = store.history(run.run_id)
    path = store.artifact(run.run_id, "history.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [float(row["val_loss"]) for row in rows] == [record.val_loss for record in history]

    predictions = store.predictions(run.run_id)
    right = (predictions.probabilities.argmax(axis=1) == tiny_dataset.test.labels).mean()
    assert run.metrics["test_accuracy"] == pytest.approx(right)
    validation = store.validation_predictions(run.run_id)
    np.testing.assert_array_equal(validation.labels, tiny_dataset.train.labels[validation.indices])
    right = (validation.probabilities.argmax(axis=1) == validation.labels).mean()
    assert run.metrics["val_accuracy"] == pytest.approx(right)
    detector = store.read_file(run.run_id, OOD_DETECTOR)
    assert detector.accepted >= 0.95
    replay = store.epoch_replay(run.run_id)
    assert replay.epochs == len(history)
    kept = int(run.metrics["kept_epoch"]) - 1
    probes = np.searchsorted(validation.indices, replay.probe_indices)
    np.testing.assert_allclose(replay.probe_probabilities[kept], validation.probabilities[probes], atol=1e-5)
    assert np.trace(replay.confusion_matrices[kept]) / len(validation.labels) == pytest.approx(right)
    environment = store.environment(run.run_id)
    assert environment["seed"] == 1 and environment["dataset_fingerprint"] == tiny_dataset.fingerprint
    assert {"tensorflow", "imaug", "numba", "scipy", "pillow"} <= set(environment["versions"])
    assert "CPU:0" in environment["devices"]
    assert "the log" in store.log(run.run_id)

    model = keras.saving.load_model(store.model_path(run.run_id), safe_mode=True)
    again = np.asarray(model(models.normalise(tiny_dataset.test.images)))
    assert np.allclose(again, predictions.probabilities, atol=1e-6)


def test_the_loss_that_broke_is_named(store: RunStore) -> None:
    state = epoch(1)
    for losses, said in (({"val_loss": math.inf}, "inf"), ({"loss": math.nan, "val_loss": math.inf}, "nan")):
        broken = replace(state, history=(replace(state.history[0], **losses),))
        with pytest.raises(AquaDashError, match=f"The loss became {said} in epoch 1.*learning rate a tenth"):
            listener(store, claimed(store)).on_epoch(broken)


def test_what_goes_wrong_fails_the_run_with_a_message(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    use_images(monkeypatch, MemoryError())
    run = live_runs.train(store, make_run(store, settings=QUICK, status=RunStatus.QUEUED).run_id)
    assert run.status is RunStatus.FAILED
    assert "out of memory. Choose a smaller batch size or fewer augmented copies." in run.message
    assert "the log" in store.log(run.run_id)


def test_a_stop_while_it_starts_again_keeps_the_epochs(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    use_images(monkeypatch, Stopped())
    run_id = make_run(store, settings=QUICK, status=RunStatus.QUEUED).run_id
    run = live_runs.train(store, run_id)
    assert run.message == "Stopped before the first epoch was complete, so there is no model."
    store.log_epoch(run_id, EpochRecord(1, 1.0, 0.5, 1.0, 0.5, 0.001, 2.0), curve=[0.5])
    run = live_runs.train(store, run_id)
    assert run.status is RunStatus.STOPPED and "Kept so far: 1 complete epoch." in run.message


def test_a_resumed_run_keeps_its_images(
    store: RunStore, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = make_run(store, settings=QUICK, status=RunStatus.QUEUED).run_id
    store.update(run_id, class_names=["cat", "dog"], dataset_fingerprint="e" * 64)
    store.log_epoch(run_id, EpochRecord(1, 1.0, 0.5, 1.0, 0.5, 0.001, 2.0), curve=[0.5])
    use_images(monkeypatch, tiny_dataset)
    run = live_runs.train(store, run_id)
    assert run.status is RunStatus.FAILED and "have changed since this run was created" in run.message
    assert (run.dataset_fingerprint, run.class_names) == ("e" * 64, ("cat", "dog"))
    assert store.environment(run_id) == {}


def test_a_waiting_run_never_gets_another_student_s_pictures_of_its_name(store: RunStore, tmp_path: Path) -> None:
    def import_pictures(owner: Person, seed: int) -> About:
        files = of_classes({"cat": 12, "dog": 12}, first_seed=seed)
        return imported(in_folder(tmp_path / owner.name, files)).keep("Cats", owner=owner, replacing=True)

    kept = import_pictures(ANNA, 0)
    waiting = make_run(
        store, settings=with_values(QUICK, {"data.source": kept.source}), status=RunStatus.QUEUED, owner=ANNA
    )
    folder_store.delete(kept.name)
    import_pictures(BEN, 500)
    run = live_runs.train(store, waiting.run_id)
    assert run.status is RunStatus.FAILED and "Cats have changed since this run was created" in run.message
    assert run.class_names == ()
    import_pictures(ANNA, 0)
    assert data.load(kept.source).fingerprint == run.dataset_fingerprint == kept.fingerprint


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_a_late_stop_keeps_results_and_unseen_images_are_measured_too(
    store: RunStore, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit.fit

    def stopped_at_its_end(*args: Any, **options: Any) -> fit.FitResult | None:
        result = whole(*args, **options)
        store.jobs.request_stop(job_rows.latest(KIND).id)
        return result

    monkeypatch.setattr(fit, "fit", stopped_at_its_end)
    many = replace(tiny_dataset, test=tiny_dataset.test.take(np.arange(420) % len(tiny_dataset.test)))
    run = trained(store, many, monkeypatch, **{"training.validation": "test"})
    assert run.status is RunStatus.FINISHED and "model.keras" in store.artifact_names(run.run_id)
    predictions = store.predictions(run.run_id)
    right = predictions.probabilities.argmax(axis=1) == predictions.labels
    assert run.metrics["unseen_test_accuracy"] == pytest.approx(right[400:].mean())
    assert run.metrics["val_accuracy"] == pytest.approx(right[:400].mean())


def test_a_resumed_run_keeps_no_detector_of_the_weights_that_it_had_before(store: RunStore) -> None:
    run = make_run(store, settings=QUICK, status=RunStatus.QUEUED)
    detector = OutOfDistributionDetector(np.ones((2, 3)), np.eye(3), 2.5, 0.95)
    store.add_arrays(run.run_id, OOD_DETECTOR, detector.to_arrays())
    said = Predictions(np.arange(2), np.arange(2), np.eye(2, dtype=np.float32))
    result = SimpleNamespace(
        model=SimpleNamespace(save=lambda path: path.write_bytes(b"")),
        history=epoch(1).history,
        kept_epoch=1,
        val_loss=1.0,
        val_accuracy=0.5,
        predictions=said,
        validation_predictions=said,
        ood_detector=None,
    )
    worker.store_result(store, run, SimpleNamespace(class_names=("cat", "dog")), result)
    assert store.read_file(run.run_id, OOD_DETECTOR) is None and "model.keras" in store.artifact_names(run.run_id)


def claimed(store: RunStore) -> JobContext:
    """A run's job as its worker has it."""
    store.submit(QUICK)
    return JobContext(store.jobs, job_rows.claim(KIND))


def listener(store: RunStore, job: JobContext) -> worker.StoreListener:
    """Return the listener of a training, without a tracking server."""
    return worker.StoreListener(store, job, lambda record: None)


def test_all_that_a_training_says_of_its_progress_is_read_again(store: RunStore) -> None:
    job = claimed(store)
    progress = Progress("training", 3, 10, 4, 20, 123.5, 60.0, loss=0.9, accuracy=0.6)
    before = time.time()
    listener(store, job).on_progress(progress)
    job.beat()
    run = store.get(job.run)
    assert run.status is RunStatus.RUNNING and run.progress is not None
    assert before <= run.progress.time <= time.time() and replace(run.progress, time=0.0) == progress


def epoch(number: int) -> Checkpoint:
    """A checkpoint of next to nothing."""
    record = EpochRecord(number, 1.0, 0.5, 1.0, 0.5, 0.001, 2.0)
    weights = [np.zeros(3, np.float32)]
    return Checkpoint(weights, weights, [], EarlyStopping(0), (record,), None, QUICK.to_json(), "f" * 64)


def test_a_lost_worker_writes_no_epoch_and_a_complete_one_makes_up_for_it(store: RunStore) -> None:
    lost = claimed(store)
    store.jobs.requeue(job_rows.latest(KIND), "The worker was lost")
    with pytest.raises(LeaseLostError):
        listener(store, lost).on_epoch(epoch(1))
    assert store.history(lost.run) == [] and store.artifact_names(lost.run, folder="checkpoint") == []
    job = JobContext(store.jobs, job_rows.claim(KIND))
    assert job_rows.latest(KIND).worker_failures == 1
    listener(store, job).on_epoch(epoch(1))
    assert job_rows.latest(KIND).worker_failures == 0
    assert [record.epoch for record in store.history(job.run)] == [1] and store.get(job.run).curve == (0.5,)


def test_a_damaged_checkpoint_is_passed_over(store: RunStore) -> None:
    run_id = make_run(store, settings=QUICK, status=RunStatus.QUEUED).run_id
    assert checkpoint.latest(store, run_id) is None
    for number in (1, 2, 3):
        checkpoint.save(store, run_id, epoch(number))
    assert checkpoint.latest(store, run_id).epoch == 3
    slot = store.artifact(run_id, "checkpoint/slot-1.npz")
    slot.write_bytes(slot.read_bytes()[: slot.stat().st_size // 2])  # As if the worker had died while it wrote.
    assert checkpoint.latest(store, run_id).epoch == 2


def data_of(labels: list[int]) -> TrainingData:
    count = len(labels)
    images = np.zeros((count, 2, 2, 3), np.uint8)
    held_out = np.arange(count, dtype=np.int64) * 3
    return TrainingData(images, np.zeros(count, np.int64), images, np.array(labels), held_out)


def test_probes_are_spread_over_the_classes_and_over_each_class() -> None:
    labels = np.repeat(np.arange(5), 75)
    chosen = probe_positions(labels)
    assert len(chosen) == 20 and np.bincount(labels[chosen]).tolist() == [4] * 5
    assert chosen[:4].tolist() == [0, 18, 37, 56]
    np.testing.assert_array_equal(chosen, probe_positions(labels))


@pytest.mark.parametrize(
    ("labels", "expected"), [([0, 1, 1, 1, 1, 1], [1, 3]), ([2, 2, 0], [1, 0, 2]), ([0], [1]), ([], [])]
)
def test_small_classes_give_what_they_have(labels: list[int], expected: list[int]) -> None:
    of_images = np.array(labels, np.int64)
    assert np.bincount(of_images[probe_positions(of_images, count=4)]).tolist() == expected


def test_epochs_are_added_one_by_one() -> None:
    data = data_of([0, 0, 1, 2])
    first = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]]
    second = np.eye(3, dtype=np.float32)[[0, 0, 1, 0]]
    replay = with_epoch(None, 1, data, first)
    replay = with_epoch(replay, 2, data, second)
    assert replay.epochs == 2
    assert replay.probe_indices.tolist() == [0, 3, 6, 9] and replay.probe_labels.tolist() == [0, 0, 1, 2]
    assert replay.confusion_matrices.tolist() == [[[1, 1, 0], [0, 1, 0], [0, 0, 1]], [[2, 0, 0], [0, 1, 0], [1, 0, 0]]]
    np.testing.assert_array_equal(replay.probe_probabilities, np.stack([first, second]))
    assert with_epoch(None, 3, data, first) is None, "the first epochs are missing"


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    replay = with_epoch(None, 1, data_of([0, 1]), np.eye(2, dtype=np.float32))
    arrays = vars(replay)
    assert EpochReplay.from_arrays(arrays).epochs == 1
    for name, broken in (
        ("confusion_matrices", np.zeros((2, 2, 2), np.int32)),
        ("probe_labels", np.zeros(5, np.int64)),
        ("probe_probabilities", np.zeros((1, 2), np.float32)),
    ):
        with pytest.raises(ValueError, match="belong together"):
            EpochReplay.from_arrays({**arrays, name: broken})


def test_a_file_that_is_just_being_replaced_reads_as_none(store: RunStore, tmp_path: Path) -> None:
    run_id = make_run(store, status=RunStatus.QUEUED).run_id
    assert store.epoch_replay(run_id) is None
    replay = with_epoch(None, 1, data_of([0, 1]), np.eye(2, dtype=np.float32))
    store.add_epoch_replay(run_id, replay)
    stored = store.epoch_replay(run_id)
    np.testing.assert_array_equal(stored.probe_probabilities, replay.probe_probabilities)
    (tmp_path / EPOCHS).write_bytes(b"PK half a file")
    store.add_artifact(run_id, tmp_path / EPOCHS)
    assert store.epoch_replay(run_id) is None


@pytest.mark.slow
@pytest.mark.usefixtures("without_detector", "uncompiled")
def test_a_run_outlives_its_pipeline(store: RunStore, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """It resumes and repeats itself with the pipeline as it was when the run was queued."""
    use_images(monkeypatch, tiny_dataset)
    augment.save(as_pipeline(Branch("Flipped", (op("Fliplr", p=0.5),))), title="Mine")
    text = "augmentation.pipeline=mine:2,mirror-shift augmentation.copies=2 augmentation.keep_originals=true"
    wanted = assigned(f"{text} training.patience=0", base=QUICK)
    run = Engine(store, serving=False).submit(wanted)
    assert store.get(run.run_id).config == embedded(wanted) != wanted
    with monkeypatch.context() as patch:
        log_epoch = store.log_epoch

        def stop_after_one(run_id: str, record: EpochRecord, *, curve: Sequence[float], **_: object) -> None:
            log_epoch(run_id, record, curve=curve)
            raise RunError("broken off for a test")

        patch.setattr(store, "log_epoch", stop_after_one)
        assert live_runs.train(store, run.run_id).status is RunStatus.FAILED

    augment.save(as_pipeline(Branch("Darker", (op("Multiply", mul=0.5),))), title="Mine", replace_name="mine")
    saved_pipelines.delete("mine")
    # An epoch with the pipeline as it was, and one without it, are those of a run that never saw it.
    again = make_run(store, settings=run.config, status=RunStatus.QUEUED).run_id
    for run_id in (run.run_id, again):
        trained = live_runs.train(store, run_id)
        assert (trained.status, trained.message) == (RunStatus.FINISHED, "") and len(store.history(run_id)) == 2
    assert without_seconds(store.history(run.run_id)) == without_seconds(store.history(again))
    np.testing.assert_array_equal(store.predictions(run.run_id).probabilities, store.predictions(again).probabilities)
