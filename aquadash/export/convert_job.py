"""Converting a run's network in the background: a process of its own, so that no page waits for TensorFlow."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from aquadash import settings
from aquadash.data.download import file_sha256
from aquadash.errors import RunError, UnknownNameError
from aquadash.export.convert import FORMATS, Check, Format
from aquadash.runs import Progress, RunStore, open_store
from aquadash.runs.jobs import Job, RunJobs
from aquadash.training.heartbeat import Heartbeat
from aquadash.training.job_process import do_job, start_job


class Conversions:
    """Starts and stops conversions and reads their results. Safe to use from several threads."""

    def __init__(self, store: RunStore) -> None:
        self._store = store

    def job(self, run_id: str, form: Format) -> Job | None:
        """The conversion as it is now; None where nobody ever asked for one."""
        return RunJobs(self._store, _kind(form)).get(run_id)

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
        """
        form.check_installed()
        run = self._store.get(run_id)
        if not run.status.ended:
            raise RunError(f"{run.name} is {run.status}. Its network can be converted once it has ended.")
        self._store.model_path(run_id)
        start_job(
            RunJobs(self._store, _kind(form)),
            run_id,
            {"format": form.name},
            command=["convert-worker", run_id, form.name],
            log_path=settings.conversion_log(run_id, form.name),
        )

    def stop(self, run_id: str, form: Format) -> None:
        """Ask a conversion to stop.

        Raises:
            RunError: It is not at work.
        """
        RunJobs(self._store, _kind(form)).request_stop(run_id)


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


def main(run_id: str, format_name: str) -> int:
    """The process: convert what was asked for; returns the exit status, 0 also for an orderly failure."""
    from aquadash.training.worker import log_to

    form = format_named(format_name)
    log_to(settings.conversion_log(run_id, form.name))
    store = open_store()

    def work(heartbeat: Heartbeat) -> str:
        return _convert(store, run_id, form, heartbeat).words()

    do_job(RunJobs(store, _kind(form)), run_id, work, noun="conversion")
    return 0


def _convert(store: RunStore, run_id: str, form: Format, heartbeat: Heartbeat) -> Check:
    from aquadash import data
    from aquadash.export.convert import convert

    def tell(what: str, done: int, total: int) -> None:
        heartbeat.tell(Progress(what, batch=done, batches=total))

    run = store.get(run_id)
    tell("loading the images", 0, 0)
    dataset = data.load(run.config.data.source)
    if run.dataset_fingerprint and dataset.fingerprint != run.dataset_fingerprint:
        raise RunError(
            "The data set has changed since this run was trained, so its test images are others now and the file "
            "could not be checked. Bring the old data back, or train the run again."
        )
    with tempfile.TemporaryDirectory(prefix="aquadash-convert-") as folder:
        target = Path(folder) / form.file_name
        check = convert(store.model_path(run_id), form, dataset.test.images, target, progress=tell)
        store.add_artifact(run_id, target)
    # Last: without it, the file does not count.
    store.add_text_artifact(run_id, form.check_name, check.to_json())
    return check


def _kind(form: Format) -> str:
    return f"convert-{form.name}"
