"""Clicks on charts: each counts once, although Streamlit keeps a selection until the next one."""

from __future__ import annotations

from typing import Any

import streamlit as st


def new_click(key: str) -> list[Any] | None:
    """The ``customdata`` of the point that was clicked since the last look; None where there is no new click.

    Call it before the controls that the click sets are drawn.

    Args:
        key: The chart's key; its selection is in the session state under it.
    """
    point = clicked(st.session_state.get(key))
    taken = f"{key}-click-taken"
    fresh = point is not None and point != st.session_state.get(taken)
    st.session_state[taken] = point
    return point if fresh else None


def clicked(state: Any) -> list[Any] | None:
    """The ``customdata`` of the first point in a chart's selection, as a list of plain values."""
    try:
        found = state["selection"]["points"][0]["customdata"]
    except (TypeError, KeyError, IndexError):
        return None
    return list(found) if isinstance(found, (list, tuple)) else None


def whole(value: Any, *, below: int) -> int | None:
    """A whole number from 0 to less than ``below``; None for anything else that a chart may hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        return None
    return int(value) if 0 <= value < below else None


def share(value: Any) -> float | None:
    """A number from 0 to 1; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= 1 else None
