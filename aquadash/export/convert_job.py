"""Converting a run's network in the background, as a job, so that no page waits for TensorFlow."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash.data.download import file_sha256
from aquadash.errors import RunError, UnknownNameError
from aquadash.export.convert import FORMATS, Check, Format
from aquadash.jobs import Job
from aquadash.jobs.types import job_id
from aquadash.runs import RunStore, open_store
from aquadash.runs.measured import dataset_of

if TYPE_CHECKING:
    from aquadash.jobs.worker import JobContext


@dataclass(frozen=True)
class Converted:
    """A network in another format.

    Attributes:
        check: How it was held against the original.
        path: The file.
    """

    check: Check
    path: Path


def start(store: RunStore, run_id: str, form: Format, *, owner: str = "") -> Job:
    """Start converting a run's network.

    Args:
        store: Where the run is.
        run_id: Which run.
        form: To what.
        owner: The id of whoever asks; empty for the owner of the machine.

    Raises:
        RunError: Packages are missing, the run has no model or has not ended, or it is being converted already.
    """
    from aquadash.jobs import worker

    form.check_installed()
    run = store.get(run_id)
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. Its network can be converted once it has ended.")
    store.model_path(run_id)
    return worker.start(_kind(form), run_id, {"format": form.name}, owner=owner)


def converted(store: RunStore, run_id: str, form: Format) -> Converted | None:
    """The file of the run's present weights; None where there is none that has passed its check."""
    path, file = store.artifact(run_id, form.check_name), store.artifact(run_id, form.file_name)
    if path is None or file is None:
        return None
    try:
        found = Check.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, UnicodeDecodeError):
        return None
    fits = found.format == form.name and found.size == file.stat().st_size
    return Converted(found, file) if fits and found.model_sha256 == _sha256(store.model_path(run_id)) else None


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
