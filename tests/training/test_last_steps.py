"""A worker that is killed at one of its last steps leaves a finished run, or one that goes on to the same end."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from aquadash import settings
from aquadash.data import Dataset
from aquadash.store import RunStatus, RunStore, open_store
from aquadash.store.artifacts import CHECKPOINTS
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND
from aquadash.training.trainer import Trainer
from tests.support import job_rows, live_runs
from tests.support.drawn_images import use_images
from tests.support.tiny_networks import QUICK

pytestmark = pytest.mark.slow

#: The results of a run, the last steps of its worker, and a folder with the home before each step.
Trained = tuple[dict[str, Any], list[str], Path]

#: The writes of a worker to the store after the last epoch of two, in this order.
LAST_STEPS = (
    *"epochs.npz slot-0.npz epoch model.keras predictions.npz test_images validation_predictions.npz".split(),
    *("strangers.npz", "history.csv", "metrics", "the end", CHECKPOINTS),
)


class Steps:
    """Notes what the worker writes after its first epoch, and copies the home before each step, as a kill leaves it."""

    def __init__(self, patch: pytest.MonkeyPatch, copies: Path) -> None:
        self.taken: list[str] = []
        self.epochs = 0
        self.copies = copies
        self.watch(patch, RunStore, "add_artifact", lambda path, *_: path.name)
        self.watch(patch, RunStore, "add_text_artifact", lambda name, *_: name)
        self.watch(patch, RunStore, "add_arrays", lambda name, *_: name)
        self.watch(patch, RunStore, "update", lambda **values: next(iter(values)))
        self.watch(patch, RunStore, "log_epoch", lambda *_, **__: "epoch")
        self.watch(patch, RunStore, "remove_artifacts", lambda folder: folder)
        self.watch(patch, JobTable, "end", lambda status, **_: "the end")

    def watch(self, patch: pytest.MonkeyPatch, owner: type, method: str, name: Callable[..., str]) -> None:
        real = getattr(owner, method)

        def watched(this: Any, owner: Any, *arguments: Any, **named: Any) -> Any:
            self.take(name(*arguments, **named))
            return real(this, owner, *arguments, **named)

        patch.setattr(owner, method, watched)

    def take(self, name: str) -> None:
        # The heartbeat's thread writes whenever it likes.
        if threading.current_thread() is not threading.main_thread():
            return
        if self.epochs:
            copy_home(self.copies / name)
            self.taken.append(name)
        self.epochs += name == "epoch"


def copy_home(target: Path) -> None:
    """Copy the home; its databases as SQLite does, since the heartbeat may write at the same time."""

    def copy(source: str, target: str) -> None:
        if not source.endswith(".db"):
            shutil.copy2(source, target)
            return
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as here:
            original.backup(here)

    shutil.copytree(settings.home(), target, copy_function=copy, ignore=shutil.ignore_patterns("*.db-*"))


@pytest.fixture(scope="module")
def never_killed(
    tmp_path_factory: pytest.TempPathFactory, tiny_dataset: Dataset, all_uncompiled: None
) -> Iterator[Trained]:
    """A run without a kill; workers train on few images."""
    home, copies = tmp_path_factory.mktemp("never-killed"), tmp_path_factory.mktemp("copies")
    with pytest.MonkeyPatch.context() as of_all_tests:
        use_images(of_all_tests, tiny_dataset)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AQUADASH_HOME", str(home))
            store = open_store()
            steps = Steps(patch, copies)
            run_id = store.submit(QUICK).run_id
            live_runs.train(store, run_id)
            state = left(store, run_id)
        # Nothing of a copy may come from where it was copied from.
        shutil.rmtree(home)
        yield state, steps.taken, copies


def left(store: RunStore, run_id: str) -> dict[str, Any]:
    """All that a run leaves and that does not depend on the time."""
    run = store.get(run_id)
    replay, validation = store.epoch_replay(run_id), store.validation_predictions(run_id)
    return {
        "status": (run.status, run.message, run.ended_at is not None),
        "metrics": {name: value for name, value in run.metrics.items() if name != "seconds"},
        "curve": run.curve,
        "history": [replace(record, seconds=0.0) for record in store.history(run_id)],
        "files": sorted(store.artifact_names(run_id)),
        "checkpoints": store.artifact_names(run_id, folder=CHECKPOINTS),
        "predictions": [each.probabilities.tolist() for each in (store.predictions(run_id), validation)],
        "replay": {name: np.asarray(array).tolist() for name, array in vars(replay).items()},
    }


def test_the_last_steps_are_these(never_killed: Trained) -> None:
    assert tuple(never_killed[1]) == LAST_STEPS


@pytest.mark.parametrize("step", LAST_STEPS)
def test_a_worker_that_is_killed_before_a_last_step_loses_nothing(
    step: str, never_killed: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _, copies = never_killed
    monkeypatch.setenv("AQUADASH_HOME", str(copies / step))
    store = open_store()
    (job,) = store.jobs.find(kind=KIND)
    if step == CHECKPOINTS:
        # The run has finished; its checkpoints stay until the next app starts.
        assert store.get(job.run).status is RunStatus.FINISHED
        assert left(store, job.run) | {"checkpoints": []} == expected
        return
    lost = store.jobs.requeue(job, "The worker was lost")
    assert store.get(lost.run).status is RunStatus.QUEUED
    with mock.patch.object(Trainer, "train_one_epoch", autospec=True, side_effect=Trainer.train_one_epoch) as train:
        job_rows.do_next(KIND)
    assert train.call_count == (step in ("epochs.npz", "slot-0.npz")), "from the last complete epoch on"
    assert left(store, lost.run) == expected
