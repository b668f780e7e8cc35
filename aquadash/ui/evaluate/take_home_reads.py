"""What the part for taking a run home reads, cached and shared between sessions.

On a tracking server every look at a run's files is a request, and the weights would be fetched at each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from aquadash import people, settings
from aquadash.classroom.rights import Action, require
from aquadash.runs.types import Run
from aquadash.ui import cache

if TYPE_CHECKING:
    from aquadash.export.convert import Check, Format
    from aquadash.export.convert_job import Conversions
    from aquadash.jobs import Job


@dataclass(frozen=True)
class Converted:
    """A network in another format.

    Attributes:
        check: How it was held against the original.
        path: The file.
    """

    check: Check
    path: Path


def conversions() -> Conversions:
    """What starts, stops and reads conversions; waits for the store at a cold start.

    Raises:
        AquaDashError: The store could not be opened.
    """
    from aquadash.export.convert_job import Conversions

    return Conversions(cache.store())


def export_of(run: Run, include: bool) -> str:
    """The id of the job that makes the run's ZIP, with the images or without; of the run as it was a second ago."""
    require(Action.OPEN_MODEL, run.thing)
    return _export_of(settings.place(), run.run_id, include)


def converted(run: Run, form: Format, job: Job | None) -> Converted | None:
    """The file of the run's present weights; looked for again when the run or a conversion of it has ended."""
    require(Action.OPEN_MODEL, run.thing)
    return _converted(settings.place(), run.run_id, run.ended_at, form, job and (job.attempt, job.ended_at))


def refresh() -> None:
    """Forget what may just have been changed; call after starting or stopping something."""
    _export_of.clear()
    cache.refresh_jobs()


@st.cache_resource(ttl=cache.FRESH_SECONDS, max_entries=64, show_spinner=False)
def _export_of(place: str, run_id: str, include: bool) -> str:
    from aquadash.export import preparing

    with people.acting(people.OWNER):
        return preparing.export_of(cache.store(), run_id, include_data=include)


@st.cache_resource(max_entries=64, show_spinner=False)
def _converted(place: str, run_id: str, ended_at: float | None, form: Format, job_end: object) -> Converted | None:
    with people.acting(people.OWNER):
        check = conversions().check(run_id, form)
        return None if check is None else Converted(check, conversions().file(run_id, form))
