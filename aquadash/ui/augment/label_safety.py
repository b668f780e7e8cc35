"""The label-safety meter of the Augment page: how far can one go before a trained model no longer sees the animal?"""

from __future__ import annotations

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.explain.label_safety import SafetyRequest, Subjects
from aquadash.explain.label_safety_result import SafetyResult
from aquadash.runs.types import Run
from aquadash.tasks import Task
from aquadash.ui import address, shell, task_progress
from aquadash.ui.augment import label_safety_jobs, label_safety_results, label_safety_settings
from aquadash.ui.augment.studio import Studio
from aquadash.ui.glossary import term
from aquadash.ui.text import count

#: Seconds between two looks at a measurement at work.
TICK_SECONDS = 1.0

#: The word of the address for a measurement that is shown.
_SHOWN = "safety"


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
    name = label_safety_jobs.key(run, subjects, request)
    job = label_safety_jobs.job(name)
    if job is None and st.query_params.get(_SHOWN) == name:
        # A link or a reload asks for what this server has not measured, or has forgotten.
        job = label_safety_jobs.start(name, run, subjects, request)
    if job is not None and not job.ended:
        shell.live(TICK_SECONDS)(_at_work)(name)
        return
    if job is not None and job.result is not None:
        _put_into_address(name)
        label_safety_results.show(job.result, request, subjects)
        return
    _put_into_address(None)
    _at_rest(job, name, run, subjects, request)


def _put_into_address(name: str | None) -> None:
    if st.query_params.get(_SHOWN) != name:
        address.record(_SHOWN, name or "", default="")


def _at_work(name: str) -> None:
    """The progress; looks again until the end."""
    job = label_safety_jobs.job(name)
    if job is None or job.ended:
        st.rerun()
    task_progress.show(job, key="safety")


def _at_rest(job: Task[SafetyResult] | None, name: str, run: Run, subjects: Subjects, request: SafetyRequest) -> None:
    """The button, and why there is no result where one was asked for."""
    if job is not None:
        task_progress.why_no_result(job)
    st.button(
        "Measure",
        key="safety-start",
        type="primary",
        icon="🛟",
        on_click=_start,
        args=(name, run, subjects, request),
    )
    total = len(subjects.images) * request.copies
    st.caption(
        f"{count(len(subjects.images), 'image')} with {request.copies} copies each: {total:,} copies for each step and "
        "each value. A small network takes seconds; you can go on working meanwhile."
    )


def _start(name: str, run: Run, subjects: Subjects, request: SafetyRequest) -> None:
    try:
        label_safety_jobs.start(name, run, subjects, request)
    except AquaDashError as error:
        shell.show_error(error)
