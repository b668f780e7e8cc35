"""The Evaluate page: a run's scores, the section that is looked at, and the run that is laid over it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.runs.types import Run
from aquadash.ui import bound, components, image_browser, run_lists, shell
from aquadash.ui.evaluate import (
    confidence,
    duplicate_pairs,
    epoch_section,
    export_import,
    repeat_section,
    robustness,
    scores,
)
from aquadash.ui.evaluated import Evaluated, Narrowed
from aquadash.ui.explain import explain_section
from aquadash.ui.lab import lab
from aquadash.ui.sections import Need, Section, Sections
from aquadash.ui.text import plain
from aquadash.ui.train import guess_box


def mistakes(one: Evaluated, other: Evaluated | None) -> None:
    """The confusion matrix, whose cells show their images."""
    scores.take_cell_click(one.found.classes)
    st.subheader("Confusion matrix", anchor=False)
    scores.render_confusion_matrix(one.found, other=None if other is None else other.found)
    explain_section.link(one.found.classes)


def history(one: Evaluated, other: Evaluated | None) -> None:
    """The learning curves."""
    st.subheader("How did it get there?", anchor=False)
    if other is not None:
        scores.render_both_curves(one.run, other.run)
    scores.render_curves(one.run, lab().runs.history(one.run.run_id))


def replay(one: Evaluated, other: Evaluated | None) -> None:
    """What it said after each epoch."""
    st.subheader("What did it say after each epoch?", anchor=False)
    epoch_section.render_epochs(one.run)


_BESIDE_IMAGES = Need.TEST_IMAGES | Need.SECOND_RUN

SECTIONS: Sections[[Evaluated, Evaluated | None], Narrowed | None] = Sections(
    "section",
    "Results",
    {
        "mistakes": Section("🔀 Mistakes", mistakes, needs=_BESIDE_IMAGES),
        "classes": Section("📊 Classes", scores.render_class_scores, needs=_BESIDE_IMAGES),
        "curves": Section("📈 ROC, precision and recall", confidence.render_threshold_curves, needs=_BESIDE_IMAGES),
        "calibration": Section("🎯 Calibration", confidence.render_calibration, needs=_BESIDE_IMAGES),
        "threshold": Section("🤷 Threshold", confidence.render_rejection, needs=_BESIDE_IMAGES),
        "explain": Section(
            "🔦 Explain",
            lambda one, _: explain_section.show(one.run, one.predictions, class_names=one.found.classes),
            needs=Need.TEST_IMAGES,
        ),
        "robustness": Section("🌫️ Robustness", lambda one, _: robustness.render_robustness(one.run, lab().runs.all())),
        "duplicates": Section("👯 Near-duplicates", duplicate_pairs.render_duplicates),
        "training": Section("⏱️ Training", history, needs=Need.SECOND_RUN),
        "epochs": Section("🎞️ Epoch by epoch", replay),
        "repeat": Section("🔁 Repeat", lambda one, _: repeat_section.render_repeats(one.run)),
        "home": Section("🎒 Export", lambda one, _: export_import.export_section(one.run)),
    },
)


def render_run(run: Run, runs: list[Run]) -> None:
    """Draw a run.

    Args:
        run: The run that is looked at.
        runs: Those that may be laid over it.
    """
    if run_lists.has_results(run) and run.status.ended:
        _results(run, runs)
    else:
        _without_results(run)


def _results(run: Run, runs: list[Run]) -> None:
    """Scores, and below them the section that is looked at, most of them with the test images beside."""
    one = Evaluated.load(run)
    scores.render_scores(one)
    guess_box.render_guess(run)
    section = SECTIONS.choose()
    other = pick_second_run(run, runs) if Need.SECOND_RUN in section.needs else None
    if Need.TEST_IMAGES not in section.needs:
        section.show(one, other)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        narrowed = section.show(one, other)
    with right:
        st.subheader("The test images", anchor=image_browser.ANCHOR)
        with shell.guard():
            image_browser.render_test_images(run, one.predictions, class_names=one.found.classes, narrowed=narrowed)


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
        scores.render_curves(run, epochs)
        epoch_section.render_epochs(run)


SECOND_RUN = "with"


def comparable(run: Run, runs: Sequence[Run]) -> list[Run]:
    """The other runs that have ended with results on the same classes, in the order they came in."""
    return [
        other
        for other in runs
        if other.run_id != run.run_id
        and other.status.ended
        and run_lists.has_results(other)
        and other.class_names == run.class_names
    ]


def pick_second_run(run: Run, runs: Sequence[Run]) -> Evaluated | None:
    """Draw the menu and read the chosen run's results; None where none is chosen."""
    by_id = {other.run_id: other for other in comparable(run, runs)}
    titles = {"": "none"} | {run_id: components.run_label(other) for run_id, other in by_id.items()}
    chosen = bound.id_menu(
        SECOND_RUN,
        titles,
        label="Overlay another run",
        expected="the id of another run with results on the same classes",
        width=330,
        disabled=not by_id,
        help="The charts then show both: the first run solid, the second dashed or hollow."
        if by_id
        else "There is no other run with results on the same classes.",
    )
    if not chosen:
        return None
    other = by_id[chosen]
    try:
        found = Evaluated.load(other)
    except AquaDashError as error:
        st.warning(f"**{plain(other.name)}**: {plain(str(error))}", icon="🚧")
        return None
    if other.dataset_fingerprint != run.dataset_fingerprint:
        st.info(
            "The second run was tested on other images. One set may be easier than the other, so that a difference "
            "between the runs says little.",
            icon="🍏",
        )
    return found
