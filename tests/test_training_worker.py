"""What a worker leaves in the store, however it ends. Runs in this process; real processes are in test_engine.py."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from aquadash.training.heartbeat import Heartbeat

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.errors import DataError, StorageError
from aquadash.runs import EpochRecord, Progress, Run, RunStatus, RunStore, Worker, open_store
from aquadash.training import worker
from aquadash.training.listening import StopRequested
from tests.waiting import wait_for

SMALL = with_values(
    RunConfig(),
    {"augmentation.pipeline": "none", "training.epochs": 2, "training.validation_fraction": 0.2, "seed": 1},
)


@pytest.fixture
def store(home: Path) -> RunStore:
    return open_store()


def trained(store: RunStore, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Run:
    monkeypatch.setattr(data, "load", lambda source: dataset)
    run = store.create(with_values(SMALL, changes))
    assert worker.main(run.run_id) == 0
    return store.get(run.run_id)


@pytest.mark.slow
def test_a_finished_run_has_all_its_artifacts(
    store: RunStore, quiet_worker: None, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(store, tiny_dataset, monkeypatch)
    assert (run.status, run.message) == (RunStatus.FINISHED, "")
    assert run.dataset_fingerprint == tiny_dataset.fingerprint and run.class_names == tiny_dataset.class_names
    names = {
        "config.json",
        "environment.json",
        "model.keras",
        "history.csv",
        "epochs.npz",
        "strangers.npz",
        "worker.log",
    }
    names |= {"predictions.npz", "validation_predictions.npz"}
    assert set(store.artifact_names(run.run_id)) == names
    assert store.artifact_names(run.run_id, folder="checkpoint") == []

    history = store.history(run.run_id)
    path = store.artifact(run.run_id, "history.csv")
    assert path is not None
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [float(row["val_loss"]) for row in rows] == [record.val_loss for record in history]

    predictions = store.predictions(run.run_id)
    right = (predictions.probabilities.argmax(axis=1) == tiny_dataset.test.labels).mean()
    assert run.metrics["test_accuracy"] == pytest.approx(right)
    validation = store.validation_predictions(run.run_id)
    assert validation is not None
    np.testing.assert_array_equal(validation.labels, tiny_dataset.train.labels[validation.indices])
    right = (validation.probabilities.argmax(axis=1) == validation.labels).mean()
    assert run.metrics["val_accuracy"] == pytest.approx(right)
    strangers = store.strangers(run.run_id)
    assert strangers is not None and strangers.accepted >= 0.95
    replay = store.epoch_replay(run.run_id)
    assert replay is not None and replay.epochs == len(history)
    kept = int(run.metrics["kept_epoch"]) - 1
    probes = np.searchsorted(validation.indices, replay.probe_indices)
    np.testing.assert_allclose(replay.probe_probabilities[kept], validation.probabilities[probes], atol=1e-5)
    assert np.trace(replay.confusion_matrices[kept]) / len(validation.labels) == pytest.approx(right)
    environment = store.environment(run.run_id)
    assert environment["seed"] == 1 and environment["dataset_fingerprint"] == tiny_dataset.fingerprint
    assert environment["versions"]["tensorflow"] and "CPU:0" in environment["devices"]
    assert "the log" in store.log(run.run_id)

    import keras

    from aquadash import models

    model = keras.saving.load_model(store.model_path(run.run_id), safe_mode=True)
    again = np.asarray(model(models.normalise(tiny_dataset.test.images)))
    assert np.allclose(again, predictions.probabilities, atol=1e-6)


@pytest.mark.slow
def test_the_report_s_way_also_measures_the_images_it_has_not_seen(
    store: RunStore, quiet_worker: None, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(store, tiny_dataset, monkeypatch, **{"training.validation": "test"})
    predictions = store.predictions(run.run_id)
    right = predictions.probabilities.argmax(axis=1) == predictions.labels
    assert run.metrics["unseen_test_accuracy"] == pytest.approx(right[400:].mean())
    assert run.metrics["val_accuracy"] == pytest.approx(right[:400].mean())


@pytest.mark.slow
def test_a_loss_that_explodes_is_explained(
    store: RunStore, quiet_worker: None, tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(store, tiny_dataset, monkeypatch, **{"training.learning_rate": 10.0, "training.epochs": 50})
    assert run.status is RunStatus.FAILED and "learning rate a tenth" in run.message


def test_data_that_cannot_be_loaded_fails_the_run_with_its_message(
    store: RunStore, quiet_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: str) -> Dataset:
        raise DataError("The archive is damaged.")

    monkeypatch.setattr(data, "load", fail)
    run_id = store.create(SMALL).run_id
    worker.main(run_id)
    run = store.get(run_id)
    assert (run.status, run.message) == (RunStatus.FAILED, "The archive is damaged.")


def test_an_unexpected_error_fails_the_run_and_is_named(
    store: RunStore, quiet_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: str) -> Dataset:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(data, "load", fail)
    run_id = store.create(SMALL).run_id
    worker.main(run_id)
    assert "ZeroDivisionError: of all things" in store.get(run_id).message


def _cut_off(store: RunStore, run: Run) -> None:
    """Another worker has taken the run meanwhile."""
    store.hand_over(run.run_id, "The worker was lost", most=3)
    store.start(run.run_id, Worker("there", 7))


@pytest.mark.parametrize(
    "error", [StorageError("Could not store the epoch."), DataError("Damaged."), ValueError("odd")]
)
def test_a_worker_that_fails_after_another_took_its_run_leaves_that_alone(
    store: RunStore, quiet_worker: None, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(mine: object, run: Run, heartbeat: object) -> None:
        _cut_off(store, run)
        raise error

    monkeypatch.setattr(worker, "_train", fail)
    run_id = store.create(SMALL).run_id
    store.set_ticket(run_id, "train-1")
    assert worker.main(run_id) == 0
    run = store.get(run_id)
    assert (run.status, run.worker) == (RunStatus.RUNNING, Worker("there", 7))
    assert "worker.log" not in store.artifact_names(run_id)


def test_a_cluster_goes_on_with_a_run_for_which_the_store_was_away(
    store: RunStore, quiet_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("Could not store the epoch: no answer")

    monkeypatch.setattr(worker, "_train", fail)
    run_id = store.create(SMALL).run_id
    store.set_ticket(run_id, "train-1")
    assert worker.main(run_id) == 0
    run = store.get(run_id)
    assert run.status is RunStatus.QUEUED and "lost the run store (Could not store the epoch: no answer)" in run.message
    # What fails again and again without a complete epoch is not the store's absence.
    worker.main(run_id)
    worker.main(run_id)
    run = store.get(run_id)
    assert run.status is RunStatus.FAILED and "Could not store the epoch: no answer" in run.message
    # Where no cluster goes on, a person does.
    alone = store.create(SMALL).run_id
    worker.main(alone)
    assert store.get(alone).status is RunStatus.FAILED


def test_a_run_that_is_stopped_while_it_starts_again_says_that_its_epochs_are_kept(
    store: RunStore, quiet_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise StopRequested

    monkeypatch.setattr(worker, "_train", stop)
    run_id = store.create(SMALL).run_id
    worker.main(run_id)
    assert store.get(run_id).message == "Stopped before the first epoch was complete, so there is no model."
    store.log_epoch(run_id, EpochRecord(1, 1.0, 0.5, 1.0, 0.5, 0.001, 2.0), curve=[0.5])
    store.requeue(run_id)
    worker.main(run_id)
    assert "with 1 complete epoch. They are kept" in store.get(run_id).message


def test_a_run_is_trained_once(store: RunStore, quiet_worker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_train", lambda *_: pytest.fail("trained a second time"))
    run_id = store.create(SMALL).run_id
    store.set_status(run_id, RunStatus.FINISHED)
    assert worker.main(run_id) == 0


def test_a_second_worker_leaves_a_locked_run_alone(
    store: RunStore, quiet_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    from aquadash import settings

    monkeypatch.setattr(worker, "_train", lambda *_: pytest.fail("two workers train one run"))
    run_id = store.create(SMALL).run_id
    path = settings.worker_lock(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        assert worker.main(run_id) == 0
    assert store.get(run_id).status is RunStatus.QUEUED


class StoreStub:
    """Counts heartbeats and fails or asks to stop when told to."""

    def __init__(self, *, fail: bool = False, ask: bool = False) -> None:
        self.fail, self.ask, self.beats = fail, ask, 0
        self.tails: list[str | None] = []

    def heartbeat(self, run_id: str, progress: Progress, *, log_tail: str | None = None) -> bool:
        self.beats += 1
        self.tails.append(log_tail)
        if self.fail and self.beats > 1:
            raise StorageError("disk full")
        return self.ask


def test_a_stop_request_comes_back_with_a_heartbeat() -> None:
    with Heartbeat(StoreStub(ask=True), "0" * 32, interval=0.001) as heartbeat:
        wait_for(lambda: heartbeat.stop_requested)


def test_a_store_that_stays_away_ends_the_training() -> None:
    stub = StoreStub(fail=True)
    with Heartbeat(stub, "0" * 32, interval=0.001) as heartbeat:
        wait_for(lambda: heartbeat.lost is not None)
    assert stub.beats > 10


def test_the_log_is_sent_only_when_it_has_grown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\n")
    stub = StoreStub()
    heartbeat = Heartbeat(stub, "0" * 32, log_path=log)
    heartbeat.beat()
    heartbeat.beat()
    log.write_text("one\ntwo\n")
    heartbeat.beat()
    assert stub.tails == ["one\n", None, "one\ntwo\n"]


def test_a_long_log_is_cut_at_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    stub = StoreStub()
    Heartbeat(stub, "0" * 32, log_path=log).beat()
    tail = stub.tails[0]
    assert tail is not None and tail.startswith("line ") and tail.endswith("line 4999\n") and len(tail) <= 6000


def test_progress_survives_the_store(store: RunStore) -> None:
    run_id = store.create(SMALL).run_id
    progress = Progress("training", 3, 10, 4, 20, 123.5, 60.0, 1e9)
    store.heartbeat(run_id, progress)
    assert store.get(run_id).progress == progress
    json.dumps(progress.eta_seconds)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_passed_over(store: RunStore, tiny_dataset: Dataset, tmp_path: Path) -> None:
    from aquadash.training import checkpoint
    from aquadash.training.fit import fit

    run_id = store.create(SMALL).run_id

    class Keeper:
        def on_progress(self, progress: Progress) -> None:
            pass

        def on_epoch(self, state: checkpoint.Checkpoint) -> None:
            checkpoint.save(store, run_id, state)

    assert checkpoint.latest(store, run_id) is None
    fit(with_values(SMALL, {"training.epochs": 3}), tiny_dataset, listener=Keeper())
    newest = checkpoint.latest(store, run_id)
    assert newest is not None and newest.epoch == 3
    slot = store.artifact(run_id, "checkpoint/slot-1.npz")
    assert slot is not None
    slot.write_bytes(slot.read_bytes()[:1000])  # As if the worker had died while it wrote.
    older = checkpoint.latest(store, run_id)
    assert older is not None and older.epoch == 2
