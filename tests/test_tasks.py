"""Work in a thread of its own: progress, stopping, failures, turns, one at a time for a key, and what is kept."""

from __future__ import annotations

import threading

import pytest

from aquadash.augment import Branch, op
from aquadash.errors import AquaDashError, DataError
from aquadash.explain.label_safety import SafetyRequest, measure, told_to
from aquadash.explain.label_safety_result import SafetyResult
from aquadash.runs import Progress
from aquadash.tasks import Report, Stopped, Task, Tasks
from aquadash.ui.augment.label_safety_jobs import new_jobs
from tests.safety_fakes import ContrastReader, striped
from tests.waiting import wait_for

REQUEST = SafetyRequest(Branch("One", (op("LinearContrast", alpha=0.5),)), copies=2)


def work(report: Report) -> SafetyResult:
    """A small measurement of label safety."""
    return measure(ContrastReader(), striped([100]), REQUEST, tell=told_to(report))


class Held:
    """Work that goes on when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, report: Report) -> SafetyResult:
        self.begun.set()
        assert self.go_on.wait(20)
        told_to(report)(Progress("going on", batch=1, batches=2))
        return work(report)


# -- a task ----------------------------------------------------------------------------------------------------------


def test_a_task_reports_and_ends() -> None:
    now = [0.0]
    go, half = threading.Event(), threading.Event()

    def work(report: Report) -> int:
        now[0] = 10.0
        report("half of it", 0.25)
        half.set()
        assert go.wait(30)
        return 7

    task = Task(work, name="test", clock=lambda: now[0])
    assert half.wait(30) and not task.ended
    assert (task.text, task.share, task.seconds_left) == ("half of it", 0.25, 30.0)
    go.set()
    assert task.wait(30) and task.result == 7 and not task.error and not task.stopped


@pytest.mark.parametrize("told", [None, 4.0])
def test_work_that_knows_how_long_it_takes_is_believed(told: float | None) -> None:
    def work(report: Report) -> int:
        report("half of it", 0.5, told)
        return 7

    task = Task(work, name="test")
    assert task.wait(30) and task.seconds_left == told


def test_stopping_ends_it_at_its_next_report() -> None:
    started, go = threading.Event(), threading.Event()
    over = []

    def work(report: Report) -> int:
        started.set()
        assert go.wait(30)
        try:
            report("more", None)
        except AquaDashError:
            over.append("what failed was a part of the work")
        return 7

    task = Task(work, name="test")
    assert started.wait(30)
    task.stop()
    assert task.stopping
    go.set()
    assert task.wait(30) and task.result is None and task.text == "Stopped by request."
    assert task.stopped and not task.error and not over
    assert not issubclass(Stopped, AquaDashError)


def test_failures_become_words() -> None:
    def refuse(report: Report) -> int:
        raise DataError("no images")

    def break_down(report: Report) -> int:
        raise ZeroDivisionError

    def fill(report: Report) -> int:
        raise OSError(28, "No space left on device")

    for work, words in ((refuse, "no images"), (break_down, "ZeroDivisionError"), (fill, "No space left on device")):
        task = Task(work, name="test")
        assert task.wait(30) and words in task.error
        assert task.result is None and not task.stopped


# -- tasks by key ----------------------------------------------------------------------------------------------------


def test_one_task_a_key_at_a_time() -> None:
    tasks: Tasks[int] = Tasks()
    go = threading.Event()

    def slow(report: Report) -> int:
        assert go.wait(30)
        return 1

    first = tasks.start("key", slow, name="test")
    assert tasks.start("key", slow, name="test") is first
    other = tasks.start("other", slow, name="test")
    assert other is not first
    tasks.forget("key")
    assert tasks.get("key") is first, "one at work is not forgotten"
    first.stop()
    assert tasks.start("key", slow, name="test") is first, "nor worked beside while it stops"
    go.set()
    assert first.wait(30)
    second = tasks.start("key", lambda report: 2, name="test")
    assert second is not first and second.wait(30) and second.result == 2
    tasks.forget("key")
    assert tasks.get("key") is None


# -- label safety: a turn, and results that are kept -----------------------------------------------------------------


def test_a_result_is_kept_and_not_measured_again() -> None:
    jobs = new_jobs()
    job = jobs.start("a", work, name="test")
    assert job.wait(20)
    assert job.result is not None and not job.error and not job.stopped
    assert job.result.whole.accuracy == 1.0
    assert jobs.start("a", work, name="test") is job
    assert jobs.get("a") is job
    assert jobs.get("b") is None


def test_one_works_at_a_time_and_a_waiting_one_can_be_stopped() -> None:
    jobs, held = new_jobs(), Held()
    first = jobs.start("first", held, name="test")
    assert held.begun.wait(20)
    assert jobs.start("first", held, name="test") is first
    second = jobs.start("second", work, name="test")
    third = jobs.start("third", work, name="test")
    assert wait_for(lambda: third.text == "waiting for another measurement")
    third.stop()
    assert third.wait(20)
    assert third.result is None and not third.error and third.stopped
    assert not second.ended
    held.go_on.set()
    assert first.wait(20) and second.wait(20)
    assert first.result is not None and second.result is not None


def test_a_stopped_one_can_begin_again() -> None:
    jobs, held = new_jobs(), Held()
    job = jobs.start("a", held, name="test")
    assert held.begun.wait(20)
    job.stop()
    again = jobs.start("a", work, name="test")
    assert again is not job
    held.go_on.set()
    assert job.wait(20) and again.wait(20)
    assert job.result is None
    assert again.result is not None
    assert jobs.get("a") is again


def test_what_goes_wrong_is_told_and_the_next_one_has_its_turn() -> None:
    def broken(report: Report) -> SafetyResult:
        raise AquaDashError("The model is gone.")

    jobs = new_jobs()
    job = jobs.start("a", broken, name="test")
    assert job.wait(20)
    assert job.error == "The model is gone."
    again = jobs.start("a", work, name="test")
    assert again.wait(20)
    assert again.result is not None


def test_the_least_used_results_are_dropped() -> None:
    jobs: Tasks[SafetyResult] = Tasks(most=2, keeps_results=True)
    for key in ("a", "b"):
        assert jobs.start(key, work, name="test").wait(20)
    assert jobs.get("a") is not None
    assert jobs.start("c", work, name="test").wait(20)
    assert jobs.get("b") is None
    assert jobs.get("a") is not None


def test_a_measurement_tells_its_copies_and_its_own_time() -> None:
    told: list[tuple[object, ...]] = []

    def report(*words: object) -> None:
        told.append(words)

    tell = told_to(report)  # type: ignore[arg-type]
    tell(Progress("loading"))
    tell(Progress("1. Blur", batch=500, batches=2000, eta_seconds=6.0))
    tell(Progress("2. Blur", batch=500, batches=2000))
    assert told == [
        ("loading", None),
        ("1. Blur · 500 of 2,000 copies", 0.25, 6.0),
        ("2. Blur · 500 of 2,000 copies", 0.25, None),
    ]
