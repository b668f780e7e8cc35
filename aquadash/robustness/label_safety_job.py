"""Measuring label safety in the background, as a job: its questions and answers are files in the home.

They belong to no run, since the pictures and the branch may be ones that nobody has kept.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from aquadash import settings
from aquadash.errors import StorageError
from aquadash.files import forget_oldest, write_whole
from aquadash.jobs import Job, JobStatus
from aquadash.jobs.types import job_id
from aquadash.robustness.label_safety import SafetyRequest, Subjects, measure
from aquadash.robustness.label_safety_result import SafetyResult
from aquadash.robustness.measure import load_network
from aquadash.runs import open_store
from aquadash.runs.types import Run

if TYPE_CHECKING:
    from aquadash.jobs.worker import JobContext

KIND = "label-safety"

#: Bytes of the results that are kept; that of one measurement with its pictures takes up to 1 MB.
_MAX_BYTES = 100_000_000

_QUESTION = TypeAdapter(tuple[Subjects, SafetyRequest])
_RESULT = TypeAdapter(SafetyResult)


def key_of(run: Run, subjects: Subjects, request: SafetyRequest) -> str:
    """What a measurement is known by: 12 hexadecimal digits that follow from all that decides its figures."""
    model = settings.store_key(), run.run_id, run.ended_at if run.status.ended else run.started_at
    told = hashlib.sha256(repr((model, request, subjects.positions, subjects.split)).encode())
    for array in (subjects.images, subjects.labels):
        told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()[:12]


def job_of(key: str) -> str:
    """The id of the job of a measurement, by its :func:`key_of`."""
    return job_id(KIND, _resource(key))


def _resource(key: str) -> str:
    """The same for the table of jobs, which other machines may use, too: they do not have the files."""
    return f"{key}-{hashlib.sha256(settings.here().encode()).hexdigest()[:12]}"


def start(run: Run, subjects: Subjects, request: SafetyRequest, *, owner: str = "") -> Job:
    """Begin a measurement.

    Args:
        run: Whose network looks at the images.
        subjects: The images to copy.
        request: What to measure.
        owner: The id of whoever asks; empty for the owner of the machine.

    Raises:
        RunError: It is under way already.
        AquaDashError: The request is not possible.
    """
    from aquadash.jobs.worker import start as start_job

    request.check()
    resource = _resource(key_of(run, subjects, request))
    _write(resource, "question", _QUESTION.dump_json((subjects, request)))
    return start_job(KIND, resource, {"run_id": run.run_id}, owner=owner)


def result(job: Job) -> SafetyResult | None:
    """What a measurement has found; None where it has not finished, or its result is no longer kept."""
    if job.status is not JobStatus.FINISHED:
        return None
    try:
        return _RESULT.validate_json(_file(job.run, "result").read_bytes())
    except (OSError, ValidationError):
        return None


def work(job: JobContext) -> dict[str, Any]:
    """Measure what a job asks for; the result is a file."""
    asked = _file(job.run, "question")
    try:
        subjects, request = _QUESTION.validate_json(asked.read_bytes())
        asked.unlink()
    except (OSError, ValidationError):
        raise StorageError("What is to be measured is no longer kept. Start the measurement again.") from None
    job.report("waking the network up; the first time takes about 5 seconds")
    store = open_store()
    network = load_network(store, store.get(job.request["run_id"]))
    _write(job.run, "result", _RESULT.dump_json(measure(network, subjects, request, report=job.report)))
    return {}


def _file(resource: str, what: str) -> Path:
    return settings.label_safety() / f"{resource}.{what}.json"


def _write(resource: str, what: str, content: bytes) -> None:
    folder = settings.label_safety()
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(_file(resource, what), content)
    forget_oldest(folder, "*.result.json", max_bytes=_MAX_BYTES)
    # Of jobs that no worker took; those of a class that wait are younger.
    forget_oldest(folder, "*.question.json", max_seconds=24 * 3600.0)
