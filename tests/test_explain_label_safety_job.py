"""Label-safety measurements in the background: their turn, their end, and what is kept."""

from __future__ import annotations

import threading

from aquadash.augment import Branch, op
from aquadash.errors import AquaDashError
from aquadash.explain.label_safety import SafetyRequest, Tell, measure
from aquadash.explain.label_safety_job import SafetyJobs
from aquadash.explain.label_safety_result import SafetyResult
from aquadash.runs import Progress
from tests.safety_fakes import ContrastReader, striped
from tests.waiting import wait_for

REQUEST = SafetyRequest(Branch("One", (op("LinearContrast", alpha=0.5),)), copies=2)


def work(tell: Tell) -> SafetyResult:
    return measure(ContrastReader(), striped([100]), REQUEST, tell=tell)


class Held:
    """Work that goes on when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, tell: Tell) -> SafetyResult:
        self.begun.set()
        assert self.go_on.wait(20)
        tell(Progress("going on", batch=1, batches=2))
        return work(tell)


def test_a_result_is_kept_and_not_measured_again() -> None:
    jobs = SafetyJobs()
    job = jobs.start("a", work)
    assert job.wait(20)
    assert job.result is not None and job.error is None
    assert job.result.whole.accuracy == 1.0
    assert jobs.start("a", work) is job
    assert jobs.get("a") is job
    assert jobs.get("b") is None


def test_one_works_at_a_time_and_a_waiting_one_can_be_stopped() -> None:
    jobs, held = SafetyJobs(), Held()
    first = jobs.start("first", held)
    assert held.begun.wait(20)
    assert jobs.start("first", held) is first
    second = jobs.start("second", work)
    third = jobs.start("third", work)
    assert wait_for(lambda: third.progress.phase == "waiting for another measurement")
    third.stop()
    assert third.wait(20)
    assert third.result is None and third.error is None
    assert not second.ended
    held.go_on.set()
    assert first.wait(20) and second.wait(20)
    assert first.result is not None and second.result is not None


def test_a_stopped_one_can_begin_again() -> None:
    jobs, held = SafetyJobs(), Held()
    job = jobs.start("a", held)
    assert held.begun.wait(20)
    job.stop()
    again = jobs.start("a", work)
    assert again is not job
    held.go_on.set()
    assert job.wait(20) and again.wait(20)
    assert job.result is None
    assert again.result is not None
    assert jobs.get("a") is again


def test_what_goes_wrong_is_told_and_the_next_one_has_its_turn() -> None:
    def broken(tell: Tell) -> SafetyResult:
        raise AquaDashError("The model is gone.")

    jobs = SafetyJobs()
    job = jobs.start("a", broken)
    assert job.wait(20)
    assert str(job.error) == "The model is gone."
    again = jobs.start("a", work)
    assert again.wait(20)
    assert again.result is not None


def test_the_least_used_results_are_dropped() -> None:
    jobs = SafetyJobs(most=2)
    for key in ("a", "b"):
        assert jobs.start(key, work).wait(20)
    assert jobs.get("a") is not None
    assert jobs.start("c", work).wait(20)
    assert jobs.get("b") is None
    assert jobs.get("a") is not None
