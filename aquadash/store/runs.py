"""Runs and their epochs: rows of the database, written and read as :class:`~aquadash.store.types.Run`."""

import random
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from cachetools import LRUCache, cached
from pydantic_core import to_jsonable_python
from sqlalchemy import RowMapping, and_, false, func, or_, select, update

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.data.folder.about import fingerprint_of
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.people import OWNER, Person
from aquadash.store import schema
from aquadash.store.artifacts import CONFIG, RunArtifacts
from aquadash.store.database import Database
from aquadash.store.job_types import Job, job_id
from aquadash.store.jobs import JobTable, is_active
from aquadash.store.types import EpochRecord, Guess, Run, RunStatus, clean_name, clean_tag, read_run, values_of

#: The kind of job that trains a run.
KIND = "train"

#: The columns of a history, in the order of ``history.csv`` after ``epoch``.
EPOCH_METRICS = tuple(field.name for field in fields(EpochRecord) if field.name != "epoch")

#: Points of the short curve kept for tables of runs.
CURVE_POINTS = 60

_NOTE_LIMIT = 4000

_columns = schema.runs.c
#: The fields of a run that are columns. The others come from its job.
STORED = frozenset(column.name for column in _columns) - {"revision"}


class RunStore(RunArtifacts):
    """Runs, their histories and (inherited) their files. Safe to use from several threads and processes.

    Every method raises :class:`~aquadash.errors.StorageError` when the store cannot be read or written, and
    :class:`~aquadash.errors.UnknownNameError` for an unknown run.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobTable(database)
        self._lock = threading.Lock()
        #: The runs as of the revision, by id.
        self._cached: dict[str, Run] = {}
        self._revision = 0

    # -- reading -----------------------------------------------------------------------------------------------------

    def list_runs(self, *, deleted: bool = False) -> list[Run]:
        """Return all runs, newest first; with ``deleted`` those in the bin instead.

        Only rows that were written since the last call are read. A run is the same object until its row changes.
        """
        self.jobs.end_expired()
        with self._lock:
            self._read_changes()
            runs = [run for run in self._cached.values() if run.deleted is deleted]
        return sorted(runs, key=lambda run: run.created_at, reverse=True)

    def _read_changes(self) -> None:
        with self.database.reading("read the runs") as connection:
            # The revision is read before the rows, so that the next call reads rows again that change in between.
            revision = connection.execute(select(schema.revision.c.value)).scalar_one()
            if revision == self._revision:
                return
            changed = or_(_columns.revision > self._revision, schema.jobs.c.revision > self._revision)
            rows = connection.execute(_with_job().where(changed)).mappings().all()
        ranks = self.ranks()
        for row in rows:
            self._cached[row["run_id"]] = _run(row)
        for run_id, run in self._cached.items():
            if run.rank != ranks.get(run_id, 0):
                self._cached[run_id] = replace(run, rank=ranks.get(run_id, 0))
        # Advance the revision last, so that a failed read is retried.
        self._revision = revision

    def ranks(self) -> dict[str, int]:
        """Return the ranks of the queued runs by id, in their order: 1 for the run that starts next."""
        return {job.run: rank for rank, job in enumerate(self.jobs.queue(KIND), start=1)}

    def get(self, run_id: str) -> Run:
        """Return a run by its full id, also from the bin; raise ``StorageError`` for an unreadable row."""
        run = self.read(run_id)
        if run.status is RunStatus.UNREADABLE:
            raise StorageError(f"{run.message} Delete it, or import it once more.")
        return run

    def read(self, run_id: str) -> Run:
        """Return a run, also one with an unreadable row; its status and message say so then."""
        runs = self.find(run_id=run_id)
        if not runs:
            raise UnknownNameError(f"There is no run {run_id[:40]!r}. It may have been removed.")
        return replace(runs[0], rank=self.ranks().get(run_id, 0)) if runs[0].status is RunStatus.QUEUED else runs[0]

    def trials(self, search_id: str) -> list[Run]:
        """Return the runs of a search's trials in order, also from the bin."""
        return sorted(self.find(search_id=search_id), key=lambda run: run.trial.number if run.trial else -1)

    def find(self, **values: str) -> list[Run]:
        """Return the runs with these values in these columns, also from the bin."""
        self.jobs.end_expired()
        where = [_columns[name] == value for name, value in values.items()]
        with self.database.reading("read the runs") as connection:
            return list(map(_run, connection.execute(_with_job().where(*where)).mappings().all()))

    def history(self, run_id: str) -> list[EpochRecord]:
        """Return the run's complete epochs in order."""
        epochs = schema.epochs
        with self.database.reading("read the history of the run") as connection:
            rows = connection.execute(select(epochs).where(epochs.c.run_id == run_id).order_by(epochs.c.epoch))
            return [EpochRecord(row["epoch"], **{name: row[name] for name in EPOCH_METRICS}) for row in rows.mappings()]

    # -- new runs, and their place in the queue ----------------------------------------------------------------------

    def submit(
        self, config: RunConfig, *, needs: str = "", name: str | None = None, owner: Person = OWNER, **about: Any
    ) -> Run:
        """Store a new run and its place in the queue, in one transaction.

        Args:
            config: The settings of the training.
            needs: A requirement on the worker, such as ``"gpu"``.
            name: As for :func:`new_run`, like ``owner`` and ``about``.
        """
        run = new_run(config, name=name, owner=owner, **about)
        self.add_text_artifact(run.run_id, CONFIG, config.to_json())
        with self.database.writing("store the new run"):
            self.add(run)
            self.jobs.submit(KIND, run.run_id, {}, owner=run.owner, needs=needs)
        return self.get(run.run_id)

    def add(self, run: Run, history: Sequence[EpochRecord] = ()) -> Run:
        """Store a run without a job, with its epochs, in one transaction."""
        with self.database.writing("store the run") as (connection, revision):
            connection.execute(schema.runs.insert().values(**values_of(run, STORED), revision=revision))
            if history:
                rows = [{"run_id": run.run_id, **asdict(record)} for record in history]
                connection.execute(schema.epochs.insert(), rows)
            return self.get(run.run_id)

    def queue(self, run_id: str, *, needs: str = "") -> Job:
        """Queue a run that ended early, so that it goes on from the last complete epoch; refuse any other run."""
        run = self.get(run_id)
        if run.deleted:
            raise RunError(f"{run.name} is in the bin. Bring it back first.")
        if not run.status.resumable:
            raise RunError(f"{run.name} is {run.status}; only a stopped, failed or interrupted run can be resumed.")
        return self.jobs.submit(KIND, run_id, {}, owner=run.owner, needs=needs)

    def request_stop(self, run_id: str) -> None:
        """Ask the run's worker to stop; stop a queued run at once."""
        run = self.get(run_id)
        if run.status.ended:
            raise RunError(f"{run.name} is not running: it is {run.status}.")
        self.jobs.request_stop(job_id(KIND, run_id))

    # -- what people write on a run ------------------------------------------------------------------------------------

    def set_guess(self, run_id: str, guess: Guess) -> None:
        """Store a person's guess of the result."""
        run = self.get(run_id)
        if run.status.ended:
            raise RunError(f"{run.name} is {run.status}. A guess has to be made before a run ends.")
        self.update(run_id, guess=guess)

    def delete(self, run_id: str) -> None:
        """Put an ended run into the bin."""
        run = self.read(run_id)
        if not run.status.ended:
            raise RunError(f"{run.name} is {run.status}. Stop it before you delete it.")
        self.update(run_id, deleted=True)

    def restore(self, run_id: str) -> None:
        """Bring a run back from the bin."""
        self.update(run_id, deleted=False, in_bin=True)

    def rename(self, run_id: str, name: str) -> None:
        """Change the name; control characters are dropped, and 120 characters kept."""
        cleaned = clean_name(name)
        if not cleaned:
            raise RunError("A run needs a name of at least one visible character.")
        self.update(run_id, name=cleaned)

    def set_note(self, run_id: str, text: str) -> None:
        """Store a note of at most 4,000 characters."""
        if len(text) > _NOTE_LIMIT:
            raise RunError(f"The note has {len(text)} characters; at most {_NOTE_LIMIT} fit. Please shorten it.")
        try:
            text.encode()
        except UnicodeEncodeError:
            # A terminal passes bytes that are not UTF-8 to a command as lone surrogates.
            raise RunError(
                "The note holds bytes that are not UTF-8. Type it again, or save its file as UTF-8."
            ) from None
        # PostgreSQL refuses the character 0.
        self.update(run_id, note=text.replace("\0", ""))

    def change_tags(self, run_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Add and remove tags; ignore those that the run has already, or lacks."""
        added = {clean_tag(text) for text in add}
        gone = {form for text in remove for form in (text.strip(), "-".join(text.split()).lower())}
        # The transaction excludes other writers between the reading and the writing of the tags.
        with self.database.writing("write the run"):
            self.update(run_id, tags=sorted({*self.read(run_id).tags, *added} - gone))

    def set_pinned(self, run_id: str, pinned: bool = True, *, for_all: bool = True) -> None:
        """Pin the run to the top of everybody's tables, or of its owner's tables alone, or remove that pin."""
        run = self.read(run_id) if for_all else self.get(run_id)
        if run.pinned and not for_all and not pinned:
            raise RunError("The teacher has pinned this run for everybody; only the teacher can unpin it.")
        # A shared run is pinned for all: a pin of its owner alone came with an import.
        by_owner = run.pinned_by_owner and not run.shared if for_all else pinned
        self.update(run_id, pinned=pinned if for_all else run.pinned, pinned_by_owner=by_owner)

    # -- what workers write ------------------------------------------------------------------------------------------

    def log_epoch(self, run_id: str, *records: EpochRecord, curve: Sequence[float]) -> None:
        """Store complete epochs in place of earlier ones, and the short curve of validation accuracy for tables."""
        rows = [{"run_id": run_id, **asdict(record)} for record in records]
        insert = self.database.insert(schema.epochs)
        insert = insert.on_conflict_do_update(
            index_elements=["run_id", "epoch"], set_={name: insert.excluded[name] for name in EPOCH_METRICS}
        )
        with self.database.writing("store the epoch") as (connection, revision):
            connection.execute(insert, rows)
            values = {"curve": thin(curve), "revision": revision}
            connection.execute(update(schema.runs).where(_columns.run_id == run_id).values(values))

    def update(self, run_id: str, *, in_bin: bool = False, **values: Any) -> None:
        """Write columns of a run by name; with ``in_bin`` also of a run in the bin."""
        with self.database.writing("write the run") as (connection, revision):
            is_run = _columns.run_id == run_id
            deleted = connection.execute(select(_columns.deleted).where(is_run)).scalar_one_or_none()
            if deleted is None:
                raise UnknownNameError(f"There is no run {run_id[:40]!r}. It may have been removed.")
            if deleted and not in_bin:
                raise RunError("A run in the bin cannot be changed. Bring it back first.")
            columns = to_jsonable_python(dict(values))
            connection.execute(update(schema.runs).where(is_run).values(**columns, revision=revision))


def new_run(config: RunConfig, *, name: str | None = None, owner: Person = OWNER, **about: Any) -> Run:
    """Return a queued run with a new id.

    Args:
        config: The settings of the training.
        name: The name; a random one if it is empty.
        owner: The person who submits it.
        about: Other fields of the run: ``search_id``, ``trial``, ``repeats``, ``origin`` and ``hidden``.
    """
    now = time.time()
    return Run(
        run_id=uuid.uuid4().hex,
        name=clean_name(name) or _made_up_name(),
        status=RunStatus.QUEUED,
        config=config,
        created_at=now,
        queued_at=now,
        # Own pictures may be replaced under their name before the run trains.
        dataset_fingerprint=fingerprint_of(config.data.source),
        owner=owner.person_id,
        owner_name=owner.name,
        shared=owner.leads,
        **about,
    )


def _made_up_name() -> str:
    adjectives = ("calm", "bright", "quick", "gentle", "bold", "merry", "silent", "brave", "clever", "swift")
    animals = ("beaver", "dolphin", "otter", "seal", "whale")
    return f"{random.choice(adjectives)}-{random.choice(animals)}-{random.randint(100, 999)}"


def thin(values: Sequence[float]) -> list[float]:
    """Return at most :data:`CURVE_POINTS` of the values, first and last among them, rounded to four decimals."""
    count = len(values)
    if count <= CURVE_POINTS:
        return [round(value, 4) for value in values]
    return [round(values[round(i * (count - 1) / (CURVE_POINTS - 1))], 4) for i in range(CURVE_POINTS)]


def _with_job() -> Any:
    """Return the SELECT of runs with the reports of their jobs."""
    jobs = schema.jobs
    reported = (
        jobs.c.progress,
        func.coalesce(jobs.c.log_tail, "").label("log_tail"),
        func.coalesce(and_(jobs.c.stop_requested, is_active), false()).label("stop_requested"),
    )
    return select(schema.runs, *reported).outerjoin(jobs, jobs.c.id == KIND + "-" + _columns.run_id)


def _run(row: RowMapping) -> Run:
    """Return the run of a row; a damaged row gives one of the status ``unreadable`` with the reason as message."""
    try:
        progress = row["progress"] and {**row["progress"], **row["progress"]["details"]}
        return read_run({**row, "progress": progress})
    except StorageError as error:
        identity = {
            name: row[name] for name in ("run_id", "name", "deleted", "owner", "owner_name", "shared", "hidden")
        }
        return Run(**identity, status=RunStatus.UNREADABLE, config=RunConfig(), created_at=0.0, message=str(error))


def id_of(text: str, names: Mapping[str, str], *, kind: str, kinds: str) -> str:
    """Return the id that an id, a unique prefix of one or a unique name stands for.

    Args:
        text: The id, prefix or name.
        names: Names by id.
        kind: The noun in messages: ``"run"``.
        kinds: The plural of the noun.

    Raises:
        UnknownNameError: No id or name fits.
        RunError: More than one fits.
    """
    # Names are stored cleaned.
    text = clean_name(text)
    ids = [text] if text in names else [each for each, name in names.items() if name == text]
    ids = ids or [each for each in names if text and each.startswith(text)]
    if not ids:
        raise UnknownNameError.of(kind, text, list(names.values()))
    if len(ids) > 1:
        listed = ", ".join(f"{each[:8]} ({names[each]})" for each in ids[:6])
        raise RunError(f"{text[:80]!r} fits {len(ids)} {kinds}: {listed}. Give more of the id.")
    return ids[0]


def open_store() -> RunStore:
    """Return the store that the settings name, opened once a process; raise ``StorageError`` if it cannot be opened."""
    return _opened(settings.database(), str(settings.home()))


def open_jobs() -> JobTable:
    """Return the jobs of :func:`open_store`."""
    return open_store().jobs


@cached(LRUCache(4), condition=threading.Condition())
def _opened(url: str, home: str) -> RunStore:
    return RunStore(Database(url))
