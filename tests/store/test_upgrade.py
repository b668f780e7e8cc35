"""A home of version 0.6.0 or 0.7 is read, never changed, and everything of it is in the new database."""

import hashlib
import json
import os
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aquadash import data, settings
from aquadash.augment import saved_pipelines
from aquadash.config import RunConfig, from_json, with_values
from aquadash.errors import NotAllowedError, StorageError
from aquadash.lab import Lab
from aquadash.search.store import open_search_store
from aquadash.store import EPOCH_METRICS, Run, RunStatus, open_store, upgrade
from aquadash.store.artifacts import OOD_DETECTOR
from aquadash.store.job_types import job_id
from aquadash.store.types import TrialOf
from aquadash.work.queue import Engine
from tests.cli.test_cli import answer, call, refusal
from tests.support.app_pages import open_app_page
from tests.support.faults import let_fail
from tests.support.lessons import ANNA, BEN
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import make_run

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

#: The tables of MLflow and Optuna, as far as AquaDash used them.
_RUNS = """
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, lifecycle_stage TEXT, start_time INTEGER);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp INTEGER, run_uuid TEXT, step INTEGER, is_nan INTEGER DEFAULT 0);
"""
_JOBS = """
CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, kind TEXT, run TEXT, needs TEXT, status TEXT, message TEXT,
rank FLOAT, turn INTEGER, position FLOAT, submitted_at FLOAT, started_at FLOAT, ended_at FLOAT);
"""
_SEARCHES = """
CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name TEXT);
CREATE TABLE study_user_attributes (study_id INTEGER, key TEXT, value_json TEXT);
CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number INTEGER, study_id INTEGER, state TEXT);
CREATE TABLE trial_user_attributes (trial_id INTEGER, key TEXT, value_json TEXT);
"""


def unpacked(name: str, folder: Path) -> Path:
    """Unpack a home of ../shared/data into a folder; the test is skipped where it is missing."""
    archive = SHARED / f"home-{name}.tar.gz"
    if not archive.is_file():
        pytest.skip(f"{archive.name} is not in ../shared/data")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return next(path.parent for path in folder.rglob("runs.db"))


def digests(home: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a home, by its path."""
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class OldHome:
    """A home of version 0.6.0, which kept no jobs, or of 0.7 after :meth:`add_job`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.execute("runs.db", _RUNS)

    def add_run(
        self,
        number: int,
        name: str,
        status: RunStatus = RunStatus.FINISHED,
        *,
        epochs: int = 2,
        changes: Mapping[str, Any] | None = None,
        deleted: bool = False,
        **tags: str,
    ) -> str:
        """Add a run with its tags and epochs and a file of predictions; return its id."""
        run_id = f"{number:032x}"
        values = {
            "mlflow.runName": name,
            "aquadash.status": str(status),
            "aquadash.config": with_values(RunConfig(), changes or {}).model_dump_json(),
            "aquadash.created_at": str(1000.0 + number),
            "aquadash.queued_at": str(2000.0 - number),
            **{key.replace("__", "."): text for key, text in tags.items()},
        }
        stage = "deleted" if deleted else "active"
        self.execute("runs.db", "INSERT INTO runs VALUES (?, ?, ?, ?)", (run_id, name, stage, number))
        rows = [(key, text, run_id) for key, text in values.items()]
        self.execute("runs.db", "INSERT INTO tags VALUES (?, ?, ?)", *rows)
        points = [(key, 1 / epoch, epoch, run_id, epoch) for epoch in range(1, epochs + 1) for key in EPOCH_METRICS]
        self.add_points(*points)
        files = self.folder / "artifacts" / run_id / "artifacts"
        files.mkdir(parents=True)
        (files / "predictions.npz").write_bytes(name.encode())
        (files / "worker.log").write_text(f"log of {name}\n")
        return run_id

    def add_points(self, *points: tuple[str, float, int, str, int]) -> None:
        """Add points of metrics: name, value, time, run, epoch."""
        columns = "key, value, timestamp, run_uuid, step"
        self.execute("runs.db", f"INSERT INTO metrics ({columns}) VALUES (?, ?, ?, ?, ?)", *points)

    def add_job(self, kind: str, run: str, status: str, **values: Any) -> None:
        """Add a job behind the others."""
        self.execute("jobs.db", _JOBS)
        values = {"needs": "", "message": "", "turn": 1, "submitted_at": 50.0} | values
        values |= {"id": f"{kind}-{run}", "kind": kind, "run": run, "status": status}
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        position = "(SELECT count(*) FROM jobs)"
        insert = f"INSERT INTO jobs ({columns}, position) VALUES ({marks}, {position})"
        self.execute("jobs.db", insert, tuple(values.values()))

    def add_search(self, number: int, trials: Mapping[str, Mapping[str, Any]], **attributes: Any) -> str:
        """Add a search over three settings, with a trial for each run; return its id."""
        search_id = f"{number:032x}"
        plan = {
            "config": with_values(RunConfig(), {"training.learning_rate": 0.5}).model_dump(),
            "space": [
                "training.learning_rate=0.001..0.1:log",
                "training.optimizer=adam,sgd",
                "model.filters=8,16|32,64",
            ],
            "sampler": "tpe",
            "pruner": "median",
            "budget": {"trials": 5, "minutes": None},
            "seed": 3,
            "name": "lr",
        }
        values = {"name": "lr", "created_at": 7.0, "status": "finished", "plan": json.dumps(plan), **attributes}
        if not (self.folder / "searches.db").exists():
            self.execute("searches.db", _SEARCHES)
        self.execute("searches.db", "INSERT INTO studies VALUES (?, ?)", (number, search_id))
        rows = [(number, key, json.dumps(value)) for key, value in values.items()]
        self.execute("searches.db", "INSERT INTO study_user_attributes VALUES (?, ?, ?)", *rows)
        for place, (run_id, kept) in enumerate(trials.items()):
            trial = 100 * number + place
            self.execute("searches.db", "INSERT INTO trials VALUES (?, ?, ?, 'COMPLETE')", (trial, place, number))
            rows = [(trial, key, json.dumps(value)) for key, value in {"run_id": run_id, **kept}.items()]
            self.execute("searches.db", "INSERT INTO trial_user_attributes VALUES (?, ?, ?)", *rows)
        return search_id

    def execute(self, name: str, statement: str, *rows: tuple[Any, ...]) -> None:
        with closing(sqlite3.connect(self.folder / name)) as connection:
            if rows:
                connection.executemany(statement, rows)
            else:
                connection.executescript(statement)
            connection.commit()


@pytest.fixture
def old(home: Path) -> OldHome:
    """An old home that is the present one."""
    return OldHome(home)


def check_figures(home: Path, source: Path) -> dict[str, Run]:
    """Compare every figure with the tables of the old home, which are read without AquaDash."""
    tags: dict[str, dict[str, str]] = {}
    points: dict[str, set[tuple[str, int, float]]] = {}
    with closing(sqlite3.connect(source / "runs.db")) as connection:
        for run_id, key, value in connection.execute("SELECT run_uuid, key, value FROM tags"):
            tags.setdefault(run_id, {})[key] = value
        for run_id, key, step, value in connection.execute("SELECT run_uuid, key, step, value FROM metrics"):
            points.setdefault(run_id, set()).add((key, step, value))
    store = open_store()
    runs = {run.run_id: run for run in store.find()}
    assert runs.keys() == tags.keys() and sum(run.deleted for run in runs.values()) == 1
    for run_id, run in runs.items():
        stored = tags[run_id]
        assert (run.name, str(run.status)) == (stored["mlflow.runName"], stored["aquadash.status"])
        definitions = stored.get("aquadash.config.definitions.0", "")
        assert run.config.augmentation.definitions == definitions
        augmentation = run.config.augmentation.model_copy(update={"definitions": ""})
        assert run.config.model_copy(update={"augmentation": augmentation}) == from_json(stored["aquadash.config"])
        assert run.metrics == json.loads(stored["aquadash.metrics"])
        assert list(run.curve) == json.loads(stored["aquadash.curve"])
        assert list(run.class_names) == json.loads(stored["aquadash.class_names"])
        assert run.note == stored.get("mlflow.note.content", "")
        for name in ("message", "search_id", "dataset_fingerprint", "owner"):
            assert getattr(run, name) == stored.get(f"aquadash.{name}", "")
        for name in ("created_at", "started_at", "ended_at", "queued_at"):
            assert getattr(run, name) == float(stored[f"aquadash.{name}"])
        assert run.tags == tuple(sorted(key[15:] for key in stored if key.startswith("aquadash.label.")))
        assert (run.pinned, run.archived) == ("aquadash.pinned" in stored, "aquadash.archived" in stored)
        epochs = store.history(run_id)
        history = {(name, epoch.epoch, getattr(epoch, name)) for epoch in epochs for name in EPOCH_METRICS}
        assert history == {point for point in points[run_id] if point[0] in EPOCH_METRICS}
        files = source / "artifacts" / run_id / "artifacts"
        assert digests(settings.run_folder(run_id)) == digests(files)
        assert len(store.predictions(run_id).labels) == run.test_images
        assert store.epoch_replay(run_id) is not None
        assert run.name == "tiny diverged" or store.read_file(run_id, OOD_DETECTOR) is not None
        assert store.environment(run_id) and store.log(run_id)
    (head,) = open_search_store().heads()
    search = open_search_store().get(head.search_id)
    assert head.status is RunStatus.FINISHED
    assert {trial.run_id for trial in search.trials} == {
        key for key, run in runs.items() if run.search_id == head.search_id
    }
    assert [trial.value for trial in search.trials] == [
        runs[trial.run_id].metrics["val_accuracy"] for trial in search.trials
    ]
    assert len(data.load("folder-two-kinds").class_names) == 2
    assert saved_pipelines.pipeline("my-own-pipeline").title == "My own pipeline"
    return {run.name: run for run in runs.values()}


def test_a_home_of_0_6_0(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = unpacked("0.6.0", tmp_path)
    before = digests(old)
    monkeypatch.setenv("AQUADASH_HOME", str(old))
    done = answer("home", "upgrade")
    assert (done["runs"], done["in_bin"], done["searches"], done["damaged"]) == (9, 1, 1, [])
    runs = check_figures(old, old)
    assert runs["tiny finished"].tags == ("good", "mit-umlaut-ä") and runs["tiny finished"].pinned
    assert runs["tiny stopped"].status is RunStatus.STOPPED
    assert len(answer("runs", "list")["runs"]) == 8
    assert answer("evaluate", "tiny finished")["n"] == 500
    after = digests(old)
    assert {name: after[name] for name in before} == before
    # The run can go on from its checkpoints.
    assert (settings.run_folder(runs["tiny stopped"].run_id) / "checkpoint" / "slot-1.npz").is_file()


def test_a_home_of_0_7_from_another_folder(home: Path, tmp_path: Path) -> None:
    old = unpacked("0.7.0.dev0", tmp_path)
    before = digests(old)
    done = answer("home", "upgrade", "--from", old)
    assert (done["runs"], done["in_bin"], done["searches"], done["damaged"]) == (8, 1, 1, [])
    assert done["entries"] == 2, "a data set and a pipeline"
    runs = check_figures(home, old)
    assert runs["small-1"].tags == ("fish", "keep") and runs["small-1"].note == "A note with emoji 🐋"
    assert [name for name, run in runs.items() if run.pinned] == ["small-2"]
    assert [name for name, run in runs.items() if run.archived] == ["small-3"]
    assert [name for name, run in runs.items() if run.deleted] == ["deleted-one"]
    trials = open_store().trials(runs["tiny-search #0"].search_id)
    assert [run.trial.params["training.optimizer"] for run in trials if run.trial] == ["sgd", "rmsprop", "nesterov"]
    without = [run for run in runs.values() if not run.deleted and not open_store().artifact(run.run_id, "model.keras")]
    assert len(without) == 5
    assert f"model.keras of {without[0].name} is missing" in refusal("predict", without[0].name, old / "runs.db")
    assert digests(old) == before, "no file was changed, and none was made"


def test_waiting_work_is_queued_in_its_order_and_what_was_at_work_is_interrupted(old: OldHome) -> None:
    waiting = [old.add_run(number, f"waits-{number}", RunStatus.QUEUED, epochs=0) for number in range(3)]
    running = old.add_run(3, "runs", RunStatus.RUNNING)
    jobless = old.add_run(4, "jobless", RunStatus.QUEUED, epochs=0)
    failed = old.add_run(5, "failed", RunStatus.RUNNING)
    search = old.add_search(9, {}, status="queued")
    at_work = old.add_search(10, {}, status="running")
    for place, run_id in enumerate(waiting):
        old.add_job("train", run_id, "queued", turn=2 - place)
    old.add_job("train", running, "running", started_at=60.0)
    old.add_job("train", failed, "failed", message="No memory.", started_at=61.0, ended_at=62.0)
    old.add_job("search", search, "queued")
    old.add_job("search", at_work, "running", started_at=60.0)
    done = upgrade.upgrade(open_store())
    assert (done.runs, done.queued, done.interrupted) == (6, 5, 1)
    store = open_store()
    assert list(store.ranks()) == [*waiting[::-1], jobless]
    assert store.get(running).status is RunStatus.INTERRUPTED
    ended = store.get(failed)
    assert (ended.status, ended.message, ended.ended_at) == (RunStatus.FAILED, "No memory.", 62.0)
    statuses = {head.search_id: head.status for head in open_search_store().heads()}
    assert statuses == {search: RunStatus.QUEUED, at_work: RunStatus.INTERRUPTED}
    assert store.jobs.get(job_id("search", search)) is not None
    store.queue(running)
    assert store.get(running).status is RunStatus.QUEUED and len(store.history(running)) == 2


def test_runs_of_0_6_0_wait_in_the_order_of_their_tags_unless_their_pictures_are_unknown(
    old: OldHome, tmp_path: Path
) -> None:
    kept = imported(in_folder(tmp_path / "cats", of_classes({"cat": 12, "dog": 12}))).keep("Cats", owner=BEN)
    own, hers = {"data.source": kept.source}, {"aquadash__owner": ANNA.person_id, "aquadash__shared": "0"}
    later, sooner = (old.add_run(number, f"run-{number}", RunStatus.QUEUED, epochs=0) for number in (1, 2))
    known = {"aquadash__dataset_fingerprint": "f" * 64}
    bound = old.add_run(3, "bound", RunStatus.QUEUED, changes=own, epochs=0, **known)
    unknown = old.add_run(4, "unknown", RunStatus.QUEUED, changes=own, epochs=0, **hers)
    with pytest.raises(NotAllowedError):
        Lab(ANNA).runs.upgrade()
    assert not Lab(ANNA).runs.may_upgrade()
    upgrade.upgrade(open_store())
    store = open_store()
    assert list(store.ranks()) == [bound, sooner, later]
    assert store.get(unknown).status is RunStatus.INTERRUPTED
    with pytest.raises(NotAllowedError, match="open its pictures"):
        Lab(ANNA).runs.resume(unknown)
    assert Engine(store, serving=False).resume(unknown).dataset_fingerprint == kept.fingerprint


def test_everything_that_people_wrote_and_a_search(old: OldHome) -> None:
    person = {"aquadash__owner": ANNA.person_id, "aquadash__owner_name": "Anna", "aquadash__shared": "0"}
    guess = json.dumps({"accuracy": 0.7, "confused_pair": None})
    labels = {"aquadash__label__good": "1", "aquadash__label__gone": ""}
    pins = {"aquadash__pinned": "owner", "aquadash__hidden": "1"}
    written = {"aquadash__guess": guess, "aquadash__repeats": "b" * 32, "mlflow__note__content": "a note"}
    hers = old.add_run(1, "hers", **person, **labels, **pins, **written)
    drawn = {"training.learning_rate": 0.01, "training.optimizer": "adam", "model.filters": (8, 16)}
    trials = [
        old.add_run(number, f"t{number}", RunStatus.STOPPED, changes=changes, aquadash__search_id=f"{9:032x}")
        for number, changes in ((2, {"training.learning_rate": 0.5}), (3, drawn))
    ]
    maker = [ANNA.person_id, "Anna", "student"]
    old.add_search(9, dict(zip(trials, ({}, {"pruned_at": 1}), strict=True)), maker=maker, hidden=True, images="f" * 64)
    # An epoch that was logged twice counts once, one that was not logged whole does not count.
    old.add_points(("loss", 9.0, 0, hers, 1), ("loss", 0.5, 3, hers, 3))
    upgrade.upgrade(open_store())
    store = open_store()
    run = store.get(hers)
    assert (run.owner, run.owner_name, run.shared, run.hidden) == (ANNA.person_id, "Anna", False, True)
    assert (run.pinned, run.pinned_by_owner, run.tags) == (False, True, ("good",))
    assert (run.note, run.repeats) == ("a note", "b" * 32)
    assert run.guess is not None and run.guess.accuracy == 0.7
    assert [(epoch.epoch, epoch.loss) for epoch in store.history(hers)] == [(1, 1.0), (2, 0.5)]
    first_params = {"training.learning_rate": 0.5, "training.optimizer": "sgd", "model.filters": "32, 64"}
    expected = [TrialOf(0, first_params), TrialOf(1, {**drawn, "model.filters": "8, 16"}, pruned_at=1)]
    assert [store.get(run_id).trial for run_id in trials] == expected
    search = open_search_store().get(f"{9:032x}")
    assert (search.maker, search.hidden, search.images, search.plan.trials) == (ANNA, True, "f" * 64, 5)
    assert [trial.run_id for trial in search.trials] == trials


def test_what_cannot_be_read_is_named_and_costs_nothing_else(old: OldHome) -> None:
    sound = old.add_run(1, "sound")
    old.add_job("train", sound, "flying")
    status, config, points = (old.add_run(number, f"run-{number}") for number in (2, 3, 4))
    damage = f"""
        UPDATE tags SET value = 'flying' WHERE run_uuid = '{status}' AND key = 'aquadash.status';
        UPDATE tags SET value = '[[[' WHERE run_uuid = '{config}' AND key = 'aquadash.config';
        UPDATE metrics SET value = 'much' WHERE run_uuid = '{points}' AND key = 'loss' AND step = 1;
        INSERT INTO runs VALUES ('not an id', 'other', 'active', 9);
        INSERT INTO runs VALUES ('{"e" * 32}', 'of another program', 'active', 9);
    """
    old.execute("runs.db", damage)
    old.add_search(9, {}, plan="{}")
    other = old.add_search(10, {})
    lost = old.folder / "artifacts" / sound / "artifacts" / "validation_predictions.npz"
    lost.symlink_to(lost.with_name("loop"))
    done = upgrade.upgrade(open_store())
    assert (done.runs, done.searches) == (1, 1) and open_store().get(sound).name == "sound"
    assert [head.search_id for head in open_search_store().heads()] == [other]
    named = [f"run-2 ({status}): ", "run-3", "run-4", f"job train-{sound}: ", "not an id", f"search {9:032x}"]
    named.append("validation_predictions.npz of sound")
    assert len(done.damaged) == len(named)
    assert all(any(words in line for line in done.damaged) for words in named)


def test_a_database_that_cannot_be_read_is_said_and_another_file_is_no_home(old: OldHome, tmp_path: Path) -> None:
    assert "has no file runs.db" in refusal("home", "upgrade", "--from", tmp_path)
    old.add_run(1, "one")
    (old.folder / "jobs.db").write_bytes(b"no database" * 500)
    (old.folder / "searches.db").write_bytes(b"no database" * 500)
    assert len(upgrade.upgrade(open_store()).damaged) == 2
    (tmp_path / "runs.db").write_bytes(b"no database" * 500)
    assert "its database file is damaged" in refusal("home", "upgrade", "--from", tmp_path)
    assert [run.name for run in open_store().list_runs()] == ["one"]


class Killed(BaseException):
    """Ends an upgrade as a signal would."""


@pytest.mark.parametrize("place", ["the second file", "the queue", "the mark"])
def test_an_upgrade_that_was_killed_is_repeated(old: OldHome, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    for number in range(3):
        old.add_run(number, f"run-{number}", RunStatus.QUEUED if number else RunStatus.FINISHED)
    before = digests(old.folder / "artifacts")
    calls: list[object] = []

    def kill(*arguments: object, **options: object) -> None:
        calls.append(arguments)
        if place != "the second file" or len(calls) > 1:
            raise Killed
        os.link(*arguments)  # type: ignore[arg-type]

    target = {
        "the second file": (upgrade.shutil, "copy2"),
        "the queue": (open_store().jobs, "submit"),
        "the mark": (upgrade, "write_whole"),
    }
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(*target[place], kill)
        upgrade.upgrade(open_store())
    assert settings.has_old_runs()
    assert len(open_store().list_runs()) == (3 if place == "the mark" else 0)
    done = upgrade.upgrade(open_store())
    assert (done.runs, done.already) == ((0, 3) if place == "the mark" else (3, 0))
    assert not settings.has_old_runs()
    assert sorted(run.name for run in open_store().list_runs()) == ["run-0", "run-1", "run-2"]
    assert list(open_store().ranks().values()) == [1, 2]
    assert digests(old.folder / "artifacts") == before
    assert not [path for path in settings.runs_folder().rglob(".*")]


def test_a_full_disk_ends_the_upgrade_with_nothing_written(old: OldHome, monkeypatch: pytest.MonkeyPatch) -> None:
    old.add_run(1, "one")
    with monkeypatch.context() as patch, pytest.raises(StorageError, match="the disk is full"):
        let_fail(patch, upgrade.shutil, "copy2", OSError(28, "No space left on device"))
        upgrade.upgrade(open_store())
    assert not open_store().find() and settings.has_old_runs()


def test_a_resumed_run_does_not_write_into_the_old_home(old: OldHome) -> None:
    run_id = old.add_run(1, "one", RunStatus.STOPPED)
    before = digests(old.folder / "artifacts")
    upgrade.upgrade(open_store())
    with settings.job_log(job_id("train", run_id)).open("a") as log:
        log.write("going on\n")
    store = open_store()
    store.add_text_artifact(run_id, "predictions.npz", "new ones")
    assert store.log(run_id) == "log of one\ngoing on\n" and digests(old.folder / "artifacts") == before


def test_another_home_is_added_to_what_is_here(home: Path, tmp_path: Path) -> None:
    mine = make_run(open_store())
    other = OldHome(tmp_path / "other # 1?")
    texts = {"pipelines/a.json": "theirs", "pipelines/b.json": "theirs", "cache/features/x.npy": "x"}
    files = {home / "pipelines/a.json": "mine", **{other.folder / name: text for name, text in texts.items()}}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with closing(sqlite3.connect(other.folder / "runs.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("SELECT * FROM runs").fetchall()
        other.add_run(1, "other")
        assert (other.folder / "runs.db-wal").stat().st_size, "the run is in the log of writes alone"
        done = upgrade.upgrade(open_store(), other.folder)
    assert (done.runs, done.entries) == (1, 2)
    assert {run.name for run in open_store().list_runs()} == {"mine", "other"}
    assert {name: (home / name).read_text() for name in texts} == {**texts, "pipelines/a.json": "mine"}
    assert open_store().get(mine.run_id) == mine and not (home / "upgraded.json").exists()
    assert upgrade.upgrade(open_store(), other.folder).already == 1


def test_commands_and_pages_say_that_there_are_old_runs(old: OldHome, no_engine: None) -> None:
    old.add_run(1, "one")
    assert "home upgrade" in call("runs", "list").stderr
    page = open_app_page("compare")
    assert any("are not shown yet" in text.value for text in page.markdown)
    assert "upgrade-start" not in [button.key for button in page.button]
    home_page = open_app_page("home")
    assert not open_store().find(), "the included model is not added beside runs that may have it"
    home_page.button(key="upgrade-start").click().run()
    assert "1 run and 0 searches are here now" in home_page.success[0].value
    assert [run.name for run in open_store().list_runs()] == ["one"]
    assert "home upgrade" not in call("runs", "list").stderr
