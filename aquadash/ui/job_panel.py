"""A job in the background as every page shows it: how far it is, how long still, the button that stops it, its end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from aquadash.store import Job, JobProgress, JobStatus
from aquadash.ui import address, shell
from aquadash.ui.lab import lab
from aquadash.ui.text import joined, plain, sentence, time_left

#: Seconds between two looks at a job at work. Its worker reports once a second.
TICK_SECONDS = 1.0


def follow(job_id: str, draw: Callable[[Job | None], None], *, every: float = TICK_SECONDS) -> None:
    """Draw a part of a page that is about a job, and draw it again while the job is at work.

    When the job begins or ends the whole page is drawn again: what is around may depend on it, such as the list of
    runs. ``draw`` gets None where nobody ever asked for the job; ``every`` is in seconds.
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


def show(job: Job, *, key: str, unit: str = "", stop_help: str | None = None) -> None:
    """Draw a job that has not ended, with its steps in a ``unit`` such as ``"images"``, and a button that stops it."""
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
            shell.stop_button(stop, asked=job.stop_requested, key=f"{key}-stop", help=stop_help)
        left = "Working out how long it takes ..." if progress.eta is None else time_left(progress.eta)
        st.caption(left, width="content")


def show_end(job: Job, *, kept: str = "") -> None:
    """Say why a job has ended early, and what is kept of one that was lost; nothing of one that has finished."""
    if job.status is JobStatus.INTERRUPTED:
        st.warning(f"{plain(job.message or 'Its process ended before the work was done.')} {kept}", icon="⚡")
    elif job.status is JobStatus.FAILED:
        st.error(plain(job.message or "It failed and left no reason."), icon="❌")
    elif job.status is JobStatus.STOPPED:
        st.info(plain(job.message), icon="✋")
