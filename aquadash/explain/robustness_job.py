"""Measuring robustness in the background: a process of its own that meets the app only in the run store.

It does not take a slot of the engine, so that it need not wait for the end of a long search. It runs at a low
priority instead: a training beside it keeps most of the processor. What it has measured is kept as it goes, so that a
job that was stopped or killed goes on where it was when it is started again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from pathlib import Path

from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.explain.robustness_request import RobustnessRequest, missing
from aquadash.explain.robustness_result import RobustnessResult
from aquadash.runs import Progress, RunStore, open_store
from aquadash.runs.artifacts import ROBUSTNESS, ROBUSTNESS_SPARE
from aquadash.runs.jobs import Job, RunJobs
from aquadash.runs.types import Run
from aquadash.training.heartbeat import Heartbeat
from aquadash.training.job_process import do_job, start_job

_log = logging.getLogger("aquadash.robustness")

KIND = "robustness"

#: The file of a run that holds the figures.
ARTIFACT = ROBUSTNESS

#: Written before :data:`ARTIFACT`, so that a process that is killed while it writes leaves one of the two whole.
_SPARE = ROBUSTNESS_SPARE

#: The figures are stored at most so often, in seconds.
_STORE_SECONDS = 1.0

#: Larger files are not ours.
_MOST_BYTES = 50_000_000

_REPORTED_VERSIONS = (
    "imagecorruptions-imaug",
    "imaug",
    "numpy",
    "scikit-image",
    "opencv-python-headless",
    "tensorflow",
)


class Robustness:
    """Starts and stops measurements and reads their results. Safe to use from several threads."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._jobs = RunJobs(store, KIND)

    def job(self, run_id: str) -> Job | None:
        """The measurement of a run as it is now; None where nobody ever asked for one."""
        return self._jobs.get(run_id)

    def result(self, run_id: str) -> RobustnessResult | None:
        """What is measured so far; None where nothing is, or it is of weights that the run has no more.

        Raises:
            StorageError: The file is damaged.
        """
        run = self._store.get(run_id)
        found = read_result(self._store, run_id)
        if found is not None and run.ended_at is not None and found.measured_at < run.ended_at:
            return None
        return found

    def measured_runs(self) -> list[str]:
        """The ids of the runs that somebody has ever asked to measure."""
        return self._jobs.run_ids()

    def start(self, run_id: str, request: RobustnessRequest | None = None) -> None:
        """Start measuring, or go on with what is not measured yet.

        Args:
            run_id: A run that has ended and has a model.
            request: What to measure; None for what was asked for the last time.

        Raises:
            RunError: The run has no model, or is being measured already.
            AquaDashError: The request is not possible.
        """
        run = self._store.get(run_id)
        check_run(self._store, run)
        job = self._jobs.get(run_id)
        if request is None:
            request = RobustnessRequest.from_dict(job.request) if job else RobustnessRequest()
        if job is not None and not job.status.ended:
            raise RunError(
                f"The robustness of {run.name} is being measured already. Wait for the end of that, or stop it first."
            )
        start_job(
            self._jobs,
            run_id,
            request.checked().to_dict(),
            command=["robustness-worker", run_id],
            log_path=settings.robustness_log(run_id),
        )

    def stop(self, run_id: str) -> None:
        """Ask the measurement to stop; what it has measured is kept.

        Raises:
            RunError: It is not at work.
        """
        self._jobs.request_stop(run_id)

    def is_measured(self, run_id: str, request: RobustnessRequest) -> bool:
        """Whether there is nothing left to do for a request."""
        found = self.result(run_id)
        if found is None or found.identity.get("seed") != request.seed:
            return False
        total = int(found.identity.get("test_images", 0))
        if found.identity.get("images") != min(request.limit or total, total):
            return False
        return missing(found, request) == ([], [])


def check_run(store: RunStore, run: Run) -> None:
    """Refuse a run that cannot be measured.

    Raises:
        RunError: It has not ended or has no model.
    """
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. Its robustness can be measured once it has ended.")
    store.model_path(run.run_id)


def read_result(store: RunStore, run_id: str) -> RobustnessResult | None:
    """The stored figures, from the spare copy where the first one is damaged; None where there are none.

    Raises:
        StorageError: Both are damaged.
    """
    damage: StorageError | None = None
    for name in (ARTIFACT, _SPARE):
        path = store.artifact(run_id, name)
        if path is None:
            continue
        try:
            return _read(path)
        except StorageError as error:
            damage = error
    if damage is not None:
        raise damage
    return None


def main(run_id: str) -> int:
    """The process: measure what was asked for; returns the exit status, 0 also for an orderly failure."""
    from filelock import FileLock, Timeout

    from aquadash.training.worker import log_to

    log_to(settings.robustness_log(run_id))
    _lower_priority()
    lock_path = settings.robustness_lock(run_id)
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The operating system lets go of the lock when the process dies, however it dies.
        with FileLock(lock_path, timeout=0):
            store = open_store()
            jobs = RunJobs(store, KIND)
            do_job(
                jobs,
                run_id,
                lambda heartbeat: _measured(store, jobs, run_id, heartbeat),
                noun="measurement",
                stopped="Stopped by request. What is measured is kept.",
            )
    except Timeout:
        _log.info("another process on this machine already measures run %s", run_id)
    return 0


def _measured(store: RunStore, jobs: RunJobs, run_id: str, heartbeat: Heartbeat) -> str:
    """Measure, and store what is measured whatever happens; there is no more to say about it."""
    listener = _StoreListener(store, run_id, heartbeat)
    try:
        _measure(store, jobs, run_id, listener)
    finally:
        listener.flush()
    return ""


def _measure(store: RunStore, jobs: RunJobs, run_id: str, listener: _StoreListener) -> None:
    from aquadash import data
    from aquadash.explain.corrupted_sets import open_pool, workers_here
    from aquadash.explain.robustness import measure
    from aquadash.training.environment import library_version

    run, job = store.get(run_id), jobs.get(run_id)
    request = RobustnessRequest.from_dict(job.request) if job else RobustnessRequest()
    check_run(store, run)
    _log.info("run %s (%s): measuring %s", run_id, run.name, request)
    listener.on_progress(Progress("loading the data"))
    dataset = data.load(run.config.data.source)
    if run.dataset_fingerprint and dataset.fingerprint != run.dataset_fingerprint:
        raise RunError(
            "The data set has changed since this run was trained, so its test images are others now. Bring the old "
            "data back, or train the run again."
        )
    with open_pool(workers_here()) as pool:
        try:
            listener.on_progress(Progress("loading the model"))
            from aquadash.predict import Predictor

            path = store.model_path(run_id)
            loaded_at = time.time()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            predictor = Predictor.load(path, class_names=run.class_names)
            measure(
                predictor,
                dataset,
                request,
                model_sha256=digest,
                so_far=_so_far(store, run_id),
                executor=pool,
                listener=listener,
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


class _StoreListener:
    """Passes what measuring says on to the store."""

    def __init__(self, store: RunStore, run_id: str, heartbeat: Heartbeat) -> None:
        self._store = store
        self._run_id = run_id
        self._heartbeat = heartbeat
        self._waiting: RobustnessResult | None = None
        self._stored = 0.0

    def on_progress(self, progress: Progress) -> None:
        self._heartbeat.tell(progress)

    def on_result(self, result: RobustnessResult) -> None:
        self._waiting = result
        if time.monotonic() - self._stored >= _STORE_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Store what is not stored yet."""
        if self._waiting is None:
            return
        text = self._waiting.to_json()
        self._store.add_text_artifact(self._run_id, _SPARE, text)
        self._store.add_text_artifact(self._run_id, ARTIFACT, text)
        self._waiting, self._stored = None, time.monotonic()


def _read(path: Path) -> RobustnessResult:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise StorageError(f"{path.name} is larger than {_MOST_BYTES:,} bytes; it is none of AquaDash's.")
        return RobustnessResult.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"The robustness figures of this run cannot be read ({error}).") from error


def _lower_priority() -> None:
    """Leave the processor to the app and to trainings; the processes that this one starts inherit it."""
    if hasattr(os, "nice"):
        # Not the lowest: beside a training it would then hardly get to say that it is alive.
        os.nice(10)


def open_robustness() -> Robustness:
    """The measurements in the run store that the settings name.

    Raises:
        StorageError: It cannot be opened.
    """
    return Robustness(open_store())
