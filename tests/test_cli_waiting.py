"""A command that waits for a job: until its end, and what Ctrl-C does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aquadash.cli import waiting
from aquadash.errors import RunError
from aquadash.jobs import Job, JobProgress, JobStatus, open_jobs
from tests import job_rows


@pytest.fixture
def job() -> Job:
    open_jobs().submit("robustness", "r1", {})
    return job_rows.claim("robustness")


def wait(job: Job, monkeypatch: pytest.MonkeyPatch, *looks: Callable[[], object]) -> Job:
    """Wait for the job while one thing after another happens between two looks."""
    happening = iter(looks)
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: next(happening)())
    return waiting.wait_for_job(job.id, name="mine", title="robustness")


def interrupt() -> None:
    raise KeyboardInterrupt


def test_it_tells_what_is_done_until_the_end(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = open_jobs()
    ended = wait(
        job,
        monkeypatch,
        lambda: jobs.heartbeat(job, JobProgress("fog, severity 1", 3, 9, 4.0)),
        lambda: jobs.end(job, JobStatus.FINISHED),
    )
    assert ended.status is JobStatus.FINISHED
    assert capsys.readouterr().err == "mine: robustness\n", "a pipe gets no line for each look"


def test_a_first_ctrl_c_asks_it_to_stop_and_a_second_leaves(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = open_jobs()
    with pytest.raises(RunError, match="stops by itself"):
        wait(job, monkeypatch, interrupt, interrupt)
    assert jobs.heartbeat(job, None), "it hears of the first"
    ended = wait(job, monkeypatch, interrupt, lambda: jobs.end(job, JobStatus.STOPPED))
    assert ended.status is JobStatus.STOPPED


def test_one_that_cannot_be_stopped_any_more_ends_as_it_did(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late() -> None:
        open_jobs().end(job, JobStatus.FINISHED)
        raise KeyboardInterrupt

    ended = wait(job, monkeypatch, too_late)
    assert ended.status is JobStatus.FINISHED
