"""The choice of two among the compared runs: which one against which."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.ui import address, bound
from aquadash.ui.compared import Compared

#: In the address: the run to compare with, and the run in question.
FIRST, SECOND = "first", "second"


def pick(compared: Compared, among: Sequence[int] | None = None) -> tuple[int, int]:
    """Draw two menus, where there is a choice, and return the positions of (the run to compare with, the other).

    Args:
        compared: The runs.
        among: Positions of the runs that can be chosen, at least two; all if None.
    """
    positions = list(range(len(compared.runs)) if among is None else among)
    ids = [compared.runs[position].run_id for position in positions]
    if len(ids) == 2:
        # Nothing to choose but the direction, which the order of the picks decides.
        return positions[0], positions[1]
    place = {run_id: position for run_id, position in zip(ids, positions, strict=True)}
    names = {run_id: compared.names[position] for run_id, position in place.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = _menu("From", FIRST, ids, names)
        second = _menu("to", SECOND, [run_id for run_id in ids if run_id != first], names)
    return place[first], place[second]


def choose(compared: Compared, first: int, second: int) -> None:
    """Take a pair over from a click; call it before :func:`pick`."""
    st.session_state[FIRST] = compared.runs[first].run_id
    st.session_state[SECOND] = compared.runs[second].run_id


def _menu(label: str, key: str, ids: Sequence[str], names: dict[str, str]) -> str:
    if st.session_state.get(key) not in (None, *ids):
        # The other menu has just taken this run, or it is no longer among those compared.
        del st.session_state[key]
        if not any(run_id.startswith(st.query_params.get(key, "") or "-") for run_id in ids):
            st.query_params.pop(key, None)
    expected = "the id of one of the runs"
    address.restore(key, lambda text: address.one_id(text, ids), default=ids[0], expected=expected)
    return bound.menu(key, {run_id: names[run_id] for run_id in ids}, label=label, width=300)
