"""Fill a home with made-up runs, to see and to measure how AquaDash does with many.

    python scripts/generate_runs.py --runs 1000 --epochs 100 --home /tmp/many-runs
    AQUADASH_HOME=/tmp/many-runs streamlit run app.py

The runs were never trained: settings, curves and some predictions are drawn, the same ones each time.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aquadash.config import RunConfig, flatten, with_values
from aquadash.data.progress import ProgressCallback, silent
from aquadash.store import EPOCH_METRICS, EpochRecord, Predictions, RunStatus, RunStore, open_store
from aquadash.store.runs import new_run, thin

CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")
_TEST_IMAGES = 500
_TAGS = ("baseline", "flip", "too-slow", "for-the-poster", "week-2")
_SEEDS = 5


def generate_runs(
    store: RunStore, *, runs: int = 1000, epochs: int = 100, predicted: int = 50, on_progress: ProgressCallback = silent
) -> list[str]:
    """Write runs with varied settings, five seeds of each, and return their ids; most are finished, some are not."""
    random = np.random.default_rng(0)
    newest = time.time() - 3600.0
    ids = []
    for number in range(runs):
        created = newest - (runs - 1 - number) * 1200.0
        ids.append(_add(store, number, epochs, created, random, predicted=number >= runs - predicted))
        on_progress("Writing runs", (number + 1) / runs)
    return ids


def _add(
    store: RunStore, number: int, epochs: int, created: float, random: np.random.Generator, *, predicted: bool
) -> str:
    config = _config(number)
    columns, metrics = _figures(config, epochs, random)
    ended = created + metrics["seconds"]
    labels, probabilities = _predictions(random, metrics["test_accuracy"])
    metrics["test_accuracy"] = float((probabilities.argmax(axis=1) == labels).mean())
    status = _status(number)
    if status is not RunStatus.FINISHED:
        metrics = {}
    run = replace(
        new_run(config, name=f"{config.augmentation.pipeline} {config.training.optimizer} {number:04d}"),
        status=status,
        created_at=created,
        queued_at=created,
        started_at=created,
        ended_at=ended,
        class_names=CLASSES,
        dataset_fingerprint="f" * 64,
        metrics=metrics,
        curve=tuple(thin(columns["val_accuracy"].tolist())),
        tags=tuple(sorted(name for position, name in enumerate(_TAGS) if number % (position + 3) == 0)),
        test_images=_TEST_IMAGES if metrics else None,
        note="" if number % 10 else f"Run **{number}**: the learning rate is _{config.training.learning_rate}_.",
        pinned=number % 97 == 0,
        archived=number % 25 == 24,
    )
    rows = zip(*(columns[name].tolist() for name in EPOCH_METRICS), strict=True)
    history = [EpochRecord(epoch, *row) for epoch, row in enumerate(rows, start=1)]
    run_id = store.add(run, history).run_id
    if predicted and metrics:
        store.add_predictions(run_id, Predictions(np.arange(_TEST_IMAGES), labels, probabilities))
    return run_id


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


def _figures(
    config: RunConfig, epochs: int, random: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return curves, one number an epoch, and final figures: accuracy rises ever slower, validation loss turns."""
    settings = json.dumps({name: value for name, value in flatten(config).items() if name != "seed"}, default=str)
    # A number from 0 to 1 that depends on the settings alone.
    quality = math.modf(sum(ord(letter) * place for place, letter in enumerate(settings, start=1)) / 97.3)[0]
    top = 0.45 + 0.35 * quality
    pace = 4.0 + 30.0 * config.training.learning_rate**0.3
    epoch = np.arange(1, epochs + 1)
    rise = 1.0 - np.exp(-epoch / pace)
    noise = random.normal(0.0, 0.012, epochs)
    val_accuracy = np.clip(0.2 + (top - 0.2) * rise + noise + random.normal(0.0, 0.015), 0.0, 1.0)
    accuracy = np.clip(0.2 + (min(1.0, top + 0.15) - 0.2) * rise, 0.0, 1.0)
    loss = -np.log(np.clip(accuracy, 0.05, 0.999))
    val_loss = -np.log(np.clip(val_accuracy, 0.05, 0.999)) + 0.3 * (epoch / epochs) ** 2
    learning_rate, seconds = np.full(epochs, config.training.learning_rate), np.full(epochs, 2.0)
    curves = (loss, accuracy, val_loss, val_accuracy, learning_rate, seconds)
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
    return dict(zip(EPOCH_METRICS, curves, strict=True)), metrics


def _predictions(random: np.random.Generator, accuracy: float) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (500,) and probabilities (500, 5) that have about this accuracy."""
    labels = np.repeat(np.arange(len(CLASSES)), _TEST_IMAGES // len(CLASSES))
    right = random.random(_TEST_IMAGES) < accuracy
    answers = np.where(right, labels, (labels + random.integers(1, len(CLASSES), _TEST_IMAGES)) % len(CLASSES))
    sure = random.uniform(0.4, 0.95, _TEST_IMAGES).astype(np.float32)
    probabilities = np.repeat(((1.0 - sure) / (len(CLASSES) - 1))[:, None], len(CLASSES), axis=1).astype(np.float32)
    probabilities[np.arange(_TEST_IMAGES), answers] = sure
    return labels, probabilities


@click.command()
@click.option("--runs", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many runs.")
@click.option("--epochs", type=click.IntRange(1, 2000), default=100, show_default=True, help="Epochs of each.")
@click.option("--predicted", type=click.IntRange(0), default=50, show_default=True, help="Runs with predictions.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="The AQUADASH_HOME.")
def main(runs: int, epochs: int, predicted: int, home: Path) -> None:
    """Fill a home with made-up runs."""
    from aquadash.cli.output import StatusLine

    os.environ["AQUADASH_HOME"] = str(home.resolve())
    began = time.monotonic()
    store = open_store()
    with StatusLine() as line:
        ids = generate_runs(store, runs=runs, epochs=epochs, predicted=predicted, on_progress=line.progress)
    click.echo(f"{len(ids):,} runs of {epochs} epochs in {home}, {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
