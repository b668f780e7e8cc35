"""Compare: the table of runs, and picked ones beside one another."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import cache, comparison, components, run_actions, run_table, shell, take_home

with shell.page("⚖️ Compare", question="What made one run better than another?"):
    run_actions.undo_bar()
    runs = cache.runs()
    if runs:
        picked = run_table.pick(run_table.filters(runs), runs)
        run_actions.manage(picked)
        if len(picked) > 1:
            comparison.show(picked)
        else:
            st.caption("Pick at least two runs to see their curves, results and settings side by side.")
    else:
        components.empty_state(
            "⚖️",
            "There is nothing to compare yet. Train two runs that differ in one setting.",
            page="pages/train.py",
            label="Train",
        )
    take_home.bring()
    run_actions.bin_of_runs()
