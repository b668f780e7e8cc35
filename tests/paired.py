"""Stored pairs of runs for tests: with predictions that are made up, or still at work."""

from __future__ import annotations

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.runs import Run, RunStatus, RunStore
from aquadash.runs.pairs import WITH, WITHOUT, half_name, new_pair_id
from tests import live_runs
from tests.ui_runs import log_epochs, predictions


def add_pair(
    store: RunStore,
    *,
    title: str = "Flips",
    pipeline: str = "notebook-1",
    status: RunStatus = RunStatus.FINISHED,
    pair_id: str | None = None,
    seed: int = 0,
) -> tuple[Run, Run]:
    """Two runs on the drawn animals: ended with results, half and 7 of 10 right, or queued for no worker."""
    name = pair_id or new_pair_id()
    halves = []
    for role, share, own in ((WITHOUT, 0.5, "none"), (WITH, 0.7, pipeline)):
        config = with_values(RunConfig(), {"augmentation.pipeline": own, "training.epochs": 6, "seed": seed})
        run = store.create(config, name=half_name(title, role), pair=(name, role))
        live_runs.queue(store, run.run_id)
        if status is not RunStatus.QUEUED:
            _end(store, run, share, status)
        halves.append(store.get(run.run_id))
    return halves[0], halves[1]


def _end(store: RunStore, run: Run, share: float, status: RunStatus) -> None:
    dataset = data.load("synthetic")
    job = live_runs.start(store, run.run_id)
    store.set_dataset(run.run_id, class_names=dataset.class_names, fingerprint=dataset.fingerprint)
    log_epochs(store, run.run_id, 6)
    store.add_validation_predictions(run.run_id, predictions(dataset.train.labels[:375], share))
    store.add_predictions(run.run_id, predictions(dataset.test.labels, share, seed=1))
    store.set_metrics(
        run.run_id,
        {"epochs": 6.0, "best_epoch": 5.0, "seconds": 12.0, "test_accuracy": share, "test_loss": 1.0, "val_loss": 1.0},
    )
    live_runs.end(store, job, status)
