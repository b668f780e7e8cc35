"""Jobs that look at a run after it has ended, such as measuring its robustness: what the store knows of them.

A job of a kind is one process. It and whoever watches it meet in tags of the run, beside the run's own and never in
them, so that a job changes nothing of the run's status, progress or log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from aquadash import people
from aquadash.classroom.rights import Action, require, viewed
from aquadash.errors import RunError
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.types import Progress, Time, Worker

if TYPE_CHECKING:
    from aquadash.runs.store import RunStore

#: A job at work without a sign of life for so long counts as interrupted. Jobs run at a low priority and may have to
#: wait for a busy processor, so they get longer than a training.
STALE_SECONDS = 20.0

#: A process that has been started but has not reported yet: importing what it needs takes seconds, more on a busy
#: machine.
STARTING_SECONDS = 90.0

_MESSAGE_LIMIT = 1000


class JobStatus(StrEnum):
    """Where a job is: ``starting -> running -> finished | stopped | failed | interrupted``."""

    STARTING = "starting"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """True when nothing more will happen unless somebody starts the job again."""
        return self not in (JobStatus.STARTING, JobStatus.RUNNING)


@dataclass(frozen=True)
class Job:
    """A job of a run.

    Attributes:
        status: See :class:`JobStatus`. One at work whose signs of life have stopped reads as interrupted.
        request: What was asked for, as plain values.
        started_at: When it was (last) started, in seconds since 1970 UTC.
        ended_at: When it ended, None before.
        progress: Its last sign of life: ``phase``, ``batch`` done of ``batches``, ``eta_seconds``; None before the
            first.
        message: Why it failed or was stopped; empty otherwise.
        stop_requested: True once somebody has asked it to stop.
        worker: Its process, None before it has reported.
        asked_by: The id of the person who asked for it; empty for the owner of the machine.
    """

    status: JobStatus
    request: dict[str, Any]
    started_at: Time
    ended_at: Time | None = None
    progress: Progress | None = None
    message: str = ""
    stop_requested: bool = False
    worker: Worker | None = None
    asked_by: str = ""


class RunJobs:
    """The jobs of one kind, at most one a run. Safe to use from several threads and processes.

    Every method raises :class:`~aquadash.errors.StorageError` when the store cannot be read or written.
    """

    def __init__(self, store: RunStore, kind: str) -> None:
        """Nothing is read yet.

        Args:
            store: The run store.
            kind: One word, which becomes a part of the tags' names.
        """
        self._store = store
        self._prefix = f"aquadash.job.{kind}."

    def get(self, run_id: str, *, now: float | None = None) -> Job | None:
        """The run's job as it is now; None where there never was one or what is stored cannot be read."""
        with storage_errors("read the job"):
            tags = self._store._client.get_run(run_id).data.tags
        require(Action.VIEW, tag.thing_of(tags))
        found = {name.removeprefix(self._prefix): text for name, text in tags.items() if name.startswith(self._prefix)}
        try:
            return _read(found, time.time() if now is None else now)
        except ValueError:
            return None

    def run_ids(self) -> list[str]:
        """The runs, deleted ones not among them, that ever had such a job."""
        found: list[str] = []
        token: str | None = None
        with storage_errors("read the jobs"):
            while True:
                page = self._store._client.search_runs(
                    [self._store._experiment_id],
                    filter_string=f"tags.`{self._prefix}status` != ''",
                    max_results=500,
                    page_token=token,
                )
                found.extend(run.info.run_id for run in viewed(page, lambda run: tag.thing_of(run.data.tags)))
                token = page.token
                if not token:
                    return found

    def begin(self, run_id: str, request: Mapping[str, Any]) -> None:
        """Write that a process is being started for the job, and forget an earlier wish to stop it.

        Raises:
            RunError: It is at work already.
            NotAllowedError: Whoever asks may not have the run's network looked at.
        """
        self._store._ask(Action.MEASURE, run_id)
        job = self.get(run_id)
        if job is not None and not job.status.ended:
            raise RunError(f"This is {job.status} already. Wait for its end, or stop it first.")
        self._set(
            run_id,
            {
                "status": JobStatus.STARTING,
                "request": json.dumps(dict(request)),
                "started_at": repr(time.time()),
                "ended_at": "",
                "message": "",
                "stop": "",
                "progress": "",
                "worker": "",
                "asked_by": people.current().person_id,
            },
        )

    def start(self, run_id: str, worker: Worker) -> None:
        """A process has taken the job."""
        require(Action.WORK)
        progress = Progress("starting", time=time.time())
        self._set(
            run_id,
            {
                "status": JobStatus.RUNNING,
                "worker": json.dumps(asdict(worker)),
                "progress": json.dumps(asdict(progress)),
            },
        )

    def heartbeat(self, run_id: str, progress: Progress, *, log_tail: str | None = None) -> bool:
        """Write a sign of life; returns whether somebody asked the job to stop.

        It has the form of :meth:`RunStore.heartbeat <aquadash.runs.RunStore.heartbeat>`, so that the same thread can
        send it; a job's log stays on its machine.
        """
        require(Action.WORK)
        self._set(run_id, {"progress": json.dumps(asdict(progress))})
        with storage_errors("read the stop request"):
            return self._store._client.get_run(run_id).data.tags.get(f"{self._prefix}stop") == "1"

    def request_stop(self, run_id: str) -> None:
        """Ask the job to stop; it looks once a second.

        Raises:
            RunError: It is not at work.
            NotAllowedError: It was asked for by somebody else, for a run that is not one's own.
        """
        job = self.get(run_id)
        self._ask_to_stop(run_id, job)
        if job is None or job.status.ended:
            raise RunError("There is nothing to stop: the job is not at work.")
        self._set(run_id, {"stop": "1"})

    def end(self, run_id: str, status: JobStatus, *, message: str = "") -> None:
        """Write how the job ended."""
        require(Action.WORK)
        self._set(
            run_id, {"status": status, "message": message[:_MESSAGE_LIMIT], "ended_at": repr(time.time()), "stop": ""}
        )

    def _ask_to_stop(self, run_id: str, job: Job | None) -> None:
        person = people.current()
        if person.leads or (job is not None and person.person_id and job.asked_by == person.person_id):
            return
        self._store._ask(Action.STOP_JOB, run_id)

    def _set(self, run_id: str, values: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        with storage_errors("write the job"):
            tags = [RunTag(self._prefix + name, str(value)) for name, value in values.items()]
            self._store._client.log_batch(run_id, tags=tags)


_JOB = TypeAdapter(Job)


def _read(tags: Mapping[str, str], now: float) -> Job | None:
    if "status" not in tags:
        return None
    job = _JOB.validate_python(
        {
            "stop_requested": tags.get("stop") == "1",
            # A tag that was emptied is as good as none.
            **{
                name: tags[name]
                for name in ("status", "started_at", "ended_at", "message", "asked_by")
                if tags.get(name)
            },
            **{name: from_json(tags[name]) for name in ("request", "progress", "worker") if tags.get(name)},
        }
    )
    silent = now - max(job.started_at, job.progress.time if job.progress else 0.0)
    limit = {JobStatus.STARTING: STARTING_SECONDS, JobStatus.RUNNING: STALE_SECONDS}.get(job.status)
    return replace(job, status=JobStatus.INTERRUPTED) if limit is not None and silent > limit else job
