"""The runs of a store, kept in memory and brought up to date by reading only what was written since the last look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.errors import AquaDashError
from aquadash.runs.tags import StoredRun
from aquadash.runs.types import Run

if TYPE_CHECKING:
    from aquadash.runs.store import RunStore

#: So far apart may the clocks of two machines be that write into the same store, and so long may a write take from its
#: stamp until others can see it. What is later still is found by the next whole read.
MARGIN_SECONDS = 30.0

#: Everything is read again after so long, beside the pages, because other programs write without a stamp.
WHOLE_SECONDS = 30.0

#: A gap without a look that is longer than this is bridged by a whole read, which is then quicker.
_LONGEST_GAP = 1000.0

#: A file that was written less than this before it was looked at may be written again without looking different.
_SETTLED_SECONDS = 1.0

_Mark = tuple[tuple[int, int], ...]


class RunSnapshot:
    """All runs outside of the bin. Safe to use from several threads."""

    def __init__(
        self, store: RunStore, *, database: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """Nothing is read yet.

        Args:
            store: The run store.
            database: Its SQLite file if it is one on this machine: while that is untouched, nothing is read.
            clock: Seconds since 1970.
        """
        self._store = store
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._stored: dict[str, StoredRun] = {}
        self._runs: dict[str, Run] = {}
        self._looked_at = -float("inf")
        self._read_at = -float("inf")
        self._mark: _Mark | None = None
        self._whole_mark: _Mark | None = None
        self._reading: threading.Thread | None = None

    def runs(self) -> list[Run]:
        """The runs as they are now, newest first.

        Raises:
            StorageError: The store cannot be read.
        """
        with self._lock:
            self._look()
            for run_id, stored in self._stored.items():
                if stored.at_work and (run := stored.read()) is not None:
                    self._runs[run_id] = run  # it may have gone silent
            return sorted(self._runs.values(), key=lambda run: run.created_at, reverse=True)

    def _look(self) -> None:
        now = self._clock()
        if now - self._looked_at > _LONGEST_GAP:
            mark = self._seen()
            self._replace({stored.run_id: stored for stored in self._store.stored_runs()})
            self._looked_at = self._read_at = now
            self._mark = self._whole_mark = mark
            return
        mark = self._seen()
        if mark is None or mark != self._mark:
            self._take_changes(now)
            self._mark = mark
        self._looked_at = now
        if now - self._read_at > WHOLE_SECONDS and (mark is None or mark != self._whole_mark):
            self._read_at = now
            self._reading = threading.Thread(target=self._read_whole, name="aquadash-runs", daemon=True)
            self._reading.start()

    def _take_changes(self, now: float) -> None:
        for stored in self._store.changed_runs(self._looked_at - MARGIN_SECONDS, now + MARGIN_SECONDS):
            self._put(stored)

    def _put(self, stored: StoredRun) -> None:
        if stored == self._stored.get(stored.run_id):
            return
        self._stored.pop(stored.run_id, None)
        self._runs.pop(stored.run_id, None)
        run = None if stored.deleted else stored.read()
        if run is not None:
            self._stored[stored.run_id] = stored
            self._runs[stored.run_id] = run

    def _replace(self, found: dict[str, StoredRun]) -> None:
        for run_id in self._stored.keys() - found.keys():
            del self._stored[run_id], self._runs[run_id]
        for stored in found.values():
            self._put(stored)

    def _read_whole(self) -> None:
        """Read everything, then what has been written meanwhile, and take both over at once."""
        began, mark = self._clock(), self._seen()
        try:
            found = {stored.run_id: stored for stored in self._store.stored_runs()}
            with self._lock:
                now = self._clock()
                self._replace(found)
                self._looked_at = min(self._looked_at, began)
                self._take_changes(now)
                self._looked_at, self._whole_mark = now, mark
        except AquaDashError:
            pass  # The next look meets the same and says so to somebody.

    def _seen(self) -> _Mark | None:
        """How the database's files look; None where that says nothing."""
        if self._database is None:
            return None
        marks = []
        for path in (self._database, self._database.with_name(self._database.name + "-wal")):
            try:
                found = path.stat()
            except OSError:
                continue
            if abs(time.time() - found.st_mtime) < _SETTLED_SECONDS:
                return None
            marks.append((found.st_mtime_ns, found.st_size))
        return tuple(marks) or None


_snapshots: dict[int, tuple[RunStore, RunSnapshot]] = {}
_making = threading.Lock()


def snapshot_of(store: RunStore) -> RunSnapshot:
    """The snapshot of an open store, one a process."""
    from aquadash import settings

    with _making:
        kept = _snapshots.get(id(store))
        if kept is None or kept[0] is not store:
            uri = settings.tracking_uri()
            database = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
            kept = _snapshots[id(store)] = (store, RunSnapshot(store, database=database))
        return kept[1]
