"""The model in the box, for visitors who have not trained any yet."""

from __future__ import annotations

import streamlit as st

from aquadash import people
from aquadash.classroom.rights import Action, allowed
from aquadash.runs.types import Run
from aquadash.ui import cache, run_order, shell


def or_first_model(runs: list[Run]) -> list[Run]:
    """The runs; where none of them has a network yet, with the model in the box, which is put into the store."""
    if any(run_order.has_results(run) for run in runs):
        return runs
    from aquadash.runs.first_model import add_first_model

    # It comes with the app and is for all, so that it does not matter who comes first.
    with shell.guard(), st.spinner("Unpacking the first model ..."), people.acting(people.OWNER):
        if not add_first_model(cache.store()).deleted:
            cache.refresh()
            return cache.runs()
    return runs


def offer() -> None:
    """A button that puts the model in the box into an empty store and shows it."""
    if st.button("Show the first model", icon="🪪", key="show-first-model"):
        from aquadash.runs.first_model import add_first_model

        with shell.guard(), st.spinner("Unpacking the first model ..."):
            with people.acting(people.OWNER):
                run = add_first_model(cache.store())
            if run.deleted:
                cache.store().restore(run.run_id)
            cache.refresh()
            st.switch_page("pages/evaluate.py", query_params={"run": run.run_id})


def show_card(run: Run) -> None:
    """What one should know of the model in the box: data, recipe, figures, limits; nothing for other runs."""
    from aquadash.runs.first_model import CARD, FOLDER, ORIGIN

    if run.origin == ORIGIN:
        with st.expander("About this model", icon="🪪"):
            st.markdown((FOLDER / CARD).read_text(encoding="utf-8").partition("\n\n")[2])


def offer_again() -> None:
    """A button that brings the model in the box back from the bin."""
    if allowed(Action.ADD_FOR_ALL) and st.button(
        "Bring the first model back", icon=":material/restore_from_trash:", key="first-model"
    ):
        from aquadash.runs.first_model import add_first_model

        with shell.guard():
            cache.store().restore(add_first_model(cache.store()).run_id)
            cache.refresh()
            st.rerun()
