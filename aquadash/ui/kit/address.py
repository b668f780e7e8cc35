"""Binds widgets to the address, so that a link, Back and a reload show the same thing.

The way of a value, whose query parameter is the widget's key; :mod:`aquadash.ui.kit.bound` makes it in one call:

1. :func:`assign` sets it from a callback or a click on a chart. It wins over any address until the next :func:`sync`.
2. :func:`sync`, before the widget, compares the address with the text that it wrote last. A different text was changed
   by a link, by Back or by hand: the :class:`Codec` reads the value; a bad text gives a note and the default.
3. Otherwise the session's value counts, which is the widget's; an impossible one becomes the nearest or the default.
4. :func:`sync` writes the value into session and address, where the default is left out, and remembers both.
5. The widget draws the session's value; a value without a widget needs :func:`sync` only.
6. A slow browser sends old addresses and values for a moment: the session's value wins (STREAMLIT.md, "Late messages").
7. :func:`enter` forgets the values of the page before.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeVar

import streamlit as st

from aquadash.ui.kit.text import plain

T = TypeVar("T")

#: Seconds for which a browser may send the address from before a widget changed it; a click on Back comes later.
LATE_SECONDS = 1.0

#: Keys of the session: the page in view, its address when it was drawn, and :class:`_Known` by name.
_PAGE, _DRAWN, _KNOWN = "page in view", "address drawn", "address"

#: Errors of a :class:`Codec` for a text or value that cannot be used.
_IMPOSSIBLE = (LookupError, ValueError)


@dataclass(frozen=True)
class Codec(Generic[T]):
    """Converts values of a kind to texts of the address and back."""

    #: The right texts in words, for the note.
    expected: str
    #: Text to value; raises ``ValueError`` or ``LookupError`` for a text of another kind.
    parse: Callable[[str], T]
    #: Value to text.
    encode: Callable[[T], str]
    #: A value to the nearest one that options or limits allow now; raises as ``parse`` if there is none.
    nearest: Callable[[Any], T]


@dataclass
class _Known:
    """The state of one query parameter; its tuples hold one value, or are empty."""

    #: The text that the last :func:`sync` wrote; None for no parameter.
    text: str | None = None
    #: Texts that :func:`sync` replaced, with the ``time.monotonic()`` of each replacement.
    left: dict[str | None, float] = field(default_factory=dict)
    #: The value of the last :func:`sync` or :func:`assign`.
    recorded: tuple[Any, ...] = ()
    #: The value before that, which a late browser may send.
    replaced: tuple[Any, ...] = ()
    #: Whether :func:`assign` set a value that is not in the address yet.
    is_assigned: bool = False


def sync(name: str, codec: Codec[T], *, default: T, omitted: str | None = None, follows: bool = False) -> T:
    """Return a value that the address holds, for the widget of this name if there is one.

    Args:
        default: The value of an address without the parameter.
        omitted: The text that is left out of the address; None for that of ``default``, empty for none.
        follows: Whether a value that the address leaves out changes when the default changes.
    """
    known = _all_known()[name]
    value = _read(name, codec, default, known, follows)
    try:
        value = codec.nearest(value)
    except _IMPOSSIBLE:
        value = default
    # Compare the types, too: Streamlit refuses an int in a field of floats.
    held = st.session_state.get(name)
    if name not in st.session_state or (type(value), value) != (type(held), held):
        st.session_state[name] = value
    text = codec.encode(value)
    present = None if text == (codec.encode(default) if omitted is None else omitted) else text
    before = st.query_params.get(name)
    if before != present:
        known.left |= dict.fromkeys((before, known.text), time.monotonic())
        if present is None:
            del st.query_params[name]
        else:
            st.query_params[name] = present
    if known.recorded != (value,):
        known.replaced = known.recorded
    known.text, known.recorded, known.is_assigned = present, (value,), False
    return value


def _read(name: str, codec: Codec[T], default: T, known: _Known, follows: bool) -> T:
    """Return the session's value, or that of the address if a person has changed it."""
    text = st.query_params.get(name)
    if name in st.session_state:
        held: T = st.session_state[name]
        if known.recorded and not _is_usable(codec, held):
            # A late browser sends the words of an option from before they changed, which stand for no value now.
            held = known.recorded[0]
        if known.is_assigned:
            # A second click may have sent the value from before the assignment.
            return known.recorded[0] if known.replaced == (held,) else held
        # Fast keys send a slider's next value together with the address of the one before.
        has_changed = bool(known.recorded) and known.recorded[0] != held
        is_late = time.monotonic() - known.left.get(text, -math.inf) < LATE_SECONDS
        if has_changed or is_late or (text == known.text and not (follows and text is None)):
            return held
    is_own, known.text = text == known.text, text
    if not is_own:
        # The browser has the current address: its next messages count.
        known.left.clear()
    if text is None:
        return default
    with suppress(*_IMPOSSIBLE):
        value = codec.parse(text)
        if codec.nearest(value) == value:
            return value
    # A text of our own has become invalid because the run or data set changed.
    if not is_own:
        render_note(name, text, codec.expected)
    return default


def _is_usable(codec: Codec[T], held: Any) -> bool:
    with suppress(*_IMPOSSIBLE):
        return held is None or codec.nearest(held) is not None
    return False


def assign(name: str, value: Any) -> None:
    """Set a widget's value before it is drawn, such as in a callback; :func:`sync` writes it into the address."""
    known = _all_known()[name]
    known.replaced, known.recorded, known.is_assigned = (st.session_state.get(name),), (value,), True
    st.session_state[name] = value


def forget(name: str) -> None:
    """Remove a value from session and address in a callback: the widget gets its default."""
    st.session_state.pop(name, None)
    st.query_params.pop(name, None)


def enter(page: str, *, shared: Collection[str]) -> None:
    """Begin to draw a page: forget the parameters of another page, except those that all pages share."""
    if st.session_state.get(_PAGE) == page:
        return
    st.session_state[_PAGE] = page
    for name in _all_known().keys() - shared:
        del _all_known()[name]
        st.session_state.pop(name, None)


def begin() -> None:
    """Begin a run of the whole page."""
    st.session_state.pop(_DRAWN, None)


def drawn() -> None:
    """End a run of the whole page: remember its address for :func:`draw_again`."""
    st.session_state[_DRAWN] = st.query_params.to_dict()


def draw_again() -> NoReturn:
    """Rerun the whole page from a fragment, at the page's own address (STREAMLIT.md, "Fragments")."""
    present = st.session_state.get(_DRAWN)
    if present is not None:
        if present != st.query_params.to_dict():
            st.query_params.from_dict(present)
        # The values count as assigned: Streamlit merges a waiting message of another fragment into the next run.
        for known in _all_known().values():
            known.is_assigned = bool(known.recorded)
    st.rerun()


def render_note(name: str, text: str, expected: str) -> None:
    """Draw a note on a text in the address that cannot be used."""
    st.info(
        f"The address asks for {plain(name)} = “{plain(text[:60])}”. Expected: {plain(expected)}. The default is shown "
        "instead.",
        icon="🧭",
    )


def _all_known() -> defaultdict[str, _Known]:
    known: defaultdict[str, _Known] = st.session_state.setdefault(_KNOWN, defaultdict(_Known))
    return known
