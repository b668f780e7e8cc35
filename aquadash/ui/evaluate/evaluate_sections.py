"""The sections of the Evaluate page."""

from __future__ import annotations

import streamlit as st

from aquadash.ui.evaluate import (
    answer_threshold,
    calibration,
    class_scores,
    confusion,
    duplicate_pairs,
    epoch_section,
    repeat_section,
    robustness_section,
    scores,
    take_home,
    threshold_curves,
)
from aquadash.ui.evaluated import Evaluated, Narrowed
from aquadash.ui.explain import explain_section
from aquadash.ui.lab import lab
from aquadash.ui.sections import Need, Section, Sections


def mistakes(one: Evaluated, other: Evaluated | None) -> None:
    """The confusion matrix, whose cells show their images."""
    confusion.take_click(one.found.classes)
    st.subheader("Confusion matrix", anchor=False)
    confusion.show(one.found, other=None if other is None else other.found)
    explain_section.link(one.found.classes)


def history(one: Evaluated, other: Evaluated | None) -> None:
    """The learning curves."""
    st.subheader("How did it get there?", anchor=False)
    if other is not None:
        scores.show_both_curves(one.run, other.run)
    scores.show_curves(one.run, lab().runs.history(one.run.run_id))


def why(one: Evaluated, other: Evaluated | None) -> None:
    """Where in the images the answers come from."""
    explain_section.show(one.run, one.predictions, class_names=one.found.classes)


def robustness(one: Evaluated, other: Evaluated | None) -> None:
    """How much of its accuracy it keeps when images get worse."""
    robustness_section.show(one.run, lab().runs.all())


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


SECTIONS: Sections[[Evaluated, Evaluated | None], Narrowed | None] = Sections(
    "section",
    "Results",
    {
        "mistakes": Section("🔀 Mistakes", mistakes, needs=Need.TEST_IMAGES | Need.SECOND_RUN),
        "classes": Section("📊 Classes", class_scores.show, needs=Need.TEST_IMAGES | Need.SECOND_RUN),
        "curves": Section(
            "📈 ROC, precision and recall", threshold_curves.show, needs=Need.TEST_IMAGES | Need.SECOND_RUN
        ),
        "calibration": Section("🎯 Calibration", calibration.show, needs=Need.TEST_IMAGES | Need.SECOND_RUN),
        "threshold": Section("🤷 Threshold", answer_threshold.show, needs=Need.TEST_IMAGES | Need.SECOND_RUN),
        "explain": Section("🔦 Explain", why, needs=Need.TEST_IMAGES),
        "robustness": Section("🌫️ Robustness", robustness),
        "duplicates": Section("👯 Near-duplicates", duplicate_pairs.show),
        "training": Section("⏱️ Training", history, needs=Need.SECOND_RUN),
        "epochs": Section("🎞️ Epoch by epoch", replay),
        "repeat": Section("🔁 Repeat", repeat),
        "home": Section("🎒 Export", home),
    },
)
