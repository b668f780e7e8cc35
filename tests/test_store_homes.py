"""A home that was moved, copied or made by an earlier version keeps all its runs and their files."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import data, settings
from aquadash.augment import saved_pipelines
from aquadash.config import RunConfig, from_json, with_values
from aquadash.errors import NotAllowedError, RunError, StorageError
from aquadash.lab import Lab
from aquadash.search.store import open_search_store
from aquadash.store import EPOCH_METRICS, Job, RunStatus, RunStore, open_store
from aquadash.store.jobs import JobTable
from aquadash.work.queue import Engine
from tests import stored_runs
from tests.lessons import ANNA, BEN
from tests.made_runs import create
from tests.own_pictures import imported, in_folder, of_classes
from tests.test_cli import answer

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "home-0.6.0.tar.gz"


def test_a_home_can_be_moved_and_a_lost_file_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stored_runs.add_run(open_store(), name="mine")
    before = open_store().predictions(run.run_id)
    moved = shutil.move(home, tmp_path / "stick" / "lab")
    monkeypatch.setenv("AQUADASH_HOME", str(moved))
    store = open_store()
    assert np.array_equal(store.predictions(run.run_id).probabilities, before.probabilities)
    store.add_text_artifact(run.run_id, "worker.log", "written after the move")
    assert store.log(run.run_id) == "written after the move" and not home.exists()
    store.artifact(run.run_id, "predictions.npz").unlink()
    with pytest.raises(RunError, match="predictions.npz of mine is missing"):
        store.predictions(run.run_id)
    with pytest.raises(RunError, match="model.keras of mine is missing"):
        store.model_path(run.run_id)
    store.remove_artifacts(run.run_id, "")
    assert store.artifact_names(run.run_id) == []


def test_waiting_runs_of_an_old_home_are_queued(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = imported(in_folder(tmp_path / "cats", of_classes({"cat": 12, "dog": 12}))).keep("Cats", owner=BEN)
    waiting, on_pictures = [], with_values(RunConfig(), {"data.source": kept.source})
    for config, known in (RunConfig(), ""), (on_pictures, "f" * 64), (on_pictures, ""):  # The second was resumed.
        waiting.append(create(open_store(), config, owner=ANNA).run_id)
        open_store().client.set_tag(waiting[-1], "aquadash.dataset_fingerprint", known)
        open_store().client.set_tag(waiting[-1], "aquadash.created_at", "100.5")
    unknown = waiting.pop()
    moved = Path(shutil.move(home, tmp_path / "stick"))
    monkeypatch.setenv("AQUADASH_HOME", str(moved))
    for path in moved.glob(Path(settings.jobs_database()).name + "*"):
        path.unlink()
    submit = JobTable.submit

    def full_after_one(jobs: JobTable, kind: str, run: str, *args: Any, **options: Any) -> Job:
        if run != waiting[0]:
            raise StorageError("Could not write the jobs: the disk is full.")
        return submit(jobs, kind, run, *args, **options)

    for fails in ((RunStore, "search", lambda *args: 1 / 0), (JobTable, "submit", full_after_one)):
        with monkeypatch.context() as patch, pytest.raises((ZeroDivisionError, StorageError)):
            patch.setattr(*fails)
            open_store()
    assert list(open_store().ranks()) == waiting
    assert open_store().get(unknown).status is RunStatus.INTERRUPTED
    with pytest.raises(NotAllowedError, match="open its pictures"):
        Lab(ANNA).runs.resume(unknown)
    assert Engine(open_store(), serving=False).resume(unknown).dataset_fingerprint == kept.fingerprint
    assert list(open_store().ranks()) == [*waiting, unknown]
    open_store().request_stop(waiting[0])
    RunStore().open()
    assert list(open_store().ranks()) == [waiting[1], unknown], "the next start queues nothing again"


needs_archive = pytest.mark.skipif(not ARCHIVE.is_file(), reason=f"{ARCHIVE.name} is not in ../shared/data")


@pytest.fixture
def home_0_6_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / ".aquadash"))
    return tmp_path / ".aquadash"


def tables(home: Path) -> tuple[dict[str, dict[str, str]], dict[str, list[tuple[str, int, float]]]]:
    """What the run store's tables hold, read without AquaDash: the tags and the metrics of each run by its id."""
    tags: dict[str, dict[str, str]] = {}
    metrics: dict[str, list[tuple[str, int, float]]] = {}
    with closing(sqlite3.connect(home / "runs.db")) as connection:
        for run_id, key, value in connection.execute("SELECT run_uuid, key, value FROM tags"):
            tags.setdefault(run_id, {})[key] = value
        for run_id, key, step, value in connection.execute("SELECT run_uuid, key, step, value FROM metrics"):
            metrics.setdefault(run_id, []).append((key, step, value))
    return tags, metrics


@needs_archive
def test_a_home_of_0_6_0_that_was_moved_has_all_that_was_in_it(home_0_6_0: Path) -> None:
    store = open_store()
    runs = {run.run_id: run for run in store.list_runs()}
    assert all(run.status is not RunStatus.UNREADABLE for run in runs.values())
    finished = [run for run in runs.values() if run.status is RunStatus.FINISHED]
    assert len(finished) >= 5
    for run in finished:
        assert len(store.predictions(run.run_id).labels) == run.test_images
        assert store.model_path(run.run_id).is_file() and store.history(run.run_id) and store.environment(run.run_id)
        assert store.epoch_replay(run.run_id) is not None and store.ood_detector(run.run_id) is not None
    assert answer("evaluate", finished[0].run_id)["n"] == finished[0].test_images

    (head,) = open_search_store().heads()
    trials = open_search_store().get(head.search_id).trials
    assert head.status is RunStatus.FINISHED and {runs[trial.run_id].search_id for trial in trials} == {head.search_id}
    assert saved_pipelines.pipeline("my-own-pipeline").title == "My own pipeline"
    assert len(data.load("folder-two-kinds").class_names) == 2


@needs_archive
def test_every_figure_of_a_home_of_0_6_0_is_the_same(home_0_6_0: Path) -> None:
    tags, metrics = tables(home_0_6_0)
    store = open_store()
    runs = {run.run_id: run for run in [*store.list_runs(), *store.list_runs(deleted=True)]}
    assert runs.keys() == tags.keys() and sum(run.deleted for run in runs.values()) == 1
    for run_id, run in runs.items():
        stored = tags[run_id]
        assert (run.name, str(run.status)) == (stored["mlflow.runName"], stored["aquadash.status"])
        assert run.config == from_json(stored["aquadash.config"])
        assert run.metrics == json.loads(stored["aquadash.metrics"])
        assert list(run.curve) == json.loads(stored["aquadash.curve"])
        assert list(run.class_names) == json.loads(stored["aquadash.class_names"])
        for name, key in (
            ("note", "mlflow.note.content"), ("message", "aquadash.message"), ("search_id", "aquadash.search_id"),
            ("dataset_fingerprint", "aquadash.dataset_fingerprint"), ("log_tail", "aquadash.log_tail"),
        ):  # fmt: skip
            assert getattr(run, name) == stored.get(key, "")
        for name in ("created_at", "started_at", "ended_at", "queued_at"):
            assert getattr(run, name) == float(stored[f"aquadash.{name}"])
        labels = [key.removeprefix("aquadash.label.") for key in stored if key.startswith("aquadash.label.")]
        assert run.tags == tuple(sorted(labels))
        for name in ("pinned", "archived"):
            assert getattr(run, name) == (stored.get(f"aquadash.{name}") == "1")
        epochs = store.history(run_id)
        history = {(name, epoch.epoch, getattr(epoch, name)) for epoch in epochs for name in EPOCH_METRICS}
        assert history == {found for found in metrics[run_id] if found[0] in EPOCH_METRICS}
        if not run.deleted:
            with np.load(home_0_6_0 / "artifacts" / run_id / "artifacts" / "predictions.npz") as kept:
                found = store.predictions(run_id)
                assert all(np.array_equal(getattr(found, name), kept[name]) for name in kept.files)
    assert sum(run.status is RunStatus.STOPPED for run in runs.values()) == 1
    assert {"good", "mit-umlaut-ä"} in [set(run.tags) for run in runs.values()]


@needs_archive
def test_what_0_6_0_has_left_waiting_is_queued_and_what_it_left_running_can_be_resumed(home_0_6_0: Path) -> None:
    tags, _ = tables(home_0_6_0)
    first, second, running, *_ = sorted(name for name, stored in tags.items() if "mlflow.note.content" not in stored)
    with closing(sqlite3.connect(home_0_6_0 / "runs.db")) as connection:
        write = "UPDATE tags SET value = ? WHERE run_uuid = ? AND key = ?"
        connection.execute("UPDATE runs SET lifecycle_stage = 'active'")
        begun = (first, "queued", "200.5"), (second, "queued", "100.5"), (running, "running", "1")
        for run_id, status, queued_at in begun:
            connection.execute(write, (status, run_id, "aquadash.status"))
            connection.execute(write, (queued_at, run_id, "aquadash.queued_at"))
        connection.commit()
    before = tables(home_0_6_0)
    store = open_store()
    assert store.ranks() == {second: 1, first: 2} and store.get(first).status is RunStatus.QUEUED
    assert store.get(running).status is RunStatus.INTERRUPTED
    assert tables(home_0_6_0) == before, "nothing that is stored was changed"
    store.request_stop(second)
    RunStore().open()
    assert store.ranks() == {first: 1}, "the next process that opens it does nothing"
    store.queue(running)
    assert store.get(running).status is RunStatus.QUEUED
