"""Widgets whose values are in the address: one call restores the value, draws the widget and records what it holds.

A :class:`Codec` says how values of a kind stand there: words, numbers, ``1`` for on, ``50-90`` for an interval, several
words with commas between. The first argument of a widget is its name in the address and its key; other arguments are
handed on to the widget. The address leaves a default out, and what cannot be used gives a note and the default. A
widget can be drawn ``into`` another part of the page. A popover there needs ``on_change="rerun"``: without it a closed
popover sends back the old values of its widgets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.ui import address, inputs

T = TypeVar("T")
Number = TypeVar("Number", int, float)

Widget = Callable[..., Any]
Options = Mapping[str, str] | Sequence[str]


@dataclass(frozen=True)
class Codec(Generic[T]):
    """How the values of a kind stand in the address."""

    #: A description of the right texts, for the note.
    expected: str
    #: From the address's text to the value; raises ``ValueError`` where there is none.
    decode: Callable[[str], T]
    #: From the value to the text.
    encode: Callable[[T], str] = str
    #: From what the widget holds to the nearest value that its options or limits allow now; None where none is near.
    nearest: Callable[[Any], T | None] = lambda held: held


def one_of(options: Collection[str]) -> Codec[str]:
    """One of some words."""
    return Codec(_listed(options), lambda text: _member(text, options), nearest={each: each for each in options}.get)


def id_of(ids: Collection[str], *, expected: str) -> Codec[str]:
    """One of some ids, of which the beginning is enough."""
    return Codec(expected, lambda text: address.one_id(text, ids), nearest={each: each for each in ids}.get)


def several_of(
    options: Collection[str], *, most: int | None = None, ignored: Collection[str] = (), expected: str = ""
) -> Codec[list[str]]:
    """Several of some words, ``most`` at most, if that is given; words that are ``ignored`` mean nothing."""
    # An option may hold commas itself: the longest that fits is meant.
    known = sorted((*options, *ignored), key=len, reverse=True)

    def decode(text: str) -> list[str]:
        found, rest = [], text.strip(",")
        if len(rest) > sum(len(one) + 1 for one in known):
            # Each word at most once: the time grows with the square of the length.
            raise ValueError(text)
        while rest:
            word = _member(next((one for one in known if rest == one or rest.startswith(f"{one},")), rest), known)
            rest = rest[len(word) :].lstrip(",")
            if word not in ignored and word not in found:
                found.append(word)
        if most is not None and len(found) > most:
            raise ValueError(text)
        return found

    expected = expected or f"{'some' if most is None else f'at most {most}'} of {_listed(options)}"
    return Codec(expected, decode, ",".join, lambda held: [word for word in held if word in options])


def number_in(low: Number, high: Number, *, clamp: bool = False) -> Codec[Number]:
    """A number between two, whole if these are; ``clamp`` takes the nearest for a text outside, without a note."""
    kind = type(low)

    def nearest(held: Any) -> Number:
        return min(max(kind(held), low), high)

    def decode(text: str) -> Number:
        value = kind(text) if len(text) <= 20 else high + 1
        if not clamp and not low <= value <= high:
            raise ValueError(text)
        return nearest(value)

    whole, form = ("whole ", "d") if kind is int else ("", "g")
    return Codec(f"a {whole}number from {low:,} to {high:,}", decode, lambda value: f"{value:{form}}", nearest)


def interval_in(low: int, high: int) -> Codec[tuple[int, int]]:
    """Two whole numbers between two others, the lower first."""

    def decode(text: str) -> tuple[int, int]:
        ends = re.fullmatch(r"([0-9]{1,9})-([0-9]{1,9})", text)
        if ends is None or not low <= int(ends[1]) <= int(ends[2]) <= high:
            raise ValueError(text)
        return int(ends[1]), int(ends[2])

    expected = f"two numbers from {low} to {high}, the lower first, such as {low}-{high}"
    return Codec(expected, decode, lambda ends: f"{ends[0]}-{ends[1]}")


def short_text(longest: int) -> Codec[str]:
    """A text of so many characters at most."""

    def decode(text: str) -> str:
        if len(text) > longest:
            raise ValueError(text)
        return text

    return Codec(f"at most {longest} characters", decode)


ON_OR_OFF = Codec("0 or 1", lambda text: bool(("0", "1").index(text)), lambda on: str(int(on)))


def restore(name: str, codec: Codec[T], *, default: T) -> T:
    """:func:`aquadash.ui.address.restore` with a codec; the widget holds a possible value afterwards."""
    held = address.restore(name, codec.decode, default=default, expected=codec.expected)
    nearest = None if held is None else codec.nearest(held)
    value = default if nearest is None else nearest
    # Streamlit refuses a whole number in a field of others.
    if (type(value), value) != (type(held), held):
        st.session_state[name] = value
    return value


def in_sight(into: DeltaGenerator | None) -> bool:
    """Whether a part of the page can be seen: not where it is a popover that is known to be closed."""
    return getattr(into, "open", None) is not False


def _bound(
    name: str,
    codec: Codec[T],
    widget: Widget,
    *given: Any,
    default: T,
    stated: bool = False,
    into: DeltaGenerator | None = None,
    **arguments: Any,
) -> Any:
    """Draw a widget, but for one in a closed popover; return what it says, or would say.

    A closed popover has no widgets in the browser. The browser therefore keeps their old values, and sends those with
    the next click.
    """
    restore(name, codec, default=default)
    if in_sight(into):
        with into or nullcontext():
            value = widget(*given, key=name, **arguments)
    else:
        value = st.session_state[name]
    address.record(name, codec.encode(value), default="" if stated else codec.encode(default))
    return value


def menu(
    name: str,
    options: Options,
    *,
    label: str,
    default: str | None = None,
    widget: Widget = inputs.selectbox,
    codec: Codec[str] | None = None,
    **arguments: Any,
) -> str:
    """One of some words, in a menu.

    Args:
        options: The words; a mapping gives each its title.
        label: Above the widget.
        default: None for the first word. With ``stated=True`` it stands in the address, too.
        widget: Draws it, such as ``inputs.radio``.
        codec: Reads the address in another way, such as :func:`id_of`.
    """
    titles = _titles(options)
    arguments["default"] = next(iter(titles)) if default is None else default
    given = label, list(titles)
    return str(_bound(name, codec or one_of(titles), widget, *given, format_func=titles.__getitem__, **arguments))


def choice(name: str, options: Options, *, widget: Widget = inputs.segmented_control, **arguments: Any) -> str:
    """:func:`menu` with all words in view, as buttons of which one is pressed."""
    return menu(name, options, widget=widget, required=True, **arguments)


def choices(
    name: str,
    options: Options,
    *,
    label: str,
    default: Sequence[str] = (),
    widget: Widget = inputs.multiselect,
    codec: Codec[list[str]] | None = None,
    **arguments: Any,
) -> list[str]:
    """Several of some words, at first the default ones; see :func:`menu`."""
    titles = _titles(options)
    codec = codec or several_of(titles, most=arguments.get("max_selections"))
    arguments |= {"default": list(default), "format_func": titles.__getitem__}
    return list(_bound(name, codec, widget, label, list(titles), **arguments))


def number(
    name: str,
    low: Number,
    high: Number,
    *,
    label: str,
    clamp: bool = False,
    widget: Widget = inputs.number_input,
    **arguments: Any,
) -> Number:
    """A number from ``low`` to ``high``; see :func:`number_in`."""
    value: Number = _bound(name, number_in(low, high, clamp=clamp), widget, label, low, high, **arguments)
    return value


def slider(name: str, low: Number, high: Number, **arguments: Any) -> Number:
    """:func:`number` with a handle."""
    return number(name, low, high, widget=inputs.slider, **arguments)


def interval(name: str, low: int, high: int, *, label: str, **arguments: Any) -> tuple[int, int]:
    """A slider with two ends, at first the whole from ``low`` to ``high``."""
    given = inputs.slider, label, low, high
    first, last = _bound(name, interval_in(low, high), *given, default=(low, high), **arguments)
    return first, last


def toggle(name: str, *, label: str, **arguments: Any) -> bool:
    """A switch, at first off."""
    return bool(_bound(name, ON_OR_OFF, inputs.toggle, label, default=False, **arguments))


def text(name: str, *, label: str, longest: int, **arguments: Any) -> str:
    """A line to type into, of at most ``longest`` characters; at first empty."""
    return str(_bound(name, short_text(longest), inputs.text_input, label, default="", max_chars=longest, **arguments))


def _titles(options: Options) -> Mapping[str, str]:
    return options if isinstance(options, Mapping) else dict(zip(options, options, strict=True))


def _member(text: str, options: Collection[str]) -> str:
    if text not in options:
        raise ValueError(text)
    return text


def _listed(options: Collection[str]) -> str:
    named = [option for option in options if option.strip()]
    return ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")
