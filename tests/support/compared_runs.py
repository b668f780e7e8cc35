"""Runs to hold side by side: on the drawn animals, with predictions of test and validation images."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.store import EpochRecord, Predictions, Run, RunStatus, RunStore, Worker
from tests.support.made_runs import create, set_status, start


def keras_file(path: Path, parameters: int, *, scale: float = 1.0) -> Path:
    """A file that holds so many numbers where Keras keeps them, 0, ``scale`` and so on, and some that do not count."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/dense/vars/0"] = np.arange(parameters - 2, dtype=np.float32) * scale
        file["layers/dense/vars/1"] = np.zeros(2, np.float32)
        file["layers/dropout/seed_generator/vars/0"] = np.zeros(2)
        file["optimizer/vars/0"] = np.random.default_rng().random(7)
    layers = [
        {"module": "keras.layers", "class_name": kind, "config": {}} for kind in ("InputLayer", "Dropout", "Dense")
    ]
    layers[0]["config"] = {"batch_shape": [None, 32, 32, 3]}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return path


def add_compared(
    store: RunStore,
    name: str,
    changes: Mapping[str, Any] | None = None,
    *,
    skill: float,
    seed: int,
    epochs: int = 6,
    validation: bool = True,
    folder: Path | None = None,
) -> Run:
    """Store a finished run with about ``skill`` of the images right, mostly the same easy ones in all runs.

    Its epochs took two seconds each; with ``folder`` it has a network of 1,000 parameters times ``seed + 1``.
    """
    dataset = data.load("synthetic")
    random = np.random.default_rng(seed)

    def answers(labels: np.ndarray, order: int) -> Predictions:
        difficulty = np.random.default_rng(order).random(len(labels)) + 0.3 * random.normal(size=len(labels))
        right = difficulty <= np.quantile(difficulty, skill)
        said = np.where(right, labels, (labels + random.integers(1, 5, len(labels))) % 5)
        shares = np.full((len(labels), 5), 0.05, np.float32)
        shares[np.arange(len(labels)), said] = 0.8
        return Predictions(np.arange(len(labels)), labels, shares)

    run = create(store, with_values(RunConfig(), changes or {}), name=name)
    start(store, run.run_id, Worker("here", 1))
    store.update(run.run_id, class_names=dataset.class_names, dataset_fingerprint=dataset.fingerprint)
    history = []
    for epoch in range(1, epochs + 1):
        reached = skill * epoch / epochs
        history.append(EpochRecord(epoch, 1.5 - reached, reached, 1.6 - reached, reached, 0.01, 2.0))
    store.log_epoch(run.run_id, *history, curve=[each.val_accuracy for each in history])
    tested = answers(dataset.test.labels, 1)
    store.add_predictions(run.run_id, tested)
    if validation:
        store.add_validation_predictions(run.run_id, answers(dataset.train.labels[:375], 2))
    if folder is not None:
        folder.mkdir(exist_ok=True)
        store.add_artifact(run.run_id, keras_file(folder / "model.keras", 1000 * (seed + 1)))
    accuracy = float((tested.probabilities.argmax(axis=1) == tested.labels).mean())
    figures = {"test_accuracy": accuracy, "test_loss": 0.8, "val_accuracy": skill, "val_loss": 0.8}
    store.update(run.run_id, metrics={**figures, "epochs": epochs, "best_epoch": epochs, "seconds": 2.0 * epochs})
    set_status(store, run.run_id, RunStatus.FINISHED)
    return store.get(run.run_id)
