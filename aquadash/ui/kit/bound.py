"""Widgets bound to the address: one call restores the value, draws the widget and records its value.

A :class:`Codec` converts values of a kind: words, numbers, ``1`` for on, ``50-90`` for an interval, words with commas
between. The first argument of a widget is its key and query parameter; others go to the widget. The default is left out
of the address. A widget can be drawn ``into`` another part of the page; a popover there needs ``on_change="rerun"``
(STREAMLIT.md, "Closed popovers").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.ui.kit import address, inputs

T = TypeVar("T")
Number = TypeVar("Number", int, float)

Widget = Callable[..., Any]
Options = Mapping[str, str] | Sequence[str]


@dataclass(frozen=True)
class Codec(Generic[T]):
    """Converts values of a kind to texts of the address and back."""

    #: The right texts in words, for the note.
    expected: str
    #: Text to value; raises ``ValueError`` for a text of another kind.
    parse: Callable[[str], T]
    #: Value to text.
    encode: Callable[[T], str]
    #: A value to the nearest one that options or limits allow now, or None.
    nearest: Callable[[Any], T | None]
    #: Whether a text that is not allowed means the nearest value.
    clamp: bool = False

    def decode(self, text: str) -> T:
        """Return the value of a text; raise ``ValueError`` for one that cannot be used."""
        value = self.parse(text)
        nearest = self.nearest(value)
        if nearest is None or (nearest != value and not self.clamp):
            raise ValueError(text)
        return nearest


def one_of(options: Collection[str]) -> Codec[str]:
    """One of some words."""
    return Codec(_listed(options), str, str, {each: each for each in options}.get)


def id_of(ids: Collection[str], *, expected: str) -> Codec[str]:
    """One of some ids; the address may hold its beginning."""

    def parse(text: str) -> str:
        [match] = [each for each in ids if text and each.startswith(text)]
        return match

    return Codec(expected, parse, str, {each: each for each in ids}.get)


def several_of(
    options: Collection[str], *, most: int | None = None, ignored: Collection[str] = (), expected: str = ""
) -> Codec[list[str]]:
    """Several of some words, at most ``most``; the ``ignored`` words are dropped without a note."""
    # An option may contain commas: try the longest first.
    words = [re.escape(word) for word in sorted((*options, *ignored), key=len, reverse=True)]
    pattern = re.compile(f"(?:{'|'.join([*words, '[^,]+'])})(?=,|$)")
    return Codec(
        expected or f"{'some' if most is None else f'at most {most}'} of {_listed(options)}",
        lambda text: [word for word in dict.fromkeys(pattern.findall(text)) if word not in ignored],
        ",".join,
        lambda held: [word for word in held if word in options][:most],
    )


def number_in(low: Number, high: Number, *, clamp: bool = False) -> Codec[Number]:
    """A number from ``low`` to ``high``, whole if these are; ``clamp`` moves one outside to the nearest end."""
    kind = type(low)
    whole, form = ("whole ", "d") if kind is int else ("", "g")
    return Codec(
        f"a {whole}number from {low:,} to {high:,}",
        lambda text: kind(text) if len(text) <= 20 else high + 1,
        lambda value: f"{value:{form}}",
        lambda held: min(max(kind(held), low), high),
        clamp,
    )


def interval_in(low: int, high: int) -> Codec[tuple[int, int]]:
    """Two whole numbers from ``low`` to ``high``, the lower first."""

    def parse(text: str) -> tuple[int, int]:
        [(first, last)] = re.findall(r"\A([0-9]{1,9})-([0-9]{1,9})\Z", text)
        return int(first), int(last)

    return Codec(
        f"two numbers from {low} to {high}, the lower first, such as {low}-{high}",
        parse,
        lambda ends: f"{ends[0]}-{ends[1]}",
        lambda held: held if low <= held[0] <= held[1] <= high else None,
    )


def short_text(longest: int) -> Codec[str]:
    """A text of at most ``longest`` characters."""
    return Codec(f"at most {longest} characters", str, str, lambda held: held[:longest])


ON_OR_OFF = Codec("0 or 1", lambda text: bool(("0", "1").index(text)), lambda on: str(int(on)), bool)


def restore(name: str, codec: Codec[T], *, default: T) -> T:
    """Call :func:`aquadash.ui.kit.address.restore` with a codec, and replace a value that is no longer possible."""
    held = address.restore(name, codec.decode, default=default, expected=codec.expected)
    nearest = None if held is None else codec.nearest(held)
    value = default if nearest is None else nearest
    # Compare the types, too: Streamlit refuses an int in a field of floats.
    if (type(value), value) != (type(held), held):
        st.session_state[name] = value
    return value


def is_open(into: DeltaGenerator | None) -> bool:
    """Return whether a part of the page is open; only a closed popover is not."""
    return getattr(into, "open", None) is not False


def hidden(name: str, codec: Codec[T], *, default: T) -> T:
    """Return a value of the address that no widget shows, and record it."""
    value = restore(name, codec, default=default)
    address.record(name, codec.encode(value), default=codec.encode(default))
    return value


def _bound(
    name: str,
    codec: Codec[T],
    *positional: Any,
    widget: Widget,
    label: str,
    default: T,
    stated: bool = False,
    into: DeltaGenerator | None = None,
    **arguments: Any,
) -> Any:
    """Draw a widget, unless its popover is closed, and return its value."""
    value = restore(name, codec, default=default)
    if is_open(into):
        with into or nullcontext():
            value = widget(label, *positional, key=name, **arguments)
    address.record(name, codec.encode(value), default="" if stated else codec.encode(default))
    return value


def menu(name: str, options: Options, *, codec: Codec[str] | None = None, **arguments: Any) -> str:
    """Draw a menu of words, or of the titles in a mapping; the default is the first word, ``stated`` writes it, too."""
    titles = _titles(options)
    drawn: dict[str, Any] = {
        "widget": inputs.selectbox,
        "default": next(iter(titles)),
        "format_func": titles.__getitem__,
    } | arguments
    return str(_bound(name, codec or one_of(titles), list(titles), **drawn))


def choice(name: str, options: Options, *, widget: Widget = inputs.segmented_control, **arguments: Any) -> str:
    """Draw a :func:`menu` as a row of buttons."""
    return menu(name, options, widget=widget, required=True, **arguments)


def choices(name: str, options: Options, *, codec: Codec[list[str]] | None = None, **arguments: Any) -> list[str]:
    """Draw a menu of which several words can be chosen; by default none is."""
    titles = _titles(options)
    codec = codec or several_of(titles, most=arguments.get("max_selections"))
    drawn: dict[str, Any] = {"widget": inputs.multiselect, "default": [], "format_func": titles.__getitem__} | arguments
    return list(_bound(name, codec, list(titles), **drawn))


def number(name: str, low: Number, high: Number, *, clamp: bool = False, **arguments: Any) -> Number:
    """Draw a field for a number from ``low`` to ``high``; see :func:`number_in`."""
    drawn: dict[str, Any] = {"widget": inputs.number_input} | arguments
    value: Number = _bound(name, number_in(low, high, clamp=clamp), low, high, **drawn)
    return value


def slider(name: str, low: Number, high: Number, **arguments: Any) -> Number:
    """Draw a :func:`number` as a slider."""
    return number(name, low, high, widget=inputs.slider, **arguments)


def interval(name: str, low: int, high: int, **arguments: Any) -> tuple[int, int]:
    """Draw a slider with two ends; the default is from ``low`` to ``high``."""
    first, last = _bound(
        name, interval_in(low, high), low, high, widget=inputs.slider, default=(low, high), **arguments
    )
    return first, last


def toggle(name: str, **arguments: Any) -> bool:
    """Draw a switch that is off by default."""
    return bool(_bound(name, ON_OR_OFF, widget=inputs.toggle, default=False, **arguments))


def text(name: str, *, longest: int, **arguments: Any) -> str:
    """Draw a field for a text of at most ``longest`` characters."""
    drawn: dict[str, Any] = {"widget": inputs.text_input, "max_chars": longest, "default": ""} | arguments
    return str(_bound(name, short_text(longest), **drawn))


def _titles(options: Options) -> Mapping[str, str]:
    return options if isinstance(options, Mapping) else dict(zip(options, options, strict=True))


def _listed(options: Collection[str]) -> str:
    named = [option for option in options if option.strip()]
    return ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")
