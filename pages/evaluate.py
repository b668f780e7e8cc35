"""Evaluate: what a run's network gets right and what it confuses."""

from __future__ import annotations

import streamlit as st

from aquadash.runs.types import Run
from aquadash.ui import (
    cache,
    clone,
    components,
    confusion,
    guess_box,
    image_browser,
    robustness_section,
    scores,
    shell,
)
from aquadash.ui.text import plain


def without_results(run: Run) -> None:
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
    history = cache.history(run.run_id)
    if history:
        st.subheader("How far it came", anchor=False)
        scores.show_curves(run, history)


def results(run: Run) -> None:
    """Scores, confusion matrix with its images, curves."""
    found, predictions = cache.evaluation(run.run_id), cache.predictions(run.run_id)
    scores.show_scores(run, found)
    guess_box.show(run)
    confusion.take_click(found.classes)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("What is taken for what?", anchor=False)
        confusion.show(found)
        st.markdown("**Scores of each class**")
        scores.show_report(found)
        scores.show_confidence(predictions)
    with right:
        st.subheader("The test images", anchor=image_browser.ANCHOR)
        with shell.guard():
            image_browser.show(run, predictions, class_names=found.classes)
    st.subheader("How did it get there?", anchor=False)
    scores.show_curves(run, cache.history(run.run_id))


with shell.page("🔎 Evaluate", question="Where is the network right, and where does it fail?"):
    runs = scores.results_first(cache.runs())
    if not runs:
        components.empty_state(
            "🔎",
            "There is no run to evaluate yet. Train a network first; the drawn animals and a small number of epochs "
            "take a minute or two.",
            page="pages/train.py",
            label="Go to Train",
        )
        st.stop()
    run = components.run_picker(runs)
    if run is None:
        st.stop()
    clone.link(run.run_id)
    if scores.has_results(run) and run.status.ended:
        results(run)
        robustness_section.show(run, runs)
    else:
        without_results(run)
