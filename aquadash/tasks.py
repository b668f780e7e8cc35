"""Work of some seconds in a thread of its own, with progress, a way to stop it, and its result for whoever asks.

What takes minutes, or has to outlive the app, is a job instead: see :mod:`aquadash.jobs`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from types import EllipsisType
from typing import Generic, Protocol, TypeVar

from aquadash import people
from aquadash.errors import AquaDashError, NotAllowedError

_log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two looks of a task that waits for its turn.
_LOOK_SECONDS = 0.1


class Stopped(Exception):
    """Somebody asked the task to stop.

    It is no :class:`~aquadash.errors.AquaDashError`: work that gets over one of those must not get over this.
    """


class Report(Protocol):
    """What a task's work reports with. It raises :class:`Stopped` once somebody has asked the task to stop."""

    def __call__(self, text: str, share: float | None, seconds_left: float | None | EllipsisType = ..., /) -> None:
        """Say how far the work is.

        Args:
            text: What is being done, in words for people.
            share: How much of the whole is done, 0 to 1; None while unknown.
            seconds_left: How long it still takes, None while unknown; left out, it follows from the share.
        """


class Turn:
    """Of the tasks that share it, one works at a time."""

    def __init__(self, waiting: str) -> None:
        """Nobody's yet.

        Args:
            waiting: What the others report meanwhile.
        """
        self._waiting = waiting
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, report: Report) -> Iterator[None]:
        """Wait for the turn, which a person can stop, and keep it."""
        while not self._lock.acquire(timeout=_LOOK_SECONDS):
            report(self._waiting, None)
        try:
            yield
        finally:
            self._lock.release()


class Task(Generic[T]):
    """A piece of work under way or done. Safe to look at from any thread.

    Attributes:
        text: What is being done; "Stopped by request." at the end of one that was stopped.
        share: How much of it is done, 0 to 1; None while unknown.
        result: What it gave; None before its end, and where it failed or was stopped.
        error: Why it failed, in words for people; empty otherwise.
        stopped: True once it has ended before its time because somebody asked for that.
    """

    def __init__(
        self,
        work: Callable[[Report], T],
        *,
        name: str,
        turn: Turn | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts at once.

        Args:
            work: Gets what to report with.
            name: Of the thread.
            turn: What it waits for; None to wait for nothing.
            clock: Seconds from any start.
        """
        self.text = "Starting"
        self.share: float | None = None
        self.result: T | None = None
        self.error = ""
        self.stopped = False
        self._work = work
        self._person = people.current()
        self._turn = turn
        self._clock = clock
        self._began = clock()
        self._seconds_left: float | None | EllipsisType = ...
        self._stop = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def ended(self) -> bool:
        """True once nothing more will happen."""
        return self._ended.is_set()

    @property
    def stopping(self) -> bool:
        """True once somebody has asked it to stop."""
        return self._stop.is_set()

    @property
    def seconds_left(self) -> float | None:
        """About how long it still takes; None while unknown."""
        told, share = self._seconds_left, self.share
        if not isinstance(told, EllipsisType):
            return told
        if not share or share >= 1.0:
            return None
        return (self._clock() - self._began) * (1.0 - share) / share

    @property
    def stoppable(self) -> bool:
        """Whether whoever acts in this thread may stop it: those who started it, and who may do everything."""
        person = people.current()
        return person.leads or person == self._person

    def stop(self) -> None:
        """Ask it to stop; it does at its next report.

        Raises:
            NotAllowedError: Somebody else has started it.
        """
        if not self.stoppable:
            raise NotAllowedError("Somebody else has asked for this work. Only they or the teacher can stop it.")
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; returns whether it has come."""
        return self._ended.wait(seconds)

    def _tell(self, text: str, share: float | None, seconds_left: float | None | EllipsisType = ..., /) -> None:
        self.text, self.share, self._seconds_left = text, share, seconds_left
        if self._stop.is_set():
            raise Stopped

    def _run(self) -> None:
        with people.acting(self._person):
            try:
                if self._turn is None:
                    self.result = self._work(self._tell)
                else:
                    with self._turn.taken(self._tell):
                        self._began = self._clock()
                        self.result = self._work(self._tell)
            except Stopped:
                self.stopped, self.text = True, "Stopped by request."
            except AquaDashError as error:
                self.error = str(error)
            except OSError as error:
                self.error = f"The computer refused: {error.strerror or error}. Is the disk full or read-only?"
            except Exception as error:
                _log.exception("a task failed")
                self.error = f"Something went wrong that AquaDash did not expect ({type(error).__name__})."
            finally:
                self._ended.set()


class Tasks(Generic[T]):
    """The tasks of this process by key, so that any session finds what another has started.

    Safe to use from several threads.
    """

    def __init__(self, *, most: int = 64, turn: Turn | None = None, keeps_results: bool = False) -> None:
        """Empty.

        Args:
            most: So many are remembered; beyond that, the one that ended and was not asked for the longest goes.
            turn: Lets one work at a time; None for all at once.
            keeps_results: A key with a result is not worked on again.
        """
        self._most = most
        self._turn = turn
        self._keeps_results = keeps_results
        self._tasks: OrderedDict[Hashable, Task[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Task[T] | None:
        """The task of that key, which counts as used now; None where nobody asked for it, or long ago."""
        with self._lock:
            if key in self._tasks:
                self._tasks.move_to_end(key)
            return self._tasks.get(key)

    def start(self, key: Hashable, work: Callable[[Report], T], *, name: str) -> Task[T]:
        """Start a task, or join the one of that key that is under way or has a result to keep."""
        with self._lock:
            found = self._tasks.get(key)
            if found is not None and self._joined(found):
                return found
            self._tasks[key] = task = Task(work, name=name, turn=self._turn)
            self._tasks.move_to_end(key)
            for old in [k for k, t in self._tasks.items() if t.ended][: max(0, len(self._tasks) - self._most)]:
                del self._tasks[old]
            return task

    def forget(self, key: Hashable) -> None:
        """Drop a task that has ended."""
        with self._lock:
            found = self._tasks.get(key)
            if found is not None and found.ended:
                del self._tasks[key]

    def _joined(self, task: Task[T]) -> bool:
        if self._keeps_results and task.result is not None:
            return True
        # One that is stopping can have a successor only where that waits for its end.
        return not task.ended and not (task.stopping and self._turn)
