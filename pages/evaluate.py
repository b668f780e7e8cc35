"""Evaluate: what a run's network gets right and what it confuses."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import components, image_dialog, run_lists, shell
from aquadash.ui.evaluate import evaluate_sections, present
from aquadash.ui.lab import lab
from aquadash.ui.train import clone


def page() -> None:
    """The run that is looked at, and what there is of it."""
    runs = run_lists.best_first(lab().runs.all())
    if not runs:
        components.empty_state(
            "🔎",
            "There is no run to evaluate yet. Train a network first; the drawn animals and a small number of epochs "
            "take a minute or two. Or open the included model.",
            page="pages/train.py",
            label="Go to Train",
        )
        run_lists.offer_included_model()
        st.stop()
    run = components.run_picker(runs)
    if run is None:
        st.stop()
    with st.container(horizontal=True):
        clone.link(run.run_id)
        present.offer()
    evaluate_sections.render_run(run, runs)
    if run_lists.has_results(run):
        image_dialog.clickable(run)


if present.asked():
    with shell.bare_page():
        present.render_presentation()
else:
    with shell.page("evaluate"):
        page()
