"""Train: launch a run and watch it, or search for good settings."""

from __future__ import annotations

import streamlit as st

from aquadash.ui.kit import launch, shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.train import live, search_form, search_live, train_form


def one_training() -> None:
    """Draw the form beside the run to watch."""
    launch.render_message()
    form, watched = st.columns([1, 2], gap="medium")
    with form, st.container(key="train-panel"):
        train_form.train_form()
    with watched:
        live.watch_runs(lab().runs.all())


def search() -> None:
    """Draw the form beside the search to watch."""
    heads = lab().searches.all()
    form, watched = st.columns([1, 2], gap="medium")
    with form, st.container(key="train-panel"):
        search_form.search_form()
    with watched:
        if heads:
            search_live.watch_searches(heads)
        else:
            st.info("Press **Search**, and see which values work best.", icon="🔭")


SECTIONS = Sections(
    "view",
    "One training or a search",
    {
        "one": Section("One training", one_training),
        "search": Section("Search", search, offered=lambda: lab().limits.may_search),
    },
)


def render() -> None:
    """Draw the page."""
    with shell.page("train"):
        SECTIONS.choose().render()
