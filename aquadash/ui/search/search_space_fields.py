"""The part of the search form that says which settings vary, and between what."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aquadash.config import Range, RunConfig, Value, setting
from aquadash.errors import AquaDashError
from aquadash.search import Parameter, default_space, parse, suggested
from aquadash.search.space import separator
from aquadash.ui import hyperparameters as fields
from aquadash.ui import inputs, shell
from aquadash.ui.glossary import term
from aquadash.ui.text import plain

_OVER = "search:over"
#: What the fields hold, kept under names of our own: Streamlit forgets a widget's value when a page is left.
_CHOSEN = "search:chosen"
_TEXTS = "search:texts"
_FILLED_FOR = "search:filled-for"

_PARTS = ("low", "high", "log", "values")


def show(config: RunConfig, *, origin: str) -> tuple[Parameter, ...] | None:
    """Draw the choice of settings and a field for each.

    Args:
        config: The settings to start from.
        origin: Where those come from; another origin or network fills the fields anew.

    Returns:
        The space; None while a field cannot be read.
    """
    known = suggested(config)
    if st.session_state.get(_FILLED_FOR) != (origin, config.model.name):
        st.session_state[_FILLED_FOR] = (origin, config.model.name)
        _fill(config, known)
    st.session_state.setdefault(_OVER, [name for name in st.session_state[_CHOSEN] if name in known])
    names = inputs.multiselect(
        "Settings to vary",
        list(known),
        key=_OVER,
        format_func=fields.label,
        placeholder="Choose at least one",
        help=f"{term('hyperparameter')} Each more needs more trials: begin with two to four.",
    )
    st.session_state[_CHOSEN] = names
    space = [_field(name, known[name]) for name in names]
    found = tuple(parameter for parameter in space if parameter is not None)
    return found if len(found) == len(space) else None


def _fill(config: RunConfig, known: dict[str, Parameter]) -> None:
    """Set every field to what is suggested."""
    st.session_state[_CHOSEN] = [parameter.name for parameter in default_space(config)]
    st.session_state[_OVER] = list(st.session_state[_CHOSEN])
    st.session_state[_TEXTS] = {}
    for name in known:
        for part in _PARTS:
            st.session_state.pop(_key(name, part), None)


def _field(name: str, suggestion: Parameter) -> Parameter | None:
    """The widgets of one setting; returns what they say, None while that cannot be used."""
    texts: dict[str, str] = st.session_state[_TEXTS]
    now = parse(texts.get(name, str(suggestion)))
    values = now.values
    text = _range_field(now, values) if isinstance(values, Range) else _choices_field(now.name, values)
    try:
        found = parse(f"{name}={text}")
    except AquaDashError as error:
        shell.show_error(error)
        return None
    texts[name] = str(found)
    return found


def _range_field(now: Parameter, values: Range) -> str:
    label = fields.label(now.name)
    _, _, bounds = str(now).partition("=")
    low_text, high_text = bounds.partition(":")[0].split("..")
    for part, value in (("low", low_text), ("high", high_text), ("log", values.log)):
        st.session_state.setdefault(_key(now.name, part), value)
    left, right = st.columns(2)
    with left:
        low = inputs.text_input(
            f"{label}, from", key=_key(now.name, "low"), max_chars=20, help=fields.help_text(now.name)
        )
    with right:
        high = inputs.text_input(f"{label}, to", key=_key(now.name, "high"), max_chars=20)
    log = inputs.checkbox(
        f"{label}: log scale",
        key=_key(now.name, "log"),
        help="Gives each factor of ten the same attention, 0.001 to 0.01 as much as 0.01 to 0.1. Right for learning "
        "rates and penalties.",
    )
    return f"{low}..{high}{':log' if log else ''}"


def _choices_field(name: str, values: tuple[Value, ...]) -> str:
    label, key = fields.label(name), _key(name, "values")
    common: dict[str, Any] = {"key": key, "help": fields.help_text(name)}
    if setting(name).kind is bool:
        st.caption(f"**{plain(label)}**: no or yes", help=common["help"])
        return "no,yes"
    if known := fields.choices(name):
        options = list(dict.fromkeys([*known, *map(str, values)]))
        st.session_state.setdefault(key, list(values))
        chosen = inputs.multiselect(
            label, options, format_func=lambda option: fields.value_text(name, option), **common
        )
        return separator(name, chosen).join(chosen)
    st.session_state.setdefault(key, str(Parameter(name, values)).partition("=")[2])
    form = "comma-separated" if separator(name) == "," else "separated by |"
    return inputs.text_input(f"{label} ({form})", max_chars=200, **common)


def _key(name: str, part: str) -> str:
    return f"search:{name}:{part}"
