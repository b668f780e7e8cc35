"""Train: launch a run and watch it, or search for good settings."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import bound, cache, shell
from aquadash.ui.train import clone, live, train_form

#: What can be done here, by its name in the address.
VIEWS = {"one": "One training", "search": "Search"}


def one_training() -> None:
    """The form beside the run to watch."""
    way = st.container()
    # The run at work comes first, for a narrow screen shows the columns one below the other.
    left, right = st.columns([3, 2], gap="large")
    with right:
        train_form.show()
    with way:
        clone.show_way()
    with left:
        runs = cache.runs()
        if runs:
            live.watch(runs)
        else:
            st.info(
                "Nothing has been trained here yet. Choose the settings of a first run and press **Train**.", icon="🌱"
            )


with shell.page("🏊 Train", question="What does the network learn, epoch by epoch?"):
    if bound.choice("view", VIEWS, label="One training or a search", label_visibility="collapsed") == "search":
        from aquadash.ui.search import search_page

        search_page.show()
    else:
        one_training()
