"""The steps of a stored run's job, taken as the engine and worker processes take them."""

import os
from dataclasses import asdict

from aquadash import settings
from aquadash.store import Job, JobProgress, Progress, Run, RunStatus, RunStore, Worker, open_jobs
from aquadash.store.job_types import job_id
from aquadash.store.runs import KIND
from aquadash.work import worker
from tests.support.job_rows import claim, never_expire

WORKER = Worker("test-host", 999_999)


def job_of(run_id: str) -> Job:
    """Return the job of a run as it is now."""
    job = open_jobs().get(job_id(KIND, run_id))
    assert job is not None
    return job


def queue(store: RunStore, run_id: str) -> Run:
    """Queue a run for a worker that never comes: no engine of a test trains it."""
    store.jobs.submit(KIND, run_id, {}, owner=store.get(run_id).owner, needs=run_id)
    return store.get(run_id)


def start(store: RunStore, run_id: str, worker: Worker = WORKER) -> Job:
    """Let the worker claim a queued run, with a lease that never expires."""
    store.jobs.reorder(KIND, [job_id(KIND, run_id)])
    job = claim(KIND, worker, offers=[run_id])
    assert job.run == run_id
    never_expire(job)
    return job


def train(store: RunStore, run_id: str) -> Run:
    """Train a run in this process as its worker does, and return it as it is then; queue it first if it has ended."""
    if store.get(run_id).status.ended:
        queue(store, run_id)
    log = settings.job_log(job_id(KIND, run_id))
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("the log\n")
    worker.do_job(open_jobs(), start(store, run_id, Worker.of(os.getpid())))
    return store.get(run_id)


def report(store: RunStore, job: Job, progress: Progress, *, log_tail: str | None = None) -> bool:
    """Report the worker's progress; return whether it is to stop."""
    details = asdict(progress)
    reported = JobProgress(details.pop("phase"), round(1000 * progress.fraction), 1000, progress.eta_seconds, details)
    stop = store.jobs.heartbeat(job, reported, log_tail=log_tail)
    never_expire(job)
    return stop


def end(store: RunStore, job: Job, status: RunStatus, *, message: str = "") -> Run:
    """End the worker's job: finished, stopped or failed."""
    store.jobs.end(job, status, message=message)
    return store.get(job.run)
