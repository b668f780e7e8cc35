"""The phases of a run: a pretrained network may first train its head on cached features, then thaw some of the body."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from aquadash import models
from aquadash.config import RunConfig
from aquadash.data.progress import ProgressCallback
from aquadash.files import file_digest
from aquadash.models import transfer
from aquadash.training.epoch_loop import EpochLoop, ParameterGroup
from aquadash.training.losses import Losses
from aquadash.training.optimizers import build_optimizer


@dataclass(frozen=True)
class Phase:
    """Epochs that train the same weights."""

    #: True when only the head learns, from the body's features.
    on_features: bool
    #: False when another phase follows; early stopping counts in the last phase only.
    is_last: bool


def phase_of(config: RunConfig, epoch: int) -> Phase:
    """Return the phase of an epoch, from 1."""
    training = config.training
    if not models.model_entry(config.model.name).pretrained:
        return Phase(on_features=False, is_last=True)
    if config.model.fine_tuning == "head":
        return Phase(on_features=True, is_last=True)
    if epoch <= training.head_epochs:
        return Phase(on_features=True, is_last=training.head_epochs >= training.epochs)
    return Phase(on_features=False, is_last=True)


def build_loop(config: RunConfig, model: keras.Model, losses: Losses, phase: Phase) -> EpochLoop:
    """Build the training loop of a phase with new optimizers."""
    batch_size = config.training.batch_size
    pieces = transfer.parts(model)
    if pieces is None:
        group = ParameterGroup(build_optimizer(config.training), model.trainable_variables)
        return EpochLoop(model, [group], losses, batch_size=batch_size)
    head = ParameterGroup(build_optimizer(config.training), pieces.head.trainable_variables)
    if phase.on_features:
        return EpochLoop(pieces.head, [head], losses, batch_size=batch_size)
    models.thaw(model, config.model)
    body = ParameterGroup(
        build_optimizer(config.training), pieces.body.trainable_variables, factor=config.training.body_learning_rate
    )
    return EpochLoop(model, [body, head], losses, batch_size=batch_size)


def load_pretrained(config: RunConfig, model: keras.Model, progress: ProgressCallback) -> str:
    """Load the body's pretrained weights, if any; return a text that identifies them."""
    entry = models.model_entry(config.model.name)
    if entry.weights is None or entry.load is None:
        return ""
    path = entry.weights(config.model).fetch(progress)
    entry.load(model.get_layer(transfer.BODY), path)
    return f"{config.model.name} {config.model.input_size} {file_digest(path)}"


def loss_and_accuracy(
    labels: NDArray[np.integer[Any]], probabilities: NDArray[np.floating[Any]]
) -> tuple[float, float]:
    """Return the mean cross-entropy in nats, and the accuracy."""
    losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    return float(np.mean(losses)), float(np.mean(probabilities.argmax(axis=1) == labels))
