"""Runs in every status, as training leaves them: what tests of pages look at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.config import RunConfig, with_values
from aquadash.store import EpochRecord, Guess, Predictions, Progress, Run, RunStatus, RunStore
from tests.support import live_runs
from tests.support.made_runs import create, set_status

CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")


def queued(store: RunStore, name: str, changes: Mapping[str, Any] | None = None) -> Run:
    """A run that waits."""
    return live_runs.queue(store, create(store, with_values(RunConfig(), changes or {}), name=name).run_id)


def running(store: RunStore, name: str, changes: Mapping[str, Any] | None = None, *, epochs: int = 3) -> Run:
    """A run in the middle of an epoch, after complete ones."""
    run = queued(store, name, changes)
    job = live_runs.start(store, run.run_id)
    store.update(run.run_id, class_names=CLASSES, dataset_fingerprint="f" * 64)
    log_epochs(store, run.run_id, epochs)
    live_runs.report(store, job, training_progress(run, epoch=epochs + 1), log_tail="epoch 3: loss 0.9\n")
    return store.get(run.run_id)


def interrupted(store: RunStore, name: str, *, epochs: int = 3) -> Run:
    """A run that was cut off after complete epochs and has no job, as one that came from another home."""
    run = create(store, RunConfig(), name=name)
    log_epochs(store, run.run_id, epochs)
    set_status(store, run.run_id, RunStatus.INTERRUPTED)
    return store.get(run.run_id)


def training_progress(run: Run, *, epoch: int) -> Progress:
    """A report from the middle of an epoch."""
    return Progress(
        "training",
        epoch=epoch,
        epochs=run.config.training.epochs,
        batch=210,
        batches=391,
        images_per_second=5210.4,
        eta_seconds=230.0,
        time=time.time(),
    )


def finished(
    store: RunStore,
    name: str,
    changes: Mapping[str, Any] | None = None,
    *,
    epochs: int = 6,
    right: float = 0.6,
    seed: int = 0,
    fingerprint: str = "f" * 64,
    status: RunStatus = RunStatus.FINISHED,
    guess: Guess | None = None,
) -> Run:
    """A run with results: a share ``right`` of 500 test images is predicted correctly."""
    run = queued(store, name, changes)
    if guess is not None:
        store.set_guess(run.run_id, guess)
    job = live_runs.start(store, run.run_id)
    store.update(run.run_id, class_names=CLASSES, dataset_fingerprint=fingerprint)
    log_epochs(store, run.run_id, epochs)
    tested = predictions(np.repeat(np.arange(5), 100), right, seed=seed)
    store.add_predictions(run.run_id, tested)
    store.update(
        run.run_id,
        metrics={
            "epochs": epochs,
            "best_epoch": max(1, epochs - 1),
            "val_loss": 1.0,
            "val_accuracy": 0.58,
            "seconds": 2.0 * epochs,
            "test_accuracy": float((tested.probabilities.argmax(axis=1) == tested.labels).mean()),
            "test_loss": 1.1,
        },
    )
    return live_runs.end(store, job, status)


def predictions(labels: NDArray[np.int64], right: float, *, seed: int = 0) -> Predictions:
    """Of images of five classes; a share is right, the others are taken for the next class."""
    # One draw for all shares: what a weaker run has right, a stronger one has, too.
    correct = np.random.default_rng(seed).random(len(labels)) < right
    predicted = np.where(correct, labels, (labels + 1) % 5)
    probabilities = np.full((len(labels), 5), 0.1, np.float32)
    probabilities[np.arange(len(labels)), predicted] = 0.6
    return Predictions(np.arange(len(labels)), labels, probabilities)


def ended(store: RunStore, name: str, status: RunStatus, *, message: str = "", epochs: int = 0) -> Run:
    """A run that ended without results."""
    job = live_runs.start(store, queued(store, name).run_id)
    log_epochs(store, job.run, epochs)
    return live_runs.end(store, job, status, message=message)


def resumed_and_failed(store: RunStore, name: str) -> Run:
    """A run that was stopped after six epochs, and failed two epochs after it was resumed."""
    run = finished(store, name, status=RunStatus.STOPPED)
    job = live_runs.start(store, live_runs.queue(store, run.run_id).run_id)
    records = [EpochRecord(epoch, 0.5, 0.7, 0.6, 0.6, 0.01, 2.0) for epoch in (7, 8)]
    store.log_epoch(run.run_id, *records, curve=[0.6] * 8)
    return live_runs.end(store, job, RunStatus.FAILED)


def log_epochs(store: RunStore, run_id: str, epochs: int) -> None:
    """Epochs whose validation loss falls but for the last one."""
    records = []
    for epoch in range(1, epochs + 1):
        val_loss = 1.6 / epoch if epoch < epochs else 1.7 / max(epochs - 1, 1)
        records.append(EpochRecord(epoch, 1.5 / epoch, 1 - 0.8 / epoch, val_loss, 1 - 0.9 / (epoch + 1), 0.01, 2.0))
    if records:
        store.log_epoch(run_id, *records, curve=[record.val_accuracy for record in records])
