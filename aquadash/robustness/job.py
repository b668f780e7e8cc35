"""Measuring robustness as a job: starting, reading results, and the worker's part.

The job takes no slot of the engine and runs at low priority. Scores are stored as they are measured, so that a stopped
job continues. A robustness measurement is a file of its run; a sweep's file is in the home, named by its request.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash import data, settings
from aquadash.data import Dataset
from aquadash.errors import RunError, StorageError
from aquadash.files import file_digest, forget_oldest, write_whole
from aquadash.robustness.measurement import Measurement
from aquadash.robustness.requests import (
    Request,
    RobustnessRequest,
    SweepRequest,
    choose_subjects,
    read_request,
    request_values,
)
from aquadash.store import Job, RunStore, Stopped, open_jobs, open_store
from aquadash.store.artifacts import MODEL, ROBUSTNESS
from aquadash.store.database import storage_errors
from aquadash.store.job_types import job_id
from aquadash.store.types import Run

if TYPE_CHECKING:
    from aquadash.work.worker import JobContext

_log = logging.getLogger("aquadash.robustness")

KIND = "robustness"

#: Prefix of the subject of a sweep's job. The subject of any other measurement is the id of its run.
_SWEEP = "sweep-"

#: The least time between two storings of the scores, in seconds.
_STORE_SECONDS = 1.0

#: The most bytes of all stored sweeps; one takes about 10 kB.
_MAX_SWEEP_BYTES = 100_000_000

_REPORTED_VERSIONS = "imagecorruptions-imaug imaug numpy scikit-image opencv-python-headless tensorflow".split()


def start(store: RunStore, run_id: str, request: Request | None = None, *, owner: str = "") -> Job:
    """Start measuring an ended run, or continue; without a request, repeat the run's last one under corruptions."""
    from aquadash.work.queue import start_job

    run = store.get(run_id)
    check_run(store, run)
    request = (request or _last_request(store, run_id)).checked()
    sweep = request if isinstance(request, SweepRequest) else None
    return start_job(KIND, _resource(run, sweep), {"run_id": run_id, **request_values(request)}, owner=owner)


def job_of(run: Run, sweep: SweepRequest | None = None) -> str:
    """Return the id of the job of a run's robustness or of a sweep."""
    return job_id(KIND, _resource(run, sweep))


def _resource(run: Run, sweep: SweepRequest | None) -> str:
    """Return the subject of a measurement's job: the run's id, or for a sweep a digest of network and request."""
    if sweep is None:
        return run.run_id
    network = settings.store_key(), run.run_id, run.ended_at if run.status.ended else run.started_at
    identity = json.dumps([network, request_values(sweep)])
    return f"{_SWEEP}{hashlib.sha256(identity.encode()).hexdigest()[:24]}"


def _sweep_path(resource: str) -> Path:
    return settings.label_safety() / f"{resource}.json"


def result_of(store: RunStore, run: Run, sweep: SweepRequest | None = None) -> Measurement | None:
    """Return the measurement so far; None without one, or if the run's weights have changed since."""
    if sweep is not None:
        # A missing or damaged file is measured again.
        with suppress(OSError, StorageError):
            return Measurement.from_json(_sweep_path(_resource(run, sweep)).read_bytes())
        return None
    path = store.artifact(run.run_id, ROBUSTNESS)
    with storage_errors(f"read {ROBUSTNESS}"):
        measured = None if path is None else Measurement.from_json(path.read_bytes())
    if measured is None:
        return None
    later = run.ended_at is None or measured.measured_at >= run.ended_at
    model = store.artifact(run.run_id, MODEL)
    if model is None:
        return measured if later else None
    # The digest decides, since clocks are set back and differ between computers.
    return measured if file_digest(model) == measured.identity["model_sha256"] else None


def _last_request(store: RunStore, run_id: str) -> Request:
    """Return the last job's request, or one of the stored scores' seed and limit; imported scores have no job."""
    run = store.get(run_id)
    job = open_jobs().get(job_of(run))
    if job is not None:
        return read_request(job.request)
    measured = result_of(store, run)
    if measured is None:
        return RobustnessRequest()
    images, total = measured.identity["images"], measured.identity["test_images"]
    return RobustnessRequest(seed=measured.identity["seed"], limit=None if images == total else images)


def check_run(store: RunStore, run: Run) -> None:
    """Refuse a run that cannot be measured."""
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. Its robustness can be measured once it has ended.")
    store.model_path(run.run_id)


def work(job: JobContext) -> dict[str, Any]:
    """Measure the job's request; the scores so far are stored after a failure or stop, too."""
    store = open_store()
    stored_at, measured = 0.0, None
    try:
        for measured in _measured(store, job):
            if time.monotonic() - stored_at >= _STORE_SECONDS:
                _keep(store, job, measured)
                stored_at, measured = time.monotonic(), None
    except Stopped:
        raise Stopped("Stopped by request. What is measured is kept.") from None
    finally:
        if measured is not None:
            _keep(store, job, measured)
    return {}


def _keep(store: RunStore, job: JobContext, measured: Measurement) -> None:
    """Store scores, unless the job was lost to another worker."""
    if job.lost:
        return
    if not job.run.startswith(_SWEEP):
        store.add_robustness(job.run, measured.to_json())
        return
    path = _sweep_path(job.run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, measured.to_json())
    forget_oldest(path.parent, "*.json", max_bytes=_MAX_SWEEP_BYTES)


def _measured(store: RunStore, job: JobContext) -> Iterator[Measurement]:
    from aquadash.robustness.corruptions import open_pool
    from aquadash.robustness.measure import load_network, measure
    from aquadash.training.hardware import library_version

    request = read_request(job.request).checked()
    # Version 0.7 named the run as the job's resource only.
    run = store.get(job.request.get("run_id", job.run))
    check_run(store, run)
    _log.info("run %s (%s): measuring %s", run.run_id, run.name, request)
    job.report("loading the data")
    subjects = choose_subjects(request, run, _dataset_of(run), store.validation_predictions(run.run_id))
    try:
        so_far = result_of(store, run, request if isinstance(request, SweepRequest) else None)
    except StorageError as error:
        # Damaged scores are measured again.
        _log.warning("%s", error)
        so_far = None
    with open_pool() as pool:
        try:
            job.report("loading the model")
            loaded_at = time.time()
            digest = file_digest(store.model_path(run.run_id))
            yield from measure(
                load_network(store, run),
                subjects,
                request,
                model_sha256=digest,
                so_far=so_far,
                executor=pool,
                report=job.report,
                versions={name: library_version(name) for name in _REPORTED_VERSIONS},
                measured_at=loaded_at,
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _dataset_of(run: Run) -> Dataset:
    """Load the data set of a run; raise ``RunError`` if its images have changed since the training."""
    dataset = data.load(run.config.data.source)
    if run.dataset_fingerprint and dataset.fingerprint != run.dataset_fingerprint:
        raise RunError(
            "The data set has changed since this run was trained, so its test images are others now. Bring the old "
            "data back, or train the run again."
        )
    return dataset
