"""The table of jobs: one row a piece of work, claims that one worker gets, attempts that fence off lost ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.jobs import Job, JobStatus, LeaseLostError, Progress, Worker, open_jobs
from aquadash.jobs.kinds import KINDS, Kind
from aquadash.jobs.table import LEASE_SECONDS, Jobs
from tests import clusters
from tests.job_rows import let_the_lease_run_out

HERE = Worker("here", 7)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=[pytest.mark.soak, pytest.mark.skipif(bool(clusters.MISSING), reason=clusters.MISSING)],
        ),
    ]
)
def jobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """An empty table. Lost jobs of the kind ``"once"`` are interrupted, those of ``"again"`` put back."""
    kinds = {
        "once": Kind("once", "look", "no:thing"),
        "again": Kind("again", "training", "no:thing", requeue=True),
        "brief": Kind("brief", "export", "no:thing", kept=60.0),
    }
    monkeypatch.setattr("aquadash.jobs.table.KINDS", kinds)
    if request.param == "sqlite":
        opened = Jobs(f"sqlite:///{tmp_path / 'jobs.db'}")
    else:
        opened = Jobs(request.getfixturevalue("postgresql"))
        with opened._engine.begin() as connection:
            connection.execute(text("DELETE FROM jobs"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with clusters.postgresql() as address:
        yield address


def claimed(jobs: Jobs, kind: str = "once", run: str = "r1") -> Job:
    jobs.submit(kind, run, {"seed": 1})
    job = jobs.claim([kind], HERE)
    assert job is not None
    return job


def now(jobs: Jobs, job: Job) -> Job:
    found = jobs.get(job.id)
    assert found is not None
    return found


def test_the_life_of_a_job(jobs: Jobs) -> None:
    assert jobs.get("once-r1") is None and jobs.claim(["once"], HERE) is None
    queued = jobs.submit("once", "r1", {"seed": 1, "names": ["a"]}, owner="anna")
    assert (queued.id, queued.kind, queued.run, queued.owner) == ("once-r1", "once", "r1", "anna")
    assert (queued.status, queued.attempt, queued.worker) == (JobStatus.QUEUED, 0, None)
    assert now(jobs, queued) == queued and queued.request == {"seed": 1, "names": ["a"]}

    job = jobs.claim(["once"], HERE)
    assert job is not None and (job.status, job.attempt, job.worker) == (JobStatus.RUNNING, 1, HERE)
    assert job.started_at is not None and job.started_at >= job.submitted_at
    assert jobs.claim(["once"], HERE) is None
    progress = Progress("looking", 3, 9, 4.0)
    assert not jobs.heartbeat(job, progress)
    assert now(jobs, job).progress == progress

    jobs.request_stop(job.id)
    assert now(jobs, job).stop_requested and now(jobs, job).status is JobStatus.RUNNING
    assert jobs.heartbeat(job, progress), "the worker hears of it"
    jobs.end(job, JobStatus.STOPPED, message="as asked" * 1000)
    ended = now(jobs, job)
    assert (ended.status, ended.message[:8], len(ended.message)) == (JobStatus.STOPPED, "as asked", 1000)
    assert ended.ended_at is not None and ended.status.ended


def test_the_same_work_is_under_way_once_and_begins_anew_in_the_same_row(jobs: Jobs) -> None:
    job = claimed(jobs)
    with pytest.raises(RunError, match="look is under way already"):
        jobs.submit("once", "r1", {})
    assert jobs.submit("again", "r1", {}).status is JobStatus.QUEUED, "another kind is other work"
    jobs.request_stop(job.id)
    jobs.end(job, JobStatus.FAILED, message="why")
    again = jobs.submit("once", "r1", {"seed": 2}, owner="ben")
    assert (again.request, again.owner, again.message, again.stop_requested) == ({"seed": 2}, "ben", "", False)
    assert (again.progress, again.worker, again.started_at, again.ended_at) == (None, None, None, None)
    second = jobs.claim(["once"], HERE)
    assert second is not None and second.attempt == 2


def test_the_lowest_position_is_next_and_only_of_the_kinds_that_are_asked_for(jobs: Jobs) -> None:
    for kind, run in (("again", "a"), ("once", "b"), ("once", "c")):
        jobs.submit(kind, run, {})
    assert [job.run for job in jobs.find(kind="once")] == ["b", "c"]
    order = [job.run for _ in range(3) if (job := jobs.claim(["once", "nothing"], HERE))]
    assert order == ["b", "c"]
    assert jobs.waiting(["again"]) and not jobs.waiting(["once"])


def test_what_needs_the_files_of_a_home_is_done_by_a_worker_of_it(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQUADASH_DATABASE", "shared by several homes")
    for kind in ("once", "again"):
        jobs.submit(kind, "r1", {})
    with monkeypatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(tmp_path / "another"))
        assert not jobs.waiting(["once"]) and jobs.claim(["once"], HERE) is None
        assert jobs.waiting(["again"]) and jobs.claim(["again"], HERE) is not None
    assert jobs.waiting(["once"]) and jobs.claim(["once"], HERE) is not None


def test_one_that_was_cut_off_writes_nothing(jobs: Jobs) -> None:
    first = claimed(jobs, "again")
    let_the_lease_run_out(first, jobs=jobs)
    second = jobs.claim(["again"], Worker("there", 8))
    assert second is not None and (second.id, second.attempt) == (first.id, 2), "it was put back and taken anew"
    for write in (lambda: jobs.heartbeat(first, Progress("late")), lambda: jobs.end(first, JobStatus.FINISHED)):
        with pytest.raises(LeaseLostError):
            write()
    assert now(jobs, second) == second
    jobs.end(second, JobStatus.FINISHED)
    with pytest.raises(LeaseLostError):
        jobs.heartbeat(second, None)


def test_a_lease_that_has_run_out_interrupts_or_puts_back(jobs: Jobs) -> None:
    once, again = claimed(jobs), claimed(jobs, "again")
    for job in (once, again):
        let_the_lease_run_out(job, jobs=jobs)
    found = now(jobs, once)
    assert found.status is JobStatus.INTERRUPTED and found.ended_at is not None and found.worker == HERE
    assert now(jobs, again).status is JobStatus.QUEUED and now(jobs, again).ended_at is None
    with pytest.raises(RunError, match="nothing to stop"):
        jobs.request_stop(once.id)
    assert jobs.submit("once", "r1", {}).status is JobStatus.QUEUED, "what is interrupted can be asked for again"

    taken = jobs.claim(["again"], HERE)
    assert taken is not None
    jobs.request_stop(taken.id)
    let_the_lease_run_out(taken, jobs=jobs)
    assert now(jobs, taken).status is JobStatus.STOPPED, "nobody takes again what somebody wanted stopped"


def test_a_heartbeat_renews_the_lease_and_that_of_those_who_wait(jobs: Jobs) -> None:
    job = claimed(jobs)
    behind = jobs.submit("once", "r2", {})
    for waiting in (job, behind):
        let_the_lease_run_out(waiting, jobs=jobs, seconds=LEASE_SECONDS - 5)
    jobs.heartbeat(job, None)
    told = now(jobs, behind)
    assert told.status is JobStatus.QUEUED and told.progress == Progress("waiting for another look")
    assert told.revision > behind.revision
    for waiting in (job, behind):
        with jobs._engine.begin() as connection:
            left = connection.execute(text("SELECT lease FROM jobs WHERE id = :id"), {"id": waiting.id}).scalar_one()
        assert left - now(jobs, job).submitted_at >= LEASE_SECONDS - 1
    let_the_lease_run_out(behind, jobs=jobs)
    assert now(jobs, behind).status is JobStatus.INTERRUPTED, "nobody came to take it"


def test_what_may_wait_for_long_has_no_lease_in_the_queue(jobs: Jobs) -> None:
    job = jobs.submit("again", "r1", {})
    let_the_lease_run_out(job, jobs=jobs)
    assert now(jobs, job).status is JobStatus.QUEUED


def test_one_in_the_queue_stops_at_once(jobs: Jobs) -> None:
    job = jobs.submit("once", "r1", {})
    jobs.request_stop(job.id)
    stopped = now(jobs, job)
    assert (stopped.status, stopped.message) == (JobStatus.STOPPED, "Stopped by request.")
    assert stopped.ended_at is not None and jobs.claim(["once"], HERE) is None
    for name in (job.id, "once-r9"):
        with pytest.raises(RunError, match="nothing to stop"):
            jobs.request_stop(name)


def test_readers_fetch_what_has_changed(jobs: Jobs) -> None:
    first, second = jobs.submit("once", "r1", {}), jobs.submit("once", "r2", {})
    assert jobs.changed_since(0) == [first, second] and second.revision > first.revision
    assert jobs.changed_since(second.revision) == []
    job = jobs.claim(["once"], HERE)
    assert job is not None
    seen = jobs.changed_since(second.revision)
    assert seen == [job] and job.id == first.id and job.revision > second.revision
    jobs.heartbeat(job, None)
    let_the_lease_run_out(job, jobs=jobs)
    assert {(one.id, one.status) for one in jobs.changed_since(job.revision)} >= {(first.id, JobStatus.INTERRUPTED)}


def test_what_ended_long_ago_is_forgotten_where_its_kind_says_so(jobs: Jobs) -> None:
    for kind in ("once", "brief"):
        for run in ("r1", "r2"):
            jobs.end(claimed(jobs, kind, run), JobStatus.FINISHED, result={"size": 3})
    old = [jobs.get(f"{kind}-r1") for kind in ("once", "brief")]
    assert all(job is not None and job.result == {"size": 3} for job in old)
    with jobs._engine.begin() as connection:
        connection.execute(text("UPDATE jobs SET ended_at = ended_at - 61 WHERE run = 'r1'"))
    revision = max(job.revision for job in jobs.changed_since(0))
    new = jobs.submit("brief", "r3", {})
    assert {job.id for job in jobs.changed_since(0)} == {"once-r1", "once-r2", "brief-r2", "brief-r3"}
    assert new.revision > revision and jobs.changed_since(revision) == [new]


def test_one_that_no_worker_could_be_started_for_fails(jobs: Jobs) -> None:
    job = jobs.submit("once", "r1", {})
    jobs.end(job, JobStatus.FAILED, message="no processes left")
    assert now(jobs, job).status is JobStatus.FAILED
    other = jobs.submit("once", "r2", {})
    assert jobs.claim(["once"], HERE) is not None
    with pytest.raises(LeaseLostError):
        jobs.end(other, JobStatus.FAILED)


def test_each_job_is_claimed_once_by_several_threads(jobs: Jobs) -> None:
    for number in range(30):
        jobs.submit("once", f"r{number}", {})

    def take(worker: int) -> list[str]:
        return [job.id for _ in range(30) if (job := jobs.claim(["once"], Worker("here", worker)))]

    with ThreadPoolExecutor(4) as pool:
        taken = [name for names in pool.map(take, range(4)) for name in names]
    assert sorted(taken) == sorted(f"once-r{number}" for number in range(30))
    assert len({job.revision for job in jobs.changed_since(0)}) == 30


# -- several processes -----------------------------------------------------------------------------------------------

_CLAIMING = """
import os, sys
from aquadash.jobs import Worker, open_jobs
jobs = open_jobs()
print("ready", flush=True)
sys.stdin.readline()
while job := jobs.claim(["robustness"], Worker("here", os.getpid())):
    print(job.id, job.attempt, flush=True)
"""


def test_each_job_is_claimed_once_by_several_processes(home: Path) -> None:
    jobs = open_jobs()
    expected = sorted(jobs.submit("robustness", f"r{number}", {}).id for number in range(40))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIMING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=settings.PROJECT_ROOT,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    lines = [line for process in processes for line in process.communicate("go\n", timeout=120)[0].splitlines()]
    assert sorted(lines) == [f"{name} 1" for name in expected]
    assert {job.status for job in jobs.find(kind="robustness")} == {JobStatus.RUNNING}


def test_the_table_is_made_once_by_processes_that_open_it_together(home: Path) -> None:
    code = (
        "from aquadash.jobs import open_jobs; print(open_jobs().submit('robustness', __import__('sys').argv[1], {}).id)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, f"r{number}"], cwd=settings.PROJECT_ROOT) for number in range(3)
    ]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert len(open_jobs().changed_since(0)) == 3


def test_a_database_that_cannot_be_opened_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "jobs.db").mkdir()
    with pytest.raises(StorageError, match="Could not write the jobs"):
        open_jobs()
    monkeypatch.setenv("AQUADASH_DATABASE", "my database")
    with pytest.raises(StorageError, match="'my database', which is no database"):
        open_jobs()
    monkeypatch.setenv("AQUADASH_DATABASE", "postgresql://me:secret@127.0.0.1:1/lab")
    with pytest.raises(StorageError) as refused:
        open_jobs()
    assert "secret" not in str(refused.value)


def test_every_kind_can_be_told_by_its_id() -> None:
    assert all(name == kind.name and settings.job_log(f"{name}-{'0' * 32}") for name, kind in KINDS.items())
    with pytest.raises(RunError, match="not the id of a job"):
        settings.job_log("../x")
    assert not replace(KINDS["robustness"]).requeue
