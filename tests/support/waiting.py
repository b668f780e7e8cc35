"""Waiting for another process: the store has no events, so it is asked until it says what is expected."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, TypeVar

import psutil
import pytest

from aquadash import settings

T = TypeVar("T")

#: Seconds between two questions, at first and at most: who asks too often slows down what it waits for.
_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


def wait_for(
    what: Callable[[], T],
    *,
    timeout: float = 120.0,
    saying: Callable[[], object] | None = None,
    every: float = _LONGEST_PAUSE,
) -> T:
    """Call ``what`` until its result is truthy, and return that; after ``timeout`` fail with the text of ``saying``."""
    deadline = time.monotonic() + timeout
    pause = _PAUSE
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing within {timeout} s: {saying() if saying else what}")
        time.sleep(pause)
        pause = min(1.2 * pause, every)


def between_looks(monkeypatch: pytest.MonkeyPatch, events: Iterable[Callable[[], object]]) -> None:
    """Let one event after another happen in the pauses of a command that waits for a run or a job."""
    happening = iter(events)
    # Not time.sleep itself: other threads sleep, too.
    pauses = SimpleNamespace(sleep=lambda seconds: next(happening)())
    monkeypatch.setattr("aquadash.cli.waiting.time", pauses)


def interrupt() -> None:
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt


def gone(pid: int) -> bool:
    """Whether a process has ended, even if its parent has not asked how."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def start_two(setup: str, work: str) -> Callable[[], list[str]]:
    """Start two processes that run ``setup``; return a function that has both run ``work`` and returns their output."""
    code = f'{setup}\nprint("ready", flush=True)\ninput()\n{work}'
    processes: list[Any] = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=settings.PROJECT_ROOT,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"

    def run_work() -> list[str]:
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=120)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        return outputs

    return run_work
