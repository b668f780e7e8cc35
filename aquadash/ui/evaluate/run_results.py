"""What there is of the run that the Evaluate page looks at: its scores and a section, or why there is none."""

from __future__ import annotations

import streamlit as st

from aquadash.runs.types import Run
from aquadash.ui import components, image_browser, run_order, shell
from aquadash.ui.evaluate import epoch_section, scores, second_run
from aquadash.ui.evaluate.evaluate_sections import SECTIONS
from aquadash.ui.evaluated import Evaluated
from aquadash.ui.lab import lab
from aquadash.ui.sections import Need
from aquadash.ui.text import plain
from aquadash.ui.train import guess_box


def show(run: Run, runs: list[Run]) -> None:
    """Draw a run.

    Args:
        run: The run that is looked at.
        runs: Those that may be laid over it.
    """
    if run_order.has_results(run) and run.status.ended:
        _results(run, runs)
    else:
        _without_results(run)


def _results(run: Run, runs: list[Run]) -> None:
    """Scores, and below them the section that is looked at, most of them with the test images beside."""
    one = Evaluated.load(run)
    scores.show_scores(one)
    guess_box.show(run)
    section = SECTIONS.choose()
    other = second_run.pick(run, runs) if Need.SECOND_RUN in section.needs else None
    if Need.TEST_IMAGES not in section.needs:
        section.show(one, other)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        narrowed = section.show(one, other)
    with right:
        st.subheader("The test images", anchor=image_browser.ANCHOR)
        with shell.guard():
            image_browser.show(run, one.predictions, class_names=one.found.classes, narrowed=narrowed)


def _without_results(run: Run) -> None:
    """Why there is nothing to evaluate yet, and the curves as far as they have come."""
    with st.container(horizontal=True):
        components.status_badge(run.status)
    if not run.status.ended:
        text = "This run has not ended yet. Its results appear here when it has predicted the test images."
    else:
        text = "This run ended before its network could predict the test images, so there is nothing to evaluate."
    reason = f" It says: {plain(run.message)}" if run.message else ""
    st.info(f"{text}{reason}", icon="🔎")
    st.page_link(
        "pages/train.py",
        label="Watch it, resume it or start another",
        icon=":material/arrow_forward:",
        query_params={"run": run.run_id},
    )
    epochs = lab().runs.history(run.run_id)
    if epochs:
        st.subheader("How far it came", anchor=False)
        scores.show_curves(run, epochs)
        epoch_section.show(run)
