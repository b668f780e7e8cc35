"""Train: launch a run and watch it."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import cache, live, shell, train_form

with shell.page("🏊 Train", question="What does the network learn, epoch by epoch?"):
    # The run at work comes first, for a narrow screen shows the columns one below the other.
    left, right = st.columns([3, 2], gap="large")
    with right:
        train_form.show()
    with left:
        runs = cache.runs()
        if runs:
            live.watch(runs)
        else:
            st.info(
                "Nothing has been trained here yet. Choose the settings of a first run and press **Train**.", icon="🌱"
            )
