"""A background job on a page: its progress, time left, stop button and end."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from aquadash.store import Job, JobProgress, RunStatus
from aquadash.ui.kit import address, shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import joined, plain, sentence, time_left

#: Seconds between two drawings of a running job, whose worker reports once a second.
TICK_SECONDS = 1.0


def follow(job_id: str, draw: Callable[[Job | None], None], *, every: float = TICK_SECONDS) -> None:
    """Draw a job ``every`` few seconds while it runs, and the whole page when it begins or ends.

    ``draw`` gets None for a job that was never submitted.
    """
    job = lab().jobs.get(job_id)
    at_work = job is not None and not job.status.ended
    shell.live(every if at_work else None)(_followed)(job_id, draw, _state(job))


def _followed(job_id: str, draw: Callable[[Job | None], None], seen: tuple[object, ...]) -> None:
    job = lab().jobs.get(job_id)
    if _state(job) != seen:
        lab().refresh()
        address.draw_again()
    draw(job)


def _state(job: Job | None) -> tuple[object, ...]:
    return () if job is None else (job.status, job.attempt, job.stop_requested)


def render_job(job: Job, *, key: str, unit: str = "", stop_help: str | None = None) -> None:
    """Draw a running or waiting job with its steps in a ``unit`` such as ``"images"``, and its stop button."""
    progress = job.progress or JobProgress("starting")
    phase = plain(sentence(progress.phase))
    if progress.fraction is None:
        st.markdown(f"⚙️ {phase} ...")
    else:
        steps = f"{progress.done:,} of {progress.total:,} {unit}" if unit else ""
        st.progress(progress.fraction, text=joined(phase, steps))
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.stop_requested or lab().jobs.may_stop(job):
            stop = partial(lab().jobs.stop, job.id)
            shell.render_stop_button(stop, stop_requested=job.stop_requested, key=f"{key}-stop", help=stop_help)
        left = "Working out how long it takes ..." if progress.eta is None else time_left(progress.eta)
        st.caption(left, width="content")


def render_end(job: Job, *, kept: str = "") -> None:
    """Draw why a job has ended early, and what is ``kept`` of an interrupted one; nothing for a finished job."""
    if job.status is RunStatus.INTERRUPTED:
        st.warning(f"{plain(job.message or 'Its process ended before the work was done.')} {kept}", icon="⚡")
    elif job.status is RunStatus.FAILED:
        st.error(plain(job.message or "It failed and left no reason."), icon="❌")
    elif job.status is RunStatus.STOPPED:
        st.info(plain(job.message), icon="✋")
