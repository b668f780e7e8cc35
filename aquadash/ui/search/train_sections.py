"""The Train page's sections: one training, and a search, each a form to launch it beside what is to watch."""

from __future__ import annotations

import streamlit as st

from aquadash.errors import NotAllowedError
from aquadash.ui.lab import lab
from aquadash.ui.search import search_form, search_live
from aquadash.ui.sections import Section, Sections
from aquadash.ui.train import clone, live, train_form


def one_training() -> None:
    """Draw the form beside the run to watch."""
    way = st.container()
    # The run at work comes first, for a narrow screen shows the columns one below the other.
    left, right = st.columns([3, 2], gap="large")
    with right:
        train_form.train_form()
    with way:
        clone.show_way()
    with left:
        runs = lab().runs.all()
        if runs:
            live.watch_runs(runs)
        else:
            st.info(
                "Nothing has been trained here yet. Choose the settings of a first run and press **Train**.", icon="🌱"
            )


def search() -> None:
    """Draw the form beside the search to watch."""
    heads = lab().searches.all()
    refused = _refusal()
    if refused:
        st.info(refused, icon="🏫")
        if heads:
            search_live.watch_searches(heads)
        return
    left, right = st.columns([3, 2], gap="large")
    with right:
        search_form.search_form()
    with left:
        if heads:
            search_live.watch_searches(heads)
        else:
            st.info(
                "Nothing has been searched here yet. Choose which settings vary and press **Search**: AquaDash tries "
                "them out, a training each, and shows here which values do well.",
                icon="🔭",
            )


def _refusal() -> str:
    """Why the visitor may start no search; empty if they may."""
    try:
        lab().limits.check_search()
    except NotAllowedError as error:
        return str(error)
    return ""


SECTIONS = Sections(
    "view",
    "One training or a search",
    {"one": Section("One training", one_training), "search": Section("Search", search)},
)
