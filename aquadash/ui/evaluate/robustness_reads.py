"""What the robustness section reads, cached and shared between sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from aquadash import people, settings
from aquadash.runs.types import Run
from aquadash.ui import cache

if TYPE_CHECKING:
    from aquadash.robustness.corrupted_sets import TestImages
    from aquadash.robustness.job import Robustness
    from aquadash.robustness.result import RobustnessResult

#: A list of which runs are measured may be so old, in seconds.
_LIST_SECONDS = 10.0


def measurements() -> Robustness:
    """What starts, stops and reads measurements; waits for the store at a cold start.

    Raises:
        AquaDashError: The store could not be opened.
    """
    from aquadash.robustness.job import Robustness

    return Robustness(cache.store())


def job_of(run_id: str) -> str:
    """The id of the job that measures a run."""
    from aquadash.robustness import job as robustness_job

    return robustness_job.job_of(run_id)


def result(run: Run) -> RobustnessResult | None:
    """The figures of a run; read again every second only while they are measured.

    Raises:
        StorageError: They are damaged.
    """
    job = cache.job(job_of(run.run_id))
    if job is not None and not job.status.ended:
        return _live_result(settings.place(), run.run_id)
    return _result(settings.place(), run.run_id, run.ended_at, None if job is None else (job.attempt, job.ended_at))


def measured_runs() -> tuple[str, ...]:
    """The ids of the runs that have figures."""
    return _measured_runs(settings.place())


def test_images(run: Run, found: RobustnessResult) -> tuple[TestImages, list[int]]:
    """The images that figures are of, and their labels.

    Raises:
        AquaDashError: The data cannot be loaded.
    """
    from aquadash.robustness.corrupted_sets import TestImages
    from aquadash.robustness.request import chosen_positions

    dataset = cache.dataset(run.config.data.source)
    positions = chosen_positions(dataset.test.labels, int(found.identity["images"]))
    images = dataset.test.images[positions]
    source = TestImages(images, positions, dataset.fingerprint, int(found.identity["seed"]))
    return source, dataset.test.labels[positions].tolist()


def refresh() -> None:
    """Forget what may just have been changed; call after starting a measurement."""
    cache.refresh_jobs()
    _live_result.clear()
    _measured_runs.clear()


@st.cache_resource(ttl=cache.FRESH_SECONDS, max_entries=16, show_spinner=False)
def _live_result(place: str, run_id: str) -> RobustnessResult | None:
    with people.acting(people.OWNER):
        return measurements().result(run_id)


@st.cache_resource(max_entries=64, show_spinner=False)
def _result(place: str, run_id: str, ended_at: float | None, job_end: object) -> RobustnessResult | None:
    with people.acting(people.OWNER):
        return measurements().result(run_id)


@st.cache_resource(ttl=_LIST_SECONDS, max_entries=8, show_spinner=False)
def _measured_runs(place: str) -> tuple[str, ...]:
    with people.acting(people.OWNER):
        return tuple(measurements().measured_runs())
