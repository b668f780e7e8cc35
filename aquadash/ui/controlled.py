"""Controls that show what something else decides, and change it."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st


def key(stem: str, value: Any) -> str:
    """The key of a control that is about to be drawn with a value as its default.

    A control that says so already, up to its rounding, keeps its key and the keyboard's focus. Another gets a new key:
    when the script sets the value of a control that is there, the browser may send the old one once more before it
    hears of that, which would look as if a person had set it back.

    Args:
        stem: The same for the same control in every run.
        value: What it has to show.
    """
    counter = f"{stem}#"
    revision = st.session_state.get(counter, 0)
    name = f"{counter}{revision}"
    if name in st.session_state and not _same(st.session_state[name], value):
        st.session_state[counter] = revision + 1
        name = f"{counter}{revision + 1}"
    return name


def changed(key: str, value: Any) -> bool:
    """Whether a control says something else than what it was drawn with; for its callback.

    A control that is new to the browser reports its first value, which Streamlit takes for a change where the run that
    drew it was cut short by the next.
    """
    return not _same(st.session_state[key], value)


def _same(held: Any, value: Any) -> bool:
    if isinstance(held, tuple) and isinstance(value, tuple):
        return len(held) == len(value) and all(map(_same, held, value))
    if isinstance(held, float) and isinstance(value, float):
        return math.isclose(held, value, rel_tol=1e-9, abs_tol=1e-6)
    return bool(held == value)
