"""The worker process: takes one run from the store, trains it and leaves its results there.

Started as ``python -m aquadash worker RUN_ID`` by the engine, in a process session of its own, so that it outlives the
app. It talks to everybody else only through the store.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash import settings
from aquadash.errors import AquaDashError, StorageError
from aquadash.jobs.processes import log_to
from aquadash.runs import Progress, RunStatus, RunStore, Worker, open_store
from aquadash.runs.artifacts import CHECKPOINTS, ENVIRONMENT, LOG, MODEL
from aquadash.runs.claims import MOST_LOSSES, RunTakenError
from aquadash.runs.types import Run
from aquadash.training.environment import describe_environment
from aquadash.training.heartbeat import Heartbeat
from aquadash.training.listening import StopRequested

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.training.checkpoint import Checkpoint
    from aquadash.training.fit import FitResult

_log = logging.getLogger("aquadash.worker")


def main(run_id: str) -> int:
    """Train a queued run to its end; returns the exit status, 0 also for a run that failed in an orderly way."""
    from filelock import FileLock, Timeout

    log_path = settings.worker_log(run_id)
    log_to(log_path)
    lock_path = settings.worker_lock(run_id)
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The operating system lets go of the lock when the process dies, however it dies.
        with FileLock(lock_path, timeout=0):
            store = open_store()
            run = store.get(run_id)
            if run.status is not RunStatus.QUEUED:
                _log.info("run %s is %s, not queued: nothing to do", run_id, run.status)
                return 0
            if settings.store_is_shared() and not store.claim(run_id):
                _log.info("another worker has taken run %s", run_id)
                return 0
            _train_to_the_end(store, run, log_path)
            return 0
    except Timeout:
        _log.info("another worker on this machine already has run %s", run_id)
        return 0


def _train_to_the_end(store: RunStore, run: Run, log_path: Path) -> None:
    """Train and write how it ended; no exception leaves a run that looks alive."""
    mine = _OwnRun(store, Worker(socket.gethostname(), os.getpid()))
    store.start(run.run_id, mine.worker)
    status, message = RunStatus.FAILED, ""
    try:
        with Heartbeat(mine, run.run_id, log_path=log_path) as heartbeat:
            status, message = _train(mine, run, heartbeat)
        store.check_owner(run.run_id, mine.worker)
    except RunTakenError as error:
        # Nothing is written: all of it is the other worker's now.
        _log.warning("%s", error)
        return
    except StopRequested:
        status, message = RunStatus.STOPPED, _stopped_early(store, run.run_id)
    except StorageError as error:
        message = str(error)
        _log.error("%s", message)
        if _handed_over(mine, run, message):
            return
    except AquaDashError as error:
        message = str(error)
        _log.error("%s", message)
    except MemoryError:
        message = "The machine ran out of memory. Choose a smaller batch size or fewer augmented copies."
        _log.exception("out of memory")
    except Exception as error:
        message = f"An unexpected error ended the training: {type(error).__name__}: {error}"[:500]
        _log.exception("training failed")
    try:
        # However it ended here, it is not over where another worker goes on.
        store.check_owner(run.run_id, mine.worker)
        store.add_text_artifact(run.run_id, LOG, log_path.read_text(encoding="utf-8", errors="replace"))
    except RunTakenError as error:
        _log.warning("%s", error)
        return
    except (AquaDashError, OSError) as error:
        # How the run ended is said all the same; the log stays where it is.
        _log.warning("could not store the log: %s", error)
    store.set_status(run.run_id, status, message=message)
    if status is RunStatus.FINISHED:
        # Last of all: until a run is finished, it can go on from them.
        store.remove_artifacts(run.run_id, CHECKPOINTS)


def _stopped_early(store: RunStore, run_id: str) -> str:
    """What to say of a run that was stopped before this process had a model of it."""
    if epochs := len(store.history(run_id)):
        kept = f"{epochs} complete epoch{'s' * (epochs != 1)}"
        return f"Stopped while it was starting again, with {kept}. They are kept; resume the run to go on."
    return "Stopped before the first epoch was complete, so there is no model."


def _handed_over(mine: _OwnRun, run: Run, why: str) -> bool:
    """Let a cluster go on with a run for which the store was away too long; False where none looks after it.

    Raises:
        StorageError: The store is still away. Whoever started this process sees that it ended and does the same.
    """
    store = mine.store
    if not store.attendance(run.run_id).ticket:
        return False
    try:
        store.check_owner(run.run_id, mine.worker)
    except RunTakenError as error:
        _log.warning("%s", error)
        return True
    store.hand_over(run.run_id, f"The worker on {mine.worker.host} lost the run store ({why})", most=MOST_LOSSES)
    return True


@dataclass
class _OwnRun:
    """The run store as the process sees it that trains the run.

    Attributes:
        store: The run store.
        worker: This process.
    """

    store: RunStore
    worker: Worker

    def heartbeat(self, run_id: str, progress: Progress, *, log_tail: str | None = None) -> bool:
        """:meth:`RunStore.heartbeat <aquadash.runs.RunStore.heartbeat>`, unless the run is another worker's now."""
        return self.store.heartbeat(run_id, progress, log_tail=log_tail, worker=self.worker)


def _train(mine: _OwnRun, run: Run, heartbeat: Heartbeat) -> tuple[RunStatus, str]:
    """Load the data, train, store the results; returns how it ended and a message."""
    from aquadash.training import own_data

    store = mine.store
    heartbeat.report(Progress("loading the data", epochs=run.config.training.epochs))
    _log.info("run %s (%s): loading %s", run.run_id, run.name, run.config.data.source)
    dataset = own_data.load(store, run, heartbeat)
    store.set_dataset(run.run_id, class_names=dataset.class_names, fingerprint=dataset.fingerprint)

    heartbeat.report(Progress("starting TensorFlow", epochs=run.config.training.epochs))
    from aquadash.training import checkpoint, fit

    store.add_json_artifact(run.run_id, ENVIRONMENT, describe_environment(run, dataset))
    resume_from = checkpoint.latest(store, run.run_id)
    if resume_from:
        _log.info("going on after epoch %d", resume_from.epoch)
        # It is kept before it is stored, and the process may have been killed in between.
        store.log_epoch(run.run_id, resume_from.history[-1], curve=resume_from.curve, again=True)
    result = fit.fit(run.config, dataset, listener=_StoreListener(mine, run.run_id, heartbeat), resume_from=resume_from)
    if result.model is None:
        return RunStatus.STOPPED, _stopped_early(store, run.run_id)
    store.check_owner(run.run_id, mine.worker)
    heartbeat.report(Progress("storing the results", epoch=len(result.history), epochs=run.config.training.epochs))
    _store_result(store, run, dataset, result)
    if result.stopped:
        return RunStatus.STOPPED, f"Stopped by request after {len(result.history)} complete epochs."
    return RunStatus.FINISHED, ""


@dataclass
class _StoreListener:
    """Passes what training says on to the store."""

    mine: _OwnRun
    run_id: str
    heartbeat: Heartbeat

    def on_progress(self, progress: Progress) -> None:
        self.heartbeat.tell(progress)

    def on_epoch(self, state: Checkpoint) -> None:
        from aquadash.training import checkpoint

        record = state.history[-1]
        _log.info(
            "epoch %d: loss %.4f, accuracy %.4f, val_loss %.4f, val_accuracy %.4f, %.1f s",
            record.epoch, record.loss, record.accuracy, record.val_loss, record.val_accuracy, record.seconds,
        )  # fmt: skip
        if not all(math.isfinite(value) for value in (record.loss, record.val_loss)):
            raise AquaDashError(
                f"The loss became {record.loss} in epoch {record.epoch}: the weight updates were too large and the "
                "network fell apart. Try a learning rate a tenth of this one."
            )
        store = self.mine.store
        store.check_owner(self.run_id, self.mine.worker)
        if state.replay:
            store.add_epoch_replay(self.run_id, state.replay)
        checkpoint.save(store, self.run_id, state)
        # After its checkpoint: an epoch that is trained a second time has not been stored.
        store.log_epoch(self.run_id, record, curve=state.curve)


def _store_result(store: RunStore, run: Run, dataset: Dataset, result: FitResult) -> None:
    """Model, predictions, history and final figures."""
    from aquadash.evaluation import evaluate
    from aquadash.evaluation.curves import best_epoch
    from aquadash.training.prepare import report_validation_images

    assert result.model is not None and result.predictions is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        result.model.save(path)
        store.add_artifact(run.run_id, path)
    store.add_predictions(run.run_id, result.predictions)
    if result.validation_predictions is not None:
        store.add_validation_predictions(run.run_id, result.validation_predictions)
    if result.strangers is not None:
        store.add_strangers(run.run_id, result.strangers)
    store.add_history(run.run_id, result.history)
    predictions = result.predictions
    test = evaluate(predictions.labels, predictions.probabilities, class_names=dataset.class_names)
    metrics = {
        "epochs": len(result.history),
        "best_epoch": best_epoch(result.history, monitor=run.config.training.monitor) or result.kept_epoch,
        "kept_epoch": result.kept_epoch,
        "val_loss": result.val_loss,
        "val_accuracy": result.val_accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "seconds": sum(record.seconds for record in result.history),
    }
    if run.config.training.validation == "test":
        tail = slice(report_validation_images(len(predictions.labels)), None)
        unseen = evaluate(predictions.labels[tail], predictions.probabilities[tail], class_names=dataset.class_names)
        metrics["unseen_test_loss"] = unseen.loss
        metrics["unseen_test_accuracy"] = unseen.accuracy
    metrics |= _against_strangers(run, dataset, result)
    store.set_metrics(run.run_id, metrics)


def _against_strangers(run: Run, dataset: Dataset, result: FitResult) -> dict[str, float]:
    """How well the model notices that an image is of none of its classes; empty where there are no such images."""
    from aquadash.data.strangers import strangers

    if result.model is None or result.strangers is None:
        return {}
    images = strangers(run.config.data.source)
    if images is None:
        return {}
    from aquadash.training.strangers import measure

    return measure(result.model, result.strangers, known=dataset.test.images, strangers=images)
