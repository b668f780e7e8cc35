"""The runs of a store, kept in memory and brought up to date by reading only what was written since the last look."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cachetools import cached

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.files import write_whole
from aquadash.runs.connection import database_file
from aquadash.runs.reading import KIND, with_job
from aquadash.runs.tags import StoredRun
from aquadash.runs.types import Run

if TYPE_CHECKING:
    from aquadash.jobs import Job
    from aquadash.runs.store import RunStore

#: Everything is read again after so long at least, beside the pages, because other programs write without a word.
WHOLE_SECONDS = 30.0

#: Such reads take at most this share of the time.
_WHOLE_SHARE = 0.025

#: After a start the first pages have the processor to themselves for so long.
_HEAD_START = 5.0

#: With more changes than this, reading everything is quicker than reading them one by one.
_MAX_SINGLE_READS = 50

#: Part of the kept file; another number makes older files worthless.
_FORMAT = 2

#: A file that was written less than this before it was looked at may be written again without looking different.
_SETTLED_SECONDS = 1.0

_Mark = tuple[tuple[int, int], ...]


class RunSnapshot:
    """All runs outside of the bin. Safe to use from several threads."""

    def __init__(
        self,
        store: RunStore,
        *,
        database: Path | None = None,
        kept: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is read yet."""
        self._store = store
        self._database = database
        self._kept = kept
        self._clock = clock
        self._lock = threading.Lock()
        self._stored: dict[str, StoredRun] = {}
        self._records: dict[str, Run] = {}
        self._jobs: dict[str, Job] = {}
        self._runs: dict[str, Run] = {}
        self._revision: int | None = None
        self._read_at = -float("inf")
        self._mark: _Mark | None = None
        self._whole_pause = WHOLE_SECONDS

    def runs(self) -> list[Run]:
        """The runs as they are now, newest first.

        Raises:
            StorageError: The store cannot be read.
        """
        with self._lock:
            to_keep = self._look()
            found = sorted(self._runs.values(), key=lambda run: run.created_at, reverse=True)
        # Without the lock: writing waits for the disk, and every page for the lock.
        if to_keep is not None:
            self._keep(to_keep)
        return found

    def _look(self) -> dict[str, Any] | None:
        """Bring the runs up to date; returns what is to be kept, if everything was read."""
        now, jobs = self._clock(), self._store.jobs
        to_keep: dict[str, Any] | None = None
        known = self._revision
        since = self._begin_with_kept(now) if known is None else known
        changes = jobs.changes(known or 0)
        if since is not None and changes.revision < since:
            # Somebody has taken the jobs' database away.
            self._jobs.clear()
            changes, since = jobs.changes(0), None
        written = None if since is None else changes.runs if since == known else jobs.changes(since).runs
        for job in changes.jobs:
            if job.kind == KIND:
                self._jobs[job.run] = job
        if written is None or len(written) > _MAX_SINGLE_READS:
            self._read_at, self._mark = now, self._seen()
            self._replace(self._everything())
            to_keep = self._to_keep(changes.revision)
            changed = set(self._records)
        else:
            for run_id in written:
                self._put(run_id, self._store.stored_run(run_id))
            changed = set(self._records) if known is None else {*written, *(job.run for job in changes.jobs)}
        if changed:
            self._renew(changed)
        # Last: where the store cannot be read, the next look asks for the same changes again.
        self._revision = changes.revision
        if now - self._read_at > self._whole_pause and ((mark := self._seen()) is None or mark != self._mark):
            self._read_at = now
            threading.Thread(target=self._read_whole, name="aquadash-runs", daemon=True).start()
        return to_keep

    def _renew(self, changed: set[str]) -> None:
        """Put together what is stored of runs and what their jobs say; the ranks of all that wait may be others."""
        ranks = self._store.ranks()
        waiting = {run_id for run_id, run in self._runs.items() if run.rank or run_id in ranks}
        for run_id in changed | waiting:
            record = self._records.get(run_id)
            if record is None:
                self._runs.pop(run_id, None)
            else:
                self._runs[run_id] = with_job(record, self._jobs.get(run_id), rank=ranks.get(run_id, 0))

    def _everything(self) -> dict[str, StoredRun]:
        began = time.perf_counter()
        found = {stored.run_id: stored for stored in self._store.search()}
        self._whole_pause = max(WHOLE_SECONDS, (time.perf_counter() - began) / _WHOLE_SHARE)
        return found

    def _put(self, run_id: str, stored: StoredRun | None) -> bool:
        """Take a record over; returns whether that changes anything."""
        if stored == self._stored.get(run_id):
            return False
        self._stored.pop(run_id, None)
        self._records.pop(run_id, None)
        if stored is not None and not stored.deleted and (run := stored.read()) is not None:
            self._stored[run_id] = stored
            self._records[run_id] = run
        return True

    def _replace(self, found: dict[str, StoredRun]) -> set[str]:
        """Take all records over; returns the ids of those that changed."""
        gone = self._stored.keys() - found.keys()
        return {run_id for run_id in [*gone, *found] if self._put(run_id, found.get(run_id))}

    def _read_whole(self) -> None:
        """Read everything, then what has been written meanwhile, and take both over at once."""
        mark = self._seen()
        try:
            with self._lock:
                revision = self._revision or 0
            found = self._everything()
            with self._lock:
                changed = self._replace(found)
                self._mark = mark
                for run_id in self._store.jobs.changes(revision).runs:
                    if self._put(run_id, self._store.stored_run(run_id)):
                        changed.add(run_id)
                if changed:
                    self._renew(changed)
                to_keep = self._to_keep(self._revision)
            self._keep(to_keep)
        except AquaDashError:
            pass  # The next look meets the same and says so to somebody.

    def _begin_with_kept(self, now: float) -> int | None:
        """Take over what an earlier process has read, and return its revision; None where there is nothing.

        What has changed since is read next, everything soon after.
        """
        if self._kept is None:
            return None
        try:
            values = json.loads(self._kept.read_text(encoding="utf-8"))
            if values["format"] != _FORMAT:
                return None
            for run_id, tags in values["runs"].items():
                self._put(run_id, StoredRun(run_id, tags))
            mark = tuple((int(when), int(size)) for when, size in values["mark"]) or None
            revision = int(values["revision"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._stored.clear()
            self._records.clear()
            return None
        self._mark = mark
        self._read_at = now - self._whole_pause + _HEAD_START
        return revision

    def _to_keep(self, revision: int | None) -> dict[str, Any]:
        """What the next process begins with, as it is now."""
        return {
            "format": _FORMAT,
            "revision": revision,
            "mark": self._mark or (),
            "runs": {run_id: dict(stored.tags) for run_id, stored in self._stored.items()},
        }

    def _keep(self, values: dict[str, Any]) -> None:
        """Write the file; without it the next process only starts more slowly."""
        if self._kept is None:
            return
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._kept, json.dumps(values))
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


@cached({}, condition=threading.Condition())
def snapshot_of(store: RunStore) -> RunSnapshot:
    """The snapshot of an open store, one a process."""
    return RunSnapshot(store, database=database_file(), kept=kept_file())


def kept_file() -> Path:
    """Where the snapshot of the store that the settings name is kept for the next process."""
    name = hashlib.sha256(settings.tracking_uri().encode()).hexdigest()[:16]
    return settings.home() / "cache" / f"runs-{name}.json"


def is_kept() -> bool:
    """True if an earlier process has kept what it read of this machine's own store, so that it can be shown at once."""
    database = database_file()
    return database is not None and database.exists() and kept_file().exists()
