"""The part of Evaluate that measures a run's robustness: start, progress, stop. The results are drawn next door."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.jobs import Job, JobStatus
from aquadash.lab.rights import Action
from aquadash.robustness.job import job_of
from aquadash.robustness.measure import RobustnessRequest
from aquadash.robustness.result import RobustnessResult
from aquadash.runs.types import Run
from aquadash.ui import inputs, job_panel, shell
from aquadash.ui.evaluate import robustness_results
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, moment, plain

#: Seconds between two looks at a measurement at work, whose charts are drawn again with each.
_TICK_SECONDS = 2.0

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


def _section(run: Run, others: Sequence[str]) -> None:
    st.markdown(
        "**How much of its accuracy does the network keep when the pictures get worse?** The test images are spoilt in "
        "15 ways, each from mild (1) to strong (5), and changed by every augmentation pipeline. Do not choose settings "
        "by these figures: the test images are for the last measurement."
    )
    job_panel.follow(job_of(run.run_id), lambda job: _measurement(run, job, others), every=_TICK_SECONDS)


def _measurement(run: Run, job: Job | None, others: Sequence[str]) -> None:
    found = lab().jobs.robustness(run.run_id)
    if job is not None and not job.status.ended:
        job_panel.show(
            job,
            key=f"robustness-{run.run_id}",
            unit="images",
            stop_help="What is measured is kept, and it can go on.",
        )
        st.caption("It goes on if you leave this page or close the app, and leaves most of the processor to trainings.")
    else:
        _at_rest(run, job, found)
    if found is not None:
        robustness_results.show(run, found, others)


def _at_rest(run: Run, job: Job | None, found: RobustnessResult | None) -> None:
    """Why nothing is being measured, and the ways to begin, go on, or begin again."""
    # An older version or another computer has measured what is there without a job.
    complete = (found is None or found.complete) if job is None else job.status is JobStatus.FINISHED
    if complete and found is None:
        _form(run)
        return
    if complete and found is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Measured {moment(job.ended_at if job else found.measured_at)}.", width="content")
            with st.popover("Measure again", icon="🔁"):
                _form(run)
        return
    if job is not None:
        job_panel.show_end(job, did="measured", kept="What it had measured is kept.")
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
    reason = lab().rights.refusal(Action.MEASURE, run.thing)
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
    with shell.guard():
        request = None if quick is None else RobustnessRequest(seed=seed or 0, limit=QUICK_IMAGES if quick else None)
        lab().jobs.measure_robustness(run.run_id, request)
        st.rerun()
