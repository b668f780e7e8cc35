"""What every job's process does: how it ends becomes a status and a message."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from aquadash.errors import RunError
from aquadash.runs import Progress, Worker
from aquadash.runs.jobs import JobStatus
from aquadash.training.heartbeat import Heartbeat
from aquadash.training.job_process import do_job


class Jobs:
    """Notes what is written of a job, and asks it to stop where told to."""

    def __init__(self, *, ask: bool = False) -> None:
        self.ask = ask
        self.told: list[tuple[Any, ...]] = []

    def start(self, run_id: str, worker: Worker) -> None:
        self.told.append(("start", run_id))

    def heartbeat(self, run_id: str, progress: Progress, *, log_tail: str | None = None) -> bool:
        return self.ask

    def end(self, run_id: str, status: JobStatus, *, message: str = "") -> None:
        self.told.append((status, message))


def ending(work: Callable[[Heartbeat], str], *, ask: bool = False) -> tuple[Any, ...]:
    jobs = Jobs(ask=ask)
    do_job(jobs, "0" * 32, work, noun="conversion", stopped="Half of it is kept.")  # type: ignore[arg-type]
    first, last = jobs.told
    assert first == ("start", "0" * 32)
    return last


def test_its_words_are_the_message_of_one_that_finishes() -> None:
    def work(heartbeat: Heartbeat) -> str:
        heartbeat.tell(Progress("half", batch=1, batches=2))
        return "All the same."

    assert ending(work) == (JobStatus.FINISHED, "All the same.")
    assert ending(work, ask=True) == (JobStatus.STOPPED, "Half of it is kept.")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RunError("The data are gone."), "The data are gone."),
        (MemoryError(), "The machine ran out of memory. Close other programs and start it again."),
        (BrokenProcessPool(), "The machine ran out of memory. Close other programs and start it again."),
        (ZeroDivisionError("by nought"), "An unexpected error ended the conversion: ZeroDivisionError: by nought"),
    ],
)
def test_no_exception_leaves_a_job_that_looks_alive(error: Exception, message: str) -> None:
    def work(heartbeat: Heartbeat) -> str:
        raise error

    assert ending(work) == (JobStatus.FAILED, message)
