"""The label-safety meter of the Augment page: how far can one go before a trained model no longer sees the animal?"""

from __future__ import annotations

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.explain.label_safety import SafetyRequest, Subjects
from aquadash.explain.label_safety_job import SafetyJob
from aquadash.runs.types import Run
from aquadash.ui import address, label_safety_jobs, label_safety_results, label_safety_settings, shell
from aquadash.ui.glossary import term
from aquadash.ui.studio import Studio
from aquadash.ui.text import count, duration, plain

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


def progress_text(job: SafetyJob) -> tuple[float | None, str]:
    """How far a measurement is: the share done, None while unknown, and a plain text."""
    progress = job.progress
    phase = f"{progress.phase[:1].upper()}{progress.phase[1:]}"
    if not progress.batches:
        return None, f"{phase} ..."
    left = "" if progress.eta_seconds is None else f", about {duration(progress.eta_seconds)} left"
    done = f"{progress.batch:,} of {progress.batches:,} copies"
    return min(1.0, progress.batch / progress.batches), f"{phase} · {done}{left}"


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
    share, text = progress_text(job)
    if share is None:
        st.markdown(f"⚙️ {plain(text)}")
    else:
        st.progress(share, text=plain(text))
    if job.stop_requested:
        st.button("Stopping ...", key="safety-stopping", icon="✋", disabled=True)
    else:
        st.button("Stop", key="safety-stop", icon="✋", on_click=_stop, args=(name,))


def _stop(name: str) -> None:
    job = label_safety_jobs.job(name)
    if job is not None:
        job.stop()


def _at_rest(job: SafetyJob | None, name: str, run: Run, subjects: Subjects, request: SafetyRequest) -> None:
    """The button, and why there is no result where one was asked for."""
    if job is not None and job.error is not None:
        shell.show_error(job.error)
    elif job is not None:
        st.info("Stopped by request.", icon="✋")
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
