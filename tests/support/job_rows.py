"""Jobs in tests: what a worker process would do with them, done here, and leases that run out at once."""

import os
import threading
from collections.abc import Callable, Collection
from typing import Any

import pytest
from sqlalchemy import text

from aquadash.store import Job, Worker, open_jobs
from aquadash.store.jobs import JobTable
from aquadash.store.kinds import KINDS
from aquadash.work import worker
from aquadash.work.slots import Slots

#: Lock: of two patches that overlap in two threads, one would stay in place for all later tests of the process.
_unlimited_slots = threading.Lock()


def start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs be submitted without a slot that claims them."""
    serve_by(monkeypatch, lambda: None)


def launch_by(monkeypatch: pytest.MonkeyPatch, standby: Any) -> None:
    """Let this object launch the workers in place of the standby process."""
    monkeypatch.setattr("aquadash.work.slots.STANDBY", standby)


def carry_out_by(monkeypatch: pytest.MonkeyPatch, function: Callable[..., object]) -> None:
    """Let this function carry out claimed jobs in place of a worker process."""
    monkeypatch.setattr("aquadash.work.slots.carry_out", function)


def queued_kinds() -> list[str]:
    """The kinds of the jobs that wait."""
    return [job.kind for kind in KINDS for job in open_jobs().queue(kind)]


def do_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each job be done in this process as soon as slots look at the queue."""

    def do_all() -> None:
        for kind in KINDS:
            for _ in open_jobs().queue(kind):
                do_next(kind)

    serve_by(monkeypatch, do_all)


def serve_by(monkeypatch: pytest.MonkeyPatch, serve: Callable[[], None]) -> None:
    """Let this happen where slots would begin to look at the queue."""
    monkeypatch.setattr(Slots, "serve", lambda self: serve())


def claim(kind: str, worker: Worker | None = None, *, offers: Collection[str] = ()) -> Job:
    """Take the next job of a kind, as its worker process does, however many are taken."""
    with _unlimited_slots, pytest.MonkeyPatch.context() as patch:
        patch.setattr("aquadash.store.jobs.slots_of_kind", lambda kind: 1000)
        job = open_jobs().claim([kind], worker or Worker.of(os.getpid()), offers=offers)
    assert job is not None
    return job


def do_next(kind: str) -> Job:
    """Do the next job of a kind in this process; returns it as it is at its end."""
    worker.do_job(open_jobs(), claim(kind))
    return latest(kind)


def latest(kind: str) -> Job:
    """The job of the kind that was written last."""
    return max(open_jobs().find(kind=kind), key=lambda job: job.revision)


def let_time_pass(job: Job, seconds: float, *, jobs: JobTable | None = None) -> None:
    """Age the job's lease by so many seconds, as without heartbeats and checks."""
    _set_lease(job, jobs, "CASE WHEN lease > 0 THEN lease - :seconds ELSE lease + :seconds END", seconds=seconds)


def let_the_lease_run_out(job: Job, *, jobs: JobTable | None = None) -> None:
    """Let the lease of a running job expire, so that the job counts as lost. A queued job has no lease."""
    _set_lease(job, jobs, "CASE WHEN lease IS NOT NULL OR status = 'running' THEN -1 END")


def never_expire(job: Job) -> None:
    """Remove the lease, so that the job never counts as lost."""
    _set_lease(job, None, "NULL")


def _set_lease(job: Job, jobs: JobTable | None, lease: str, **values: float) -> None:
    with (jobs or open_jobs()).database.writing("change the lease") as (connection, _):
        connection.execute(text(f"UPDATE jobs SET lease = {lease} WHERE id = :id"), {"id": job.id, **values})
