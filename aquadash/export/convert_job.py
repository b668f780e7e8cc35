"""Converting a run's network in the background, as a job, so that no page waits for TensorFlow."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash import people
from aquadash.classroom.rights import Action, require, require_stop
from aquadash.data.download import file_sha256
from aquadash.errors import RunError, UnknownNameError
from aquadash.export.convert import FORMATS, Check, Format
from aquadash.jobs import Job, open_jobs
from aquadash.jobs.types import job_id
from aquadash.runs import RunStore, open_store
from aquadash.runs.dataset import dataset_of

if TYPE_CHECKING:
    from aquadash.jobs.worker import JobContext


class Conversions:
    """Starts and stops conversions and reads their results. Safe to use from several threads."""

    def __init__(self, store: RunStore) -> None:
        self._store = store

    def job(self, run_id: str, form: Format) -> Job | None:
        """The conversion as it is now; None where nobody ever asked for one here."""
        require(Action.VIEW, self._store.get(run_id).thing)
        return open_jobs().get(job_of(run_id, form))

    def check(self, run_id: str, form: Format) -> Check | None:
        """How the stored file was checked; None where there is none of the run's present weights."""
        path, file = self._store.artifact(run_id, form.check_name), self._store.artifact(run_id, form.file_name)
        if path is None or file is None:
            return None
        try:
            found = Check.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, UnicodeDecodeError):
            return None
        fits = found.format == form.name and found.size == file.stat().st_size
        return found if fits and found.model_sha256 == _sha256(self._store.model_path(run_id)) else None

    def file(self, run_id: str, form: Format) -> Path:
        """The converted file.

        Raises:
            RunError: There is none that has passed its check.
        """
        path = self._store.artifact(run_id, form.file_name)
        if path is None or self.check(run_id, form) is None:
            raise RunError(f"There is no {form.title} file of this run yet. Convert it first.")
        return path

    def start(self, run_id: str, form: Format) -> None:
        """Start converting.

        Raises:
            RunError: Packages are missing, the run has no model or has not ended, or it is being converted already.
            NotAllowedError: Whoever asks may not have the run's network converted.
        """
        from aquadash.jobs.worker import start

        form.check_installed()
        run = self._store.get(run_id)
        if not run.status.ended:
            raise RunError(f"{run.name} is {run.status}. Its network can be converted once it has ended.")
        self._store.model_path(run_id)
        require(Action.MEASURE, run.thing)
        start(_kind(form), run_id, {"format": form.name}, owner=people.current().person_id)

    def stop(self, run_id: str, form: Format) -> None:
        """Ask a conversion to stop.

        Raises:
            RunError: It is not at work.
            NotAllowedError: It was asked for by somebody else, for a run that is not one's own.
        """
        job = self.job(run_id, form)
        require_stop(job.owner if job else "", self._store.get(run_id).thing)
        open_jobs().request_stop(job_of(run_id, form))


def job_of(run_id: str, form: Format) -> str:
    """The id of the job that converts a run's network to a format."""
    return job_id(_kind(form), run_id)


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256_of(path: Path, size: int, changed_ns: int) -> str:
    """The hash of a file's bytes; size and time of change are there to notice that it is another file now."""
    return file_sha256(path)


def format_named(name: str) -> Format:
    """Look a format up.

    Raises:
        UnknownNameError: There is none of that name.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise UnknownNameError.of("format", name, FORMATS) from None


def work(job: JobContext) -> dict[str, Any]:
    """Convert what a job asks for; returns how the file was checked."""
    from aquadash.export.convert import convert

    store, form = open_store(), format_named(job.request["format"])
    run = store.get(job.run)
    job.report("loading the images")
    dataset = dataset_of(run)
    with tempfile.TemporaryDirectory(prefix="aquadash-convert-") as folder:
        target = Path(folder) / form.file_name
        check = convert(store.model_path(run.run_id), form, dataset.test.images, target, progress=job.report)
        store.add_artifact(run.run_id, target)
    # Last: without it, the file does not count.
    store.add_text_artifact(run.run_id, form.check_name, check.to_json())
    return asdict(check)


def _kind(form: Format) -> str:
    return f"convert-{form.name}"
