"""Runs in every status, written straight into the store: what tests of pages look at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from aquadash.config import RunConfig, with_values
from aquadash.runs import EpochRecord, Guess, Predictions, Progress, Run, RunStatus, RunStore, Worker

CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")
WORKER = Worker("test-host", 999_999)


def queued(store: RunStore, name: str, changes: Mapping[str, Any] | None = None) -> Run:
    """A run that waits."""
    # Queued by another machine, so that no engine of this one adopts it and trains in earnest.
    return store.create(with_values(RunConfig(), changes or {}), name=name, queued_by=WORKER)


def running(
    store: RunStore, name: str, changes: Mapping[str, Any] | None = None, *, epochs: int = 3, silent_for: float = 0.0
) -> Run:
    """A run in the middle of an epoch, after complete ones; no sign of life for ``silent_for`` seconds."""
    run = queued(store, name, changes)
    store.start(run.run_id, WORKER)
    if silent_for:
        # ``start`` counts as a sign of life, too.
        store._set(run.run_id, "age the run", {"aquadash.started_at": repr(time.time() - silent_for - 1)})
    store.set_dataset(run.run_id, class_names=CLASSES, fingerprint="f" * 64)
    log_epochs(store, run.run_id, epochs)
    progress = training_progress(run, epoch=epochs + 1, silent_for=silent_for)
    store.heartbeat(run.run_id, progress, log_tail="epoch 3: loss 0.9\n")
    return store.get(run.run_id)


def training_progress(run: Run, *, epoch: int, silent_for: float = 0.0) -> Progress:
    """A sign of life from the middle of an epoch."""
    return Progress(
        "training",
        epoch=epoch,
        epochs=run.config.training.epochs,
        batch=210,
        batches=391,
        images_per_second=5210.4,
        eta_seconds=230.0,
        time=time.time() - silent_for,
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
    store.start(run.run_id, WORKER)
    store.set_dataset(run.run_id, class_names=CLASSES, fingerprint=fingerprint)
    log_epochs(store, run.run_id, epochs)
    labels = np.repeat(np.arange(5), 100)
    correct = np.random.default_rng(seed).random(500) < right
    predicted = np.where(correct, labels, (labels + 1) % 5)
    probabilities = np.full((500, 5), 0.1, np.float32)
    probabilities[np.arange(500), predicted] = 0.6
    store.add_predictions(run.run_id, Predictions(np.arange(500), labels, probabilities))
    store.set_metrics(
        run.run_id,
        {
            "epochs": epochs,
            "best_epoch": max(1, epochs - 1),
            "val_loss": 1.0,
            "val_accuracy": 0.58,
            "seconds": 2.0 * epochs,
            "test_accuracy": float(correct.mean()),
            "test_loss": 1.1,
        },
    )
    store.set_status(run.run_id, status)
    return store.get(run.run_id)


def ended(store: RunStore, name: str, status: RunStatus, *, message: str = "", epochs: int = 0) -> Run:
    """A run that ended without results."""
    run = queued(store, name)
    store.start(run.run_id, WORKER)
    log_epochs(store, run.run_id, epochs)
    store.set_status(run.run_id, status, message=message)
    return store.get(run.run_id)


def log_epochs(store: RunStore, run_id: str, epochs: int) -> None:
    """Epochs whose validation loss falls but for the last one."""
    curve: list[float] = []
    for epoch in range(1, epochs + 1):
        val_loss = 1.6 / epoch if epoch < epochs else 1.7 / max(epochs - 1, 1)
        record = EpochRecord(epoch, 1.5 / epoch, 1 - 0.8 / epoch, val_loss, 1 - 0.9 / (epoch + 1), 0.01, 2.0)
        curve.append(record.val_accuracy)
        store.log_epoch(run_id, record, curve=curve)
