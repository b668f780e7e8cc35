"""What a page shows is in its address.

A widget's key is the name of its query parameter. :func:`restore` (or one of its typed forms) runs before the widget
and takes the value over from the address when that has changed from outside (a link, the back button, a typed
address); :func:`record` runs after it and writes what the widget says. A value that cannot be used gives a plain note
and the default. :mod:`aquadash.ui.bound` does all three in one call. A parameter belongs to the page that shows it:
:func:`enter` lets none of another page's values in.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st

from aquadash.ui.text import plain

T = TypeVar("T")
Number = TypeVar("Number", int, float)

#: For so long after a widget has changed the address, the browser may still send the one before with a click on another
#: widget: the network is slow. Whoever goes back to the one before has looked at the page first, and is slower.
_LATE_SECONDS = 1.0

#: Where the page in view is kept.
_PAGE = "page in view"


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
    text = st.query_params.get(name)
    seen = st.session_state.get(_seen(name))
    if name in st.session_state and (text == seen or _has_changed(name) or _is_late(name, text)):
        # A late browser will hold ``seen`` in a moment: what is recorded now has to change that, not what it sent.
        _write(name, seen)
        return st.session_state[name]
    # The browser is as far as we are: what it sends from now on is meant.
    st.session_state.pop(_left(name), None)
    value = default
    if text is not None:
        try:
            value = decode(text)
        except ValueError:
            note(name, text, expected)
    st.session_state[_seen(name)] = text
    st.session_state[name] = value
    return value


def record(name: str, text: str, *, default: str) -> None:
    """Write a value into the address; the default is left out, so that addresses stay short."""
    _write(name, None if text == default else text)


def assign(name: str, value: Any) -> None:
    """Set a widget's value from a button's callback; the next run writes it into the address."""
    st.session_state[name] = value


def keep(name: str, value: Any) -> None:
    """Set a value before :func:`restore` is asked for it, which then leaves the address as it is unread."""
    st.session_state[name] = value
    st.session_state[_seen(name)] = st.query_params.get(name)


def enter(page: str, *, shared: Collection[str]) -> None:
    """Begin to draw a page: what another one had in its address is forgotten, but for what all pages share."""
    if st.session_state.get(_PAGE) == page:
        return
    st.session_state[_PAGE] = page
    held = [key.removeprefix(_seen("")) for key in map(str, st.session_state) if key.startswith(_seen(""))]
    for name in held:
        if name not in shared:
            forget(name)
            st.session_state.pop(name, None)


def forget(name: str) -> None:
    """Let :func:`restore` read the address although it has not changed: something else has set the value since."""
    for kept in (_seen(name), _left(name), _recorded(name)):
        st.session_state.pop(kept, None)


def note(name: str, text: str, expected: str) -> None:
    """Say that the address holds something that cannot be shown."""
    st.info(
        f"The address asks for {plain(name)} = “{plain(text[:60])}”. Expected: {plain(expected)}. The default is shown "
        "instead.",
        icon="🧭",
    )


def choice(name: str, options: Sequence[str], *, default: str) -> str:
    """:func:`restore` for a widget that picks one of ``options``."""
    if name in st.session_state and st.session_state[name] not in options:
        del st.session_state[name]
    return restore(name, lambda text: _one_of(text, options), default=default, expected=_listed(options))


def choices(
    name: str,
    options: Sequence[str],
    *,
    default: Sequence[str] = (),
    most: int | None = None,
    ignored: Sequence[str] = (),
    expected: str = "",
) -> list[str]:
    """:func:`restore` for a widget that picks several of ``options``, ``most`` at most, if that is given.

    The address holds them with commas between, where ``ignored`` ones may stand, too; ``expected`` says in other words
    what would have been right.
    """

    def decode(text: str) -> list[str]:
        found = list(dict.fromkeys(_one_of(part, options) for part in text.split(",") if part and part not in ignored))
        if most is not None and len(found) > most:
            raise ValueError(text)
        return found

    kept = [value for value in st.session_state.get(name) or () if value in options]
    if name in st.session_state and kept != list(st.session_state[name] or ()):
        st.session_state[name] = kept
    expected = expected or f"{'some' if most is None else f'at most {most}'} of {_listed(options)}"
    return list(restore(name, decode, default=list(default), expected=expected) or ())


def number(name: str, *, default: Number, low: Number, high: Number, clamp: bool = False) -> Number:
    """:func:`restore` for a number field.

    Args:
        name: The query parameter and the widget's key.
        default: The value of an address without it.
        low: The least value; its type is that of the number.
        high: The greatest value.
        clamp: Take the nearest possible value for one outside, without a note: a filter may have left fewer pages.
    """

    kind = type(low)

    def decode(text: str) -> Number:
        value = kind(text) if len(text) <= 20 else high + 1
        if clamp:
            return min(max(value, low), high)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    whole = "whole " if kind is int else ""
    value = restore(name, decode, default=default, expected=f"a {whole}number from {low:,} to {high:,}")
    if not isinstance(value, kind) or not low <= value <= high:
        value = min(max(kind(value or default), low), high)
        st.session_state[name] = value
    return value


def interval(name: str, low: int, high: int) -> tuple[int, int]:
    """:func:`restore` for two whole numbers, the lower first; at first the limits."""

    def decode(text: str) -> tuple[int, int]:
        ends = re.fullmatch(r"([0-9]{1,9})-([0-9]{1,9})", text)
        if ends is None or not low <= int(ends[1]) <= int(ends[2]) <= high:
            raise ValueError(text)
        return int(ends[1]), int(ends[2])

    expected = f"two numbers from {low} to {high}, the lower first, such as {low}-{high}"
    return restore(name, decode, default=(low, high), expected=expected)


def one_id(text: str, ids: Iterable[str]) -> str:
    """The id that begins with what the address says.

    Raises:
        ValueError: None does, or several do.
    """
    [found] = [each for each in ids if text and each.startswith(text)]
    return found


def _one_of(text: str, options: Sequence[str]) -> str:
    if text not in options:
        raise ValueError(text)
    return text


def _listed(options: Sequence[str]) -> str:
    return ", ".join(options[:8]) + (", ..." if len(options) > 8 else "")


def _write(name: str, text: str | None) -> None:
    """Let the address hold a text, and remember which one it takes the place of."""
    before = st.query_params.get(name)
    if before != text:
        if text is None:
            del st.query_params[name]
        else:
            st.query_params[name] = text
        now = time.monotonic()
        left = st.session_state.get(_left(name), {}) | {before: now}
        st.session_state[_left(name)] = {each: when for each, when in left.items() if now - when < _LATE_SECONDS}
    st.session_state[_seen(name)] = text
    st.session_state[_recorded(name)] = st.session_state.get(name)


def _has_changed(name: str) -> bool:
    """Whether the widget says something else than when the address was written: a person's last word is meant.

    Keys that are pressed fast send the next value of a slider together with the address of the one before.
    """
    recorded = _recorded(name)
    return recorded in st.session_state and st.session_state[recorded] != st.session_state[name]


def _is_late(name: str, text: str | None) -> bool:
    """Whether the browser sent ``text`` before it heard of the present one."""
    when = st.session_state.get(_left(name), {}).get(text, -math.inf)
    return time.monotonic() - when < _LATE_SECONDS


def _recorded(name: str) -> str:
    """Where the widget's value is kept that the address was written for."""
    return f"address-recorded:{name}"


def _left(name: str) -> str:
    """Where the texts are kept that a widget has just replaced in the address, with the times of that."""
    return f"address-left:{name}"


def _seen(name: str) -> str:
    """Where the address's last known text is kept."""
    return f"address:{name}"
