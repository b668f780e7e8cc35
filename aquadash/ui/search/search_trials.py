"""The table of a search's trials, and what can be done with one of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from aquadash.runs.fields import FIGURES
from aquadash.search import Search, Trial, TrialState
from aquadash.ui import hyperparameters as fields
from aquadash.ui import inputs
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain
from aquadash.ui.train import clone

#: What trials are measured by.
_ACCURACY = FIGURES["val_accuracy"].title

#: Icon and word of each state.
SIGNS: dict[TrialState, tuple[str, str]] = {
    TrialState.RUNNING: ("🏊", "training"),
    TrialState.PAUSED: ("⏸️", "rests"),
    TrialState.COMPLETE: ("✅", "complete"),
    TrialState.PRUNED: ("✂️", "stopped early"),
    TrialState.FAILED: ("❌", "failed"),
}


def draw(search: Search) -> None:
    """Draw the table and, below it, the menu of trials with the ways on from one."""
    if not search.trials:
        return
    st.markdown("**All trials**", help=f"{term('trial')} {term('pruning')}")
    st.dataframe(
        frame(search),
        key="search-trials",
        hide_index=True,
        placeholder="–",
        alt=f"Table of {count(len(search.trials), 'trial')} with their state, accuracy and settings.",
        column_config={
            "Trial": st.column_config.NumberColumn(pinned=True, format="%d"),
            _ACCURACY: st.column_config.NumberColumn(
                format="%.1f %%",
                help="Of the weights that the training kept. Trials that were stopped early have none.",
            ),
            "Note": st.column_config.TextColumn(width="medium"),
        },
    )
    _one(search)


def frame(search: Search) -> pd.DataFrame:
    """A row a trial, the best first, then those without a result; accuracies in per cent."""
    ranked = sorted(search.trials, key=lambda trial: (trial.value is None, -(trial.value or 0.0), trial.number))
    return pd.DataFrame([_row(search, trial) for trial in ranked])


def _row(search: Search, trial: Trial) -> dict[str, Any]:
    row: dict[str, Any] = {
        "Trial": trial.number,
        "State": " ".join(SIGNS[trial.state]),
        _ACCURACY: None if trial.value is None else 100 * trial.value,
    }
    for parameter in search.plan.space:
        value = trial.params.get(parameter.name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        # As many digits as anybody compares.
        shown = float(f"{value:.3g}") if number else fields.value_text(parameter.name, value)
        row[fields.label(parameter.name)] = None if value is None else shown
    row["Note"] = "the settings to start from" if trial.number == 0 and not trial.message else trial.message
    return row


def _one(search: Search) -> None:
    """The menu of trials that have a run."""
    trials = {trial.number: trial for trial in search.trials if trial.run_id}
    if not trials:
        return
    key = f"search-trial-{search.search_id}"
    if st.session_state.get(key) not in trials:
        st.session_state.pop(key, None)
    numbers = list(trials)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = inputs.selectbox(
            "One of the trials",
            numbers,
            index=numbers.index(search.best.number) if search.best and search.best.number in trials else 0,
            key=key,
            format_func=lambda number: label(trials[number]),
            width=300,
        )
        trial = trials[number]
        clone.link(trial.run_id, label="Use its settings", help="Fills the form of a single training with them.")
        st.page_link(
            "pages/train.py",
            label="Watch its training",
            icon=":material/show_chart:",
            query_params={"run": trial.run_id},
        )
    st.caption(
        plain(
            "; ".join(f"{fields.label(name)} {fields.value_text(name, value)}" for name, value in trial.params.items())
        )
    )


def label(trial: Trial) -> str:
    """A trial in a menu: number, state, accuracy."""
    accuracy = "" if trial.value is None else f" · {100 * trial.value:.1f} %"
    return f"Trial {trial.number} · {' '.join(SIGNS[trial.state])}{accuracy}"
