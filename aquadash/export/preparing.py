"""ZIP files that are made ready to be downloaded, and runs that are taken in, both in the background."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash import settings
from aquadash.export.bundle import export_run
from aquadash.export.importing import import_run
from aquadash.jobs import Job, JobStatus
from aquadash.jobs.types import job_id
from aquadash.people import OWNER, Person, Role
from aquadash.runs import RunStore, open_store

if TYPE_CHECKING:
    from aquadash.jobs.worker import JobContext

#: What is kept of the ZIP files that were made: so many, so long, and so many bytes.
_MOST_FILES = 20
_MOST_SECONDS = 24 * 3600.0
_MOST_BYTES = 2_000_000_000

_EXPORT, _IMPORT = "export", "import"


def export_of(store: RunStore, run_id: str, *, include_data: bool) -> str:
    """The id of the job that makes the ZIP file of the run as it is now: another one whenever that would have other
    content.

    Raises:
        StorageError: The store cannot be read.
    """
    return job_id(_EXPORT, _key(store, run_id, include_data))


def prepared(job: Job) -> Path | None:
    """The ZIP file that a job has made; None where it has not ended well, or the file is gone."""
    path = _path(job.request["run_id"], job.run)
    return path if job.status is JobStatus.FINISHED and path.is_file() else None


def prepare(store: RunStore, run_id: str, *, include_data: bool, owner: str = "") -> Job:
    """Make the ZIP file of a run ready in the background, for whoever has the id ``owner``.

    Raises:
        RunError: It is being made already.
        StorageError: The store cannot be read.
    """
    from aquadash.jobs.worker import start

    key = _key(store, run_id, include_data)
    request = {"run_id": run_id, "include_data": include_data}
    return start(_EXPORT, key, request, owner=owner)


def work_export(job: JobContext) -> dict[str, Any]:
    """Make the ZIP file that a job asks for; returns its ``size`` in bytes and its ``notes``."""
    path = _path(job.request["run_id"], job.run)
    _make_room(path.parent)
    include = job.request["include_data"]
    written = export_run(open_store(), job.request["run_id"], path, include_data=include, progress=job.report_fraction)
    return {"size": written.size, "notes": list(written.notes)}


def import_of(upload: str) -> str:
    """The id of the job that takes in an upload, by what stands for that."""
    return job_id(_IMPORT, _digest(upload))


def bring(upload: str, *, called: str, write: Callable[[Path], object], owner: Person = OWNER) -> Job:
    """Take a ZIP file in, in the background; its run is the owner's then.

    Args:
        upload: What stands for the upload.
        called: What people know the file by, for messages.
        write: Writes the file to the path that it is given; what it raises ends all.
        owner: Whose the run will be.

    Raises:
        RunError: It is being taken in already.
    """
    from aquadash.jobs.worker import start

    folder = settings.home() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"upload-{uuid.uuid4().hex}.zip"
    try:
        write(path)
        request = {"path": str(path), "called": called, "person": asdict(owner)}
        return start(_IMPORT, _digest(upload), request, owner=owner.person_id)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def work_import(job: JobContext) -> dict[str, Any]:
    """Take in what a job names; returns the ``run_id`` that it has here and the ids of its ``copies``."""
    path, person = Path(job.request["path"]), job.request["person"]
    try:
        owner = Person(person["person_id"], person["name"], Role(person["role"]))
        called = job.request["called"]
        taken = import_run(open_store(), path, progress=job.report_fraction, called=called, owner=owner)
    finally:
        path.unlink(missing_ok=True)
    return {"run_id": taken.run.run_id, "copies": list(taken.copies)}


def _path(run_id: str, key: str) -> Path:
    return settings.exports() / f"{settings.checked_run_id(run_id)}-{key[:16]}.zip"


def _key(store: RunStore, run_id: str, include_data: bool) -> str:
    """Another text whenever the ZIP would have other content."""
    run = store.get(run_id)
    names = sorted(store.artifact_names(run_id))
    parts = (settings.here(), run_id, include_data, run.status, run.ended_at, run.name, run.note, run.metrics, names)
    return _digest(repr(parts))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


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
