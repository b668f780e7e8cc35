"""The worker's line to the store: a sign of life once a second, and back whether somebody asked to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from aquadash.errors import AquaDashError, StorageError
from aquadash.runs import Progress
from aquadash.runs.claims import RunTakenError
from aquadash.training.listening import StopRequested

_log = logging.getLogger(__name__)

#: At most one sign of life a second: pages look no oftener, and each costs a few milliseconds.
INTERVAL_SECONDS = 1.0

#: Store failures in a row (a busy or full disk) after which training stops rather than go on unseen.
_MOST_FAILURES = 30

_LOG_TAIL_BYTES = 6000


class Hearer(Protocol):
    """Who hears the signs of life: a :class:`~aquadash.runs.RunStore`, or what asks it in the name of one worker."""

    def heartbeat(self, run_id: str, progress: Progress, *, log_tail: str | None = None) -> bool:
        """Take a sign of life; returns whether somebody asked for a stop."""


class Heartbeat:
    """A named thread that reports the latest progress for as long as the worker lives.

    Use as a context manager; leaving it sends a last sign and joins the thread.
    """

    def __init__(
        self,
        store: Hearer,
        run_id: str,
        *,
        log_path: Path | None = None,
        interval: float = INTERVAL_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._log_path = log_path
        self._interval = interval
        self._clock = clock
        self._progress = Progress("starting")
        self._ended = threading.Event()
        self._stop_requested = threading.Event()
        self._lost: AquaDashError | None = None
        self._last_tail: str | None = None
        self._thread = threading.Thread(target=self._beat_until_end, name=f"heartbeat-{run_id[:8]}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def report(self, progress: Progress) -> None:
        """Take note of progress; the next beat sends it."""
        self._progress = progress

    def tell(self, progress: Progress) -> None:
        """:meth:`report` for work that may have to end here.

        Raises:
            StopRequested: Somebody asked the run to stop.
            StorageError: The store has failed too often in a row.
            RunTakenError: Another worker has the run now.
        """
        self.report(progress)
        if self._lost:
            raise self._lost
        if self.stop_requested:
            raise StopRequested

    @property
    def stop_requested(self) -> bool:
        """True once somebody asked the run to stop."""
        return self._stop_requested.is_set()

    @property
    def lost(self) -> AquaDashError | None:
        """Why the work must end: the store's error, once it has failed too often in a row, or that it is another's."""
        return self._lost

    def beat(self) -> None:
        """Send one sign of life."""
        tail = self._log_tail()
        asked = self._store.heartbeat(
            self._run_id,
            replace(self._progress, time=self._clock()),
            log_tail=tail if tail != self._last_tail else None,
        )
        self._last_tail = tail
        if asked:
            self._stop_requested.set()

    def _beat_until_end(self) -> None:
        failures = 0
        while not self._ended.wait(self._interval):
            try:
                self.beat()
                failures = 0
            except StorageError as error:
                failures += 1
                _log.warning("could not report progress (%d in a row): %s", failures, error)
                if failures >= _MOST_FAILURES:
                    self._lost = error
                    return
            except RunTakenError as error:
                self._lost = error
                return

    def _log_tail(self) -> str | None:
        """The end of the worker's log, from a whole line on."""
        if self._log_path is None or not self._log_path.is_file():
            return None
        with self._log_path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
        return text if size <= _LOG_TAIL_BYTES else text.partition("\n")[2]
