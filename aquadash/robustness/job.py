"""Measuring robustness in the background, as a job: how it is started, stopped and read, and what its worker does.

It does not take a slot of the engine, so that it need not wait for the end of a long search. It runs at a low
priority instead: a training beside it keeps most of the processor. What it has measured is kept as it goes, so that a
job that was stopped or killed goes on where it was when it is started again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.files import file_digest
from aquadash.jobs import Job, Stopped, open_jobs
from aquadash.jobs.types import job_id
from aquadash.robustness.measure import RobustnessRequest, missing
from aquadash.robustness.result import RobustnessResult
from aquadash.runs import RunStore, open_store
from aquadash.runs.artifacts import MODEL, ROBUSTNESS
from aquadash.runs.connection import storage_errors
from aquadash.runs.measured import dataset_of
from aquadash.runs.types import Run

if TYPE_CHECKING:
    from aquadash.jobs.worker import JobContext

_log = logging.getLogger("aquadash.robustness")

KIND = "robustness"

#: The figures are stored at most so often, in seconds.
_STORE_SECONDS = 1.0

_REPORTED_VERSIONS = (
    "imagecorruptions-imaug",
    "imaug",
    "numpy",
    "scikit-image",
    "opencv-python-headless",
    "tensorflow",
)


def start(store: RunStore, run_id: str, request: RobustnessRequest | None = None, *, owner: str = "") -> Job:
    """Start measuring, or go on with what is not measured yet.

    Args:
        store: Where the run is.
        run_id: A run that has ended and has a model.
        request: What to measure; None for what was asked for the last time.
        owner: The id of whoever asks; empty for the owner of the machine.

    Raises:
        RunError: The run has no model, or is being measured already.
        AquaDashError: The request is not possible.
    """
    from aquadash.jobs import worker

    check_run(store, store.get(run_id))
    if request is None:
        request = _last_request(store, run_id)
    return worker.start(KIND, run_id, request.checked().to_dict(), owner=owner)


def result_of(store: RunStore, run_id: str) -> RobustnessResult | None:
    """What is measured so far; None where nothing is, or it is of weights that the run has no more.

    Raises:
        StorageError: The file is damaged.
    """
    found = read_result(store, run_id)
    if found is None:
        return None
    ended_at = store.get(run_id).ended_at
    later = ended_at is None or found.measured_at >= ended_at
    if later and settings.store_is_shared():
        # Each look would download the network.
        return found
    model = store.artifact(run_id, MODEL)
    if model is None:
        return found if later else None
    # Times tell little: clocks are set back, and another computer's may differ.
    return found if file_digest(model) == found.identity["model_sha256"] else None


def is_measured(found: RobustnessResult | None, request: RobustnessRequest) -> bool:
    """Whether what is measured leaves nothing to do for a request."""
    return found is not None and goes_with(found, request) and missing(found, request) == ([], [])


def goes_with(found: RobustnessResult, request: RobustnessRequest) -> bool:
    """Whether a request is about the seed and as many images as what is measured, so that its figures join those."""
    total = int(found.identity.get("test_images", 0))
    asked = (request.seed, min(request.limit or total, total))
    return (found.identity.get("seed"), found.identity.get("images")) == asked


def _last_request(store: RunStore, run_id: str) -> RobustnessRequest:
    """What was asked for the last time, or what the figures of another computer or older version belong to."""
    job = open_jobs().get(job_of(run_id))
    if job is not None:
        return RobustnessRequest.from_dict(job.request)
    found = result_of(store, run_id)
    if found is None:
        return RobustnessRequest()
    images, everything = found.identity.get("images"), found.identity.get("test_images")
    return RobustnessRequest(seed=found.identity.get("seed", 0), limit=None if images == everything else images)


def job_of(run_id: str) -> str:
    """The id of the job that measures a run."""
    return job_id(KIND, run_id)


def check_run(store: RunStore, run: Run) -> None:
    """Refuse a run that cannot be measured.

    Raises:
        RunError: It has not ended or has no model.
    """
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. Its robustness can be measured once it has ended.")
    store.model_path(run.run_id)


def read_result(store: RunStore, run_id: str) -> RobustnessResult | None:
    """The stored figures; None where there are none.

    Raises:
        StorageError: They are damaged.
    """
    path = store.artifact(run_id, ROBUSTNESS)
    with storage_errors(f"read {ROBUSTNESS}"):
        return None if path is None else RobustnessResult.from_json(path.read_bytes())


def work(job: JobContext) -> dict[str, Any]:
    """Measure what a job asks for, and store what is measured whatever happens; the figures are files of the run."""
    store = open_store()
    stored_at, found = 0.0, None
    try:
        for found in _measured(store, job):
            if time.monotonic() - stored_at >= _STORE_SECONDS:
                _keep(store, job, found)
                stored_at, found = time.monotonic(), None
    except Stopped:
        raise Stopped("Stopped by request. What is measured is kept.") from None
    finally:
        if found is not None:
            _keep(store, job, found)
    return {}


def _keep(store: RunStore, job: JobContext, found: RobustnessResult) -> None:
    """Store figures, unless another worker measures by now."""
    if not job.lost:
        store.add_robustness(job.run, found.to_json())


def _measured(store: RunStore, job: JobContext) -> Iterator[RobustnessResult]:
    from aquadash.robustness.corruptions import open_pool
    from aquadash.robustness.measure import load_network, measure
    from aquadash.training.hardware import library_version

    run, request = store.get(job.run), RobustnessRequest.from_dict(job.request)
    check_run(store, run)
    _log.info("run %s (%s): measuring %s", run.run_id, run.name, request)
    job.report("loading the data")
    dataset = dataset_of(run)
    with open_pool() as pool:
        try:
            job.report("loading the model")
            loaded_at = time.time()
            digest = file_digest(store.model_path(run.run_id))
            yield from measure(
                load_network(store, run),
                dataset,
                request,
                model_sha256=digest,
                so_far=_so_far(store, run.run_id),
                executor=pool,
                report=job.report,
                versions={name: library_version(name) for name in _REPORTED_VERSIONS},
                measured_at=loaded_at,
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _so_far(store: RunStore, run_id: str) -> RobustnessResult | None:
    """What was measured before; damaged figures are measured again."""
    try:
        return read_result(store, run_id)
    except StorageError as error:
        _log.warning("%s", error)
        return None
