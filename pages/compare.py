"""Compare: the table of runs, and picked ones beside one another."""

from __future__ import annotations

import streamlit as st

from aquadash.runs.fields import run_fields
from aquadash.ui import components, shell
from aquadash.ui.compare import comparison, run_actions, run_filters, run_table
from aquadash.ui.evaluate import export_import
from aquadash.ui.lab import lab

with shell.page("compare"):
    run_actions.undo_bar()
    runs = lab().runs.all()
    if runs:
        fields = run_fields(runs)
        shown = run_filters.filter_runs(runs, fields)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            shown = run_table.choose_order(shown, fields)
            group_by = run_filters.choose_grouping(fields)
            columns = run_table.choose_columns(fields)
        shown = run_filters.choose_group(shown, group_by, fields)
        picked = run_table.pick_runs(shown, runs, chosen=columns, fields=fields)
        run_actions.render_bulk_actions(picked)
        run_actions.render_run_rows(picked)
        if len(picked) > 1:
            comparison.render_comparison(picked)
        else:
            st.caption("Pick at least two runs to see their curves, results and settings side by side.")
        run_table.watch_table(runs)
    else:
        components.empty_state(
            "⚖️",
            "There is nothing to compare yet. Train two runs that differ in one setting.",
            page="pages/train.py",
            label="Train",
        )
    export_import.import_box()
    run_actions.bin_of_runs()
