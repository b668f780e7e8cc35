"""The sections of the Evaluate page."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import cache
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
from aquadash.ui.evaluated import Evaluated, Section
from aquadash.ui.explain import explain_section


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
