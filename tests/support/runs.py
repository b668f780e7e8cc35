"""Runs for tests, in every state in which the app leaves them: ``make_run`` stores one, ``run_record`` stores none."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.people import OWNER, Person
from aquadash.store import EpochRecord, Predictions, Progress, Run, RunStatus, RunStore
from aquadash.store.artifacts import CONFIG
from aquadash.store.runs import new_run
from aquadash.training.prepare import report_validation_images
from tests.support import live_runs

HOSTILE = "<img src=x onerror=alert(1)> **bold** $x$ :red[no] [link](http://example.org)"
CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")
BEAVER, OTTER, SEAL = 0, 2, 3

#: Complete epochs of a run with that status.
_EPOCHS = {RunStatus.FINISHED: 6, RunStatus.STOPPED: 6, RunStatus.RUNNING: 3, RunStatus.INTERRUPTED: 3}


def run_record(name: str = "one", settings: Mapping[str, Any] | None = None, **values: Any) -> Run:
    """Return a finished run that is in no store, with these settings, by dotted name, and these attributes."""
    defaults: dict[str, Any] = {"status": RunStatus.FINISHED, "created_at": 1_750_000_000.0, **values}
    defaults.setdefault("run_id", f"{abs(hash(name)) % 16**8:08x}".ljust(32, "0"))
    return Run(name=name, config=with_values(RunConfig(), settings or {}), **defaults)


def make_run(
    store: RunStore,
    name: str = "mine",
    settings: RunConfig | Mapping[str, Any] | None = None,
    *,
    status: RunStatus = RunStatus.FINISHED,
    history: int | Sequence[EpochRecord] | None = None,
    predictions: Mapping[str, Predictions] | None = None,
    owner: Person = OWNER,
    **values: Any,
) -> Run:
    """Store a run; no engine trains a queued one.

    Args:
        store: The store.
        name: The name.
        settings: The settings, or those that differ from the defaults by dotted name.
        status: The status. A queued or running run has a job; a finished or stopped one with epochs has results.
        history: The complete epochs, or their number.
        predictions: The predictions by split, "test" and perhaps "validation"; :func:`with_mistakes` by default.
        owner: The person who submitted it.
        values: Other attributes of the run.
    """
    config = settings if isinstance(settings, RunConfig) else with_values(RunConfig(), settings or {})
    history = _EPOCHS.get(status, 0) if history is None else history
    run = new_run(config, name=name, owner=owner)
    store.add_text_artifact(run.run_id, CONFIG, config.to_json())
    if status.ended:
        store.add(replace(run, status=status, started_at=run.created_at, ended_at=time.time(), worker=live_runs.WORKER))
    else:
        store.add(run)
        live_runs.queue(store, run.run_id)
    has_results = status in (RunStatus.FINISHED, RunStatus.STOPPED) and history != 0
    columns: dict[str, Any] = {}
    if has_results or status is RunStatus.RUNNING:
        dataset = data.load(config.data.source if data.is_here(config.data.source) else "synthetic")
        columns = {"class_names": dataset.class_names, "dataset_fingerprint": dataset.fingerprint}
    accuracy = 0.6
    if has_results:
        predictions = predictions or with_mistakes(config.data.source)
        store.add_predictions(run.run_id, predictions["test"])
        if "validation" in predictions:
            store.add_validation_predictions(run.run_id, predictions["validation"])
        is_right = predictions["test"].probabilities.argmax(axis=1) == predictions["test"].labels
        accuracy = float(is_right.mean())
    records = epochs(history, accuracy=accuracy) if isinstance(history, int) else list(history)
    if has_results:
        figures = {"test_accuracy": accuracy, "test_loss": 1.1, "val_accuracy": accuracy, "val_loss": 1.0}
        if config.training.validation == "test":
            figures["unseen_test_accuracy"] = float(is_right[report_validation_images(len(is_right)) :].mean())
        count = len(records)
        columns["metrics"] = {**figures, "epochs": count, "best_epoch": max(1, count - 1), "seconds": 2.0 * count}
    if records:
        store.log_epoch(run.run_id, *records, curve=[record.val_accuracy for record in records])
    if status is RunStatus.RUNNING:
        place = ("training", len(records) + 1, config.training.epochs, 210, 391)
        progress = Progress(*place, images_per_second=5210.4, eta_seconds=230.0, time=time.time())
        live_runs.report(store, live_runs.start(store, run.run_id), progress, log_tail="epoch 3: loss 0.9\n")
    if columns or values:
        store.update(run.run_id, **{**columns, **values})
    return store.get(run.run_id)


def three_runs(store: RunStore) -> tuple[Run, Run, Run]:
    """Store runs of growing accuracy: two that differ in the seed, and one with another optimizer."""
    return (
        make_run(store, "one", {"seed": 1}, predictions=skilled(0.5)),
        make_run(store, "two", {"seed": 2}, predictions=skilled(0.7)),
        make_run(store, "three", {"training.optimizer": "adam"}, predictions=skilled(0.8)),
    )


def epochs(count: int, *, accuracy: float = 0.6) -> list[EpochRecord]:
    """Return epochs of two seconds whose validation loss falls until the last but one."""
    records = []
    for epoch in range(1, count + 1):
        val_loss = 1.6 / epoch if epoch < count else 1.7 / max(count - 1, 1)
        records.append(
            EpochRecord(epoch, 1.5 / epoch, 1 - 0.8 / epoch, val_loss, accuracy * epoch / count, 0.01, seconds=2.0)
        )
    return records


def without_seconds(history: Iterable[EpochRecord]) -> list[EpochRecord]:
    """Return the epochs without their durations, which differ between equal trainings."""
    return [replace(record, seconds=0.0) for record in history]


def with_mistakes(source: str = "synthetic") -> dict[str, Predictions]:
    """Return predictions that call every fourth otter (class 2) a seal (3), and every tenth image a beaver (0)."""
    dataset = data.load(source if data.is_here(source) else "synthetic")
    labels = dataset.test.labels
    predicted = labels.copy()
    predicted[::10] = BEAVER
    predicted[np.flatnonzero(labels == OTTER)[::4]] = SEAL
    confidence = np.linspace(0.4, 0.96, len(labels), dtype=np.float32)
    num_classes = len(dataset.class_names)
    probabilities = np.repeat(((1 - confidence) / (num_classes - 1))[:, None], num_classes, axis=1)
    probabilities[np.arange(len(labels)), predicted] = confidence
    return {"test": Predictions(np.arange(len(labels)), labels, probabilities)}


def skilled(accuracy: float, *, seed: int = 0) -> dict[str, Predictions]:
    """Return predictions of the drawn animals with this accuracy, where all seeds mostly get the same images right."""
    dataset = data.load("synthetic")
    random = np.random.default_rng(seed)

    def predictions(labels: np.ndarray, split: int) -> Predictions:
        difficulty = np.random.default_rng(split).random(len(labels)) + 0.3 * random.normal(size=len(labels))
        is_right = difficulty <= np.quantile(difficulty, accuracy)
        predicted = np.where(is_right, labels, (labels + random.integers(1, 5, len(labels))) % 5)
        probabilities = np.full((len(labels), 5), 0.05, np.float32)
        probabilities[np.arange(len(labels)), predicted] = 0.8
        return Predictions(np.arange(len(labels)), labels, probabilities)

    return {"test": predictions(dataset.test.labels, 1), "validation": predictions(dataset.train.labels[:375], 2)}


def too_confident(labels: np.ndarray, *, seed: int) -> Predictions:
    """Return predictions that are too confident, and more often right than not."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(len(labels), 5))
    scores[np.arange(len(labels)), labels] += 1.3
    odds = np.exp(2.5 * (scores - scores.max(axis=1, keepdims=True)))
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    return Predictions(np.arange(len(labels)), labels, probabilities)
