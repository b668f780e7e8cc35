"""Which runs' networks look at the pictures: one, and up to three beside it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.runs.types import Run
from aquadash.ui import address, components, inputs, run_order
from aquadash.ui.predictions import Network
from aquadash.ui.predictor import model_key, predictor
from aquadash.ui.text import plain

#: So many answers fit side by side and can still be compared.
MOST_RUNS = 4

_KEY = "beside"


def beside(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Draw the menu of runs that look at the same pictures, too; they stand in the address under ``beside``.

    Args:
        run: The run that was chosen already.
        runs: All of them.
    """
    by_id = {each.run_id: each for each in runs if run_order.has_results(each) and each.run_id != run.run_id}
    most = MOST_RUNS - 1

    def decode(text: str) -> list[str]:
        ids = list(dict.fromkeys(part for part in text.split(",") if part and part != run.run_id))
        if len(ids) > most or not set(ids) <= set(by_id):
            raise ValueError(text)
        return ids

    before = list(st.session_state.get(_KEY) or ())
    if any(run_id not in by_id for run_id in before):
        st.session_state[_KEY] = [run_id for run_id in before if run_id in by_id]
    if not by_id:
        return []
    nobody: list[str] = []
    address.restore(_KEY, decode, default=nobody, expected=f"the ids of at most {most} other runs with a network")
    picked = inputs.multiselect(
        "Compare with",
        list(by_id),
        key=_KEY,
        max_selections=most,
        format_func=lambda run_id: components.run_label(by_id[run_id]),
        placeholder="Other runs that look at the same pictures",
        help=f"At most {MOST_RUNS} runs side by side. The true labels are chosen from the classes of the first.",
    )
    address.record(_KEY, ",".join(picked), default="")
    return [by_id[run_id] for run_id in picked]


def networks(runs: Sequence[Run]) -> tuple[list[Run], list[Network]]:
    """The runs whose model can be loaded, with their networks; of the others, beside a first one, a message.

    Raises:
        AquaDashError: The first run's model cannot be loaded.
    """
    usable: list[Run] = []
    loaded: list[Network] = []
    for run in runs:
        try:
            network = Network(run.name, model_key(run), predictor(run))
        except AquaDashError as error:
            if not loaded:
                raise
            st.warning(f"**{plain(run.name)}**: {plain(str(error))}", icon="🚧")
            continue
        usable.append(run)
        loaded.append(network)
    return usable, loaded
