"""The runs of a store, kept in memory and brought up to date by reading only what was written since the last look."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash import people
from aquadash.classroom.rights import viewed
from aquadash.errors import AquaDashError
from aquadash.runs.tags import StoredRun
from aquadash.runs.types import Run

if TYPE_CHECKING:
    from aquadash.runs.store import RunStore

#: So far apart may the clocks of two machines be that write into the same store, and so long may a write take from its
#: stamp until others can see it. What is later still is found by the next whole read.
MARGIN_SECONDS = 30.0

#: Everything is read again after so long at least, beside the pages, because other programs write without a stamp.
WHOLE_SECONDS = 30.0

#: Such reads take at most this share of the time.
_WHOLE_SHARE = 0.025

#: After a start the first pages have the processor to themselves for so long.
_HEAD_START = 5.0

#: A gap without a look that is longer than this is bridged by a whole read.
_LONGEST_GAP = 7 * 86_400.0

#: Part of the kept file; another number makes older files worthless.
_FORMAT = 1

#: A file that was written less than this before it was looked at may be written again without looking different.
_SETTLED_SECONDS = 1.0

_Mark = tuple[tuple[int, int], ...]


class RunSnapshot:
    """All runs outside of the bin; each gets those that they may see. Safe to use from several threads."""

    def __init__(
        self,
        store: RunStore,
        *,
        database: Path | None = None,
        kept: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is read yet.

        Args:
            store: The run store.
            database: Its SQLite file if it is one on this machine: while that is untouched, nothing is read.
            kept: A file to keep what was read in, so that the next process begins with that.
            clock: Seconds since 1970.
        """
        self._store = store
        self._database = database
        self._kept = kept
        self._clock = clock
        self._lock = threading.Lock()
        self._stored: dict[str, StoredRun] = {}
        self._runs: dict[str, Run] = {}
        self._looked_at = -float("inf")
        self._read_at = -float("inf")
        self._mark: _Mark | None = None
        self._whole_mark: _Mark | None = None
        self._whole_pause = WHOLE_SECONDS

    def runs(self) -> list[Run]:
        """The runs as they are now, newest first.

        Raises:
            StorageError: The store cannot be read.
        """
        with self._lock:
            with people.acting(people.OWNER):
                self._look()
            for run_id, stored in self._stored.items():
                if stored.at_work and (run := stored.read()) is not None:
                    self._runs[run_id] = run  # it may have gone silent
            found = sorted(self._runs.values(), key=lambda run: run.created_at, reverse=True)
        return viewed(found, lambda run: run.thing)

    def _look(self) -> None:
        now = self._clock()
        if self._looked_at == -float("inf"):
            self._begin_with_kept(now)
        mark = self._seen()
        if now - self._looked_at > _LONGEST_GAP:
            self._replace(self._everything())
            self._read_at, self._whole_mark = now, mark
            self._keep(now)
        elif mark is None or mark != self._mark:
            self._take_changes(now)
        self._looked_at, self._mark = now, mark
        if now - self._read_at > self._whole_pause and (mark is None or mark != self._whole_mark):
            self._read_at = now
            threading.Thread(target=self._read_whole, name="aquadash-runs", daemon=True).start()

    def _everything(self) -> dict[str, StoredRun]:
        began = time.perf_counter()
        found = {stored.run_id: stored for stored in self._store.stored_runs()}
        self._whole_pause = max(WHOLE_SECONDS, (time.perf_counter() - began) / _WHOLE_SHARE)
        return found

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
            with people.acting(people.OWNER):
                found = self._everything()
            with self._lock, people.acting(people.OWNER):
                now = self._clock()
                self._replace(found)
                self._looked_at = min(self._looked_at, began)
                self._take_changes(now)
                self._looked_at, self._whole_mark = now, mark
                self._keep(now)
        except AquaDashError:
            pass  # The next look meets the same and says so to somebody.

    def _begin_with_kept(self, now: float) -> None:
        """Take over what an earlier process has read. What has changed since is read next, everything soon after."""
        if self._kept is None:
            return
        try:
            values = json.loads(self._kept.read_text(encoding="utf-8"))
            if values["format"] != _FORMAT or not 0.0 <= now - values["looked_at"] <= _LONGEST_GAP:
                return
            for run_id, tags in values["runs"].items():
                self._put(StoredRun(run_id, tags))
            mark = tuple((int(when), int(size)) for when, size in values["mark"]) or None
            looked_at = float(values["looked_at"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._stored.clear()
            self._runs.clear()
            return
        self._looked_at, self._mark, self._whole_mark = looked_at, mark, mark
        self._read_at = now - self._whole_pause + _HEAD_START

    def _keep(self, now: float) -> None:
        """Write the file; without it the next process only starts more slowly."""
        if self._kept is None:
            return
        values = {
            "format": _FORMAT,
            "looked_at": now,
            "mark": self._whole_mark or (),
            "runs": {run_id: dict(stored.tags) for run_id, stored in self._stored.items()},
        }
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._kept.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps(values), encoding="utf-8")
            os.replace(temporary, self._kept)
        except OSError:
            pass

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
            name = hashlib.sha256(f"{uri} {store.experiment_id}".encode()).hexdigest()[:16]
            file = settings.home() / "cache" / f"runs-{name}.json"
            kept = _snapshots[id(store)] = (store, RunSnapshot(store, database=database, kept=file))
        return kept[1]
