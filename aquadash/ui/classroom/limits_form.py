"""The teacher's form of the class's limits."""

from typing import Any

import streamlit as st

from aquadash.classroom import limits
from aquadash.classroom.limits import LOCKABLE, NUMBERS, WORDS
from aquadash.errors import StorageError
from aquadash.ui.kit import inputs, shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import plain, sentence

#: Session key of the limits that the fields were filled with.
_SHOWN = "class:limits"


def render_limits() -> None:
    """Draw the limits as a form; saved limits hold at once."""
    try:
        now = limits.load()
    except StorageError as error:
        st.warning(f"{plain(str(error))} Saving below mends it.", icon="🚧")
        now = limits.in_force()
    kept = now.to_values()
    # None after saving, and after leaving the page, when Streamlit forgets the fields.
    shown = st.session_state.get(_SHOWN) if "limit-searches" in st.session_state else None
    for name in (*NUMBERS, "searches", "locked_pages"):
        # Another teacher may have changed the limit; a field with typed changes keeps them.
        if shown is None or (kept[name] != shown[name] == st.session_state[f"limit-{name}"]):
            st.session_state[f"limit-{name}"] = kept[name]
    st.session_state[_SHOWN] = kept
    with st.form("limits"):
        st.caption("For students only. Leave a number empty for no limit. Browsers send at most 200 MB at once.")
        values: dict[str, Any] = {}
        for name, (low, high) in NUMBERS.items():
            label, key = WORDS[name], f"limit-{name}"
            values[name] = inputs.number_input(
                label, min_value=low, max_value=high, value=None, step=1, key=key, placeholder="no limit"
            )
        values["searches"] = inputs.toggle(WORDS["searches"], key="limit-searches")
        help = "Students who have one of them open see a notice instead within seconds."
        values["locked_pages"] = inputs.multiselect(
            WORDS["locked_pages"], LOCKABLE, key="limit-locked_pages", format_func=sentence, help=help
        )
        if st.form_submit_button("Save", type="primary", key="limits-save"):
            with shell.guard():
                lab().people.set_limits(limits.from_values({**kept, **values}))
                del st.session_state[_SHOWN]
                st.toast("The limits hold from now on.", icon="✅")
                st.rerun()
