"""One legend for all charts of compared runs: it lights a run up in each of them, and hears zooms.

Streamlit's charts know nothing of one another. This component, a few lines of JavaScript in ``run_legend.js``, listens
to plotly's own events on every chart of the page: whatever of a run the pointer touches, the same run is lit in all
charts and the others are dimmed. Its buttons do the same for the keyboard, and a pressed one stays lit, in the address,
too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from aquadash.figures.theme import run_colour, run_dash, run_marker, shorten
from aquadash.ui import address, inputs

_FOLDER = Path(__file__).resolve().parent

_KEY = "run-legend"
#: In the address and the session: the id of the run that stays lit, and the part of the curves that is shown.
LIT, ZOOM = "lit", "zoom"
_LIMITS = "zoom:limits"

_component = st.components.v2.component(
    "aquadash.run_legend",
    html='<div class="aqua-legend" role="group" aria-label="Light up a run in all charts"></div>',
    css=(_FOLDER / "run_legend.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "run_legend.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show(run_ids: Sequence[str], names: Sequence[str]) -> None:
    """Draw the legend; the lit run is in the address under ``lit``.

    Args:
        run_ids: The runs in the order that decides their colours.
        names: What to call them.
    """
    if st.session_state.get(LIT) not in (None, "", *run_ids):
        # The run that was lit is no longer among those compared.
        st.session_state[LIT] = ""
        address.record(LIT, "", default="")
    expected = "the id of one of the runs"
    lit = address.restore(LIT, lambda text: address.one_id(text, run_ids), default="", expected=expected)
    address.record(LIT, lit, default="")
    entries = [
        {
            "id": run_id,
            "name": shorten(name, length=40),
            "colour": run_colour(index),
            "dash": run_dash(index),
            "marker": run_marker(index),
        }
        for index, (run_id, name) in enumerate(zip(run_ids, names, strict=True))
    ]
    _component(
        key=_KEY, data={"runs": entries, "lit": lit}, on_lit_change=_take_lit, on_zoom_change=_take_zoom
    )  # fmt: skip


def window(first: int, last: int, *, kind: str, label: str) -> tuple[float, float] | None:
    """Draw the slider over the x axis of the curves, moved by zooms in a chart, too; in the address under ``zoom``.

    Args:
        first: Where the axis begins.
        last: Where it ends, at least two more.
        kind: What the axis is; the slider starts anew when it changes.
        label: What the slider is called.

    Returns:
        The part to show; None for all of it.
    """

    def decode(text: str) -> tuple[int, int]:
        low, _, high = text.partition("-")
        return _within((int(low), int(high)), first, last)

    before = st.session_state.get(_LIMITS)
    if before is not None and before != (kind, first, last):
        value = st.session_state.get(ZOOM)
        if before[0] != kind:
            st.session_state.pop(ZOOM, None)
            st.query_params.pop(ZOOM, None)
        elif value is not None and tuple(value) == tuple(before[1:]):
            # All was shown, and an epoch has been added: all is shown.
            st.session_state[ZOOM] = (first, last)
    st.session_state[_LIMITS] = (kind, first, last)
    if ZOOM in st.session_state:
        st.session_state[ZOOM] = _within(st.session_state[ZOOM], first, last)
    address.restore(ZOOM, decode, default=(first, last), expected=f"a part of {first} to {last}, as 3-10")
    part: Any = inputs.slider(label, first, last, key=ZOOM, width=260)
    low, high = part
    address.record(ZOOM, f"{low}-{high}", default=f"{first}-{last}")
    return None if (low, high) == (first, last) else (float(low), float(high))


def _within(value: Any, first: int, last: int) -> tuple[int, int]:
    """A part of the axis, at least one step long."""
    low, high = sorted(int(end) for end in value)
    low = min(max(low, first), last - 1)
    return low, max(min(high, last), low + 1)


def _take_lit() -> None:
    st.session_state[LIT] = str(_told(LIT).get("id") or "")


def _take_zoom() -> None:
    limits = st.session_state.get(_LIMITS)
    if limits is None:
        return
    _, first, last = limits
    try:
        low, high = (float(end) for end in _told(ZOOM).get("range") or (first, last))
        st.session_state[ZOOM] = _within((round(low), round(high)), first, last)
    except (TypeError, ValueError, OverflowError):
        st.session_state[ZOOM] = (first, last)


def _told(name: str) -> Mapping[str, Any]:
    """What the browser has just said under a name; empty for anything that is not of the expected form."""
    state = st.session_state.get(_KEY)
    value = state.get(name) if isinstance(state, Mapping) else None
    return value if isinstance(value, Mapping) else {}
