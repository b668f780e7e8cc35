"""Stored runs for the tests of pages: written straight into the store, with predictions that are made up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from aquadash import data, people
from aquadash.config import RunConfig, with_values
from aquadash.people import Person
from aquadash.store import EpochRecord, Predictions, Run, RunStatus, RunStore, Worker
from aquadash.training.prepare import report_validation_images
from aquadash.ui.kit import warmup
from tests.support.made_runs import create, set_status, start

OTTER, SEAL = 2, 3
HOSTILE = "<img src=x onerror=alert(1)> **bold** $x$ :red[no] [link](http://example.org)"


def add_run(
    store: RunStore,
    *,
    name: str = "mine",
    validation: str = "training",
    fingerprint: str | None = None,
    note: str = "",
    source: str = "synthetic",
    owner: Person = people.OWNER,
) -> Run:
    """Store a finished run: every fourth otter (class 2) is called seal (3), every tenth image beaver (0)."""
    dataset = data.load(source)
    config = with_values(RunConfig(), {"training.validation": validation, "data.source": source})
    run = create(store, config, name=name, owner=owner)
    start(store, run.run_id, Worker("here", 1))
    store.update(run.run_id, class_names=dataset.class_names, dataset_fingerprint=fingerprint or dataset.fingerprint)
    records = [
        EpochRecord(epoch, 1.5 - 0.1 * epoch, 0.3 + 0.05 * epoch, 1.5 - 0.05 * epoch, 0.3 + 0.04 * epoch, 0.01, 2.0)
        for epoch in range(1, 7)
    ]
    store.log_epoch(run.run_id, *records, curve=[records[-1].val_accuracy])
    labels = dataset.test.labels
    answers = labels.copy()
    answers[::10] = 0
    answers[np.flatnonzero(labels == OTTER)[::4]] = SEAL
    sure = np.linspace(0.4, 0.96, len(labels), dtype=np.float32)
    classes = len(dataset.class_names)
    probabilities = np.repeat(((1 - sure) / (classes - 1))[:, None], classes, axis=1)
    probabilities[np.arange(len(labels)), answers] = sure
    store.add_predictions(run.run_id, Predictions(np.arange(len(labels)), labels, probabilities))
    right = answers == labels
    metrics = {"test_accuracy": float(right.mean()), "test_loss": 1.0, "epochs": 6.0, "best_epoch": 6.0}
    if validation == "test":
        metrics["unseen_test_accuracy"] = float(right[report_validation_images(len(right)) :].mean())
    store.update(run.run_id, metrics=metrics)
    if note:
        store.set_note(run.run_id, note)
    set_status(store, run.run_id, RunStatus.FINISHED)
    return store.get(run.run_id)


def without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages start no engine, which would train what is queued."""
    monkeypatch.setattr(warmup, "start", lambda: None)


def without_seconds(history: Iterable[EpochRecord]) -> list[EpochRecord]:
    """What two trainings have in common: all but how long their epochs took."""
    return [replace(record, seconds=0.0) for record in history]
