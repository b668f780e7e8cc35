"""Homes as versions up to 0.7 left them: made with sqlite3 alone, or unpacked from ../shared/data."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.store import EPOCH_METRICS, RunStatus

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
        self._execute("runs.db", _RUNS)

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
        self._execute("runs.db", "INSERT INTO runs VALUES (?, ?, ?, ?)", (run_id, name, stage, number))
        rows = [(key, text, run_id) for key, text in values.items()]
        self._execute("runs.db", "INSERT INTO tags VALUES (?, ?, ?)", *rows)
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
        self._execute("runs.db", f"INSERT INTO metrics ({columns}) VALUES (?, ?, ?, ?, ?)", *points)

    def add_job(self, kind: str, run: str, status: str, **values: Any) -> None:
        """Add a job behind the others."""
        self._execute("jobs.db", _JOBS)
        values = {"needs": "", "message": "", "turn": 1, "submitted_at": 50.0} | values
        values |= {"id": f"{kind}-{run}", "kind": kind, "run": run, "status": status}
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        position = "(SELECT count(*) FROM jobs)"
        insert = f"INSERT INTO jobs ({columns}, position) VALUES ({marks}, {position})"
        self._execute("jobs.db", insert, tuple(values.values()))

    def add_search(self, number: int, trials: Mapping[str, Mapping[str, Any]], **attributes: Any) -> str:
        """Add a search over three settings, with a trial for each run; return its id."""
        search_id = f"{number:032x}"
        plan = {
            "config": with_values(RunConfig(), {"training.learning_rate": 0.5}).model_dump(),
            "space": [
                "training.learning_rate=0.001..0.1:log", "training.optimizer=adam,sgd", "model.filters=8,16|32,64",
            ],
            "sampler": "tpe", "pruner": "median", "budget": {"trials": 5, "minutes": None}, "seed": 3, "name": "lr",
        }  # fmt: skip
        values = {"name": "lr", "created_at": 7.0, "status": "finished", "plan": json.dumps(plan), **attributes}
        if not (self.folder / "searches.db").exists():
            self._execute("searches.db", _SEARCHES)
        self._execute("searches.db", "INSERT INTO studies VALUES (?, ?)", (number, search_id))
        rows = [(number, key, json.dumps(value)) for key, value in values.items()]
        self._execute("searches.db", "INSERT INTO study_user_attributes VALUES (?, ?, ?)", *rows)
        for place, (run_id, kept) in enumerate(trials.items()):
            trial = 100 * number + place
            self._execute("searches.db", "INSERT INTO trials VALUES (?, ?, ?, 'COMPLETE')", (trial, place, number))
            rows = [(trial, key, json.dumps(value)) for key, value in {"run_id": run_id, **kept}.items()]
            self._execute("searches.db", "INSERT INTO trial_user_attributes VALUES (?, ?, ?)", *rows)
        return search_id

    def damage(self, statement: str) -> None:
        """Run a statement on the database of runs."""
        self._execute("runs.db", statement)

    def _execute(self, name: str, statement: str, *rows: tuple[Any, ...]) -> None:
        with closing(sqlite3.connect(self.folder / name)) as connection:
            if rows:
                connection.executemany(statement, rows)
            else:
                connection.executescript(statement)
            connection.commit()
