"""What the label-safety meter reads: which measurement is meant, and its result, shared between sessions."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from aquadash import settings
from aquadash.classroom.rights import Action, require
from aquadash.explain import label_safety_job
from aquadash.explain.label_safety import SafetyRequest, Subjects
from aquadash.explain.label_safety_result import SafetyResult
from aquadash.jobs import Job
from aquadash.runs.types import Run
from aquadash.ui.predictor import model_key

#: Results that are kept in memory; one with its pictures takes up to 1 MB.
_MAX_KEPT = 32


def key(run: Run, subjects: Subjects, request: SafetyRequest) -> str:
    """What a measurement is known by: 12 hexadecimal digits that follow from all that decides its figures.

    Raises:
        NotAllowedError: The visitor may not open the run's network, and so not know what it says.
    """
    require(Action.OPEN_MODEL, run.thing)
    told = hashlib.sha256(repr((model_key(run), request, subjects.positions, subjects.split)).encode())
    told.update(np.ascontiguousarray(subjects.images).tobytes())
    told.update(np.ascontiguousarray(subjects.labels).tobytes())
    return told.hexdigest()[:12]


def result(job: Job) -> SafetyResult | None:
    """What a measurement has found; None where it has not finished, or its result is no longer kept."""
    return _result(settings.place(), job) if job.status.ended else None


@st.cache_resource(max_entries=_MAX_KEPT, show_spinner=False, hash_funcs={Job: lambda job: (job.id, job.revision)})
def _result(place: str, job: Job) -> SafetyResult | None:
    return label_safety_job.result(job)
