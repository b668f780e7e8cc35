"""What the Train form holds, kept under names of our own: Streamlit forgets a widget's value when a page is left.

The *origin* is a preset or a run, which the form was filled from; the *filled* values are those that something other
than a control set last; the *values* are those of the controls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st

from aquadash.config import RunConfig, flatten, setting, with_values
from aquadash.errors import ConfigError
from aquadash.presets import PRESETS
from aquadash.ui import datasets
from aquadash.ui import hyperparameters as fields
from aquadash.ui.lab import lab
from aquadash.work.queue import check_names

DEFAULT_PRESET = "notebook-fixed"
#: The card of the settings of a run. No address can name it.
COPY = "the copied run"

_ORIGIN = "train:origin"
_COPY = "train:copy"
_FILLED = "train:filled"
_VALUES = "train:values"
_DRAWN = "train:drawn"


@dataclass(frozen=True)
class Origin:
    """The preset or the run that the form was filled from."""

    #: Name of the preset, or id of the run.
    name: str
    title: str
    config: RunConfig
    run: bool = False
    #: Sentences about the settings of the run that cannot be used here.
    lost: tuple[str, ...] = ()


def key(name: str) -> str:
    """The key of a setting's widget; of the data set that of the app's choice."""
    return "source" if name == "data.source" else f"set:{name}"


def preset(name: str) -> Origin:
    """A preset as an origin, with as many epochs as the visitor may train for."""
    return Origin(name, PRESETS[name].title, allowed(PRESETS[name].config))


def allowed(config: RunConfig) -> RunConfig:
    """The settings with as many epochs as the visitor may train for."""
    epochs = lab().limits.within_epochs(config.training.epochs)
    return config if epochs == config.training.epochs else with_values(config, {"training.epochs": epochs})


def origin() -> Origin:
    """What the form was last filled from; fills it from the address's preset, or the default one, the first time."""
    if _ORIGIN not in st.session_state:
        # Already here, because changes in the address are made to it before the cards are drawn.
        named = st.query_params.get("preset")
        fill(preset(named if named in PRESETS else DEFAULT_PRESET))
    found: Origin = st.session_state[_ORIGIN]
    return found


def copied_run() -> Origin | None:
    """The run that the form was last filled from, also while a preset has taken its place."""
    found: Origin | None = st.session_state.get(_COPY)
    return found


def fill(new: Origin, config: RunConfig | None = None) -> None:
    """Set every control: to the origin's settings, or to ``config`` where those were changed on the way.

    A preset leaves the data set as it is.
    """
    values = flatten(config or new.config)
    if not new.run:
        values["data.source"] = datasets.current()
    st.session_state[_ORIGIN] = new
    if new.run:
        st.session_state[_COPY] = new
    st.session_state[_FILLED] = {}
    st.session_state[_VALUES] = {}
    put(values)


def compare_with(new: Origin) -> None:
    """Tell the changes against this origin from now on; the controls stay."""
    st.session_state[_ORIGIN] = new


def apply(changes: Mapping[str, Any]) -> None:
    """Set some controls, by dotted names, to values, which may be text; made for a button's callback.

    Raises:
        AquaDashError: A name or a value is not possible; then nothing is changed.
    """
    flat = flatten(with_values(config(), changes))
    put({name: flat[name] for name in changes})


def put(values: Mapping[str, Any]) -> None:
    """Set some settings to values that are of their kind; what the changes are told against stays."""
    for name, value in values.items():
        st.session_state[_FILLED][name] = st.session_state[_VALUES][name] = value
        st.session_state[key(name)] = _widget_value(name, value)


def values() -> tuple[dict[str, Any], dict[str, str]]:
    """All settings as the controls say, and why those that cannot be read kept their last value: name to message."""
    origin()
    held: dict[str, Any] = st.session_state[_VALUES]
    problems: dict[str, str] = {}
    for name, last in held.items():
        typed = st.session_state.get(key(name), _widget_value(name, last))
        if setting(name).kind is not tuple:
            held[name] = last if typed is None else typed
        elif typed != fields.field_text(last):
            try:
                held[name] = fields.read(name, typed)
            except ConfigError as error:
                problems[name] = str(error)
    return dict(held), problems


def config() -> RunConfig:
    """The settings of a run as the form says, hidden ones as they were filled.

    Raises:
        AquaDashError: They do not go together.
    """
    held, _ = values()
    effective = fields.effective(held)
    return with_values(RunConfig(), held | {name: st.session_state[_FILLED][name] for name in held.keys() - effective})


def check(config: RunConfig) -> None:
    """Refuse settings from outside that name what is not here, or what the visitor may not use.

    Raises:
        AquaDashError: Which, and why.
    """
    check_names(config)
    lab().data.require(config.data.source)


@contextmanager
def controls() -> Iterator[None]:
    """Around the drawing of the controls, each of which calls :func:`prepare` first.

    The session forgets what it holds under the key of a setting without a control: once its control is drawn and taken
    away again, Streamlit would bring that old value back.
    """
    st.session_state[_DRAWN] = set()
    yield
    for name in st.session_state[_VALUES]:
        if name not in st.session_state[_DRAWN] and name != "data.source" and key(name) in st.session_state:
            del st.session_state[key(name)]


def prepare(name: str) -> None:
    """Give a setting's control its value, before it is drawn."""
    st.session_state[_DRAWN].add(name)
    st.session_state.setdefault(key(name), _widget_value(name, st.session_state[_VALUES][name]))


def _widget_value(name: str, value: Any) -> Any:
    return fields.field_text(value) if setting(name).kind is tuple else value
