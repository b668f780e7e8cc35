"""Streamlit's input widgets with the session's value as their default (STREAMLIT.md, "Values that the session sets").

All pages take their input widgets from here. Arguments and results are Streamlit's. A widget that begins empty
(``value=None``, ``index=None``) keeps that: only such a widget can be emptied again.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

Widget = TypeVar("Widget", bound=Callable[..., Any])

#: The session's value and the widget's arguments to the argument for the default; empty if the value cannot be one.
Default = Callable[[Any, Mapping[str, Any]], dict[str, Any]]


def _beginning(widget: Widget, default: Default) -> Widget:
    """Return the widget with the session's value as its default."""
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

    return draw  # type: ignore[return-value]


def _send_new_words(key: str, arguments: Mapping[str, Any]) -> None:
    """Set a choice again if its words have changed, such as a run's status: a browser keeps the old words."""
    value = st.session_state[key]
    options = list(arguments["options"])
    chosen = [each for each in (value if isinstance(value, (list, tuple)) else [value]) if each in options]
    words = {each: arguments["format_func"](each) for each in chosen}
    before = st.session_state.get(f"{key} is called", {})
    if any(before.get(each, word) != word for each, word in words.items()):
        st.session_state[key] = value
    st.session_state[f"{key} is called"] = words


def _entry(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    options = list(arguments["options"])
    return {"index": options.index(value)} if value in options else {}


def _entries(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    options = list(arguments["options"])
    if isinstance(value, (list, tuple)):
        return {"default": [each for each in value if each in options]}
    # None means that nothing is chosen.
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


def _itself(value: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    # A password is not sent back to the browser.
    return {} if arguments.get("type") == "password" else {"value": value}


selectbox = _beginning(st.selectbox, _entry)
radio = _beginning(st.radio, _entry)
multiselect = _beginning(st.multiselect, _entries)
segmented_control = _beginning(st.segmented_control, _entries)
pills = _beginning(st.pills, _entries)
slider = _beginning(st.slider, _number)
select_slider = _beginning(st.select_slider, _places)
number_input = _beginning(st.number_input, _number)
text_input = _beginning(st.text_input, _itself)
text_area = _beginning(st.text_area, _itself)
checkbox = _beginning(st.checkbox, _itself)
toggle = _beginning(st.toggle, _itself)


def render_controlled(
    widget: Callable[..., Any],
    label: str,
    *limits: Any,
    stem: str,
    value: Any,
    take: Callable[[Any], object],
    **options: Any,
) -> None:
    """Draw a control of a value stored elsewhere, within ``limits`` or of a menu; ``take`` gets a person's change."""
    key = _controlled_key(stem, value)

    def changed() -> None:
        # An emptied field is no change, nor the first report of a new control (STREAMLIT.md).
        held = st.session_state[key]
        if held is not None and not _same(held, value):
            take(held)

    start = limits[0].index(value) if widget is selectbox else value
    widget(label, *limits, start, key=key, on_change=changed, **options)


def _controlled_key(stem: str, value: Any) -> str:
    """Return a control's key; a new one if the script has changed the value, which the browser could undo."""
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
