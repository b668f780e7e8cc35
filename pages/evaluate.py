"""Evaluate: what a run's network gets right and what it confuses."""

from __future__ import annotations

import streamlit as st

from aquadash.runs.types import Run
from aquadash.ui import (
    address,
    answer_threshold,
    cache,
    calibration,
    class_scores,
    clone,
    components,
    confusion,
    duplicate_pairs,
    epoch_section,
    explain_section,
    first_model,
    guess_box,
    image_browser,
    present,
    repeat_section,
    robustness_section,
    scores,
    second_run,
    shell,
    take_home,
    threshold_curves,
)
from aquadash.ui.evaluated import Evaluated, Section
from aquadash.ui.text import plain


def mistakes(one: Evaluated, other: Evaluated | None) -> None:
    """The confusion matrix, whose cells show their images."""
    confusion.take_click(one.found.classes)
    st.subheader("What is taken for what?", anchor=False)
    confusion.show(one.found, other=None if other is None else other.found)
    explain_section.link(one.found.classes)


def history(one: Evaluated, other: Evaluated | None) -> None:
    """The learning curves."""
    st.subheader("How did it get there?", anchor=False)
    if other is not None:
        scores.show_both_curves(one.run, other.run)
    scores.show_curves(one.run, cache.history(one.run.run_id))


def why(one: Evaluated, other: Evaluated | None) -> None:
    """Where in the images the answers come from."""
    explain_section.show(one.run, one.predictions, class_names=one.found.classes)


def robustness(one: Evaluated, other: Evaluated | None) -> None:
    """How much of its accuracy it keeps when images get worse."""
    robustness_section.show(one.run, cache.runs())


def replay(one: Evaluated, other: Evaluated | None) -> None:
    """What it said after each epoch."""
    st.subheader("What did it say after each epoch?", anchor=False)
    epoch_section.show(one.run)


def repeat(one: Evaluated, other: Evaluated | None) -> None:
    """Whether the same comes out again."""
    repeat_section.show(one.run)


def home(one: Evaluated, other: Evaluated | None) -> None:
    """The run as a ZIP, and its network in other formats."""
    take_home.section(one.run)


#: The sections by their word in the address, the first the default. A new one is a line here.
SECTIONS = {
    "mistakes": Section("🔀 Mistakes", mistakes, images=True),
    "classes": Section("📊 Classes", class_scores.show, images=True),
    "curves": Section("📈 ROC, precision and recall", threshold_curves.show, images=True),
    "calibration": Section("🎯 Calibration", calibration.show, images=True),
    "threshold": Section("🤷 Threshold", answer_threshold.show, images=True),
    "explain": Section("🔦 Explain", why, images=True, overlay=False),
    "robustness": Section("🌫️ Robustness", robustness, overlay=False),
    "duplicates": Section("👯 Near-duplicates", duplicate_pairs.show, overlay=False),
    "training": Section("⏱️ Training", history),
    "epochs": Section("🎞️ Epoch by epoch", replay, overlay=False),
    "repeat": Section("🔁 Repeat", repeat, overlay=False),
    "home": Section("🎒 Take home", home, overlay=False),
}


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
    epochs = cache.history(run.run_id)
    if epochs:
        st.subheader("How far it came", anchor=False)
        scores.show_curves(run, epochs)
        epoch_section.show(run)


def results(run: Run, runs: list[Run]) -> None:
    """Scores, and below them the section that is looked at, most of them with the test images beside."""
    one = Evaluated.load(run)
    scores.show_scores(run, one.found, one.top_two())
    guess_box.show(run)
    address.choice("section", list(SECTIONS), default=next(iter(SECTIONS)))
    word = st.segmented_control(
        "Look at",
        list(SECTIONS),
        key="section",
        required=True,
        format_func=lambda word: SECTIONS[word].title,
    )
    address.record("section", str(word), default=next(iter(SECTIONS)))
    section = SECTIONS[str(word)]
    other = second_run.pick(run, runs) if section.overlay else None
    if not section.images:
        with shell.guard():
            section.draw(one, other)
        return
    narrowed = None
    left, right = st.columns(2, gap="medium")
    with left, shell.guard():
        narrowed = section.draw(one, other)
    with right:
        st.subheader("The test images", anchor=image_browser.ANCHOR)
        with shell.guard():
            image_browser.show(run, one.predictions, class_names=one.found.classes, narrowed=narrowed)


def page() -> None:
    """The run that is looked at, and what there is of it."""
    runs = scores.results_first(cache.runs())
    if not runs:
        components.empty_state(
            "🔎",
            "There is no run to evaluate yet. Train a network first; the drawn animals and a small number of epochs "
            "take a minute or two. Or look at the first model, which comes along.",
            page="pages/train.py",
            label="Go to Train",
        )
        first_model.offer()
        st.stop()
    run = components.run_picker(runs)
    if run is None:
        st.stop()
    with st.container(horizontal=True):
        clone.link(run.run_id)
        present.offer()
    if scores.has_results(run) and run.status.ended:
        results(run, runs)
    else:
        without_results(run)


if present.asked():
    with shell.bare_page():
        present.show()
else:
    with shell.page("🔎 Evaluate", question="Where is the network right, and where does it fail?"):
        page()
