"""Compare: the table of runs, and picked ones beside one another."""

from __future__ import annotations

import streamlit as st

from aquadash.store.fields import run_fields
from aquadash.ui import components, shell
from aquadash.ui.compare import comparison, run_actions, run_filters, run_table
from aquadash.ui.lab import lab
from aquadash.ui.run_lists import own_first

with shell.page("compare"):
    run_actions.undo_bar()
    runs = lab().runs.all()
    if runs:
        fields = run_fields(runs)
        row = st.container(horizontal=True, vertical_alignment="bottom")
        filtered = run_filters.filter_runs(runs, fields, row)
        shown = sorted(own_first(run_filters.choose_group(filtered)), key=lambda run: not run.pinned)
        picked = run_table.choose_picks(runs, shown, row)
        with row:
            run_actions.render_actions(picked, shown)
            run_actions.import_and_bin()
        st.caption(filtered.note)
        run_table.render_table(shown, picked, fields=fields, searches=filtered.searches)
        if len(picked) > 1:
            comparison.render_comparison(picked)
        run_table.watch_table(runs)
    else:
        components.empty_state(
            "⚖️",
            "There is nothing to compare yet. Train two runs that differ in one setting.",
            label="Train",
        )
        run_actions.import_and_bin()
