"""Train a run's model from its config; needs no store, process or page."""

import contextlib
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from aquadash.config import RunConfig, from_json
from aquadash.data import Dataset
from aquadash.errors import RunError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector
from aquadash.models.transfer import with_flip
from aquadash.store import EpochRecord, Predictions, Progress, Stopped
from aquadash.training.checkpoint import Checkpoint, Listener
from aquadash.training.epoch_loop import predict
from aquadash.training.faster import as_saved
from aquadash.training.hardware import device
from aquadash.training.out_of_distribution import detector
from aquadash.training.phases import loss_and_accuracy
from aquadash.training.trainer import Trainer


@dataclass(frozen=True, eq=False)
class FitResult:
    """The model with the kept weights, and its results."""

    model: keras.Model
    #: All complete epochs, those before a resume too.
    history: tuple[EpochRecord, ...]
    #: The epoch whose weights the model has.
    kept_epoch: int
    val_loss: float
    #: 0 to 1.
    val_accuracy: float
    #: On the test split.
    predictions: Predictions
    #: On the validation images.
    validation_predictions: Predictions
    #: None where :func:`~aquadash.training.out_of_distribution.detector` makes none.
    ood_detector: OutOfDistributionDetector | None
    #: True when the listener raised ``Stopped``.
    stopped: bool


def fit(
    config: RunConfig, dataset: Dataset, *, listener: Listener, resume_from: Checkpoint | None = None
) -> FitResult | None:
    """Train as the config says, or resume from a checkpoint; return None if stopped before an epoch was complete.

    The same config and data give the same numbers bit by bit, with or without a break, on the same machine and library
    versions; other processors or thread counts sum in another order and differ in the last digits.

    Raises:
        RunError: The checkpoint belongs to another config or other images.
    """
    # Configs are compared, not their texts: an older text lacks newer settings, which then have their defaults.
    if resume_from and from_json(resume_from.config_json) != config:
        raise RunError(
            "The checkpoint has other settings than this run, so the run cannot resume from it. Start a new run."
        )
    if resume_from and resume_from.fingerprint != dataset.fingerprint:
        raise RunError(
            f"The images of {dataset.title} have changed since this run was interrupted "
            f"(fingerprint {dataset.fingerprint[:12]}, was {resume_from.fingerprint[:12]}). Restore the old images, or "
            "start a new run."
        )
    tf.config.experimental.enable_op_determinism()

    def preparing(what: str, fraction: float | None = None) -> None:
        phase = what if fraction is None else f"{what}, {fraction:.0%}"
        epoch = state.epoch if state else 0
        listener.on_progress(Progress(phase, epoch, config.training.epochs))

    state = resume_from
    trainer: Trainer | None = None
    stopped = False
    with device(config.training):
        try:
            trainer = Trainer(config, dataset, listener, preparing)
            if state:
                trainer.restore(state)
            while state is None or (state.epoch < config.training.epochs and not state.early_stopping.should_stop):
                state = trainer.train_one_epoch(state)
                listener.on_epoch(state)
        except Stopped:
            stopped = True
        finally:
            if trainer:
                trainer.close()
        return _result(config, dataset, trainer, state, stopped, listener) if state and trainer else None


def _result(
    config: RunConfig, dataset: Dataset, trainer: Trainer, state: Checkpoint, stopped: bool, listener: Listener
) -> FitResult:
    """Restore the weights to keep, and predict the test split and the validation images with them."""

    def begin(what: str) -> None:
        # All epochs are complete, so a stop request no longer saves anything.
        with contextlib.suppress(Stopped):
            listener.on_progress(Progress(what, state.epoch, config.training.epochs, eta_seconds=0.0))

    restore = config.training.restore_best_weights
    kept_epoch = state.early_stopping.best_epoch if restore and state.early_stopping.best_epoch else state.epoch
    trainer.keep(state, state.best_weights if restore else state.weights)
    as_saved(trainer.model)
    model = with_flip(trainer.model) if config.model.test_time_flip else trainer.model
    data, test = trainer.data, dataset.test
    begin("classifying the test images")
    predictions = Predictions(
        np.arange(len(test), dtype=np.int64), test.labels.astype(np.int64), predict(model, test.images)
    )
    begin("classifying the validation images")
    y_true, y_prob = data.validation_labels.astype(np.int64), predict(model, data.validation_images)
    kept = next(record for record in state.history if record.epoch == kept_epoch)
    val_loss, val_accuracy = kept.val_loss, kept.val_accuracy
    if config.model.test_time_flip:  # The epoch's record is of the model without flip averaging.
        val_loss, val_accuracy = loss_and_accuracy(y_true, y_prob)
    begin("learning to detect unknown images")
    return FitResult(
        model=model,
        history=state.history,
        kept_epoch=kept_epoch,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        predictions=predictions,
        validation_predictions=Predictions(data.validation_indices, y_true, y_prob),
        ood_detector=detector(trainer.model, data),
        stopped=stopped,
    )
