"""A training as a job: loads the data, trains, and stores the results with the run."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aquadash import data
from aquadash.config import AugmentationConfig
from aquadash.data import Dataset, cifar100
from aquadash.data.folder import about
from aquadash.errors import AquaDashError, RunError
from aquadash.evaluation import best_epoch, evaluate, stored_scores
from aquadash.store import EpochRecord, Progress, Run, RunStore, Stopped, open_store
from aquadash.store.artifacts import CHECKPOINTS, ENVIRONMENT, MODEL, OOD_DETECTOR
from aquadash.training import mlflow_log
from aquadash.training.hardware import describe_environment
from aquadash.training.prepare import report_validation_images
from aquadash.work.worker import JobContext

if TYPE_CHECKING:
    from aquadash.training.checkpoint import Checkpoint
    from aquadash.training.fit import FitResult

_log = logging.getLogger("aquadash.worker")


def prepare() -> None:
    """Import what a training needs and read the embedded images; TensorFlow must not run before the fork."""
    from aquadash import augment
    from aquadash.training import checkpoint, fit  # noqa: F401

    data.load("synthetic")
    mlflow_log.prepare()

    # The first use of these imports more libraries.
    augment.draw(np.zeros((1, 32, 32, 3), np.uint8), augment.plan(AugmentationConfig()), seed=0)
    evaluate([0, 1], [[1.0, 0.0], [0.0, 1.0]], class_names=["one", "other"])


def work(job: JobContext) -> dict[str, Any]:
    """Train a run to its end, from its last complete epoch if there is one; Stopped says what is kept."""
    store = open_store()
    store.database.check_there()
    try:
        with mlflow_log.mirrored(store, job.run) as mirror:
            return _train(store, job, mirror)
    except MemoryError as error:
        _log.exception("out of memory")
        raise RunError(
            "The machine ran out of memory. Choose a smaller batch size or fewer augmented copies."
        ) from error


def tidy_up(run_id: str) -> None:
    """Delete the checkpoints of a finished run: until it is finished, it can go on from them."""
    open_store().remove_artifacts(run_id, CHECKPOINTS)


def _train(store: RunStore, job: JobContext, mirror: Callable[[EpochRecord], object]) -> dict[str, Any]:
    run = store.get(job.run)
    epochs = run.config.training.epochs
    listener = StoreListener(store, job, mirror)
    try:
        listener.on_progress(Progress("loading the data", epochs=epochs))
        _log.info("run %s (%s): loading %s", run.run_id, run.name, run.config.data.source)
        dataset = data.load(run.config.data.source)
        # A run is bound to its own pictures from the start, to other images from its first epoch on.
        is_bound = run.config.data.source.startswith(about.PREFIX) or bool(store.history(run.run_id))
        if is_bound and run.dataset_fingerprint not in ("", dataset.fingerprint):
            # Check first: the update below overwrites the fingerprint of the images that it was trained on.
            raise RunError(
                f"The images of {dataset.title} have changed since this run was created. Restore the old images, or "
                "start a new run."
            )
        store.update(run.run_id, class_names=dataset.class_names, dataset_fingerprint=dataset.fingerprint)
        listener.on_progress(Progress("starting TensorFlow", epochs=epochs))
        from aquadash.training import checkpoint, fit

        environment = describe_environment(run, dataset)
        store.add_text_artifact(run.run_id, ENVIRONMENT, json.dumps(environment, indent=2, sort_keys=True))
        resume_from = checkpoint.latest(store, run.run_id)
        if resume_from:
            _log.info("resuming after epoch %d", resume_from.epoch)
            # The epoch is logged after its checkpoint, and the process may have been killed in between.
            store.log_epoch(run.run_id, resume_from.history[-1], curve=resume_from.curve)
        result = fit.fit(run.config, dataset, listener=listener, resume_from=resume_from)
    except Stopped:
        result = None
    if result is None:
        kept = len(store.history(run.run_id))
        if not kept:
            raise Stopped("Stopped before the first epoch was complete, so there is no model.")
        complete = f"{kept} complete epoch{'s' * (kept != 1)}"
        raise Stopped(f"Stopped while resuming. Kept so far: {complete}. Resume the run to continue.")
    job.beat()
    if not result.stopped:
        # All epochs are complete, so a stop request no longer saves anything.
        with contextlib.suppress(Stopped):
            listener.on_progress(Progress("storing the results", epoch=len(result.history), epochs=epochs))
    store_result(store, run, dataset, result)
    if result.stopped:
        raise Stopped(f"Stopped by request after {len(result.history)} complete epochs.")
    return {}


@dataclass
class StoreListener:
    """Passes progress on to the job, and epochs to the store."""

    store: RunStore
    job: JobContext
    mirror: Callable[[EpochRecord], object]

    def on_progress(self, progress: Progress) -> None:
        details = asdict(progress) | {"time": time.time()}
        phase = details.pop("phase")
        self.job.report(phase, round(1000 * progress.fraction), 1000, progress.eta_seconds, details=details)

    def on_epoch(self, state: Checkpoint) -> None:
        from aquadash.training import checkpoint

        record = state.history[-1]
        _log.info(
            "epoch %(epoch)d: loss %(loss).4f, accuracy %(accuracy).4f, val_loss %(val_loss).4f, "
            "val_accuracy %(val_accuracy).4f, %(seconds).1f s",
            asdict(record),
        )
        if not all(math.isfinite(value) for value in (record.loss, record.val_loss)):
            broken = record.val_loss if math.isfinite(record.loss) else record.loss
            raise AquaDashError(
                f"The loss became {broken} in epoch {record.epoch}: the weight updates were too large. "
                "Try a learning rate a tenth of this one."
            )
        store, run_id = self.store, self.job.run
        store.database.check_there()
        # Raises if another worker has taken over the job, so that nothing is written.
        self.job.beat()
        if state.replay:
            store.add_epoch_replay(run_id, state.replay)
        checkpoint.save(store, run_id, state)
        # After the checkpoint, so that a logged epoch is never trained again.
        store.log_epoch(run_id, record, curve=state.curve)
        self.mirror(record)
        self.job.beat(advanced=True)


def store_result(store: RunStore, run: Run, dataset: Dataset, result: FitResult) -> None:
    """Store model, predictions, history and final figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        result.model.save(path)
        store.add_artifact(run.run_id, path)
    store.add_predictions(run.run_id, result.predictions)
    store.add_validation_predictions(run.run_id, result.validation_predictions)
    if result.ood_detector is not None:
        store.add_arrays(run.run_id, OOD_DETECTOR, result.ood_detector.to_arrays())
    elif OOD_DETECTOR in store.artifact_names(run.run_id):
        # The stored detector fits the weights of an earlier stop, not the new ones.
        store.remove_artifacts(run.run_id, OOD_DETECTOR)
    store.add_history(run.run_id, result.history)
    predictions = result.predictions
    test = evaluate(predictions.labels, predictions.probabilities, class_names=dataset.class_names)
    metrics = {
        "epochs": len(result.history),
        "best_epoch": best_epoch(result.history, monitor=run.config.training.monitor) or result.kept_epoch,
        "kept_epoch": result.kept_epoch,
        "val_loss": result.val_loss,
        "val_accuracy": result.val_accuracy,
        **stored_scores(test, predictions),
        "seconds": sum(record.seconds for record in result.history),
    }
    if run.config.training.validation == "test":
        tail = slice(report_validation_images(len(predictions.labels)), None)
        unseen = evaluate(predictions.labels[tail], predictions.probabilities[tail], class_names=dataset.class_names)
        metrics["unseen_test_loss"] = unseen.loss
        metrics["unseen_test_accuracy"] = unseen.accuracy
    unknown = cifar100.other_classes() if run.config.data.source == "cifar100" else None
    if result.ood_detector is not None and unknown is not None:
        from aquadash.training.out_of_distribution import ood_metrics

        metrics |= ood_metrics(result.model, result.ood_detector, known=dataset.test.images, unknown=unknown)
    store.update(run.run_id, metrics=metrics)
