"""Streamlit's input widgets, which begin with what the session holds.

So a browser that missed the message in which a value was set does not show another (docs/decisions.md). A widget that
is told to begin empty (``value=None``, ``index=None``) stays without: only such a one can be emptied again. All pages
take their input widgets from here. Arguments and results are Streamlit's; a default that is given counts as long as the
session holds nothing under the key.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

Widget = TypeVar("Widget", bound=Callable[..., Any])

#: From what the session holds and the widget's arguments to the argument that makes it the default; empty where the
#: widget could not begin with that, so that Streamlit deals with it.
Default = Callable[[Any, Mapping[str, Any]], dict[str, Any]]


def _beginning(widget: Widget, default: Default) -> Widget:
    """The widget with the session's value as its default."""
    signature = inspect.signature(widget)

    @functools.wraps(widget)
    def draw(*args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(*args, **kwargs).arguments
        key = arguments.get("key")
        empty = any(arguments.get(name, "") is None for name in ("value", "index"))
        if key is not None and key in st.session_state:
            if "format_func" in arguments:
                _send_new_words(key, arguments)
            if not empty:
                arguments |= default(st.session_state[key], arguments)
        return widget(**arguments)

    return draw  # type: ignore[return-value]  # Its signature is the widget's.


def _send_new_words(key: str, arguments: Mapping[str, Any]) -> None:
    """Set a choice again when what it is called has changed, such as a run's status: a browser keeps the old words."""
    value = st.session_state[key]
    if value not in list(arguments["options"]):
        return
    words = arguments["format_func"](value)
    before = st.session_state.get(f"{key} is called")
    if before not in (None, (value, words)) and before[0] == value:
        st.session_state[key] = value
    st.session_state[f"{key} is called"] = value, words


def _entry(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    options = list(arguments["options"])
    return {"index": options.index(value)} if value in options else {}


def _entries(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    options = list(arguments["options"])
    if isinstance(value, (list, tuple)):
        return {"default": [each for each in value if each in options]}
    # Nothing chosen is a choice, too.
    return {"default": value} if value is None or value in options else {}


def _places(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    options = list(arguments["options"])
    ends = value if isinstance(value, (list, tuple)) else [value]
    return {"value": value} if all(end in options for end in ends) else {}


def _number(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Streamlit refuses a default of another kind than the limits, or beyond them."""
    low, high, step = (arguments.get(name) for name in ("min_value", "max_value", "step"))
    ends = value if isinstance(value, (list, tuple)) else [value]
    kinds = {type(number) for number in (low, high, step, *ends) if number is not None}
    inside = len(kinds) == 1 and all(
        end is not None and (low is None or low <= end) and (high is None or end <= high) for end in ends
    )
    return {"value": value} if inside else {}


def _text(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    # What is typed in secret is not sent back.
    return {} if arguments.get("type") == "password" else {"value": value}


def _state(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": bool(value)}


selectbox = _beginning(st.selectbox, _entry)
radio = _beginning(st.radio, _entry)
multiselect = _beginning(st.multiselect, _entries)
segmented_control = _beginning(st.segmented_control, _entries)
pills = _beginning(st.pills, _entries)
slider = _beginning(st.slider, _number)
select_slider = _beginning(st.select_slider, _places)
number_input = _beginning(st.number_input, _number)
text_input = _beginning(st.text_input, _text)
text_area = _beginning(st.text_area, _text)
checkbox = _beginning(st.checkbox, _state)
toggle = _beginning(st.toggle, _state)


def controlled(
    widget: Callable[..., Any],
    label: str,
    *values: Any,
    stem: str,
    value: Any,
    take: Callable[[Any], object],
    **options: Any,
) -> None:
    """Draw a control of something that is kept elsewhere; ``take`` gets what a person makes of it.

    A control that is new to the browser reports its first value, which Streamlit takes for a change where the run that
    drew it was cut short by the next: that, and an emptied field, is no change.
    """
    key = _controlled_key(stem, value)

    def changed() -> None:
        held = st.session_state[key]
        if held is not None and not _same(held, value):
            take(held)

    widget(label, *values, key=key, on_change=changed, **options)


def _controlled_key(stem: str, value: Any) -> str:
    """The key of a control that is about to be drawn with a value as its default.

    A control that says so already, up to its rounding, keeps its key and the keyboard's focus. Another gets a new key:
    when the script sets the value of a control that is there, the browser may send the old one once more before it
    hears of that, which would look as if a person had set it back.
    """
    counter = f"{stem}#"
    revision = st.session_state.get(counter, 0)
    name = f"{counter}{revision}"
    if name in st.session_state and not _same(st.session_state[name], value):
        st.session_state[counter] = revision + 1
        name = f"{counter}{revision + 1}"
    return name


def _same(held: Any, value: Any) -> bool:
    if isinstance(held, tuple) and isinstance(value, tuple):
        return len(held) == len(value) and all(map(_same, held, value))
    if isinstance(held, float) and isinstance(value, float):
        return math.isclose(held, value, rel_tol=1e-9, abs_tol=1e-6)
    return bool(held == value)
