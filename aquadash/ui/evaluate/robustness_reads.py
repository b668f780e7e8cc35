"""What the robustness section reads, cached and shared between sessions."""

from __future__ import annotations

import streamlit as st

from aquadash import people, settings
from aquadash.robustness.job import Robustness, job_of
from aquadash.robustness.result import RobustnessResult
from aquadash.runs.types import Run
from aquadash.ui import cache

#: A list of which runs are measured may be so old, in seconds.
_LIST_SECONDS = 10.0


def measurements() -> Robustness:
    """What starts, stops and reads measurements; waits for the store at a cold start.

    Raises:
        AquaDashError: The store could not be opened.
    """
    return Robustness(cache.store())


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
