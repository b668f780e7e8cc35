"""Upgrade of a home of version 0.6.0 or 0.7: its runs, searches and waiting jobs go into the new database.

The old home is only read. Files are linked or copied first, then one transaction writes all rows: an upgrade that was
killed is repeated, and what is in the database already is left alone.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import select

from aquadash import config as run_config
from aquadash import settings
from aquadash.data.folder.about import PREFIX
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import AquaDashError, StorageError
from aquadash.files import unfinished, write_whole
from aquadash.people import OWNER, Person, Role
from aquadash.store import old, schema
from aquadash.store.artifacts import LOG
from aquadash.store.database import storage_errors
from aquadash.store.job_types import job_id
from aquadash.store.runs import RunStore
from aquadash.store.types import EpochRecord, Run, RunStatus, TrialOf, clean_name, reason

#: Folders that all versions read. Each of their entries is copied from another home unless this one has it.
_FOLDERS = ("pipelines", "drafts", "datasets", "data", "weights", "cache", "progress")
#: Files that are replaced as a whole and never written into. A link to one takes no space and keeps the old one safe.
_LINKED = frozenset((".npz", ".keras", ".csv"))

_AT_WORK = "It was at work when its home was upgraded. What is complete is kept; resume it to go on."


@dataclass
class Upgrade:
    """The result of an upgrade."""

    #: The home that was read.
    source: str
    #: Runs that were brought over, those in the bin included.
    runs: int = 0
    in_bin: int = 0
    searches: int = 0
    #: Runs and searches that wait again.
    queued: int = 0
    #: Runs that were at work, or waited for own pictures without naming which.
    interrupted: int = 0
    #: Runs and searches that were in the database before.
    already: int = 0
    #: Data sets, pipelines and the like that were copied from another home.
    entries: int = 0
    #: What could not be read, as "name: reason".
    damaged: list[str] = field(default_factory=list)


@storage_errors("upgrade the home")
def upgrade(store: RunStore, source: Path | None = None, *, progress: ProgressCallback = silent) -> Upgrade:
    """Bring the runs and searches of an old home into the store. The old home is not changed.

    Args:
        store: The store of the present home.
        source: The old home; None for the present one.
        progress: Gets the step and the done fraction; an exception of it ends the upgrade, which can be repeated.

    Raises:
        StorageError: There are no runs of an earlier version, their database cannot be read, or the disk is full.
    """
    home = settings.home()
    source = source.expanduser().resolve() if source else home
    if not (source / "runs.db").is_file():
        raise StorageError(
            f"{source} has no file runs.db, so there are no runs of version 0.6.0 or 0.7. Name the folder that was "
            "AQUADASH_HOME then, with --from."
        )
    (home / "locks").mkdir(parents=True, exist_ok=True)
    with FileLock(home / "locks" / "upgrade.lock"):
        progress("reading the old home", None)
        done = Upgrade(str(source))
        jobs = _read_jobs(source, done)
        searches, trials = _read_searches(source, jobs or {}, done)
        runs = {}
        for run, epochs in _read_runs(source, done):
            trial = _trial(run, searches, *trials[run.run_id]) if run.run_id in trials else None
            runs[run.run_id] = (replace(_as_now(run, jobs), trial=trial), epochs)
        with store.database.reading("read the runs") as connection:
            for rows, key in ((runs, schema.runs.c.run_id), (searches, schema.searches.c.search_id)):
                for known in rows.keys() & set(connection.scalars(select(key))):
                    del rows[known]
                    done.already += 1
        for number, (run, _) in enumerate(runs.values()):
            progress("copying the files", number / len(runs))
            _copy_files(source, run, done)
        if source != home:
            progress("copying pictures and pipelines", None)
            _copy_folders(source, done)
        # The files must be on the disk before the rows that promise them.
        os.sync()
        progress("writing the database", None)
        _write(store, list(runs.values()), searches, jobs or {}, done)
        if source == home:
            write_whole(settings.upgrade_mark(), json.dumps(asdict(done), indent=1))
    return done


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file for reading."""
    # As immutable, unless a log lies beside it: SQLite then makes no files, and the folder may be read-only.
    logs = [Path(f"{path}{suffix}") for suffix in ("-wal", "-journal")]
    immutable = "" if any(log.is_file() and log.stat().st_size for log in logs) else "&immutable=1"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro{immutable}", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def _read_jobs(source: Path, done: Upgrade) -> dict[str, sqlite3.Row] | None:
    """Return trainings and searches by job, in the order of the queue; None for version 0.6.0, which kept no jobs."""
    if not (path := source / "jobs.db").is_file():
        return None
    try:
        with _reading(path) as connection:
            return {row["id"]: row for row in connection.execute(
                "SELECT * FROM jobs WHERE kind IN ('train', 'search') ORDER BY rank IS NULL, rank, turn, position, id"
            )}  # fmt: skip
    except sqlite3.Error as error:
        done.damaged.append(f"jobs.db: {reason(error)}")
        return {}


def _read_runs(source: Path, done: Upgrade) -> Iterator[tuple[Run, list[EpochRecord]]]:
    """Yield the runs with their epochs; a run that cannot be read is named in the result."""
    with _reading(source / "runs.db") as connection:
        runs = connection.execute("SELECT run_uuid, name, lifecycle_stage FROM runs ORDER BY start_time").fetchall()
        for run_id, name, stage in runs:
            try:
                rows = connection.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (run_id,)).fetchall()
                # PostgreSQL refuses the character 0.
                tags = {key: text.replace("\0", "") for key, text in rows if text is not None}
                run = old.run_of(settings.checked_run_id(run_id), tags, deleted=stage == "deleted")
                if run is None:  # Another program's.
                    continue
                if run.status is RunStatus.UNREADABLE:
                    raise ValueError(run.message)
                points: dict[str, list[tuple[int, int, float]]] = {}
                values = "SELECT key, step, timestamp, value FROM metrics WHERE run_uuid = ? AND is_nan = 0"
                for key, step, time, value in connection.execute(values, (run_id,)):
                    points.setdefault(key, []).append((int(step), int(time), float(value)))
                yield run, old.epochs_of(points)
            except (sqlite3.Error, ValueError, TypeError, AquaDashError) as error:
                done.damaged.append(f"{clean_name(str(name)) or 'run'} ({str(run_id)[:32]}): {reason(error)}")


def _as_now(run: Run, jobs: Mapping[str, sqlite3.Row] | None) -> Run:
    """Return the run with the status of its job, or ``interrupted`` where its worker is gone."""
    job = (jobs or {}).get(job_id("train", run.run_id))
    if job is not None and not (run.status.ended and RunStatus(job["status"]).ended):
        run = replace(
            run,
            status=RunStatus(job["status"]),
            message=job["message"],
            queued_at=job["submitted_at"],
            started_at=job["started_at"] or run.started_at,
            ended_at=job["ended_at"],
        )
    # A name of own pictures may belong to other pictures by now.
    is_bound = not run.config.data.source.startswith(PREFIX) or bool(run.dataset_fingerprint)
    may_wait = run.status is RunStatus.QUEUED and is_bound and (jobs is None or job is not None)
    return run if run.status.ended or may_wait else replace(run, status=RunStatus.INTERRUPTED, message=_AT_WORK)


def _trial(run: Run, searches: Mapping[str, dict[str, Any]], number: int, pruned_at: int | None) -> TrialOf | None:
    """Return the trial that a run is: a search wrote the values that it drew into the settings of the run."""
    if (search := searches.get(run.search_id)) is None:
        return None
    params: dict[str, Any] = {}
    for name, value in run_config.flatten(run.config).items():
        if any(part.startswith(f"{name}=") for part in search["plan"]["space"]):
            params[name] = ", ".join(map(str, value)) if isinstance(value, tuple | list) else value
    return TrialOf(number, params, pruned_at)


def _read_searches(
    source: Path, jobs: Mapping[str, sqlite3.Row], done: Upgrade
) -> tuple[dict[str, dict[str, Any]], dict[str, tuple[int, int | None]]]:
    """Return the rows of the searches by id, and number and pruning of their trials by the ids of the runs."""
    rows: dict[str, dict[str, Any]] = {}
    trials: dict[str, tuple[int, int | None]] = {}
    if not (path := source / "searches.db").is_file():
        return rows, trials
    try:
        with _reading(path) as connection:
            for study, search_id in connection.execute("SELECT study_id, study_name FROM studies").fetchall():
                try:
                    attributes = _attributes(connection, "study", study)
                    if "plan" in attributes:
                        rows[search_id] = _search_row(settings.checked_run_id(search_id), attributes, jobs)
                except (sqlite3.Error, ValueError, TypeError, LookupError, AquaDashError) as error:
                    done.damaged.append(f"search {str(search_id)[:32]}: {reason(error)}")
            for trial, number in connection.execute("SELECT trial_id, number FROM trials").fetchall():
                attributes = _attributes(connection, "trial", trial)
                trials[attributes.get("run_id", "")] = (number, attributes.get("pruned_at"))
    except (sqlite3.Error, ValueError) as error:
        done.damaged.append(f"searches.db: {reason(error)}")
    return rows, trials


def _attributes(connection: sqlite3.Connection, kind: str, number: int) -> dict[str, Any]:
    rows = connection.execute(f"SELECT key, value_json FROM {kind}_user_attributes WHERE {kind}_id = ?", (number,))
    return {key: json.loads(text) for key, text in rows.fetchall()}


def _search_row(search_id: str, attributes: Mapping[str, Any], jobs: Mapping[str, sqlite3.Row]) -> dict[str, Any]:
    plan = json.loads(attributes["plan"])
    run_config.from_mapping(plan["config"])
    plan["space"] = [str(part) for part in plan["space"]]
    status, message = RunStatus(attributes.get("status", "stopped")), str(attributes.get("message", ""))
    job = jobs.get(job_id("search", search_id))
    if job is not None and not (status.ended and RunStatus(job["status"]).ended):
        status, message = RunStatus(job["status"]), job["message"]
    if not status.ended and (job is None or job["started_at"] is not None):
        status, message = RunStatus.INTERRUPTED, _AT_WORK
    maker = OWNER
    with suppress(TypeError, ValueError, KeyError):
        person_id, name, role = attributes["maker"]
        maker = Person(str(person_id), str(name), Role(role))
    return {
        "search_id": search_id,
        "name": clean_name(attributes.get("name")) or search_id[:8],
        "status": str(status),
        "message": message,
        "plan": plan,
        "created_at": float(attributes.get("created_at", 0.0)),
        "images": str(attributes.get("images", "")),
        "owner": maker.person_id,
        "owner_name": maker.name,
        "shared": maker.leads,
        "hidden": bool(attributes.get("hidden")),
    }


def _copy_files(source: Path, run: Run, done: Upgrade) -> None:
    """Link or copy the files of a run, each whole or not at all."""
    folder = source / "artifacts" / run.run_id / "artifacts"
    files = {path.relative_to(folder): path for path in folder.rglob("[!.]*") if path.is_file()}
    for prefix in ("", "train-"):
        # The log of a run that was at work.
        if (path := source / "logs" / f"{prefix}{run.run_id}.log").is_file():
            files.setdefault(Path(LOG), path)
    for name, path in files.items():
        target = settings.run_folder(run.run_id) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(unfinished(target, secrets.token_hex(4)))
        try:
            try:
                (os.link if path.suffix in _LINKED else shutil.copy2)(path, half)
            except OSError:
                # Another disk, or one on which a file has one name only.
                shutil.copy2(path, half)
            os.replace(half, target)
        except OSError as error:
            if error.errno in (ENOSPC, EDQUOT):
                raise
            done.damaged.append(f"{name} of {run.name} ({run.run_id}): {error.strerror or error}")
        finally:
            # Renaming a file to another name of the same file leaves both.
            half.unlink(missing_ok=True)


def _copy_folders(source: Path, done: Upgrade) -> None:
    """Copy data sets, pipelines, caches and the class's files that the present home lacks."""
    # Codes, people and sessions of a class belong together.
    for entry in [source / "classroom", *(path for name in _FOLDERS for path in (source / name).glob("[!.]*"))]:
        target = settings.home() / entry.relative_to(source)
        if entry.exists() and not target.exists():
            half = target.with_name(f".new-{entry.name}")
            shutil.rmtree(half, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, half)
            os.replace(half, target)
            done.entries += 1


def _write(
    store: RunStore,
    runs: Sequence[tuple[Run, Sequence[EpochRecord]]],
    searches: Mapping[str, dict[str, Any]],
    jobs: Mapping[str, sqlite3.Row],
    done: Upgrade,
) -> None:
    """Write the rows and the queue in one transaction."""
    waiting = [("train", run.run_id, run.owner, run.queued_at) for run, _ in runs if not run.status.ended]
    waiting += [
        ("search", key, row["owner"], 0.0) for key, row in searches.items() if row["status"] == RunStatus.QUEUED
    ]
    # Version 0.6.0 had no jobs; its runs waited in the order in which they were queued.
    places = {name: number for number, name in enumerate(jobs)}
    waiting.sort(key=lambda each: (places.get(job_id(*each[:2]), 0), each[3]))
    with store.database.writing("write the runs of the old home") as (connection, revision):
        for run, epochs in runs:
            store.insert(connection, revision, run, epochs)
        for row in searches.values():
            connection.execute(schema.searches.insert().values(**row, revision=revision))
        for kind, subject, owner, _ in waiting:
            job = jobs.get(job_id(kind, subject))
            store.jobs.put(
                connection, revision, kind, subject, {}, owner=owner, needs=job["needs"] if job is not None else ""
            )
    done.runs, done.searches, done.queued = len(runs), len(searches), len(waiting)
    done.in_bin = sum(run.deleted for run, _ in runs)
    done.interrupted = sum(run.message == _AT_WORK for run, _ in runs)
