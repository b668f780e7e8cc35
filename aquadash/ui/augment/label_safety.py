"""The label-safety meter of the Augment page: how far can one go before a trained model no longer sees the animal?"""

from __future__ import annotations

import functools

import streamlit as st

from aquadash import settings
from aquadash.errors import AquaDashError, RunError
from aquadash.jobs import Job, JobStatus
from aquadash.robustness import label_safety_job
from aquadash.robustness.label_safety import SafetyRequest
from aquadash.robustness.label_safety_result import SafetyResult
from aquadash.robustness.subjects import Subjects
from aquadash.runs.types import Run
from aquadash.ui import address, job_panel, shell
from aquadash.ui.augment import label_safety_results, label_safety_settings
from aquadash.ui.augment.studio import Studio
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count

#: The word of the address for a measurement that is shown.
_SHOWN = "safety"

#: Results that are kept in memory; one with its pictures takes up to 1 MB.
_MAX_KEPT = 32


def show(studio: Studio) -> None:
    """Draw the view."""
    st.subheader("How far can you go?", anchor=False, help=term("label safety"))
    st.markdown(
        "An augmentation must not take the animal away: then the label is wrong, and the network learns nonsense. Here "
        "a trained model looks at many augmented copies. Where it no longer recognises them, have a look yourself."
    )
    with shell.guard():
        _view(studio)


def _view(studio: Studio) -> None:
    if studio.in_view.is_original:
        st.info("This version leaves the images as they are, so there is nothing to measure. Add a step.", icon="🛟")
        return
    run = label_safety_settings.run_of(studio)
    if run is None:
        return
    subjects = label_safety_settings.subjects_of(studio, run)
    request = label_safety_settings.request_of(studio)
    request.check()
    key = label_safety_job.key_of(run, subjects, request)
    job_id = lab().jobs.label_safety_id(run, subjects, request)
    job = lab().jobs.get(job_id)
    measured = _result(job) is not None
    if st.query_params.get(_SHOWN) == key and not measured and (job is None or job.status is JobStatus.FINISHED):
        # A link or a reload asks for what this server has not measured, or keeps no longer.
        _start(run, subjects, request)
    job_panel.follow(job_id, functools.partial(_measurement, key, run, subjects, request))


def _measurement(key: str, run: Run, subjects: Subjects, request: SafetyRequest, job: Job | None) -> None:
    if job is not None and not job.status.ended:
        job_panel.show(job, key="safety", unit="copies")
        return
    found = _result(job)
    _put_into_address(None if found is None else key)
    if found is not None:
        label_safety_results.show(found, request, subjects)
        return
    if job is not None:
        job_panel.show_end(job, did="measured")
    st.button(
        "Measure",
        key="safety-start",
        type="primary",
        icon="🛟",
        on_click=_start,
        args=(run, subjects, request),
    )
    total = len(subjects.images) * request.copies
    st.caption(
        f"{count(len(subjects.images), 'image')} with {request.copies} copies each: {total:,} copies for each step and "
        "each value. A small network takes seconds; you can go on working meanwhile."
    )


def _put_into_address(name: str | None) -> None:
    if st.query_params.get(_SHOWN) != name:
        address.record(_SHOWN, name or "", default="")


def _result(job: Job | None) -> SafetyResult | None:
    return _kept_result(settings.place(), job) if job is not None and job.status.ended else None


@st.cache_resource(max_entries=_MAX_KEPT, show_spinner=False, hash_funcs={Job: lambda job: (job.id, job.revision)})
def _kept_result(place: str, job: Job) -> SafetyResult | None:
    return label_safety_job.result(job)


def _start(run: Run, subjects: Subjects, request: SafetyRequest) -> None:
    try:
        lab().jobs.measure_label_safety(run, subjects, request)
    except RunError:
        # Somebody else was quicker, or no process can be started: the job says so.
        pass
    except AquaDashError as error:
        shell.show_error(error)
