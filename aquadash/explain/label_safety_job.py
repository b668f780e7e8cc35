"""Label-safety measurements in threads of this process: one at work at a time, the last results kept in memory.

They take seconds, so that they need neither a process of their own nor the run store.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from aquadash.errors import AquaDashError
from aquadash.explain.label_safety import Tell
from aquadash.explain.label_safety_result import SafetyResult
from aquadash.runs.types import Progress

_log = logging.getLogger(__name__)

#: What does the work: it is given whom to tell of its progress.
Work = Callable[[Tell], SafetyResult]

#: Results that are kept; one with its pictures takes up to 1 MB.
_MOST_KEPT = 32
_LOOK_SECONDS = 0.1


class _Stopped(Exception):
    """Somebody has asked for an end."""


class SafetyJob:
    """One measurement; safe to look at from any thread."""

    def __init__(self, work: Work, turn: threading.Lock, *, name: str) -> None:
        self._work = work
        self._turn = turn
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._progress = Progress("starting")
        self._result: SafetyResult | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._progress

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self._ended.is_set()

    @property
    def stop_requested(self) -> bool:
        """Whether somebody has asked for an end."""
        return self._stop.is_set()

    @property
    def result(self) -> SafetyResult | None:
        """What was found; None before the end, and where it was stopped or failed."""
        return self._result

    @property
    def error(self) -> Exception | None:
        """Why it failed."""
        return self._error

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for an end; it comes with the next part."""
        self._stop.set()

    def wait(self, timeout: float) -> bool:
        """Wait for the end, at most so many seconds; whether it has come."""
        return self._ended.wait(timeout)

    def _main(self) -> None:
        try:
            self._tell(Progress("waiting for another measurement"))
            while not self._turn.acquire(timeout=_LOOK_SECONDS):
                self._tell(self._progress)
            try:
                self._result = self._work(self._tell)
            finally:
                self._turn.release()
        except _Stopped:
            pass
        except Exception as error:
            if not isinstance(error, AquaDashError):
                _log.exception("A label-safety measurement failed")
            self._error = error
        finally:
            self._ended.set()

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        if self._stop.is_set():
            raise _Stopped


class SafetyJobs:
    """The measurements of this process by what they measure. Safe to use from several threads."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._jobs: OrderedDict[Hashable, SafetyJob] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def get(self, key: Hashable) -> SafetyJob | None:
        """The measurement of that key; it counts as used now. None where nobody asked for it, or long ago."""
        with self._lock:
            if key in self._jobs:
                self._jobs.move_to_end(key)
            return self._jobs.get(key)

    def start(self, key: Hashable, work: Work) -> SafetyJob:
        """Begin a measurement, or join the one of that key that is at work or has a result already."""
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and (known.result is not None or not (known.ended or known.stop_requested)):
                return known
            job = SafetyJob(work, self._turn, name=f"label-safety-{len(self._jobs)}")
            self._jobs[key] = job
            self._jobs.move_to_end(key)
            for other in [other for other, one in self._jobs.items() if one.ended][
                : max(0, len(self._jobs) - self._most)
            ]:
                del self._jobs[other]
            job.start()
            return job
