"""The worker process: each end of a job becomes a status and a message."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.store import Job, JobProgress, LeaseLostError, RunStatus, Stopped, open_jobs
from aquadash.store.jobs import JobTable
from aquadash.store.kinds import KINDS, JobKind
from aquadash.work import slots, standby, worker
from aquadash.work.queue import start_job
from aquadash.work.worker import JobContext
from tests.support import job_rows
from tests.support.waiting import wait_for

#: The work of the next job.
next_work: list[Callable[[JobContext], dict[str, Any]]] = []


def work(job: JobContext) -> dict[str, Any]:
    return next_work.pop()(job) if next_work else {}


#: The subjects of the jobs that were tidied up.
tidied: list[str] = []


def tidy_up(run: str) -> None:
    tidied.append(run)


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    work, finished = f"{__name__}:work", f"{__name__}:tidy_up"
    monkeypatch.setitem(KINDS, "test", JobKind("test", "conversion", work, finished=finished))


def ending(function: Callable[[JobContext], dict[str, Any]]) -> tuple[RunStatus, str]:
    """Return how a job ends that does so."""
    next_work[:] = [function]
    open_jobs().submit("test", "r1", {})
    job = job_rows.do_next("test")
    return job.status, job.message


def test_what_it_finds_is_the_result_of_one_that_finishes() -> None:
    def look(job: JobContext) -> dict[str, Any]:
        assert (job.run, job.request) == ("r1", {})
        job.report("half", 1, 2)
        job.beat()
        progress = job_rows.latest("test").progress
        assert (progress.phase, progress.fraction) == ("half", 0.5)
        job.report_fraction("packing", 0.25)
        job.beat()
        progress = job_rows.latest("test").progress
        assert (progress.phase, progress.fraction) == ("packing", 0.25)
        job.report_fraction("packing", None)
        return {"images": 3}

    assert ending(look) == (RunStatus.FINISHED, "")
    assert job_rows.latest("test").result == {"images": 3}


def test_one_that_somebody_stops_may_say_what_is_kept() -> None:
    def look(job: JobContext) -> dict[str, Any]:
        open_jobs().request_stop("test-r1")
        job.beat()
        with pytest.raises(Stopped, match="Stopped by request."):
            job.report("on")
        raise Stopped("Half is kept.")

    assert ending(look) == (RunStatus.STOPPED, "Half is kept.")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RunError("The data are gone."), "The data are gone."),
        (MemoryError(), "The machine ran out of memory. Close other programs and start it again."),
        (BrokenProcessPool(), "The machine ran out of memory. Close other programs and start it again."),
        (OSError(28, "No space left"), "The computer refused: No space left. Is the disk full or read-only?"),
        (ZeroDivisionError("by nought"), "An unexpected error ended the conversion: ZeroDivisionError: by nought"),
    ],
)
def test_no_exception_leaves_a_live_job(error: Exception, message: str) -> None:
    def look(job: JobContext) -> dict[str, Any]:
        raise error

    assert ending(look) == (RunStatus.FAILED, message)


def test_one_that_was_taken_for_lost_ends_at_its_next_report() -> None:
    tidied.clear()

    def look(job: JobContext) -> dict[str, Any]:
        job_rows.let_the_lease_run_out(job_rows.latest("test"))
        assert job_rows.latest("test").status is RunStatus.INTERRUPTED
        with pytest.raises(LeaseLostError):
            job.beat()
        wait_for(lambda: job.lost, timeout=30)
        with pytest.raises(LeaseLostError, match="lease of this job has expired"):
            job.report("on")
        return {"too": "late"}

    status, message = ending(look)
    assert status is RunStatus.INTERRUPTED, "the row stays as it was"
    assert message.endswith("was lost (no heartbeat) before the conversion was done. Start it again.")
    assert tidied == []
    ending(lambda job: {})
    assert tidied == ["r1"], "only a job that has finished is tidied up"


def claimed(jobs: JobTable | None = None, **options: Any) -> JobContext:
    """Return a job as its worker has it."""
    open_jobs().submit("test", "r1", {})
    return JobContext(jobs or open_jobs(), job_rows.claim("test"), **options)


def test_the_end_of_the_log_is_sent() -> None:
    context = claimed()
    log = settings.job_log("test-r1")
    log.parent.mkdir(parents=True, exist_ok=True)
    for text in ("one\n", "one\ntwo\n"):
        log.write_text(text)
        context.beat()
        assert job_rows.latest("test").log_tail == text
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    context.beat()
    tail = job_rows.latest("test").log_tail
    assert tail.startswith("line ") and tail.endswith("line 4999\n") and len(tail) <= 6000, "it is cut at a line"


class FailingJobs(JobTable):
    """A table whose heartbeats fail, but for each 20th if ``sometimes``."""

    def __init__(self, *, sometimes: bool) -> None:
        super().__init__(open_jobs().database)
        self.sometimes, self.beats = sometimes, 0

    def heartbeat(self, job: Job, progress: JobProgress | None, **options: Any) -> bool:
        self.beats += 1
        if self.beats % 20 or not self.sometimes:
            raise StorageError("The disk is full.")
        return super().heartbeat(job, progress, **options)


def test_a_table_that_fails_for_long_ends_the_work_and_one_that_fails_now_and_then_does_not() -> None:
    jobs = FailingJobs(sometimes=True)
    context = claimed(jobs)
    with context.beating(interval=0.001):
        wait_for(lambda: jobs.beats > 60)
        context.report("on")
        jobs.sometimes = False
        with pytest.raises(StorageError):
            wait_for(lambda: context.report("on"))
    assert not context.lost, "what is measured may still be stored"


def test_the_time_left_follows_from_the_steps_unless_it_is_known() -> None:
    seconds = iter([0.0, 30.0])
    context = claimed(clock=lambda: next(seconds))

    def told(*report: object, **more: object) -> float | None:
        context.report(*report, **more)
        context.beat()
        return job_rows.latest("test").progress.eta

    assert told("a") is None and told("a", 0, 4) is None
    assert told("a", 1, 4) == 90.0
    assert told("a", 2, 4, eta=7.0) == 7.0 and told("a", 3, 4, eta=None) is None


# -- processes -------------------------------------------------------------------------------------------------------


def test_a_worker_does_the_job_that_a_slot_has_claimed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Changes of the whole process.
    monkeypatch.setattr(worker, "log_to", lambda path: None)
    monkeypatch.setattr(os, "nice", lambda niceness: 0)
    jobs = open_jobs()
    jobs.submit("test", "r1", {})
    lost = job_rows.claim("test")
    jobs.requeue(lost, "AquaDash was ended", is_failure=False)
    assert worker.main(["test", lost.id, str(lost.attempt)]) == 0
    assert jobs.get(lost.id).status is RunStatus.QUEUED, "it went back to the queue before the worker had begun"
    job = job_rows.claim("test")
    assert worker.main(["test", lost.id, str(lost.attempt)]) == 0
    assert jobs.get(job.id).status is RunStatus.RUNNING, "another attempt has it"
    assert worker.main(["test", job.id, str(job.attempt)]) == 0
    assert jobs.get(job.id).status is RunStatus.FINISHED


# -- workers that do not answer --------------------------------------------------------------------------------------

#: Work that never comes back while it holds Python's lock, as a library does that reads a hostile file.
_STUCK = """
import ctypes, sys, types
from aquadash.store import kinds
from aquadash.work import worker
worker.HEARTBEAT_SECONDS = 0.1
kinds.KINDS["stuck"] = kinds.JobKind(
    "stuck", "import", "stuck_work:work", max_seconds=float(sys.argv[1]), ends_with_app=True, one_per_person=True
)
module = types.ModuleType("stuck_work")
def work(job):
    if job.request:
        ctypes.PyDLL(None).sleep(600)
    return {}
module.work = work
sys.modules["stuck_work"] = module
worker.main(sys.argv[2:])
"""


def start_stuck_workers(monkeypatch: pytest.MonkeyPatch, *, max_seconds: float) -> None:
    """Have workers of the kind "stuck" started, which the system kills after so many seconds."""
    kind = JobKind("stuck", "import", "stuck_work:work", max_seconds=max_seconds, one_per_person=True)
    monkeypatch.setitem(KINDS, "stuck", kind)

    def launch(arguments: list[str], **_: object) -> standby.NewProcess:
        command = [sys.executable, "-c", _STUCK, str(max_seconds), *arguments]
        return standby.NewProcess(psutil.Popen(command, cwd=settings.PROJECT_ROOT))

    job_rows.launch_by(monkeypatch, SimpleNamespace(launch=launch))


def test_one_that_takes_too_long_is_killed_says_so_and_others_wait_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    start_stuck_workers(monkeypatch, max_seconds=2.0)
    for run, request in (("r1", {"forever": True}), ("r2", {})):
        start_job("stuck", run, request)
    wait_for(lambda: open_jobs().get("stuck-r2").status is RunStatus.FINISHED)
    killed = open_jobs().get("stuck-r1")
    assert killed.status is RunStatus.INTERRUPTED
    assert killed.message == (
        "The import took more than 2 seconds and was ended before the import was done. Start it again."
    )


def test_stopping_kills_a_silent_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "STOP_SECONDS", 0.5)
    start_stuck_workers(monkeypatch, max_seconds=500.0)
    start_job("stuck", "r1", {"forever": True})

    def worker_pid() -> int | None:
        process = open_jobs().get("stuck-r1").worker
        return process.pid if process and process.pid != os.getpid() else None

    pid = wait_for(worker_pid)
    open_jobs().request_stop("stuck-r1")
    wait_for(lambda: open_jobs().get("stuck-r1").status is RunStatus.STOPPED)
    wait_for(lambda: not psutil.pid_exists(pid))


_APP = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", *sys.argv[1:]])
time.sleep(600)
"""


def test_a_worker_that_ends_with_its_app_ends_when_the_app_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    start_stuck_workers(monkeypatch, max_seconds=500.0)
    jobs = open_jobs()
    jobs.submit("stuck", "r1", {"forever": True})
    job = job_rows.claim("stuck")
    # Python's lock is free here, so that heartbeats are sent.
    patient = _STUCK.replace("PyDLL", "CDLL")
    words = ["stuck", job.id, str(job.attempt)]
    app = subprocess.Popen([sys.executable, "-c", _APP, patient, "500", *words], cwd=settings.PROJECT_ROOT)
    try:
        wait_for(lambda: jobs.get("stuck-r1").worker.pid not in (os.getpid(), app.pid))
        first = jobs.get("stuck-r1").revision
        # It works on while the app does: heartbeats go on.
        wait_for(lambda: jobs.get("stuck-r1").revision > first + 1 or jobs.get("stuck-r1").status.name == "QUEUED")
        assert jobs.get("stuck-r1").status is RunStatus.RUNNING
    finally:
        app.kill()
        app.wait(100)
    wait_for(lambda: jobs.get("stuck-r1").status is RunStatus.QUEUED)
    job = jobs.get("stuck-r1")
    assert job.message == "AquaDash was ended; the next one goes on from what is complete."
    wait_for(lambda: not psutil.pid_exists(job.worker.pid))
