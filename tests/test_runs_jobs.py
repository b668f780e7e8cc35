"""What the store knows of a job beside a run, and that the run itself is left alone."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from aquadash.config import RunConfig
from aquadash.errors import RunError
from aquadash.runs import Progress, Run, RunStatus, RunStore, Worker, open_store
from aquadash.runs.jobs import STALE_SECONDS, STARTING_SECONDS, JobStatus, RunJobs

WORKER = Worker("there", 7)


@pytest.fixture
def store(home: Path) -> RunStore:
    return open_store()


@pytest.fixture
def run(store: RunStore) -> Run:
    run = store.create(RunConfig(), name="looked at")
    store.set_status(run.run_id, RunStatus.FINISHED)
    return store.get(run.run_id)


@pytest.fixture
def jobs(store: RunStore) -> RunJobs:
    return RunJobs(store, "test")


def test_the_life_of_a_job_leaves_the_run_as_it_was(store: RunStore, run: Run, jobs: RunJobs) -> None:
    run_id = run.run_id
    assert jobs.get(run_id) is None and jobs.run_ids() == []
    jobs.begin(run_id, {"seed": 1})
    job = jobs.get(run_id)
    assert job is not None and (job.status, job.request, job.progress) == (JobStatus.STARTING, {"seed": 1}, None)
    jobs.start(run_id, WORKER)
    progress = Progress("looking", batch=3, batches=9, eta_seconds=4.0, time=time.time())
    assert not jobs.heartbeat(run_id, progress)
    jobs.request_stop(run_id)
    assert jobs.heartbeat(run_id, progress)
    job = jobs.get(run_id)
    assert job is not None and job.status is JobStatus.RUNNING and job.stop_requested
    assert (job.progress, job.worker) == (progress, WORKER)
    jobs.end(run_id, JobStatus.STOPPED, message="as asked")
    job = jobs.get(run_id)
    assert job is not None and (job.status, job.message, job.stop_requested) == (JobStatus.STOPPED, "as asked", False)
    assert job.ended_at is not None and jobs.run_ids() == [run_id]
    assert store.get(run_id) == run


def test_one_job_at_a_time(run: Run, jobs: RunJobs) -> None:
    jobs.begin(run.run_id, {})
    with pytest.raises(RunError, match="starting already"):
        jobs.begin(run.run_id, {})
    jobs.start(run.run_id, WORKER)
    with pytest.raises(RunError, match="running already"):
        jobs.begin(run.run_id, {})
    jobs.end(run.run_id, JobStatus.FAILED)
    jobs.begin(run.run_id, {"again": True})


def test_kinds_do_not_meet(store: RunStore, run: Run, jobs: RunJobs) -> None:
    jobs.begin(run.run_id, {})
    assert RunJobs(store, "other").get(run.run_id) is None and RunJobs(store, "other").run_ids() == []


def test_silence_reads_as_interrupted(run: Run, jobs: RunJobs) -> None:
    jobs.begin(run.run_id, {})
    for started, limit in ((False, STARTING_SECONDS), (True, STALE_SECONDS)):
        if started:
            jobs.start(run.run_id, WORKER)
        soon = jobs.get(run.run_id, now=time.time() + limit - 5)
        late = jobs.get(run.run_id, now=time.time() + limit + 5)
        assert soon is not None and not soon.status.ended
        assert late is not None and late.status is JobStatus.INTERRUPTED and late.status.ended


def test_nothing_to_stop(run: Run, jobs: RunJobs) -> None:
    for begun in (False, True):
        if begun:
            jobs.begin(run.run_id, {})
            jobs.end(run.run_id, JobStatus.FINISHED)
        with pytest.raises(RunError, match="nothing to stop"):
            jobs.request_stop(run.run_id)


def test_a_wish_to_stop_is_forgotten_by_the_next_start(run: Run, jobs: RunJobs) -> None:
    jobs.begin(run.run_id, {})
    jobs.request_stop(run.run_id)
    jobs.end(run.run_id, JobStatus.STOPPED)
    jobs.begin(run.run_id, {})
    assert not jobs.heartbeat(run.run_id, replace(Progress("x"), time=time.time()))


def test_tags_that_cannot_be_read_are_no_job(store: RunStore, run: Run, jobs: RunJobs) -> None:
    jobs.begin(run.run_id, {})
    for name, text in (("request", "{"), ("status", "dancing"), ("started_at", "soon")):
        jobs._set(run.run_id, {name: text})
        assert jobs.get(run.run_id) is None
