"""Upgrade of a home of version 0.6.0 or 0.7: its runs, searches and waiting jobs go into the new database.

The old home is only read. Files are linked or copied first, then one transaction writes all rows: an upgrade that was
killed is repeated, and what is in the database already is left alone.
"""

import json
import os
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
from aquadash.files import storage_error, write_whole
from aquadash.people import Role
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
    #: Unreadable runs, searches, jobs and files, as "name: reason".
    damaged: list[str] = field(default_factory=list)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Go on after a block that reads something damaged, and name it in the result."""
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError, LookupError, AquaDashError) as error:
            self.damaged.append(f"{name}: {reason(error)}")


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
        searches, trials = _read_searches(source, jobs, done)
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
        _write(store, list(runs.values()), searches, jobs, done)
        if source == home:
            write_whole(settings.upgrade_mark(), json.dumps(asdict(done), indent=1))
    return done


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    # As immutable, unless a log lies beside it: SQLite then makes no files, and the folder may be read-only.
    logs = [Path(f"{path}{suffix}") for suffix in ("-wal", "-journal")]
    immutable = "" if any(log.is_file() and log.stat().st_size for log in logs) else "&immutable=1"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro{immutable}", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def _read_jobs(source: Path, done: Upgrade) -> dict[str, sqlite3.Row]:
    """Return trainings and searches by job, in the order of the queue; version 0.6.0 kept no jobs."""
    jobs: dict[str, sqlite3.Row] = {}
    query = "SELECT * FROM jobs WHERE kind IN ('train', 'search') ORDER BY rank IS NULL, rank, turn, position, id"
    if (path := source / "jobs.db").is_file():
        with done.reading("jobs.db"), _reading(path) as connection:
            for row in connection.execute(query):
                with done.reading(f"job {row['id'][:48]}"):
                    RunStatus(row["status"])
                    jobs[row["id"]] = row
    return jobs


def _read_runs(source: Path, done: Upgrade) -> Iterator[tuple[Run, list[EpochRecord]]]:
    """Yield the runs with their epochs; a run that cannot be read is named in the result."""
    with _reading(source / "runs.db") as connection:
        runs = connection.execute("SELECT run_uuid, name, lifecycle_stage FROM runs ORDER BY start_time").fetchall()
        for run_id, name, stage in runs:
            with done.reading(f"{clean_name(str(name)) or 'run'} ({str(run_id)[:32]})"):
                rows = connection.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (run_id,)).fetchall()
                # PostgreSQL refuses the character 0.
                tags = {key: text.replace("\0", "") for key, text in rows if text is not None}
                run = old.run_of(settings.checked_run_id(run_id), tags, deleted=stage == "deleted")
                points: dict[str, list[tuple[int, float, int]]] = {}
                values = "SELECT key, step, value, timestamp FROM metrics WHERE run_uuid = ? AND is_nan = 0"
                for key, step, value, time in connection.execute(values, (run_id,)):
                    points.setdefault(key, []).append((int(step), float(value), int(time)))
                if run is not None:
                    yield run, old.epochs_of(points)


def _as_now(run: Run, jobs: Mapping[str, sqlite3.Row]) -> Run:
    """Return the run with the status of its job, or ``interrupted`` where its worker is gone."""
    job = jobs.get(job_id("train", run.run_id))
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
    may_wait = run.status is RunStatus.QUEUED and is_bound
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
    with done.reading("searches.db"), _reading(path) as connection:
        for study, search_id in connection.execute("SELECT study_id, study_name FROM studies").fetchall():
            with done.reading(f"search {str(search_id)[:32]}"):
                attributes = _attributes(connection, "study", study)
                if "plan" in attributes:
                    rows[search_id] = _search_row(settings.checked_run_id(search_id), attributes, jobs)
        for trial, number in connection.execute("SELECT trial_id, number FROM trials").fetchall():
            attributes = _attributes(connection, "trial", trial)
            trials[attributes.get("run_id", "")] = (number, attributes.get("pruned_at"))
    return rows, trials


def _attributes(connection: sqlite3.Connection, kind: str, number: int) -> dict[str, Any]:
    rows = connection.execute(f"SELECT key, value_json FROM {kind}_user_attributes WHERE {kind}_id = ?", (number,))
    return {key: json.loads(text) for key, text in rows.fetchall()}


def _search_row(search_id: str, attributes: Mapping[str, Any], jobs: Mapping[str, sqlite3.Row]) -> dict[str, Any]:
    plan = json.loads(attributes["plan"])
    run_config.from_mapping(plan["config"])
    # Versions up to 0.7 limited a search by trials or minutes.
    if trials := plan.pop("budget", {}).get("trials"):
        plan["trials"] = trials
    plan["space"] = [str(part) for part in plan["space"]]
    status, message = RunStatus(attributes.get("status", "stopped")), str(attributes.get("message", ""))
    job = jobs.get(job_id("search", search_id))
    if job is not None and not (status.ended and RunStatus(job["status"]).ended):
        status, message = RunStatus(job["status"]), job["message"]
    if not status.ended and (job is None or job["started_at"] is not None):
        status, message = RunStatus.INTERRUPTED, _AT_WORK
    owner, owner_name, role = attributes.get("maker", ("", "", Role.OWNER))
    return {
        "search_id": search_id,
        "name": clean_name(attributes.get("name")) or search_id[:8],
        "status": str(status),
        "message": message,
        "plan": plan,
        "created_at": float(attributes.get("created_at", 0.0)),
        "images": str(attributes.get("images", "")),
        "owner": str(owner),
        "owner_name": str(owner_name),
        "shared": role in (Role.OWNER, Role.TEACHER),
        "hidden": bool(attributes.get("hidden")),
    }


def _copy_files(source: Path, run: Run, done: Upgrade) -> None:
    """Link or copy the files of a run, in place of those of an upgrade that was killed."""
    target = settings.run_folder(run.run_id)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    # The log of a run that was at work; the run's own folder has the log of one that has ended.
    for log in (source / "logs" / f"{prefix}{run.run_id}.log" for prefix in ("", "train-")):
        if log.is_file():
            shutil.copy2(log, target / LOG)
    folder, hidden = source / "artifacts" / run.run_id / "artifacts", shutil.ignore_patterns(".*")
    try:
        if folder.is_dir():
            shutil.copytree(folder, target, ignore=hidden, copy_function=_link_or_copy, dirs_exist_ok=True)
    except shutil.Error as error:
        for name, _, why in error.args[0]:
            done.damaged.append(f"{os.path.relpath(name, folder)} of {run.name} ({run.run_id}): {why}")


def _link_or_copy(source: str, target: str) -> None:
    try:
        if Path(source).suffix in _LINKED:
            with suppress(OSError):  # Another disk, or one on which a file has one name only.
                os.link(os.path.realpath(source), target)
                return
        shutil.copy2(source, target)
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            # copytree goes on after an OSError.
            raise storage_error("upgrade the home", error) from error
        raise


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
    waiting = [("train", run.run_id, run.owner, run.queued_at) for run, _ in runs if not run.status.ended]
    waiting += [
        ("search", key, row["owner"], 0.0) for key, row in searches.items() if row["status"] == RunStatus.QUEUED
    ]
    # Without a job, as in version 0.6.0, the time at which it was queued decides.
    places = {name: number for number, name in enumerate(jobs)}
    waiting.sort(key=lambda each: (places.get(job_id(*each[:2]), len(places)), each[3]))
    with store.database.writing("write the runs of the old home") as (connection, revision):
        for run, epochs in runs:
            store.add(run, epochs)
        for row in searches.values():
            connection.execute(schema.searches.insert().values(**row, revision=revision))
        for kind, subject, owner, _ in waiting:
            job = jobs.get(job_id(kind, subject))
            store.jobs.submit(kind, subject, {}, owner=owner, needs=job["needs"] if job is not None else "")
    done.runs, done.searches, done.queued = len(runs), len(searches), len(waiting)
    done.in_bin = sum(run.deleted for run, _ in runs)
    done.interrupted = sum(run.message == _AT_WORK for run, _ in runs)
