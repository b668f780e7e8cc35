"""Binds widgets to the address, so that a link, Back and a reload show the same thing.

The way of a value, whose query parameter is the widget's key; :mod:`aquadash.ui.kit.bound` makes it in one call:

1. :func:`assign` sets it from a callback or a click on a chart. It wins over any address until it is recorded.
2. :func:`restore`, before the widget, compares the address with the text last read or written. A different text was
   changed by a link, by Back or by hand: it is decoded into the session; a bad one gives a note and the default.
3. The widget draws the session's value and returns the student's. Without a widget, ``bound.hidden`` returns it.
4. :func:`record` writes it into the address, unless it is the default, and remembers text and value for step 2.
5. A slow browser sends old addresses and values for a moment: the session's value wins (STREAMLIT.md, "Late messages").
6. :func:`enter` forgets the values of the page before.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import streamlit as st

from aquadash.ui.kit.text import plain

T = TypeVar("T")

#: Seconds for which a browser may send the address from before a widget changed it; a click on Back comes later.
LATE_SECONDS = 1.0

#: Keys of the session: the page in view, its address when it was drawn, :class:`_Known` by name, and a pending
#: :func:`draw_again`.
_PAGE, _DRAWN, _KNOWN, _AGAIN = "page in view", "address drawn", "address", "drawn again"


@dataclass
class _Known:
    """The state of one query parameter; a tuple holds one value or, empty, none."""

    #: The text last read from or written into the address.
    text: str | None = None
    #: The texts replaced in the last :data:`LATE_SECONDS`, with the times of that.
    left: dict[str | None, float] = field(default_factory=dict)
    #: The widget's value at the last write or :func:`assign`.
    recorded: tuple[Any, ...] = ()
    #: The value before that, which a late browser may send.
    replaced: tuple[Any, ...] = ()
    #: Whether :func:`assign` set a value that is not in the address yet.
    is_assigned: bool = False
    #: The default of the last :func:`follow`.
    default: tuple[Any, ...] = ()


def restore(name: str, decode: Callable[[str], T], *, default: T, expected: str) -> T:
    """Set the widget ``name`` from the address if that has changed; a ``ValueError`` of ``decode`` gives a note."""
    text, known = st.query_params.get(name), _known(name)
    if name in st.session_state:
        if known.is_assigned and known.replaced == (st.session_state[name],):
            # A second click sent the value from before the assignment.
            st.session_state[name] = known.recorded[0]
        held: T = st.session_state[name]
        if known.is_assigned:
            return held
        # Fast keys send a slider's next value together with the address of the one before.
        has_changed = bool(known.recorded) and known.recorded[0] != held
        is_late = time.monotonic() - known.left.get(text, -math.inf) < LATE_SECONDS
        if text == known.text or has_changed or is_late:
            # The browser sent an old address: write the current one back and keep the session's value.
            _write(name, known.text)
            return held
    # The browser has the current address: what it sends from now on counts.
    known.left.clear()
    value = default
    if text is not None:
        try:
            value = decode(text)
        except ValueError:
            # No note for a text of our own, which became invalid when the run or data set changed.
            if text != known.text:
                note(name, text, expected)
    known.text = text
    st.session_state[name] = value
    return value


def record(name: str, text: str, *, default: str) -> None:
    """Write a value into the address; the default is left out, so that addresses stay short."""
    _write(name, None if text == default else text)
    _known(name).is_assigned = False


def assign(name: str, value: Any) -> None:
    """Set a widget's value before it is drawn, such as in a callback; :func:`record` writes it into the address."""
    known = _known(name)
    known.replaced, known.recorded, known.is_assigned = (st.session_state.get(name),), (value,), True
    st.session_state[name] = value


def forget(name: str) -> None:
    """Remove a value from session and address in a callback: the widget gets its default."""
    st.session_state.pop(name, None)
    put(name, None)


def follow(name: str, default: Any) -> None:
    """Before :func:`restore`: move a widget that still has its last default to a new default."""
    known = _known(name)
    # Only if the default has changed: a value that the session sets overwrites a click under way.
    if name in st.session_state and known.default == (st.session_state[name],) != (default,):
        st.session_state[name] = default
    known.default = (default,)


def enter(page: str, *, shared: Collection[str]) -> None:
    """Begin to draw a page: forget the parameters of another page, except those that all pages share."""
    if st.session_state.get(_PAGE) == page:
        return
    st.session_state[_PAGE] = page
    known = st.session_state.get(_KNOWN, {})
    for name in known.keys() - shared:
        del known[name]
        st.session_state.pop(name, None)


def begin() -> None:
    """Begin a run of the whole page; after :func:`draw_again` its old widget values do not count."""
    st.session_state.pop(_DRAWN, None)
    if st.session_state.pop(_AGAIN, False):
        # Not earlier: Streamlit merges a waiting message of another fragment into this run.
        for name, known in st.session_state.get(_KNOWN, {}).items():
            if name in st.session_state and known.replaced == (st.session_state[name],):
                st.session_state[name] = known.recorded[0]


def drawn() -> None:
    """End a run of the whole page: remember its address for :func:`draw_again`."""
    st.session_state[_DRAWN] = st.query_params.to_dict()


def put(name: str, text: str | None) -> None:
    """Write a parameter that no widget writes; None removes it."""
    present = st.session_state.get(_DRAWN, {})
    if text is None:
        st.query_params.pop(name, None)
        present.pop(name, None)
    else:
        st.query_params[name] = present[name] = text


def draw_again() -> NoReturn:
    """Rerun the whole page from a fragment, at the page's own address (STREAMLIT.md, "Fragments")."""
    present = st.session_state.get(_DRAWN)
    if present is not None:
        if present != st.query_params.to_dict():
            st.query_params.from_dict(present)
        st.session_state[_AGAIN] = True
    st.rerun()


def page() -> str:
    """Return the page in view."""
    return str(st.session_state.get(_PAGE, ""))


def note(name: str, text: str, expected: str) -> None:
    """Draw a note on a text in the address that cannot be used."""
    st.info(
        f"The address asks for {plain(name)} = “{plain(text[:60])}”. Expected: {plain(expected)}. The default is shown "
        "instead.",
        icon="🧭",
    )


def _write(name: str, text: str | None) -> None:
    """Write a text into the address, and remember the text that it replaces."""
    before, known = st.query_params.get(name), _known(name)
    if before != text:
        put(name, text)
        now = time.monotonic()
        left = known.left | {before: now}
        known.left = {each: when for each, when in left.items() if now - when < LATE_SECONDS}
    value = (st.session_state.get(name),)
    if value != known.recorded:
        known.replaced = known.recorded
    known.text, known.recorded = text, value


def _known(name: str) -> _Known:
    known: _Known = st.session_state.setdefault(_KNOWN, {}).setdefault(name, _Known())
    return known
