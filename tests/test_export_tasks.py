"""Work in a thread of its own: progress, stopping, failures, one at a time for a key."""

from __future__ import annotations

import threading

from aquadash.errors import DataError
from aquadash.export.tasks import Progress, Task, Tasks


def test_a_task_reports_and_ends() -> None:
    now = [0.0]
    go, half = threading.Event(), threading.Event()

    def work(progress: Progress) -> int:
        now[0] = 10.0
        progress("half of it", 0.25)
        half.set()
        assert go.wait(30)
        return 7

    task = Task(work, name="test", clock=lambda: now[0])
    assert half.wait(30) and not task.ended
    assert (task.text, task.share, task.seconds_left) == ("half of it", 0.25, 30.0)
    go.set()
    assert task.wait(30) and task.result == 7 and not task.error


def test_stopping_ends_it_at_its_next_report() -> None:
    started, go = threading.Event(), threading.Event()

    def work(progress: Progress) -> int:
        started.set()
        assert go.wait(30)
        progress("more", None)
        return 7

    task = Task(work, name="test")
    assert started.wait(30)
    task.stop()
    go.set()
    assert task.wait(30) and task.result is None and task.error == "Stopped by request."


def test_failures_become_words() -> None:
    def refuse(progress: Progress) -> int:
        raise DataError("no images")

    def break_down(progress: Progress) -> int:
        raise ZeroDivisionError

    for work, words in ((refuse, "no images"), (break_down, "ZeroDivisionError")):
        task = Task(work, name="test")
        assert task.wait(30) and words in task.error


def test_one_task_a_key_at_a_time() -> None:
    tasks: Tasks[int] = Tasks()
    go = threading.Event()

    def slow(progress: Progress) -> int:
        assert go.wait(30)
        return 1

    first = tasks.start("key", slow, name="test")
    assert tasks.start("key", slow, name="test") is first
    other = tasks.start("other", slow, name="test")
    assert other is not first
    tasks.forget("key")
    assert tasks.get("key") is first, "one at work is not forgotten"
    go.set()
    assert first.wait(30)
    second = tasks.start("key", lambda progress: 2, name="test")
    assert second is not first and second.wait(30) and second.result == 2
    tasks.forget("key")
    assert tasks.get("key") is None
