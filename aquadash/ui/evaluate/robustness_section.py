"""The part of Evaluate that measures a run's robustness: start, progress, stop. The results are drawn next door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from aquadash.classroom.rights import Action, refusal
from aquadash.runs.types import Run
from aquadash.ui import inputs, shell
from aquadash.ui.evaluate import robustness_reads, robustness_results
from aquadash.ui.glossary import term
from aquadash.ui.text import count, moment, plain, sentence, time_left

if TYPE_CHECKING:
    from aquadash.runs.jobs import Job

#: Seconds between two looks at a measurement at work. Its process reports once a second.
TICK_SECONDS = 2.0

#: The quick way looks at so many images.
QUICK_IMAGES = 100

_SEEDS = 2**32


def show(run: Run, other_runs: Sequence[Run]) -> None:
    """Draw the section.

    Args:
        run: One that has ended and has results.
        other_runs: Those that may be laid over it; the run itself and those without figures are passed over.
    """
    st.subheader("How robust is it?", anchor=False, help=term("robustness"))
    with shell.guard():
        _section(run, [other.run_id for other in other_runs if other.run_id != run.run_id])


def progress_text(job: Job) -> tuple[float | None, str, str]:
    """How far a measurement at work is.

    Returns:
        The share that is done (0 to 1, None while unknown), what it does, and how long still; plain texts, the last
        may be empty.
    """
    progress = job.progress
    if progress is None or not progress.batches:
        return None, f"{sentence(progress.phase if progress else 'starting')} ...", ""
    share = min(1.0, progress.batch / progress.batches)
    doing = f"{sentence(progress.phase)} · {progress.batch:,} of {progress.batches:,} images"
    return share, doing, time_left(progress.eta_seconds)


def _section(run: Run, others: Sequence[str]) -> None:
    """Everything in the section. What changes while it is measured is one fragment that looks again."""
    st.markdown(
        "**How much of its accuracy does the network keep when the pictures get worse?** The test images are spoilt in "
        "15 ways, each from mild (1) to strong (5), and changed by every augmentation pipeline. Do not choose settings "
        "by these figures: the test images are for the last measurement."
    )
    job = robustness_reads.job(run.run_id)
    at_work = job is not None and not job.status.ended
    shell.live(TICK_SECONDS if at_work else None)(_picture)(run, list(others), _signature(job))


def _signature(job: Job | None) -> tuple[object, ...] | None:
    """What the parts around the fragment depend on."""
    return None if job is None else (job.status, job.stop_requested)


def _picture(run: Run, others: Sequence[str], seen: tuple[object, ...] | None) -> None:
    job = robustness_reads.job(run.run_id)
    if _signature(job) != seen:
        robustness_reads.refresh()
        st.rerun()
    found = robustness_reads.result(run)
    if job is not None and not job.status.ended:
        _at_work(run, job)
    else:
        _at_rest(run, job, measured=found is not None)
    if found is not None:
        robustness_results.show(run, found, others)


def _at_work(run: Run, job: Job) -> None:
    share, doing, left = progress_text(job)
    if share is None:
        st.markdown(f"⚙️ {plain(doing)}")
    else:
        st.progress(share, text=plain(doing))
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.stop_requested:
            st.button("Stopping ...", key=f"robustness-stopping-{run.run_id}", icon="✋", disabled=True)
        elif st.button(
            "Stop", key=f"robustness-stop-{run.run_id}", icon="✋", help="What is measured is kept, and it can go on."
        ):
            with shell.guard():
                robustness_reads.measurements().stop(run.run_id)
                robustness_reads.refresh()
                st.rerun()
        st.caption(plain(left) or "Working out how long it takes ...", width="content")
    st.caption("It goes on if you leave this page or close the app, and leaves most of the processor to trainings.")


def _at_rest(run: Run, job: Job | None, *, measured: bool) -> None:
    """Why nothing is being measured, and the ways to begin, go on, or begin again."""
    from aquadash.runs.jobs import JobStatus

    if job is None or (job.status is JobStatus.FINISHED and not measured):
        _form(run)
        return
    if job.status is JobStatus.FINISHED:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Measured {moment(job.ended_at)}.", width="content")
            with st.popover("Measure again", icon="🔁"):
                _form(run)
        return
    if job.status is JobStatus.INTERRUPTED:
        st.warning(
            "The process that measured has gone silent: it crashed, was ended, or its computer fell asleep. What it "
            "had measured is kept.",
            icon="⚡",
        )
    elif job.status is JobStatus.FAILED:
        st.error(plain(job.message or "The measurement failed and left no reason."), icon="❌")
    else:
        st.info(plain(job.message or "Stopped by request. What is measured is kept."), icon="✋")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Go on", key=f"robustness-go-on-{run.run_id}", type="primary", icon="▶️"):
            _start(run, quick=None, seed=None)
        with st.popover("Measure anew", icon="🔁"):
            _form(run)


def _form(run: Run) -> None:
    """How many images, which seed, and the button."""
    quick = inputs.segmented_control(
        "Images",
        ["all", "quick"],
        default="all",
        required=True,
        key=f"robustness-images-{run.run_id}",
        format_func=lambda name: "All test images" if name == "all" else f"{QUICK_IMAGES} of them",
        help="Few images are quick, and their intervals wide.",
    )
    seed = inputs.number_input(
        "Seed", 0, _SEEDS - 1, value=0, step=1, key=f"robustness-seed-{run.run_id}", help=term("seed"), width=180
    )
    reason = refusal(Action.MEASURE, run.thing)
    if reason:
        st.caption(plain(reason))
    if st.button(
        "Measure the robustness",
        disabled=bool(reason),
        key=f"robustness-start-{run.run_id}",
        type="primary",
        icon="🌫️",
        help=term("robustness"),
    ):
        _start(run, quick=quick == "quick", seed=int(seed))
    st.caption(
        f"{count(75, 'measurement')} and the pipelines. The first time the spoilt images are made, which takes "
        "longest; other runs on the same data use them again. Runs are comparable if images and seed are the same."
    )


def _start(run: Run, *, quick: bool | None, seed: int | None) -> None:
    """Begin; with ``quick`` None go on with what was asked for the last time."""
    from aquadash.explain.robustness_request import RobustnessRequest

    with shell.guard():
        request = None if quick is None else RobustnessRequest(seed=seed or 0, limit=QUICK_IMAGES if quick else None)
        robustness_reads.measurements().start(run.run_id, request)
        robustness_reads.refresh()
        st.rerun()
