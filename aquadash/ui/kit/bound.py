"""Widgets bound to the address: one call syncs the value and draws the widget.

Values are words, numbers, ``1`` for on, ``50-90`` for an interval, words with commas between. The first argument of a
widget is its key and query parameter; others go to the widget. The default is left out of the address, unless
``omitted`` is empty. A widget can be drawn ``into`` another part of the page; a popover there needs
``on_change="rerun"`` (STREAMLIT.md, "Closed popovers").
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, TypeVar

from aquadash.ui.kit import address, inputs
from aquadash.ui.kit.address import Codec

Number = TypeVar("Number", int, float)

Options = Mapping[str, str] | Sequence[str]


def one_of(options: Collection[str]) -> Codec[str]:
    """One of some words."""
    return Codec(_listed(options), str, str, {each: each for each in options}.__getitem__)


def id_of(ids: Collection[str], *, expected: str) -> Codec[str]:
    """One of some ids; the address may hold its beginning."""

    def parse(text: str) -> str:
        [match] = [each for each in ids if text and each.startswith(text)]
        return match

    return replace(one_of(ids), expected=expected, parse=parse)


def several_of(options: Collection[str], *, most: int | None = None, ignored: Collection[str] = ()) -> Codec[list[str]]:
    """Several of some words, at most ``most``; the ``ignored`` words are dropped without a note."""
    # An option may contain commas: try the longest first.
    words = [re.escape(word) for word in sorted((*options, *ignored), key=len, reverse=True)]
    pattern = re.compile(f"(?:{'|'.join([*words, '[^,]+'])})(?=,|$)")
    return Codec(
        f"{'some' if most is None else f'at most {most}'} of {_listed(options)}",
        lambda text: [word for word in dict.fromkeys(pattern.findall(text)) if word not in ignored],
        ",".join,
        lambda held: [word for word in held if word in options][:most],
    )


def number_in(low: Number, high: Number, *, clamp: bool = False) -> Codec[Number]:
    """A number from ``low`` to ``high``, whole if these are; ``clamp`` moves one outside to the nearest end."""
    kind = type(low)
    whole, form = ("whole ", "d") if kind is int else ("", "g")

    def nearest(held: float) -> Number:
        return min(max(kind(held), low), high)

    def parse(text: str) -> Number:
        number = kind(text) if len(text) <= 20 else high + 1
        return nearest(number) if clamp else number

    return Codec(f"a {whole}number from {low:,} to {high:,}", parse, lambda value: f"{value:{form}}", nearest)


def interval_in(low: int, high: int) -> Codec[tuple[int, int]]:
    """Two whole numbers from ``low`` to ``high``, the lower first."""

    def parse(text: str) -> tuple[int, int]:
        [(first, last)] = re.findall(r"\A([0-9]{1,9})-([0-9]{1,9})\Z", text)
        return int(first), int(last)

    return Codec(
        f"two numbers from {low} to {high}, the lower first, such as {low}-{high}",
        parse,
        lambda ends: f"{ends[0]}-{ends[1]}",
        lambda ends: (min(max(ends[0], low), high), min(max(*ends, low), high)),
    )


ON_OR_OFF = Codec("0 or 1", lambda text: bool(("0", "1").index(text)), lambda on: str(int(on)), bool)


def _bound(name: str, codec: Codec[Any], own: dict[str, Any], **usual: Any) -> Any:
    """Draw a widget, unless its popover is closed, and return its value; the caller's ``own`` arguments come first."""
    arguments = usual | own
    of_address = {each: arguments.pop(each) for each in ("default", "omitted", "follows") if each in arguments}
    value = address.sync(name, codec, **of_address)
    widget, into = arguments.pop("widget"), arguments.pop("into", None)
    if getattr(into, "open", None) is False:
        return value
    with into or nullcontext():
        return widget(key=name, **arguments)


def menu(name: str, options: Options, *, codec: Codec[str] | None = None, **arguments: Any) -> str:
    """Draw a menu of words, or of the titles in a mapping; the default is the first word."""
    titles = _titles(options)
    usual = {"widget": inputs.selectbox, "default": next(iter(titles)), "format_func": titles.__getitem__}
    return str(_bound(name, codec or one_of(titles), arguments, options=list(titles), **usual))


def choice(name: str, options: Options, **arguments: Any) -> str:
    """Draw a :func:`menu` as a row of buttons."""
    usual: dict[str, Any] = {"widget": inputs.segmented_control, "required": True}
    return menu(name, options, **usual | arguments)


def choices(name: str, options: Options, *, codec: Codec[list[str]] | None = None, **arguments: Any) -> list[str]:
    """Draw a menu of which several words can be chosen; by default none is."""
    titles = _titles(options)
    codec = codec or several_of(titles, most=arguments.get("max_selections"))
    usual = {"widget": inputs.multiselect, "default": [], "format_func": titles.__getitem__}
    return list(_bound(name, codec, arguments, options=list(titles), **usual))


def number(name: str, low: Number, high: Number, *, clamp: bool = False, **arguments: Any) -> Number:
    """Draw a field for a number from ``low`` to ``high``; see :func:`number_in`."""
    codec = number_in(low, high, clamp=clamp)
    value: Number = _bound(name, codec, arguments, widget=inputs.number_input, min_value=low, max_value=high)
    return value


def slider(name: str, low: Number, high: Number, **arguments: Any) -> Number:
    """Draw a :func:`number` as a slider."""
    return number(name, low, high, widget=inputs.slider, **arguments)


def interval(name: str, low: int, high: int, **arguments: Any) -> tuple[int, int]:
    """Draw a slider with two ends; the default is from ``low`` to ``high``."""
    usual = {"widget": inputs.slider, "default": (low, high), "min_value": low, "max_value": high}
    first, last = _bound(name, interval_in(low, high), arguments, **usual)
    return first, last


def toggle(name: str, **arguments: Any) -> bool:
    """Draw a switch that is off by default."""
    return bool(_bound(name, ON_OR_OFF, arguments, widget=inputs.toggle, default=False))


def text(name: str, *, longest: int, **arguments: Any) -> str:
    """Draw a field for a text of at most ``longest`` characters."""
    codec = Codec[str](f"at most {longest} characters", str, str, lambda held: held[:longest])
    return str(_bound(name, codec, arguments, widget=inputs.text_input, default="", max_chars=longest))


def _titles(options: Options) -> Mapping[str, str]:
    return options if isinstance(options, Mapping) else dict(zip(options, options, strict=True))


def _listed(options: Collection[str]) -> str:
    named = [option for option in options if option.strip()]
    return ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")
