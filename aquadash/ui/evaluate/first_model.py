"""The included model, for visitors who have not trained any yet."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.lab.rights import Action
from aquadash.runs.types import Run
from aquadash.ui import run_order, shell
from aquadash.ui.lab import lab


def or_first_model(runs: Sequence[Run]) -> Sequence[Run]:
    """The runs; where none of them has a network yet, with the included model, which is put into the store."""
    if any(run_order.has_results(run) for run in runs):
        return runs
    with shell.guard(), st.spinner("Unpacking the included model ..."):
        if not lab().runs.first_model().deleted:
            return lab().runs.all()
    return runs


def offer() -> None:
    """A button that puts the included model into an empty store and shows it."""
    if st.button("Show the included model", icon="🪪", key="show-first-model"):
        with shell.guard(), st.spinner("Unpacking the included model ..."):
            run = lab().runs.first_model()
            if run.deleted:
                lab().runs.restore(run.run_id)
            st.switch_page("pages/evaluate.py", query_params={"run": run.run_id})


def show_card(run: Run) -> None:
    """What one should know of the included model: data, recipe, figures, limits; nothing for other runs."""
    from aquadash.runs.first_model import CARD, FOLDER, ORIGIN

    if run.origin == ORIGIN:
        with st.expander("About this model", icon="🪪"):
            st.markdown((FOLDER / CARD).read_text(encoding="utf-8").partition("\n\n")[2])


def offer_again() -> None:
    """A button that brings the included model back from the bin."""
    if lab().rights.allow(Action.ADD_FOR_ALL) and st.button(
        "Bring the included model back", icon=":material/restore_from_trash:", key="first-model"
    ):
        with shell.guard():
            lab().runs.restore(lab().runs.first_model().run_id)
            st.rerun()
