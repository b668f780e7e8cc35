"""The table of jobs: one row a piece of work, claims that one worker gets, attempts that fence off lost ones."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from aquadash.errors import RunError, StorageError
from aquadash.store import Job, JobProgress, LeaseLostError, RunStatus, Worker, open_jobs
from aquadash.store.database import Database
from aquadash.store.job_types import LEASE_SECONDS
from aquadash.store.jobs import DOUBT_SECONDS, JobTable
from aquadash.store.kinds import KINDS, JobKind
from tests.support import clusters
from tests.support.job_rows import let_the_lease_run_out, let_time_pass
from tests.support.waiting import start_two

HERE = Worker("here", 7)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql", marks=[pytest.mark.soak, pytest.mark.skipif(bool(clusters.MISSING), reason=clusters.MISSING)]
        ),
    ]
)
def jobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobTable]:
    """An empty table. Lost jobs of the kind ``"once"`` are interrupted, those of ``"again"`` put back."""
    kinds = {
        "once": JobKind("once", "look", "no:thing", slots=99),
        "again": JobKind("again", "training", "no:thing", max_worker_failures=3, slots=99),
        "brief": JobKind("brief", "export", "no:thing", kept=60.0, slots=99),
        "single": JobKind("single", "import", "no:thing", one_per_person=True, slots=99),
        "few": JobKind("few", "look", "no:thing", slots=2),
    }
    for name, kind in kinds.items():
        monkeypatch.setitem(KINDS, name, kind)
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'aquadash.db'}")
    else:
        address, home = request.getfixturevalue("postgresql")
        monkeypatch.setenv("AQUADASH_HOME", str(home))
        database = Database(address)
        with database.writing("empty the table") as (connection, _):
            connection.execute(text("DELETE FROM jobs"))
    yield JobTable(database)
    database.close()


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server's database, and its home."""
    with clusters.postgresql() as address:
        yield address, tmp_path_factory.mktemp("home")


def claimed(jobs: JobTable, kind: str = "once", run: str = "r1") -> Job:
    jobs.submit(kind, run, {"seed": 1})
    return jobs.claim([kind], HERE)


def test_the_life_of_a_job(jobs: JobTable) -> None:
    assert jobs.get("once-r1") is None and jobs.claim(["once"], HERE) is None
    queued = jobs.submit("once", "r1", {"seed": 1, "names": ["a"]}, owner="anna")
    assert (queued.id, queued.kind, queued.run, queued.owner) == ("once-r1", "once", "r1", "anna")
    assert (queued.status, queued.attempt, queued.worker) == (RunStatus.QUEUED, 0, None)
    assert jobs.get(queued.id) == queued and queued.request == {"seed": 1, "names": ["a"]}

    job = jobs.claim(["once"], HERE)
    assert (job.status, job.attempt, job.worker) == (RunStatus.RUNNING, 1, HERE)
    assert job.started_at is not None and job.started_at >= job.submitted_at
    assert jobs.claim(["once"], HERE) is None
    progress = JobProgress("looking", 3, 9, 4.0)
    assert not jobs.heartbeat(job, progress)
    jobs.request_stop(job.id)
    stopping = jobs.get(job.id)
    assert (stopping.progress, stopping.stop_requested, stopping.status) == (progress, True, RunStatus.RUNNING)
    assert jobs.heartbeat(job, progress), "the heartbeat returns the request to stop"
    jobs.end(job, RunStatus.STOPPED, message="as asked" * 1000)
    ended = jobs.get(job.id)
    assert (ended.status, ended.message[:8], len(ended.message)) == (RunStatus.STOPPED, "as asked", 4000)
    assert ended.ended_at is not None

    jobs.submit("once", "r2", {})
    stopped = jobs.request_stop("once-r2")
    assert (stopped.status, stopped.message) == (RunStatus.STOPPED, "Taken out of the queue before it started.")
    assert stopped.ended_at is not None and jobs.claim(["once"], HERE) is None
    for name in ("once-r2", "once-r9"):
        with pytest.raises(RunError, match="nothing to stop"):
            jobs.request_stop(name)


def test_the_same_work_is_under_way_once_and_begins_anew_in_the_same_row(jobs: JobTable) -> None:
    job = claimed(jobs)
    with pytest.raises(RunError, match="look is under way already"):
        jobs.submit("once", "r1", {})
    assert jobs.submit("again", "r1", {}).status is RunStatus.QUEUED, "jobs of other kinds are independent"
    jobs.request_stop(job.id)
    jobs.end(job, RunStatus.FAILED, message="why")
    again = jobs.submit("once", "r1", {"seed": 2}, owner="ben")
    assert (again.request, again.owner, again.message, again.stop_requested) == ({"seed": 2}, "ben", "", False)
    assert (again.progress, again.worker, again.started_at, again.ended_at) == (None, None, None, None)
    second = jobs.claim(["once"], HERE)
    assert second.attempt == 2


def test_a_person_has_at_most_one_job_of_some_kinds_at_work(jobs: JobTable) -> None:
    for run, owner in (("b1", "ben"), ("b2", "ben"), ("a1", "anna"), ("b3", "ben")):
        jobs.submit("single", run, {}, owner=owner)
    taken = [jobs.claim(["single"], HERE) for _ in range(3)]
    assert [job and job.run for job in taken] == ["b1", "a1", None]
    jobs.end(taken[0], RunStatus.FINISHED)
    assert jobs.claim(["single"], HERE).run == "b2"


def test_a_machine_works_on_as_many_jobs_of_a_kind_as_it_has_slots(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        jobs.submit("few", f"r{number}", {})
    first, second = jobs.claim(["few"], HERE), jobs.claim(["few"], HERE)
    assert jobs.claim(["few"], HERE) is None
    with monkeypatch.context() as patch:
        patch.setenv("AQUADASH_WORKER_NAME", "another card")
        assert jobs.claim(["few"], HERE).run == "r2", "each worker of a machine has its own slots"
    jobs.end(first, RunStatus.FINISHED)
    assert jobs.claim(["few"], HERE).run == "r3" and second.run == "r1"


def test_one_that_was_cut_off_writes_nothing(jobs: JobTable) -> None:
    first = claimed(jobs, "again")
    let_the_lease_run_out(first, jobs=jobs)
    second = jobs.claim(["again"], Worker("there", 8))
    assert (second.id, second.attempt) == (first.id, 2), "it was requeued and claimed again"
    jobs.end(second, RunStatus.FINISHED)
    for write in (
        lambda: jobs.hand_over(first, HERE),
        lambda: jobs.heartbeat(first, JobProgress("late")),
        lambda: jobs.end(first, RunStatus.FAILED),
        lambda: jobs.heartbeat(second, None),
    ):
        with pytest.raises(LeaseLostError):
            write()
    assert jobs.get(second.id).status is RunStatus.FINISHED


def test_a_lease_that_has_run_out_interrupts_or_puts_back(jobs: JobTable) -> None:
    once, again = claimed(jobs), claimed(jobs, "again")
    for job in (once, again):
        let_the_lease_run_out(job, jobs=jobs)
    stored = jobs.get(once.id)
    assert stored.status is RunStatus.INTERRUPTED and stored.ended_at is not None and stored.worker == HERE
    assert stored.message.endswith("(no heartbeat) before the look was done. Start it again.")
    assert jobs.get(again.id).status is RunStatus.QUEUED and jobs.get(again.id).ended_at is None

    taken = jobs.claim(["again"], HERE)
    jobs.request_stop(taken.id)
    let_the_lease_run_out(taken, jobs=jobs)
    stopped = jobs.get(taken.id)
    assert stopped.status is RunStatus.STOPPED, "a job that was to stop is not requeued"
    assert stopped.message.endswith("(no heartbeat) after it was asked to stop. What is complete is kept.")


def test_one_that_slept_with_its_computer_goes_on_and_one_that_stays_silent_is_lost(jobs: JobTable) -> None:
    job, waiting = claimed(jobs), jobs.submit("once", "r2", {})
    for _ in range(4):
        let_time_pass(job, 3600.0, jobs=jobs)
        assert jobs.get(job.id).status is RunStatus.RUNNING, (
            "the first reader of an expired lease gives the worker time to renew it"
        )
        jobs.heartbeat(job, None)
        let_time_pass(job, DOUBT_SECONDS + 1, jobs=jobs)
        assert jobs.get(job.id).status is RunStatus.RUNNING, "the heartbeat renewed the lease"
    let_time_pass(job, LEASE_SECONDS, jobs=jobs)
    for seconds in (0.0, DOUBT_SECONDS - 5):
        let_time_pass(job, seconds, jobs=jobs)
        assert jobs.get(job.id).status is RunStatus.RUNNING
    let_time_pass(job, 6.0, jobs=jobs)
    assert jobs.get(job.id).status is RunStatus.INTERRUPTED
    let_time_pass(waiting, 1e6, jobs=jobs)
    assert jobs.get(waiting.id).status is RunStatus.QUEUED, "a queued job has no lease"


def test_one_whose_process_is_gone_from_this_machine_is_not_doubted(jobs: JobTable) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(30)
    for pid, status in ((os.getpid(), RunStatus.RUNNING), (ended.pid, RunStatus.INTERRUPTED)):
        jobs.submit("once", str(pid), {})
        job = jobs.claim(["once"], Worker.of(pid))
        let_time_pass(job, LEASE_SECONDS - 5, jobs=jobs)
        assert jobs.get(job.id).status is RunStatus.RUNNING, "its lease has not expired"
        let_time_pass(job, 6.0, jobs=jobs)
        assert jobs.get(job.id).status is status


def test_one_is_missed_as_soon_after_the_clock_was_set_back(jobs: JobTable) -> None:
    doubted, other = claimed(jobs), claimed(jobs, run="r2")
    let_time_pass(doubted, LEASE_SECONDS, jobs=jobs)
    assert jobs.get(doubted.id).status is RunStatus.RUNNING
    for job in (doubted, other):
        let_time_pass(job, -3600.0, jobs=jobs)
        assert jobs.get(job.id).status is RunStatus.RUNNING
        let_time_pass(job, DOUBT_SECONDS, jobs=jobs)
        assert jobs.get(job.id).status is RunStatus.INTERRUPTED


# -- workers that are lost -------------------------------------------------------------------------------------------


def lose(jobs: JobTable, *, is_failure: bool = True) -> Job:
    """Claim the next job of the kind that is put back, and lose its worker."""
    return jobs.requeue(
        jobs.claim(["again"], HERE), "The worker on here was lost (signal SIGKILL)", is_failure=is_failure
    )


def test_what_a_lost_worker_had_is_requeue_until_three_are_lost_in_a_row(jobs: JobTable) -> None:
    jobs.submit("again", "r1", {})
    for worker_failures in (1, 2):
        job = lose(jobs)
        assert (job.status, job.worker_failures) == (RunStatus.QUEUED, worker_failures)
        assert job.message.endswith("was lost (signal SIGKILL); the next one goes on from what is complete.")
    job = lose(jobs)
    assert job.status is RunStatus.FAILED and job.ended_at is not None
    assert job.message.startswith("3 workers in a row were lost with it; at last: The worker on here was lost (signal")
    assert jobs.requeue(job, "The worker was lost") is None, "it has ended"
    assert jobs.submit("again", "r1", {}).worker_failures == 0, "a new submission resets the count"


def test_workers_that_were_lost_before_it_got_on_do_not_count(jobs: JobTable) -> None:
    jobs.submit("again", "r1", {})
    for _ in range(2):
        lose(jobs)
    job = jobs.claim(["again"], HERE)
    assert "goes on from what is complete" in job.message, "the message stays until the end"
    jobs.heartbeat(job, None)
    assert jobs.get(job.id).worker_failures == 2
    jobs.heartbeat(job, None, advanced=True)
    lost = jobs.requeue(job, "The worker was lost")
    assert (lost.status, lost.worker_failures) == (RunStatus.QUEUED, 1)
    let_the_lease_run_out(jobs.claim(["again"], HERE), jobs=jobs)
    assert jobs.get(job.id).worker_failures == 2, "a worker without heartbeats is lost, too"


def test_a_worker_that_is_meant_to_end_is_not_lost(jobs: JobTable) -> None:
    jobs.submit("again", "r1", {})
    for _ in range(4):
        job = lose(jobs, is_failure=False)
        assert (job.status, job.worker_failures) == (RunStatus.QUEUED, 0)
    stopped = jobs.request_stop(job.id)
    assert stopped.status is RunStatus.STOPPED
    assert stopped.message == "Taken out of the queue before it started again."


# -- the order of the queue ------------------------------------------------------------------------------------------


def queued(jobs: JobTable, owners: str) -> None:
    """A job for each letter, which is its owner; their runs are called ``a1``, ``a2`` and so on."""
    for number, owner in enumerate(owners):
        jobs.submit("again", f"{owner}{owners[: number + 1].count(owner)}", {}, owner=owner)


def order(jobs: JobTable) -> str:
    return " ".join(job.run for job in jobs.queue("again"))


@pytest.mark.parametrize(
    ("owners", "expected"), [("aab", "a1 b1 a2"), ("abaab", "a1 b1 a2 b2 a3"), ("aaabbc", "a1 b1 c1 a2 b2 a3")]
)
def test_people_take_turns_which_stay_when_earlier_ones_end(jobs: JobTable, owners: str, expected: str) -> None:
    queued(jobs, owners)
    assert order(jobs) == expected
    taken = []
    # One slot: each ends before the next is taken.
    while job := jobs.claim(["again"], HERE):
        taken.append(job.run)
        jobs.end(job, RunStatus.FINISHED)
    assert taken == expected.split()


def test_a_new_job_is_of_the_turn_that_is_under_way(jobs: JobTable) -> None:
    queued(jobs, "aaab")
    for _ in range(2):
        jobs.end(jobs.claim(["again"], HERE), RunStatus.FINISHED)
    assert order(jobs) == "a2 a3", "the first turn is over"
    jobs.submit("again", "c1", {}, owner="c")
    jobs.submit("again", "c2", {}, owner="c")
    jobs.submit("once", "d1", {}, owner="d")
    assert order(jobs) == "a2 c1 a3 c2", "a new person starts in the present turn"
    job = jobs.claim(["again"], HERE)
    jobs.submit("again", "d1", {}, owner="d")
    assert job.run == "a2" and order(jobs) == "c1 d1 a3 c2", "a running job counts in its turn"


def test_those_that_somebody_has_moved_come_first_and_the_others_take_turns(jobs: JobTable) -> None:
    queued(jobs, "aabb")
    jobs.reorder("again", ["again-b2"])
    assert order(jobs) == "b2 a1 b1 a2"
    jobs.reorder("again", ["again-a2", "again-nothing", "again-a2"])
    assert order(jobs) == "a2 b2 a1 b1"
    before = max(job.revision for job in jobs.queue("again"))
    jobs.reorder("again", ["again-b1", "again-a1"])
    assert order(jobs) == "b1 a1 a2 b2"
    assert all(job.revision > before for job in jobs.queue("again")), "readers read the new ranks"
    first = jobs.claim(["again"], HERE)
    assert first.run == "b1"
    lost = jobs.requeue(first, "x")
    assert lost.run == "b1" and order(jobs) == "b1 a1 a2 b2", "a requeued job keeps its rank"
    jobs.request_stop("again-b1")
    jobs.submit("again", "b1", {}, owner="b", needs="gpu")
    assert order(jobs) == "a1 a2 b2 b1", "a job that is submitted again is the last"
    assert [jobs.claim(["again"], HERE).run for _ in range(3)] == ["a1", "a2", "b2"]
    assert jobs.claim(["again"], HERE) is None, "this machine has no graphics card"
    assert jobs.claim(["again"], HERE, offers=["gpu"]).run == "b1"


def test_what_ended_long_ago_is_forgotten_where_its_kind_says_so(jobs: JobTable) -> None:
    for kind in ("once", "brief"):
        for run in ("r1", "r2"):
            jobs.end(claimed(jobs, kind, run), RunStatus.FINISHED, result={"size": 3})
    old = [jobs.get(f"{kind}-r1") for kind in ("once", "brief")]
    assert all(job.result == {"size": 3} for job in old)
    with jobs.database.writing("look") as (connection, _):
        connection.execute(text("UPDATE jobs SET ended_at = ended_at - 61 WHERE run = 'r1'"))
    jobs.submit("brief", "r3", {})
    kept = {job.id for kind in ("once", "brief") for job in jobs.find(kind=kind)}
    assert kept == {"once-r1", "once-r2", "brief-r2", "brief-r3"}


# -- several processes -----------------------------------------------------------------------------------------------

_SETUP = """
import os
from aquadash.store import Worker, kinds, open_jobs
kinds.KINDS["once"] = kinds.JobKind("once", "look", "no:thing", slots=99)
jobs = open_jobs()
"""
_CLAIMING = """
while job := jobs.claim(["once"], Worker("here", os.getpid())):
    print(job.id, job.attempt, flush=True)
"""


def test_the_table_is_made_once_and_each_job_claimed_once_by_several_processes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_all = start_two(_SETUP, _CLAIMING)
    monkeypatch.setitem(KINDS, "once", JobKind("once", "look", "no:thing", slots=99))
    jobs = open_jobs()
    expected = sorted(jobs.submit("once", f"r{number}", {}).id for number in range(40))
    lines = [line for output in claim_all() for line in output.splitlines()]
    assert sorted(lines) == [f"{name} 1" for name in expected]
    assert {job.status for job in jobs.find(kind="once")} == {RunStatus.RUNNING}


def test_a_database_that_cannot_be_opened_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "aquadash.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match="damaged"):
        open_jobs()
    assert path.read_bytes() == b"this is no database" * 100, "it is left alone"
    monkeypatch.setenv("AQUADASH_DATABASE", "my database")
    with pytest.raises(StorageError, match="'my database', which is no database"):
        open_jobs()
    monkeypatch.setenv("AQUADASH_DATABASE", "postgresql://me:secret@127.0.0.1:1/lab")
    with pytest.raises(StorageError) as refused:
        open_jobs()
    assert "secret" not in str(refused.value)
    monkeypatch.setitem(sys.modules, "psycopg", None)  # Python raises a ModuleNotFoundError for such an entry.
    with pytest.raises(StorageError, match=r"pip install -r requirements-cluster.txt") as refused:
        open_jobs()
    assert "secret" not in str(refused.value)
