"""Compare: the table of runs, and picked ones beside one another."""

from __future__ import annotations

import streamlit as st

from aquadash.runs.fields import run_fields
from aquadash.ui import components, shell
from aquadash.ui.compare import (
    comparison,
    run_actions,
    run_bin,
    run_bulk,
    run_filters,
    run_groups,
    run_table,
    run_watch,
)
from aquadash.ui.evaluate import take_home
from aquadash.ui.lab import lab

with shell.page("compare"):
    run_bin.undo_bar()
    runs = lab().runs.all()
    if runs:
        fields = run_fields(runs)
        shown = run_filters.filters(runs, fields)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            shown = run_table.sort(shown, fields)
            group_by = run_groups.choose(fields)
            columns = run_table.choose_columns(fields)
        shown = run_groups.show(shown, group_by, fields)
        picked = run_table.pick(shown, runs, chosen=columns, fields=fields)
        run_bulk.show(picked)
        run_actions.manage(picked)
        if len(picked) > 1:
            comparison.show(picked)
        else:
            st.caption("Pick at least two runs to see their curves, results and settings side by side.")
        run_watch.watch(runs)
    else:
        components.empty_state(
            "⚖️",
            "There is nothing to compare yet. Train two runs that differ in one setting.",
            page="pages/train.py",
            label="Train",
        )
    take_home.bring()
    run_bin.bin_of_runs()
