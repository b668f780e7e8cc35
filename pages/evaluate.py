"""Evaluate: what a run's network gets right and what it confuses."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import components, run_lists, shell
from aquadash.ui.evaluate import evaluate_sections, present
from aquadash.ui.lab import lab


def page() -> None:
    """Show the chosen run and its sections."""
    runs = run_lists.pictured_first(lab().runs.all())
    if runs:
        evaluate_sections.render(runs)
        return
    components.empty_state(
        "🔎",
        "There is no run to evaluate yet. Train a network first, which takes a minute, or open the included model.",
        label="Go to Train",
    )
    run_lists.offer_included_model()


if present.asked():
    with shell.bare_page():
        present.render_presentation()
else:
    with shell.page("evaluate"), st.container(key="in-order-narrow"):
        page()
