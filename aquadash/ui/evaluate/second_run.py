"""The picker of a second run, whose results are laid over every chart; it stands in the address as ``with``."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.runs.types import Run
from aquadash.ui import address, bound, components, run_order
from aquadash.ui.evaluated import Evaluated
from aquadash.ui.text import plain

KEY = "with"
_NONE = ""


def comparable(run: Run, runs: Sequence[Run]) -> list[Run]:
    """The other runs that have ended with results on the same classes, in the order they came in."""
    return [
        other
        for other in runs
        if other.run_id != run.run_id
        and other.status.ended
        and run_order.has_results(other)
        and other.class_names == run.class_names
    ]


def pick(run: Run, runs: Sequence[Run]) -> Evaluated | None:
    """Draw the menu and read the chosen run's results; None where none is chosen."""
    by_id = {other.run_id: other for other in comparable(run, runs)}
    titles = {_NONE: "none"} | {run_id: components.run_label(other) for run_id, other in by_id.items()}
    if st.session_state.get(KEY) not in (None, *titles):
        # Another first run was chosen, perhaps the very one that was laid over it.
        del st.session_state[KEY]
        if run.run_id == st.query_params.get(KEY):
            del st.query_params[KEY]
    expected = "the id of another run with results on the same classes"
    address.restore(KEY, lambda text: address.one_id(text, by_id), default=_NONE, expected=expected)
    chosen = bound.menu(
        KEY,
        titles,
        label="Overlay another run",
        width=330,
        disabled=not by_id,
        help="The charts then show both: the first run solid, the second dashed or hollow."
        if by_id
        else "There is no other run with results on the same classes.",
    )
    if not chosen:
        return None
    other = by_id[chosen]
    try:
        found = Evaluated.load(other)
    except AquaDashError as error:
        st.warning(f"**{plain(other.name)}**: {plain(str(error))}", icon="🚧")
        return None
    if other.dataset_fingerprint != run.dataset_fingerprint:
        st.info(
            "The second run was tested on other images. One set may be easier than the other, so that a difference "
            "between the runs says little.",
            icon="🍏",
        )
    return found
