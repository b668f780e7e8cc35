"""What is kept of a training that has come to its end: model, answers, history, final figures."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.data import Dataset, cifar100
from aquadash.evaluation import evaluate
from aquadash.evaluation.curves import best_epoch
from aquadash.runs import Run, RunStore
from aquadash.runs.artifacts import MODEL
from aquadash.training.prepare import report_validation_images

if TYPE_CHECKING:
    from aquadash.training.fit import FitResult


def store_result(store: RunStore, run: Run, dataset: Dataset, result: FitResult) -> None:
    """Keep model, predictions, history and final figures.

    Args:
        store: Where to.
        run: The run.
        dataset: What it was trained with.
        result: A result with a model.
    """
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
    if result.model is None or result.strangers is None or run.config.data.source != "cifar100":
        return {}
    images = cifar100.other_classes()
    if images is None:
        return {}
    from aquadash.training.strangers import measure

    return measure(result.model, result.strangers, known=dataset.test.images, strangers=images)
