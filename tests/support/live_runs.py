"""Stored runs brought into a state by the jobs behind them, as the engine and worker processes bring them there."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from aquadash.store import Job, JobProgress, Progress, Run, RunStatus, RunStore, Worker, open_jobs
from aquadash.store.job_types import job_id
from aquadash.store.runs import KIND
from tests.support import job_rows, made_runs

WORKER = Worker("test-host", 999_999)


def job_of(run_id: str) -> Job:
    """The job of a run as it is now."""
    job = open_jobs().get(job_id(KIND, run_id))
    assert job is not None
    return job


def queue(store: RunStore, run_id: str) -> Run:
    """Let a run wait for a worker that never comes: no engine of a test trains it in earnest."""
    made_runs.queue(store, run_id, needs=run_id)
    return store.get(run_id)


def start(store: RunStore, run_id: str, worker: Worker = WORKER) -> Job:
    """Let the worker take a run that :func:`queue` has queued. The run never counts as lost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aquadash.store.jobs.slots_of_kind", lambda kind: 1000)
        store.jobs.reorder(KIND, [job_id(KIND, run_id)])
        job = store.jobs.claim([KIND], worker, offers=[run_id])
    job_rows.let_nobody_miss(job)
    assert job.run == run_id
    return job


def report(store: RunStore, job: Job, progress: Progress, *, log_tail: str | None = None) -> bool:
    """The worker reports how far it is; returns whether it is to stop."""
    details = asdict(progress)
    said = JobProgress(details.pop("phase"), round(1000 * progress.fraction), 1000, progress.eta_seconds, details)
    stop = store.jobs.heartbeat(job, said, log_tail=log_tail)
    job_rows.let_nobody_miss(job)
    return stop


def end(store: RunStore, job: Job, status: RunStatus, *, message: str = "") -> Run:
    """The worker ends with a run: finished, stopped or failed."""
    store.jobs.end(job, status, message=message)
    return store.get(job.run)
