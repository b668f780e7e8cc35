"""What a page shows is in its address.

A widget's key is the name of its query parameter. :func:`restore` runs before the widget
and takes the value over from the address when that has changed from outside (a link, the back button, a typed
address); :func:`record` runs after it and writes what the widget says. A value that cannot be used gives a plain note
and the default. :mod:`aquadash.ui.bound` does all three in one call. A parameter belongs to the page that shows it:
:func:`enter` lets none of another page's values in.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import streamlit as st

from aquadash.ui.text import plain

T = TypeVar("T")

#: For so long after a widget has changed the address, the browser may still send the one before with a click on another
#: widget: the network is slow. Whoever goes back to the one before has looked at the page first, and is slower.
LATE_SECONDS = 1.0

#: Where the session keeps the page in view, the address that it was drawn with, what is known of each name, and that a
#: part of the page has it drawn again.
_PAGE, _DRAWN, _KNOWN, _AGAIN = "page in view", "address drawn", "address", "drawn again"


@dataclass
class _Known:
    """What is known of a name in the address."""

    #: What stood there when it was last read or written.
    text: str | None = None
    #: The texts that the widget has just replaced there, with the times of that.
    left: dict[str | None, float] = field(default_factory=dict)
    #: The widget's value that the text was written for; empty before one was.
    recorded: tuple[Any, ...] = ()
    #: The one before that, which a late browser may still send.
    replaced: tuple[Any, ...] = ()
    #: The widget's value before it was set from outside, and after; empty once that has been drawn.
    assigned: tuple[Any, ...] = ()
    #: The default that :func:`follow` was told last; empty before.
    default: tuple[Any, ...] = ()

    def has_changed(self, value: Any) -> bool:
        """Whether the widget says something else than when the address was written: a person's last word is meant.

        Keys that are pressed fast send the next value of a slider together with the address of the one before.
        """
        return bool(self.recorded) and self.recorded[0] != value

    def is_late(self, text: str | None) -> bool:
        """Whether the browser sent ``text`` before it heard of the present one."""
        return time.monotonic() - self.left.get(text, -math.inf) < LATE_SECONDS


def restore(name: str, decode: Callable[[str], T], *, default: T, expected: str) -> T:
    """Set the widget ``name`` to what the address says, if the address has changed since it was last looked at.

    Args:
        name: The query parameter and the widget's key.
        decode: From the address's text to the value; raises ``ValueError`` where there is none.
        default: The value of an address without the parameter, or with a bad one.
        expected: What would have been right, for the note: ``"a whole number from 1 to 20"``.

    Returns:
        The value that the widget will have.
    """
    text, known = st.query_params.get(name), _known(name)
    if name in st.session_state:
        if known.assigned and st.session_state[name] == known.assigned[0]:
            # A second click had the page drawn anew before the browser could hear of what the first had set.
            st.session_state[name] = known.assigned[1]
        held: T = st.session_state[name]
        if text == known.text or known.has_changed(held) or known.is_late(text):
            # A late browser will hold what is known in a moment: what is recorded now has to change that, not what it
            # sent.
            _write(name, known.text)
            return held
    # The browser is as far as we are: what it sends from now on is meant.
    known.left.clear()
    value = default
    if text is not None:
        try:
            value = decode(text)
        except ValueError:
            # What went with another run or data set is no fault of the address.
            if text != known.text:
                note(name, text, expected)
    known.text = text
    st.session_state[name] = value
    return value


def record(name: str, text: str, *, default: str) -> None:
    """Write a value into the address; the default is left out, so that addresses stay short."""
    _write(name, None if text == default else text)
    _known(name).assigned = ()


def assign(name: str, value: Any) -> None:
    """Set a widget's value from a button's callback; the next run writes it into the address."""
    _known(name).assigned = (st.session_state.get(name), value)
    st.session_state[name] = value


def keep(name: str, value: Any) -> None:
    """Set a value before :func:`restore` is asked for it, which then leaves the address as it is unread."""
    st.session_state[name] = value
    _known(name).text = st.query_params.get(name)


def follow(name: str, default: Any) -> None:
    """Before :func:`restore`: a widget that still says its default says this one, until somebody chooses otherwise."""
    known = _known(name)
    # Only where it is another: what is set here is sent to the browser over a click.
    if name in st.session_state and known.default == (st.session_state[name],) != (default,):
        st.session_state[name] = default
    known.default = (default,)


def enter(page: str, *, shared: Collection[str]) -> None:
    """Begin to draw a page: what another one had in its address is forgotten, but for what all pages share."""
    if st.session_state.get(_PAGE) == page:
        return
    st.session_state[_PAGE] = page
    known = st.session_state.get(_KNOWN, {})
    for name in known.keys() - shared:
        del known[name]
        st.session_state.pop(name, None)


def begin() -> None:
    """The whole page begins to be drawn: what has come with that is meant, unless :func:`draw_again` asked for it."""
    st.session_state.pop(_DRAWN, None)
    if st.session_state.pop(_AGAIN, False):
        # Only now: a late message of another part that waited for its turn was taken together with that.
        for name, known in st.session_state.get(_KNOWN, {}).items():
            if name in st.session_state and not known.assigned and known.replaced == (st.session_state[name],):
                st.session_state[name] = known.recorded[0]


def drawn() -> None:
    """The whole page has been drawn: until :func:`begin` its address is the one that it has now."""
    st.session_state[_DRAWN] = st.query_params.to_dict()


def put(name: str, text: str | None) -> None:
    """Write into the address where no widget does; None takes the name out of it."""
    present = st.session_state.get(_DRAWN, {})
    if text is None:
        st.query_params.pop(name, None)
        present.pop(name, None)
    else:
        st.query_params[name] = present[name] = text


def draw_again() -> NoReturn:
    """Have the page drawn again by a part of it that draws itself: at its address, for nobody has asked for another.

    Such a part may have been sent the address before, and the values of widgets that went with it, which the browser
    holds for a moment after a launch or a widget has changed them; a person's own change comes with a message of its
    own. What is written beside this module, while a part is drawn alone, is not known here: see :func:`put`.
    """
    present = st.session_state.get(_DRAWN)
    if present is not None:
        if present != st.query_params.to_dict():
            st.query_params.from_dict(present)
        st.session_state[_AGAIN] = True
    st.rerun()


def page() -> str:
    """The page in view, as :func:`enter` was told."""
    return str(st.session_state.get(_PAGE, ""))


def note(name: str, text: str, expected: str) -> None:
    """Say that the address holds something that cannot be shown."""
    st.info(
        f"The address asks for {plain(name)} = “{plain(text[:60])}”. Expected: {plain(expected)}. The default is shown "
        "instead.",
        icon="🧭",
    )


def one_id(text: str, ids: Iterable[str]) -> str:
    """The id that begins with what the address says."""
    [found] = [each for each in ids if text and each.startswith(text)]
    return found


def _write(name: str, text: str | None) -> None:
    """Let the address hold a text, and remember which one it takes the place of."""
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
    found: _Known = st.session_state.setdefault(_KNOWN, {}).setdefault(name, _Known())
    return found
