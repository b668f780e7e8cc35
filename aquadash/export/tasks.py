"""Work of some seconds in a thread of its own, with progress, a way to stop it, and its result for whoever asks."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from aquadash.errors import AquaDashError

_log = logging.getLogger(__name__)

T = TypeVar("T")
Progress = Callable[[str, float | None], None]

#: Tasks that have ended are remembered up to this number.
_MOST = 64


class Stopped(AquaDashError):
    """Somebody asked the task to stop."""


class Task(Generic[T]):
    """A piece of work under way or done.

    Attributes:
        text: What is being done.
        share: How much of it is done, 0 to 1; None while unknown.
        result: What it gave; None before its end and after a failure.
        error: Why it failed, in words for people; empty otherwise.
    """

    def __init__(
        self, work: Callable[[Progress], T], *, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Starts at once.

        Args:
            work: Gets a function to report with, which raises :class:`Stopped` once somebody has asked for it.
            name: Of the thread.
            clock: Seconds from any start.
        """
        self.text = "Starting"
        self.share: float | None = None
        self.result: T | None = None
        self.error = ""
        self._work = work
        self._clock = clock
        self._began = clock()
        self._stop = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def ended(self) -> bool:
        """True once there is a result or an error."""
        return self._ended.is_set()

    @property
    def stopping(self) -> bool:
        """True once somebody has asked it to stop."""
        return self._stop.is_set()

    @property
    def seconds_left(self) -> float | None:
        """About how long it still takes; None while unknown."""
        if not self.share or self.share >= 1.0:
            return None
        return (self._clock() - self._began) * (1.0 - self.share) / self.share

    def stop(self) -> None:
        """Ask it to stop; it does at its next report."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; returns whether it has come."""
        return self._ended.wait(seconds)

    def _tell(self, text: str, share: float | None) -> None:
        self.text, self.share = text, share
        if self._stop.is_set():
            raise Stopped("Stopped by request.")

    def _run(self) -> None:
        try:
            self.result = self._work(self._tell)
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
    """The tasks of this process by key, so that any session finds what another has started."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[Hashable, Task[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Task[T] | None:
        """The task of that key; None where there is none."""
        with self._lock:
            return self._tasks.get(key)

    def start(self, key: Hashable, work: Callable[[Progress], T], *, name: str) -> Task[T]:
        """Start a task, unless one of that key is under way, which is returned then."""
        with self._lock:
            found = self._tasks.get(key)
            if found is not None and not found.ended:
                return found
            self._tasks[key] = task = Task(work, name=name)
            self._tasks.move_to_end(key)
            for old in [k for k, t in self._tasks.items() if t.ended][: max(0, len(self._tasks) - _MOST)]:
                del self._tasks[old]
            return task

    def forget(self, key: Hashable) -> None:
        """Drop a task that has ended."""
        with self._lock:
            found = self._tasks.get(key)
            if found is not None and found.ended:
                del self._tasks[key]
