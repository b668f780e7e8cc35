"""ZIP files that are made ready to be downloaded, and runs that are taken in, both in the background."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from aquadash import settings
from aquadash.classroom.rights import Action, require
from aquadash.export.bundle import Exported, export_run
from aquadash.export.importing import Imported, import_run
from aquadash.runs import RunStore
from aquadash.tasks import Report, Task, Tasks

#: What is kept of the ZIP files that were made: so many, so long, and so many bytes.
_MOST_FILES = 20
_MOST_SECONDS = 24 * 3600.0
_MOST_BYTES = 2_000_000_000

_exports: Tasks[Exported] = Tasks()
_imports: Tasks[Imported] = Tasks()


def prepared(store: RunStore, run_id: str, *, include_data: bool) -> Task[Exported] | None:
    """The ZIP file of the run as it is now, under way or done; None where nobody has asked for it.

    Raises:
        NotAllowedError: Whoever asks may not open the run.
        StorageError: The store cannot be read.
    """
    key = _key(store, run_id, include_data)
    task = _exports.get(key)
    if task is not None and task.result is not None and not task.result.path.is_file():
        _exports.forget(key)
        return None
    return task


def prepare(store: RunStore, run_id: str, *, include_data: bool) -> Task[Exported]:
    """Make the ZIP file of a run ready; one that is under way goes on.

    Raises:
        NotAllowedError: Whoever asks may not open the run.
        StorageError: The store cannot be read.
    """
    key = _key(store, run_id, include_data)
    path = settings.exports() / f"{run_id}-{key[:16]}.zip"

    def work(progress: Report) -> Exported:
        _make_room(path.parent)
        return export_run(store, run_id, path, include_data=include_data, progress=progress)

    return _exports.start(key, work, name=f"export-{run_id[:8]}")


def incoming(key: str) -> Task[Imported] | None:
    """The import of that key, under way or done."""
    return _imports.get(key)


def bring(store: RunStore, path: Path, *, key: str, called: str) -> Task[Imported]:
    """Take a ZIP file in; it is removed at the end.

    Args:
        store: Where to.
        path: A file of our own.
        key: Stands for the upload.
        called: What people know the file by, for messages.
    """

    def work(progress: Report) -> Imported:
        try:
            return import_run(store, path, progress=progress, called=called)
        finally:
            path.unlink(missing_ok=True)

    return _imports.start(key, work, name="import-run")


def _key(store: RunStore, run_id: str, include_data: bool) -> str:
    """Another text whenever the ZIP would have other content."""
    run = store.get(run_id)
    require(Action.OPEN_MODEL, run.thing)
    names = sorted(store.artifact_names(run_id))
    parts = (settings.home(), run_id, include_data, run.status, run.ended_at, run.name, run.note, run.metrics, names)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _make_room(folder: Path) -> None:
    """Remove old ZIP files; one that somebody downloads just now stays readable for them."""
    found = []
    for path in folder.glob("*.zip"):
        try:
            found.append((path.stat().st_mtime, path.stat().st_size, path))
        except OSError:
            continue
    total = 0
    for number, (changed, size, path) in enumerate(sorted(found, reverse=True), start=1):
        total += size
        if number >= _MOST_FILES or total > _MOST_BYTES or time.time() - changed > _MOST_SECONDS:
            path.unlink(missing_ok=True)
