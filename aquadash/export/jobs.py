"""Exports and imports of runs in the background, as jobs."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash import data, settings
from aquadash.files import forget_oldest
from aquadash.people import OWNER, Person, Role
from aquadash.store import Job, RunStatus, RunStore, open_jobs, open_store
from aquadash.store.job_types import job_id
from aquadash.store.kinds import KINDS
from aquadash.store.transfer import take_record

if TYPE_CHECKING:
    from aquadash.work.worker import JobContext

#: Limits of the ZIP files that are kept: their bytes together, and the age of each in seconds.
_MAX_BYTES, _MAX_SECONDS = 2_000_000_000, 24 * 3600.0


# -- exports


def export_id(store: RunStore, run_id: str, *, include_data: bool, show_images: bool = True) -> str:
    """Return the id of the job that makes a run's ZIP file; it changes with the content of the ZIP."""
    return job_id("export", _export_key(store, run_id, include_data, show_images))


def start_export(store: RunStore, run_id: str, *, include_data: bool, show_images: bool = True, owner: str = "") -> Job:
    """Make the ZIP file of a run in the background; ``show_images``: its report may show some of the images."""
    from aquadash.work.queue import start_job

    request = {"run_id": run_id, "include_data": include_data, "show_images": show_images}
    return start_job("export", _export_key(store, run_id, include_data, show_images), request, owner=owner)


def exported_file(job: Job) -> Path | None:
    """Return the ZIP file that a job has made; None where the job did not finish, or the file is gone."""
    path = _export_path(job.request["run_id"], job.run)
    return path if job.status is RunStatus.FINISHED and path.is_file() else None


def work_export(job: JobContext) -> dict[str, Any]:
    """Make the ZIP file of a job; return its ``size`` in bytes and its ``notes``."""
    from aquadash.export.bundle import export_run

    run_id = job.request["run_id"]
    wanted = {name: job.request[name] for name in ("include_data", "show_images")}
    path = _export_path(run_id, job.run)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Deleting a ZIP does not interrupt a download: its open file stays readable.
    forget_oldest(path.parent, "*.zip", max_bytes=_MAX_BYTES, max_seconds=_MAX_SECONDS)
    written = export_run(open_store(), run_id, path, progress=job.report_fraction, **wanted)
    return {"size": written.size, "notes": list(written.notes)}


def _export_path(run_id: str, key: str) -> Path:
    return settings.exports() / f"{settings.checked_run_id(run_id)}-{key[:16]}.zip"


def _export_key(store: RunStore, run_id: str, include_data: bool, show_images: bool) -> str:
    """Return a text that changes whenever the ZIP would have other content."""
    run = store.get(run_id)
    names = sorted(store.artifact_names(run_id))
    measured = open_jobs().get(job_id("robustness", run_id))
    robustness = (measured.attempt, measured.ended_at) if measured is not None else None
    source = data.SOURCES.get(run.config.data.source)
    images = source.key() if source is not None else None
    parts = (include_data, show_images, take_record(store, run_id).model_dump_json(), names, robustness, images)
    return _digest(repr(parts))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# -- imports


def import_id(upload: str) -> str:
    """Return the id of the job that imports an upload."""
    return job_id("import", _digest(upload))


def start_import(upload: str, *, called: str, write: Callable[[Path], object], owner: Person = OWNER) -> Job:
    """Import a ZIP file in the background, for ``owner``; ``write`` copies the upload to a path."""
    from aquadash.work.queue import start_job

    folder = settings.home() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    # Leftovers of imports that were stopped while they waited, or whose workers were killed.
    forget_oldest(folder, max_seconds=_MAX_SECONDS)
    forget_oldest(folder, "import-*", max_seconds=2 * (KINDS["import"].max_seconds or _MAX_SECONDS))
    path = folder / f"upload-{uuid.uuid4().hex}.zip"
    try:
        write(path)
        request = {"path": str(path), "called": called, "person": asdict(owner)}
        return start_job("import", _digest(upload), request, owner=owner.person_id)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def work_import(job: JobContext) -> dict[str, Any]:
    """Import the upload of a job; return the ``run_id`` that it has here and the ids of its ``copies``."""
    from aquadash.export.importing import import_run

    path, person = Path(job.request["path"]), job.request["person"]
    try:
        owner = Person(person["person_id"], person["name"], Role(person["role"]))
        called = job.request["called"]
        taken = import_run(open_store(), path, progress=job.report_fraction, called=called, owner=owner)
    finally:
        path.unlink(missing_ok=True)
    return {"run_id": taken.run.run_id, "copies": list(taken.copies)}
