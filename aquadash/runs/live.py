"""What the jobs know of runs that wait or train: status, place, progress, the end of the log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from aquadash.jobs import Job
from aquadash.runs.types import Progress, Run, RunStatus

#: The kind of job that trains a run.
KIND = "train"

#: A run is stored a moment before it has a job; for so long it is not taken for one that was left behind.
_BEING_QUEUED_SECONDS = 10.0


def with_job(run: Run, job: Job | None, *, place: int = 0) -> Run:
    """The run as it is now.

    Args:
        run: As it is stored: how it ended, or that it was to be trained.
        job: The job that trains it, or did last; None where there never was one, as for runs that were imported.
        place: 1 for the run that starts next, and so on; 0 for one that does not wait.
    """
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
        place=place,
    )


def progress_of(job: Job) -> Progress | None:
    """What the worker of a training has reported last."""
    if job.progress is None:
        return None
    details: Mapping[str, object] = job.progress.details
    return Progress(**{"phase": job.progress.phase, **details})  # type: ignore[arg-type]
