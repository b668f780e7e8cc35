"""What is read of runs: their records and histories, and what their jobs know of those that wait or train."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aquadash import settings
from aquadash.data.folder.about import PREFIX
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.jobs import Job, JobStatus, open_jobs
from aquadash.jobs.types import job_id
from aquadash.runs import tags as tag
from aquadash.runs.connection import connect, database_file, file_number, storage_errors
from aquadash.runs.types import EpochRecord, Progress, Run, RunStatus, clean_name

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

    from aquadash.jobs.table import JobTable

#: The kind of job that trains a run.
KIND = "train"

#: A run is stored a moment before it has a job; for so long it is not taken for one that was left behind.
_BEING_QUEUED_SECONDS = 10.0

#: The columns of a history, in the order of ``history.csv`` after ``epoch``.
EPOCH_METRICS = tuple(field.name for field in fields(EpochRecord) if field.name != "epoch")

_PAGE = 500


class RunReading:
    """The part of the run store that opens it and reads runs."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._opening = threading.RLock()
        self._opened: tuple[MlflowClient, str] | None = None

    def open(self) -> tuple[MlflowClient, str]:
        """Open it, unless it is; whatever needs MLflow's client does so, too.

        Returns:
            The client, and the id of the experiment that holds the runs.

        Raises:
            StorageError: It cannot be opened; the next call tries again.
        """
        with self._opening:
            if self._opened is None:
                self._opened = connect()
                self._database = database_file()
                self._file_number = file_number(self._database)
                try:
                    _queue_what_waited(self)
                except BaseException:
                    self._opened = None
                    raise
            return self._opened

    @cached_property
    def client(self) -> MlflowClient:
        """MLflow's, for what is written and read within this room."""
        return self.open()[0]

    @cached_property
    def experiment_id(self) -> str:
        """MLflow's id of the experiment that holds the runs."""
        return self.open()[1]

    @cached_property
    def jobs(self) -> JobTable:
        """The jobs that train the runs."""
        return open_jobs()

    def list_runs(self, *, deleted: bool = False) -> list[Run]:
        """All runs, newest first; with ``deleted`` those in the bin instead.

        Reads the whole store; :class:`~aquadash.runs.snapshot.RunSnapshot` reads what is new.
        """
        return self._as_now(self.search(deleted=deleted), self.jobs.find(kind=KIND))

    def unfinished_runs(self) -> list[Run]:
        """The runs that wait or train, newest first. Quick in a full store, too."""
        jobs = self.jobs.find(kind=KIND, status=(JobStatus.QUEUED, JobStatus.RUNNING))
        found = [self.stored_run(job.run) for job in jobs]
        return self._as_now([stored for stored in found if stored is not None and not stored.deleted], jobs)

    def _as_now(self, found: Iterable[tag.StoredRun], jobs: Iterable[Job]) -> list[Run]:
        """Runs with what their jobs say of them, newest first."""
        job_of, ranks = {job.run: job for job in jobs}, self.ranks()
        runs = [
            with_job(run, job_of.get(run.run_id), rank=ranks.get(run.run_id, 0))
            for stored in found
            if (run := stored.read()) is not None
        ]
        return sorted(runs, key=lambda run: run.created_at, reverse=True)

    def ranks(self) -> dict[str, int]:
        """The ranks of the waiting runs by id: 1 for the one that starts next, and so on."""
        return {job.run: rank for rank, job in enumerate(self.jobs.queue(KIND), start=1)}

    def stored_run(self, run_id: str) -> tag.StoredRun | None:
        """One run as its tags have it; None for one that is not there."""
        from mlflow.exceptions import MlflowException

        with storage_errors("read the run"):
            try:
                return _stored(self.client.get_run(run_id))
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise

    def search(self, condition: str = "", *, deleted: bool = False) -> list[tag.StoredRun]:
        """The runs that meet a condition in MLflow's syntax, or all, in no order; with ``deleted`` those in the bin."""
        from mlflow.entities import ViewType

        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        runs: list[tag.StoredRun] = []
        token: str | None = None
        with storage_errors("read the runs"):
            while True:
                page = self.client.search_runs(
                    [self.experiment_id], condition, run_view_type=view, max_results=_PAGE, page_token=token
                )
                runs.extend(map(_stored, page))
                token = page.token
                if not token:
                    return runs

    def get(self, run_id: str) -> Run:
        """One run by its full id, a deleted one too.

        Raises:
            StorageError: What is stored of it cannot be read.
        """
        run = self.read(run_id)
        if run.status is RunStatus.UNREADABLE:
            raise StorageError(f"{run.message} Delete it, or import it once more.")
        return run

    def read(self, run_id: str) -> Run:
        """One run, also where what is stored of it cannot be read."""
        stored = self.stored_run(run_id)
        if stored is None:
            raise UnknownNameError(f"There is no run {run_id[:40]!r}. It may have been removed.")
        run = stored.read()
        if run is None:
            raise RunError(f"Run {run_id} is in the store, but another program made it; AquaDash cannot read it.")
        job = self.jobs.get(job_id(KIND, run_id))
        waits = job is not None and job.status is JobStatus.QUEUED
        return with_job(run, job, rank=self.ranks().get(run_id, 0) if waits else 0)

    def resolve(self, text: str, *, deleted: bool = False) -> str:
        """The id that a run id, a unique prefix of one or a run's unique name stands for.

        With ``deleted`` the runs in the bin are meant, otherwise the others.

        Raises:
            UnknownNameError: No run fits.
            RunError: More than one does.
        """
        if re.fullmatch(r"[0-9a-f]{32}", text):
            # Without reading all others.
            with contextlib.suppress(UnknownNameError):
                if self.read(text).deleted is deleted:
                    return text
        runs = self.list_runs(deleted=deleted)
        return id_of(text, {run.run_id: run.name for run in runs}, kind="run", kinds="runs")

    def history(self, run_id: str) -> list[EpochRecord]:
        """The run's complete epochs in order; one that was trained twice, before and after a resume, counts once."""
        columns: dict[str, dict[int, float]] = {}
        with storage_errors("read the history of the run"):
            for name in EPOCH_METRICS:
                points = sorted(self.client.get_metric_history(run_id, name), key=lambda point: point.timestamp)
                columns[name] = {point.step: point.value for point in points}
        epochs = sorted(set.intersection(*(set(column) for column in columns.values())))
        return [EpochRecord(epoch, **{name: columns[name][epoch] for name in EPOCH_METRICS}) for epoch in epochs]


def _queue_what_waited(store: RunReading) -> None:
    """Put what version 0.6.0 has left waiting in a home, whose jobs are still to be made, into the queue, in its order.

    Nothing that is stored of the runs changes. Those that do not know their own pictures read as interrupted: whoever
    resumes them is asked for the right to what has the name by then.
    """
    if settings.store_is_shared() or not store.jobs.runs_untouched():
        return
    found = store.search(f"tags.`{tag.STATUS}` = '{RunStatus.QUEUED}'")
    waiting = [run for stored in found if (run := stored.read()) and run.status is RunStatus.QUEUED]
    for run in sorted(waiting, key=lambda run: run.queued_at):
        if run.config.data.source.startswith(PREFIX) and not run.dataset_fingerprint:
            continue
        # Another process may open the home at the same moment, or one that was cut off have begun.
        with contextlib.suppress(RunError):
            store.jobs.submit(KIND, run.run_id, {}, owner=run.owner)
    # Last, under the id of no run: what fails before is done at the next start.
    store.jobs.run_changed("")


def _stored(found: MlflowRun) -> tag.StoredRun:
    return tag.StoredRun(found.info.run_id, dict(found.data.tags), found.info.lifecycle_stage == "deleted")


def id_of(text: str, names: Mapping[str, str], *, kind: str, kinds: str) -> str:
    """The id that an id, a unique prefix of one or a unique name stands for.

    Args:
        kind: What they are, for people: ``"run"``.
        kinds: The same of several.

    Raises:
        UnknownNameError: None fits.
        RunError: More than one does.
    """
    # As names are stored.
    text = clean_name(text)
    found = [text] if text in names else [known for known, name in names.items() if name == text]
    found = found or [known for known in names if text and known.startswith(text)]
    if not found:
        raise UnknownNameError.of(kind, text, list(names.values()))
    if len(found) > 1:
        ids = ", ".join(f"{known[:8]} ({names[known]})" for known in found[:6])
        raise RunError(f"{text[:80]!r} fits {len(found)} {kinds}: {ids}. Give more of the id.")
    return found[0]


def with_job(run: Run, job: Job | None, *, rank: int = 0) -> Run:
    """The run as it is now."""
    if run.status is RunStatus.UNREADABLE:
        return run
    if job is None:
        if run.status.ended or (
            run.status is RunStatus.QUEUED and time.time() - run.created_at < _BEING_QUEUED_SECONDS
        ):
            return run
        # Its home came without its jobs.
        return replace(run, status=RunStatus.INTERRUPTED)
    seen = replace(
        run,
        stop_requested=job.stop_requested,
        worker=job.worker or run.worker,
        progress=progress_of(job) or run.progress,
        log_tail=job.log_tail or run.log_tail,
    )
    if run.status.ended and job.status.ended:
        return seen
    return replace(
        seen,
        status=RunStatus(job.status),
        message=job.message,
        queued_at=job.submitted_at,
        started_at=job.started_at or run.started_at,
        ended_at=job.ended_at,
        rank=rank,
    )


def progress_of(job: Job) -> Progress | None:
    """What the worker of a training has reported last."""
    if job.progress is None:
        return None
    details: Mapping[str, object] = job.progress.details
    return Progress(**{"phase": job.progress.phase, **details})  # type: ignore[arg-type]
