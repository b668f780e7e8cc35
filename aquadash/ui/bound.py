"""Widgets whose values are in the address: one call restores the value, draws the widget and records what it holds.

The first argument is the name in the address, and the widget's key. The address holds words, numbers, ``1`` for
on, ``50-90`` for an interval, and several words with commas between; a default is left out of it, and what cannot be
used gives a note and the default. A widget can be drawn ``into`` another part of the page, such as a popover that
draws the page again when it is opened (``on_change="rerun"``): one without would undo what its widgets are given from
outside, see :func:`draw`. Other arguments are handed on to the widget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.ui import address, inputs
from aquadash.ui.address import Number

Widget = Callable[..., Any]


def in_sight(into: DeltaGenerator | None) -> bool:
    """Whether a part of the page can be seen: not where it is a popover that is known to be closed."""
    return getattr(into, "open", None) is not False


def draw(name: str, widget: Widget, *given: Any, into: DeltaGenerator | None = None, **arguments: Any) -> Any:
    """Draw the widget of a name after :func:`aquadash.ui.address.restore`, but for one in a closed popover.

    Streamlit's browser has no widgets in a closed popover, so it takes no new value for them, and sends the one that
    they had with whatever is clicked next.

    Args:
        name: In the address, and the widget's key.
        into: Where it is drawn, if not here.
        arguments: More for the widget.

    Returns:
        What the widget says, or would say.
    """
    if not in_sight(into):
        return st.session_state[name]
    with into or nullcontext():
        return widget(*given, key=name, **arguments)


def menu(
    name: str,
    options: Mapping[str, str] | Sequence[str],
    *,
    label: str,
    default: str | None = None,
    stated: bool = False,
    widget: Widget = inputs.selectbox,
    **arguments: Any,
) -> str:
    """One of some words, in a menu.

    Args:
        name: In the address, and the widget's key.
        options: The words; a mapping gives each its title.
        default: None for the first word.
        stated: Whether the default stands in the address, too.
        arguments: More for :func:`draw`.
    """
    titles = _titles(options)
    default = next(iter(titles)) if default is None else default
    address.choice(name, list(titles), default=default)
    word = str(draw(name, widget, label, list(titles), format_func=titles.__getitem__, **arguments))
    address.record(name, word, default="" if stated else default)
    return word


def id_menu(name: str, titles: Mapping[str, str], *, label: str, expected: str, **arguments: Any) -> str:
    """:func:`menu` of things with ids, the first the default; the address may hold the beginning of an id.

    What is no longer among them is forgotten without a word, for the choice of other things may have taken it away.
    """
    address.restore(name, lambda text: address.one_id(text, titles), default=next(iter(titles)), expected=expected)
    return menu(name, titles, label=label, **arguments)


def choice(
    name: str,
    options: Mapping[str, str] | Sequence[str],
    *,
    label: str,
    widget: Widget = inputs.segmented_control,
    **arguments: Any,
) -> str:
    """:func:`menu` with all words in view, as buttons of which one is pressed."""
    return menu(name, options, label=label, widget=widget, required=True, **arguments)


def choices(
    name: str,
    options: Mapping[str, str] | Sequence[str],
    *,
    label: str,
    default: Sequence[str] = (),
    ignored: Sequence[str] = (),
    expected: str = "",
    widget: Widget = inputs.multiselect,
    **arguments: Any,
) -> list[str]:
    """Several of some words, at first the default ones; the arguments are those of :func:`menu`.

    Words that are ``ignored`` may stand in the address and mean nothing.
    """
    titles = _titles(options)
    most = arguments.get("max_selections")
    address.choices(name, list(titles), default=default, most=most, ignored=ignored, expected=expected)
    words = list(draw(name, widget, label, list(titles), format_func=titles.__getitem__, **arguments))
    address.record(name, ",".join(words), default=",".join(default))
    return words


def number(
    name: str,
    low: Number,
    high: Number,
    *,
    label: str,
    default: Number,
    clamp: bool = False,
    widget: Widget = inputs.number_input,
    **arguments: Any,
) -> Number:
    """A number from ``low`` to ``high``, whole if these are; ``clamp`` takes the nearest for one outside."""
    address.number(name, default=default, low=low, high=high, clamp=clamp)
    value: Number = draw(name, widget, label, low, high, **arguments)
    form = "d" if isinstance(value, int) else "g"
    address.record(name, f"{value:{form}}", default=f"{default:{form}}")
    return value


def slider(name: str, low: Number, high: Number, *, label: str, default: Number, **arguments: Any) -> Number:
    """:func:`number` with a handle."""
    return number(name, low, high, label=label, default=default, widget=inputs.slider, **arguments)


def interval(name: str, low: int, high: int, *, label: str, **arguments: Any) -> tuple[int, int]:
    """A slider with two ends, at first the whole from ``low`` to ``high``."""
    address.interval(name, low, high)
    first, last = draw(name, inputs.slider, label, low, high, **arguments)
    address.record(name, f"{first}-{last}", default=f"{low}-{high}")
    return first, last


def toggle(name: str, *, label: str, **arguments: Any) -> bool:
    """A switch, at first off."""
    address.restore(name, lambda text: bool(("0", "1").index(text)), default=False, expected="0 or 1")
    on: bool = draw(name, inputs.toggle, label, **arguments)
    address.record(name, str(int(on)), default="0")
    return on


def text(name: str, *, label: str, longest: int, **arguments: Any) -> str:
    """A line to type into, of at most ``longest`` characters; at first empty."""

    def decode(typed: str) -> str:
        if len(typed) > longest:
            raise ValueError(typed)
        return typed

    address.restore(name, decode, default="", expected=f"at most {longest} characters")
    typed: str = draw(name, inputs.text_input, label, max_chars=longest, **arguments)
    address.record(name, typed, default="")
    return typed


def _titles(options: Mapping[str, str] | Sequence[str]) -> Mapping[str, str]:
    return options if isinstance(options, Mapping) else dict(zip(options, options, strict=True))
