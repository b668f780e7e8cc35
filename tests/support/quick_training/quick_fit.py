"""In the place of :mod:`aquadash.training.fit`: epochs of next to nothing, without TensorFlow.

Each epoch adds random numbers of the seed and the epoch to the weights. So a run that resumes from a checkpoint has the
same result as one without a break; a run that repeats or skips an epoch has another.
"""

import hashlib
import math
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.data import Dataset, Split
from aquadash.store import EpochRecord, Predictions, Progress, Stopped
from aquadash.training import worker
from aquadash.training.checkpoint import Checkpoint, Listener
from aquadash.training.schedules import EarlyStopping

BATCHES = 10
BATCH_SECONDS = 0.02

# The environment is described by TensorFlow's own words.
worker.describe_environment = lambda run, dataset: {"seed": run.config.seed}  # type: ignore[assignment]


def fit(
    config: RunConfig, dataset: Dataset, *, listener: Listener, resume_from: Checkpoint | None = None
) -> SimpleNamespace | None:
    """As the real one, with a result of the same fields; early stopping is left out."""
    state, stopped = resume_from, False
    try:
        while state is None or state.epoch < config.training.epochs:
            epoch = state.epoch + 1 if state else 1
            batch = 1
            while batch <= BATCHES:
                progress = Progress("training", epoch, config.training.epochs, batch, BATCHES)
                listener.on_progress(replace(progress, loss=1.6 / epoch, accuracy=1 - 0.8 / epoch))
                time.sleep(BATCH_SECONDS)
                if epoch == 1 or not _held(config):
                    batch += 1
            state = _after(state, config, dataset, epoch)
            listener.on_epoch(state)
    except Stopped:
        stopped = True
    if state is None:
        return None
    last = state.history[-1]
    return SimpleNamespace(
        model=SimpleNamespace(save=lambda path: Path(path).write_bytes(state.weights[0].tobytes())),
        history=state.history,
        kept_epoch=last.epoch,
        val_loss=last.val_loss,
        val_accuracy=last.val_accuracy,
        predictions=_predictions(dataset.test, state.weights[0]),
        validation_predictions=_predictions(dataset.train, state.weights[0]),
        ood_detector=None,
        stopped=stopped,
    )


def _held(config: RunConfig) -> bool:
    """Return whether a test holds this training, by ``tests.support.browser_pages.trainings_held``."""
    folder = settings.home() / "held"
    return folder.is_dir() and not (folder / hashlib.sha256(config.to_json().encode()).hexdigest()).exists()


def _after(state: Checkpoint | None, config: RunConfig, dataset: Dataset, epoch: int) -> Checkpoint:
    earlier = state.weights[0] if state else np.zeros(len(dataset.class_names))
    weights = earlier + np.random.default_rng((config.seed, epoch)).random(len(earlier))
    loss, accuracy = 1 / weights.sum(), 1 - math.exp(-weights.mean())
    record = EpochRecord(epoch, loss, accuracy, loss, accuracy, config.training.learning_rate, BATCHES * BATCH_SECONDS)
    return Checkpoint(
        weights=[weights],
        optimizer=[],
        best_weights=[],
        early_stopping=EarlyStopping(0),
        history=(*(state.history if state else ()), record),
        replay=None,
        config_json=config.to_json(),
        fingerprint=dataset.fingerprint,
    )


def _predictions(split: Split, weights: np.ndarray) -> Predictions:
    labels = split.labels.astype(np.int64)
    probabilities = np.tile((weights / weights.sum()).astype(np.float32), (len(labels), 1))
    return Predictions(np.arange(len(labels), dtype=np.int64), labels, probabilities)
