"""Made-up runs in great number, to see how AquaDash does with a well-filled store. They were never trained.

They are written in few large batches: a run of 100 epochs takes a tenth of a second instead of a whole one.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aquadash.config import RunConfig, flatten, with_values
from aquadash.runs import tags as tag
from aquadash.runs.artifacts import RunArtifacts
from aquadash.runs.connection import storage_errors
from aquadash.runs.reading import EPOCH_METRICS
from aquadash.runs.types import Predictions, RunStatus

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from aquadash.runs.store import RunStore

#: What :attr:`Run.origin` says of such a run.
ORIGIN = "generated"

CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")
_TEST_IMAGES = 500
_TAGS = ("baseline", "flip", "too-slow", "for-the-poster", "week-2")
_SEEDS = 5
#: How far apart the made-up runs were created, in seconds.
_APART = 1200.0


#: As many as MLflow takes in one call.
_METRICS_A_CALL = 1000


@dataclass(frozen=True)
class _Figures:
    """The made-up course of a training: arrays of one number an epoch, and the final figures."""

    columns: dict[str, np.ndarray]
    metrics: dict[str, float]


def generate_runs(
    store: RunStore,
    *,
    runs: int = 1000,
    epochs: int = 100,
    predicted: int = 50,
    seed: int = 0,
    progress: Callable[[str, float | None], None] | None = None,
) -> list[str]:
    """Write runs with varied settings, five seeds of each, most finished, some stopped or failed.

    Args:
        store: Where to.
        runs: How many.
        epochs: Epochs of each.
        predicted: How many of them, the newest, get predictions of 500 test images.
        seed: Decides everything but the ids.
        progress: Told what is done, and how much of it, 0 to 1.

    Returns:
        The ids, oldest first.
    """
    random = np.random.default_rng(seed)
    newest = time.time() - 3600.0
    ids = []
    for number in range(runs):
        created = newest - (runs - 1 - number) * _APART
        ids.append(_add(store, number, epochs, created, random, predicted=number >= runs - predicted))
        if progress is not None:
            progress("Writing runs", (number + 1) / runs)
    return ids


def _add(
    store: RunStore, number: int, epochs: int, created: float, random: np.random.Generator, *, predicted: bool
) -> str:
    config = _config(number)
    figures = _figures(config, epochs, random)
    status = _status(number)
    ended = created + float(figures.metrics["seconds"])
    labels, probabilities = _predictions(random, figures.metrics["test_accuracy"])
    right = float((probabilities.argmax(axis=1) == labels).mean())
    metrics = figures.metrics | {"test_accuracy": right} if status is RunStatus.FINISHED else {}
    values: dict[str, Any] = {
        tag.STATUS: status,
        **tag.config_tags(config),
        tag.CREATED: repr(created),
        tag.QUEUED: repr(created),
        tag.STARTED: repr(created),
        tag.ENDED: repr(ended),
        tag.CLASS_NAMES: json.dumps(CLASSES),
        tag.FINGERPRINT: "f" * 64,
        tag.METRICS: json.dumps(metrics),
        tag.CURVE: json.dumps(tag.thin(figures.columns["val_accuracy"].tolist())),
        tag.WORKER: json.dumps({"host": "generated", "pid": 1}),
        tag.ORIGIN: ORIGIN,
    }
    if metrics:
        values[tag.TEST_IMAGES] = _TEST_IMAGES
    for name in (name for position, name in enumerate(_TAGS) if number % (position + 3) == 0):
        values[tag.LABEL + name] = "1"
    if number % 10 == 0:
        values[tag.NOTE] = f"Run **{number}**: the learning rate is _{config.training.learning_rate}_."
    if number % 97 == 0:
        values[tag.PINNED] = "1"
    if number % 25 == 24:
        values[tag.ARCHIVED] = "1"
    name = f"{config.augmentation.pipeline} {config.training.optimizer} {number:04d}"
    client = store._client
    with storage_errors("store the new run"):
        milliseconds = int(created * 1000)
        run_id: str = client.create_run(
            store._experiment_id,
            start_time=milliseconds,
            tags={key: str(value) for key, value in values.items()},
            run_name=name,
        ).info.run_id
        _write_numbers(client, run_id, config, figures.columns, metrics, begun=milliseconds)
        client.set_terminated(
            run_id, status="FINISHED" if status is RunStatus.FINISHED else "KILLED", end_time=int(ended * 1000)
        )
    if predicted and metrics:
        RunArtifacts.add_predictions(store, run_id, Predictions(np.arange(_TEST_IMAGES), labels, probabilities))
    store.jobs.run_changed(run_id)
    return run_id


def _write_numbers(
    client: MlflowClient,
    run_id: str,
    config: RunConfig,
    columns: Mapping[str, np.ndarray],
    metrics: Mapping[str, float],
    *,
    begun: int,
) -> None:
    """Write the settings and every number of the curves."""
    from mlflow.entities import Metric, Param

    points = [
        Metric(name, float(value), begun + 1000 * epoch, epoch)
        for name, numbers in columns.items()
        for epoch, value in enumerate(numbers, start=1)
    ]
    points += [Metric(f"final_{name}", float(value), begun, 0) for name, value in metrics.items()]
    for start in range(0, len(points), _METRICS_A_CALL):
        client.log_batch(run_id, metrics=points[start : start + _METRICS_A_CALL], synchronous=True)
    client.log_batch(run_id, params=[Param(name, value) for name, value in tag.parameters(config).items()])


def _config(number: int) -> RunConfig:
    """Five runs in a row differ in the seed only."""
    setting = number // _SEEDS
    pick = np.random.default_rng(setting)
    return with_values(
        RunConfig(),
        {
            "seed": number % _SEEDS,
            "augmentation.pipeline": str(pick.choice(["none", "notebook", "notebook-1", "notebook-2", "notebook-4"])),
            "model.dropout": float(pick.choice([0.2, 0.3, 0.5])),
            "training.optimizer": str(pick.choice(["sgd", "momentum", "adam", "adamw"])),
            "training.learning_rate": float(pick.choice([0.03, 0.01, 0.003, 0.001])),
            "training.batch_size": int(pick.choice([16, 32, 64, 128])),
            "training.patience": int(pick.choice([0, 5, 10])),
        },
    )


def _status(number: int) -> RunStatus:
    if number % 40 == 39:
        return RunStatus.FAILED
    return RunStatus.STOPPED if number % 20 == 19 else RunStatus.FINISHED


def _figures(config: RunConfig, epochs: int, random: np.random.Generator) -> _Figures:
    """Curves as trainings have them: a rise that slows down, and a validation loss that turns."""
    settings = {name: value for name, value in flatten(config).items() if name != "seed"}
    top = 0.45 + 0.35 * (_share(json.dumps(settings, default=str)))
    pace = 4.0 + 30.0 * config.training.learning_rate**0.3
    epoch = np.arange(1, epochs + 1)
    rise = 1.0 - np.exp(-epoch / pace)
    noise = random.normal(0.0, 0.012, epochs)
    val_accuracy = np.clip(0.2 + (top - 0.2) * rise + noise + random.normal(0.0, 0.015), 0.0, 1.0)
    accuracy = np.clip(0.2 + (min(1.0, top + 0.15) - 0.2) * rise, 0.0, 1.0)
    loss = -np.log(np.clip(accuracy, 0.05, 0.999))
    val_loss = -np.log(np.clip(val_accuracy, 0.05, 0.999)) + 0.3 * (epoch / epochs) ** 2
    columns = dict(
        zip(
            EPOCH_METRICS,
            (
                loss,
                accuracy,
                val_loss,
                val_accuracy,
                np.full(epochs, config.training.learning_rate),
                np.full(epochs, 2.0),
            ),
            strict=True,
        )
    )
    best = int(val_loss.argmin())
    metrics = {
        "best_epoch": best + 1.0,
        "val_loss": float(val_loss[best]),
        "val_accuracy": float(val_accuracy[best]),
        "epochs": float(epochs),
        "seconds": 2.0 * epochs,
        "test_accuracy": float(np.clip(val_accuracy[best] - 0.01, 0.0, 1.0)),
        "test_loss": float(val_loss[best]) + 0.02,
    }
    return _Figures(columns, metrics)


def _predictions(random: np.random.Generator, accuracy: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels of shape (500,) and probabilities of shape (500, 5) that are right as often as asked, give or take."""
    labels = np.repeat(np.arange(len(CLASSES)), _TEST_IMAGES // len(CLASSES))
    right = random.random(_TEST_IMAGES) < accuracy
    answers = np.where(right, labels, (labels + random.integers(1, len(CLASSES), _TEST_IMAGES)) % len(CLASSES))
    sure = random.uniform(0.4, 0.95, _TEST_IMAGES).astype(np.float32)
    probabilities = np.repeat(((1.0 - sure) / (len(CLASSES) - 1))[:, None], len(CLASSES), axis=1).astype(np.float32)
    probabilities[np.arange(_TEST_IMAGES), answers] = sure
    return labels, probabilities


def _share(text: str) -> float:
    """A number from 0 to 1 that follows from the text."""
    return math.modf(sum(ord(char) * (position + 1) for position, char in enumerate(text)) / 97.3)[0]
