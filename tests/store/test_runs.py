"""The store keeps what it is given, finds runs by what people type, and loses nothing."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from sqlalchemy import Connection

from aquadash import settings
from aquadash.config import RunConfig, with_values
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector
from aquadash.lab import OWNER, Lab
from aquadash.lab.selection import for_each
from aquadash.store import (
    EpochRecord,
    Guess,
    Predictions,
    Progress,
    RunStatus,
    RunStore,
    Worker,
    artifacts,
    migrations,
    open_store,
    schema,
)
from aquadash.store.artifacts import HISTORY, OOD_DETECTOR
from aquadash.store.database import Database
from aquadash.store.jobs import JobTable
from aquadash.store.runs import CURVE_POINTS, thin
from aquadash.store.types import image_set
from tests.support import clusters, live_runs
from tests.support.faults import let_fail
from tests.support.runs import make_run

WORKER = Worker("here", 1234)


def record(epoch: int, value: float = 0.1) -> EpochRecord:
    return EpochRecord(epoch, value, value / 3, value / 7, value / 11, 0.01, 1.5)


def test_files_survive_power_cuts(
    store: RunStore, outlasts_a_power_cut: Callable[[Path], bool], tmp_path: Path
) -> None:
    run_id = make_run(store, status=RunStatus.QUEUED).run_id
    (tmp_path / "model.keras").write_bytes(bytes(100_000))
    store.add_artifact(run_id, tmp_path / "model.keras")
    for name in ("model.keras", "config.json"):
        assert outlasts_a_power_cut(store.artifact(run_id, name))


def test_names_are_text_on_one_line_and_a_note_is_no_novel(store: RunStore) -> None:
    run = make_run(store, " <b>x</b>\n\x00 ../../etc \u202e" + "y" * 500, status=RunStatus.QUEUED)
    assert run.name.startswith("<b>x</b> ../../etc") and len(run.name) <= 120 and run.name.isprintable()
    store.rename(run.run_id, "new\tname")
    assert store.get(run.run_id).name == "new name"
    with pytest.raises(RunError, match="visible character"):
        store.rename(run.run_id, " \n ")
    store.set_note(run.run_id, "tried <script>")
    with pytest.raises(RunError, match="at most 4000"):
        store.set_note(run.run_id, "x" * 4001)
    with pytest.raises(RunError, match="not UTF-8"):
        store.set_note(run.run_id, "caf\udce9")
    assert store.get(run.run_id).note == "tried <script>"


def test_runs_are_listed_newest_first_and_found_by_id_prefix_or_unique_name(store: RunStore) -> None:
    first, second = make_run(store, "a", status=RunStatus.QUEUED), make_run(store, "b", status=RunStatus.QUEUED)
    assert store.list_runs() == [second, first]
    find = Lab(OWNER).runs.find_id
    assert find(first.run_id) == find(first.run_id[:12]) == find("a") == first.run_id
    typed = f"Müller,\t Lauf {'1' * 106}  2"
    store.rename(second.run_id, typed)
    assert find(typed) == find(f"{store.get(second.run_id).name} ") == second.run_id
    store.rename(second.run_id, "a")
    with pytest.raises(RunError, match="fits 2 runs"):
        find("a")
    for text in ("", "nobody", "../../x", "' OR 1=1 --"):
        with pytest.raises((UnknownNameError, RunError)):
            find(text)
    for run_id in ("f" * 32, "nonsense", "../../etc"):
        with pytest.raises(UnknownNameError, match="no run"):
            store.get(run_id)


def test_epochs_come_back_exactly_and_one_that_was_trained_twice_counts_once(store: RunStore) -> None:
    run_id = make_run(store, status=RunStatus.QUEUED).run_id
    records = [record(epoch, 1 / (epoch + 2)) for epoch in range(1, 4)]
    store.log_epoch(run_id, *records, curve=[r.val_accuracy for r in records])
    store.add_history(run_id, records)
    assert store.history(run_id) == store.read_file(run_id, HISTORY) == records
    assert store.get(run_id).curve == tuple(round(r.val_accuracy, 4) for r in records)
    points = thin([index / 1000 for index in range(500)])
    assert len(points) == CURVE_POINTS and (points[0], points[-1]) == (0.0, 0.499), "both ends of a long one are kept"
    store.log_epoch(run_id, record(3, 0.7), curve=[0.7])
    assert store.history(run_id) == [*records[:2], record(3, 0.7)]


def test_the_life_of_a_run(store: RunStore) -> None:
    config = with_values(RunConfig(), {"seed": 7, "training.epochs": 3})
    run = make_run(store, "first", config, status=RunStatus.QUEUED)
    run_id = run.run_id
    assert (run.name, run.status, run.config, run.rank) == ("first", RunStatus.QUEUED, config, 1)
    assert store.list_runs() == [run]
    assert store.artifact(run_id, "config.json").read_text() == config.to_json()
    job = live_runs.start(store, run_id, WORKER)
    progress = Progress("training", epoch=2, epochs=9, batch=3, batches=10, eta_seconds=4.0, time=time.time())
    assert live_runs.report(store, job, progress, log_tail="hello") is False
    running = store.get(run_id)
    assert (running.status, running.worker, running.progress) == (RunStatus.RUNNING, WORKER, progress)
    assert running.started_at and store.log(run_id) == "hello"
    store.jobs.hand_over(job, Worker("here", 8))
    assert store.get(run_id).worker == Worker("here", 8)
    store.update(run_id, metrics={"test_accuracy": 0.5}, class_names=("ж🐟",))
    ended = live_runs.end(store, job, RunStatus.FINISHED)
    assert ended.status is RunStatus.FINISHED and ended.ended_at
    assert (ended.metrics, ended.class_names) == ({"test_accuracy": 0.5}, ("ж🐟",))
    assert store.list_runs() == [ended]


def test_only_a_run_that_ended_early_can_be_queued_again(store: RunStore) -> None:
    run_id = make_run(store, status=RunStatus.INTERRUPTED).run_id
    assert live_runs.queue(store, run_id).status is RunStatus.QUEUED
    with pytest.raises(RunError, match="only a stopped, failed or interrupted"):
        store.queue(run_id)
    store.request_stop(run_id)
    assert store.get(run_id).status is RunStatus.STOPPED, "one that waits stops at once"
    again = live_runs.queue(store, run_id)
    assert (again.status, again.stop_requested, again.ended_at, again.message) == (RunStatus.QUEUED, False, None, "")
    live_runs.end(store, live_runs.start(store, run_id), RunStatus.FINISHED)
    with pytest.raises(RunError, match="only a stopped, failed or interrupted"):
        store.queue(run_id)
    with pytest.raises(RunError, match="is not running"):
        store.request_stop(run_id)


def test_deleting_is_undone(store: RunStore) -> None:
    run_id = make_run(store, "precious", status=RunStatus.QUEUED).run_id
    with pytest.raises(RunError, match="Stop it before"):
        store.delete(run_id)
    store.request_stop(run_id)
    store.delete(run_id)
    assert store.list_runs() == [] and [run.run_id for run in store.list_runs(deleted=True)] == [run_id]
    assert store.get(run_id).deleted
    with pytest.raises(RunError, match="precious is in the bin"):
        store.queue(run_id)
    store.restore(run_id)
    assert [run.name for run in store.list_runs()] == ["precious"]


def test_a_run_that_is_not_there_or_was_deleted_meanwhile_costs_no_other_its_change(store: RunStore) -> None:
    gone, kept = (make_run(store).run_id for _ in range(2))
    nobodys = ["f" * 32, "nonsense"]
    store.change_tags(gone, add=["good"])
    store.delete(gone)
    for change in (
        store.set_pinned,
        lambda run_id: store.update(run_id, archived=True),
        lambda run_id: store.update(run_id, hidden=True),
        lambda run_id: store.change_tags(run_id, add=["new"], remove=["good"]),
    ):
        fractions: list[float] = []
        result = for_each([*nobodys, gone, kept, kept], change, progress=fractions.append)
        assert result.done == [kept] and "in the bin" in result.failed[gone] and fractions == [0.25, 0.5, 0.75, 1.0]
        assert all("There is no run" in result.failed[run_id] for run_id in nobodys)
    assert store.get(gone).tags == ("good",) and store.get(kept).tags == ("new",) and store.get(kept).hidden


def test_predictions_come_back_exactly(store: RunStore) -> None:
    run_id = make_run(store, status=RunStatus.QUEUED).run_id
    with pytest.raises(RunError, match="no predictions yet"):
        store.predictions(run_id)
    store.request_stop(run_id)
    with pytest.raises(RunError, match="is stopped. It ended before it had any trained model"):
        store.model_path(run_id)
    predictions = Predictions(np.arange(4), np.array([0, 1, 2, 0]), np.random.default_rng(0).dirichlet(np.ones(3), 4))
    store.add_predictions(run_id, predictions)
    stored = store.predictions(run_id)
    for name in ("indices", "labels", "probabilities"):
        assert np.array_equal(getattr(stored, name), getattr(predictions, name))
        with pytest.raises(ValueError, match="read-only"):
            getattr(stored, name)[0] = 0


def test_damaged_predictions_are_said_to_be_so_and_never_unpickled(store: RunStore, tmp_path: Path) -> None:
    run_id = make_run(store, status=RunStatus.QUEUED).run_id
    path = tmp_path / "predictions.npz"
    objects = np.array([object()], dtype=object)
    np.savez(path, indices=objects, labels=objects, probabilities=objects)
    for damaged in (path.read_bytes(), b"", b"PK\x03\x04 truncated", b"no archive at all"):
        path.write_bytes(damaged)
        store.add_artifact(run_id, path)
        with pytest.raises(StorageError, match="damaged"):
            store.predictions(run_id)


def test_a_detector_too_large_or_without_distance_is_none(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = make_run(store, status=RunStatus.QUEUED).run_id
    for threshold in (0.0, 2.5):
        detector = OutOfDistributionDetector(np.ones((2, 3)), np.eye(3), threshold, 0.95)
        store.add_arrays(run_id, OOD_DETECTOR, detector.to_arrays())
        assert (store.read_file(run_id, OOD_DETECTOR) is not None) is (threshold > 0)
    monkeypatch.setattr(artifacts, "MAX_ARRAY_BYTES", 100)
    assert store.read_file(run_id, OOD_DETECTOR) is None


def test_a_folder_that_cannot_be_made_or_written_to_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(StorageError, match="Permission denied.*writable"):
        # The tests may run as root, whom no permission bit stops.
        let_fail(patch, Path, "write_bytes", PermissionError(13, "Permission denied"))
        open_store()
    blocked = home / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("AQUADASH_HOME", str(blocked / "sub"))
    with pytest.raises(StorageError, match="AQUADASH_HOME"):
        open_store()
    assert blocked.read_text() == "in the way"


def test_a_database_of_a_newer_version_is_named_and_left_alone(store: RunStore, home: Path) -> None:
    with sqlite3.connect(home / "aquadash.db") as connection:
        connection.executescript("UPDATE alembic_version SET version_num = 'fedcba987654'")
        before = list(connection.iterdump())
        with pytest.raises(StorageError, match=r"newer version of AquaDash \(revision fedcba987654\)"):
            Database(settings.database())
        assert list(connection.iterdump()) == before


def test_a_database_of_an_older_version_is_upgraded(
    store: RunStore, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A revision to come adds a column."""
    (tmp_path / "r0002_next.py").write_text(
        'revision, down_revision = "0002", "0001"\n'
        "def upgrade():\n"
        "    import sqlalchemy\n"
        "    from alembic import op\n"
        '    op.add_column("runs", sqlalchemy.Column("mood", sqlalchemy.Text))\n'
    )
    run = make_run(store, "kept", status=RunStatus.QUEUED)
    monkeypatch.setattr(schema, "HEAD", "0002")
    monkeypatch.setattr(migrations, "VERSIONS", (*migrations.VERSIONS, str(tmp_path)))
    upgraded = RunStore(Database(settings.database()))
    assert upgraded.get(run.run_id) == run
    with sqlite3.connect(home / "aquadash.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
        assert connection.execute("SELECT mood FROM runs").fetchall() == [(None,)]


def test_a_worker_notices_that_its_store_was_deleted(store: RunStore, home: Path) -> None:
    store.database.check_there()
    (home / "aquadash.db").unlink()
    with pytest.raises(StorageError, match="was moved, deleted or replaced meanwhile"):
        store.database.check_there()
    # As the next process would create it.
    (home / "aquadash.db").touch()
    with pytest.raises(StorageError, match=f"{home}/aquadash.db"):
        store.database.check_there()


def test_a_run_and_its_job_change_together(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails half-way leaves neither."""
    with monkeypatch.context() as patch, pytest.raises(StorageError):
        let_fail(patch, JobTable, "submit", StorageError("The disk is full."))
        store.submit(RunConfig(), name="half")
    assert store.list_runs() == []
    run = store.submit(RunConfig())
    job = store.jobs.claim(["train"], WORKER)
    with sqlite3.connect(settings.home() / "aquadash.db") as connection:
        connection.execute("CREATE TRIGGER refuse BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StorageError):
        store.jobs.end(job, RunStatus.FINISHED)
    with sqlite3.connect(settings.home() / "aquadash.db") as connection:
        connection.execute("DROP TRIGGER refuse")
    assert store.get(run.run_id).status is RunStatus.RUNNING and store.jobs.get(job.id).status is RunStatus.RUNNING
    store.jobs.end(job, RunStatus.FAILED, message="why")
    ended = store.get(run.run_id)
    assert (ended.status, ended.message, ended.worker) == (RunStatus.FAILED, "why", WORKER) and ended.ended_at


def test_only_changed_runs_are_read_again(store: RunStore) -> None:
    other = RunStore(Database(settings.database()))
    first, second = make_run(store, "a"), make_run(store, "b")
    before = {run.run_id: run for run in store.list_runs()}
    other.rename(first.run_id, "c")
    after = {run.run_id: run for run in store.list_runs()}
    assert after[first.run_id].name == "c" and after[second.run_id] is before[second.run_id]
    other.log_epoch(first.run_id, record(1, 0.5), curve=[0.25])
    assert {run.run_id: run.curve for run in store.list_runs()}[first.run_id] == (0.25,)
    waiting = [other.submit(RunConfig()).run_id for _ in range(2)]
    assert [store.read(run_id).rank for run_id in waiting] == [1, 2]
    other.request_stop(waiting[0])
    ranks = {run.run_id: run.rank for run in store.list_runs()}
    assert [ranks[run_id] for run_id in waiting] == [0, 1]
    other.delete(second.run_id)
    assert second.run_id not in {run.run_id for run in store.list_runs()}
    other.database.close()


def test_a_full_disk_is_a_plain_error(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    full = OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))
    let_fail(monkeypatch, Connection, "execute", full)
    with pytest.raises(StorageError, match="disk is full. Free some space"):
        store.list_runs()


def test_twenty_threads_that_change_one_run_wait_for_one_another(store: RunStore) -> None:
    run_id = make_run(store, "first", status=RunStatus.QUEUED).run_id
    together, names = Barrier(20), {f"by-{number}" for number in range(20)}

    def change(name: str) -> None:
        together.wait(30)
        store.rename(run_id, name)
        store.change_tags(run_id, add=[name])

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(change, names))
    run = store.get(run_id)
    assert run.name in names and set(run.tags) == names


def test_an_impossible_guess_is_refused_and_one_before_the_end_stays(store: RunStore) -> None:
    run = make_run(store, status=RunStatus.QUEUED)
    job = live_runs.start(store, run.run_id)
    for guess in (Guess(0.6, ("otter", "seal")), Guess(0.0), Guess(confused_pair=("<b>a</b>", "b, c"))):
        store.set_guess(run.run_id, guess)
        assert store.get(run.run_id).guess == guess
    live_runs.end(store, job, RunStatus.FINISHED)
    with pytest.raises(RunError, match="before a run ends"):
        store.set_guess(run.run_id, Guess(0.9))
    assert store.get(run.run_id).guess == guess
    with pytest.raises(RunError, match="empty"):
        Guess()
    for accuracy in (1.2, -0.1, float("nan")):
        with pytest.raises(RunError, match="0 to 100 %"):
            Guess(accuracy)
    for true_class in ("otter", ""):
        with pytest.raises(RunError, match="two different ones"):
            Guess(None, (true_class, "otter"))


def test_a_home_can_be_moved_and_a_lost_file_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(open_store())
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


def test_image_sets_tell_splits_and_data_apart() -> None:
    store = open_store()
    one, other = make_run(store, "a"), make_run(store, "b", {"seed": 3})
    on_test = make_run(store, "c", {"training.validation": "test"})
    moved = make_run(store, "d", dataset_fingerprint="e" * 64)
    assert image_set(one, "test") == image_set(other, "test") == image_set(on_test, "test") != image_set(moved, "test")
    assert image_set(one, "validation") != image_set(on_test, "validation")


@pytest.mark.soak
@pytest.mark.skipif(bool(clusters.MISSING), reason=clusters.MISSING)
def test_the_database_is_opened_with_its_own_home_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with clusters.postgresql() as database:
        monkeypatch.setenv("AQUADASH_DATABASE", database)
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "first"))
        store = open_store()
        run_id = make_run(store, "kept", status=RunStatus.QUEUED).run_id

        # Another machine mounts the same folder under another path.
        (tmp_path / "mounted").symlink_to(tmp_path / "first")
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "mounted"))
        assert open_store().get(run_id).name == "kept"

        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "empty"))
        with pytest.raises(StorageError, match=r"belongs to another AQUADASH_HOME .*database.txt there is missing"):
            open_store()
        shutil.copytree(tmp_path / "first", tmp_path / "other")
        monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "other"))
        settings.home_mark().write_text("of another database")
        with pytest.raises(StorageError, match="names another database"):
            open_store()
