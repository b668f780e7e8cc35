"""The Train page's sections: one training, and a search."""

from __future__ import annotations

import streamlit as st

from aquadash.ui.lab import lab
from aquadash.ui.search import search_form, search_live
from aquadash.ui.sections import Section, Sections
from aquadash.ui.train import launch, live, train_form


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
            st.info("Press **Search**, and see which values do well.", icon="🔭")


SECTIONS = Sections(
    "view",
    "One training or a search",
    {
        "one": Section("One training", one_training),
        "search": Section("Search", search, offered=lambda: lab().limits.may_search),
    },
)
