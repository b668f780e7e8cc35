"""The values of the Train form, stored under keys of their own (STREAMLIT.md, "Widgets that leave the page").

The *origin* is the preset or run that filled the form; *filled* values were last set by something other than a control;
*values* are those of the controls.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st

from aquadash.config import RunConfig, flatten, setting, with_values
from aquadash.errors import ConfigError
from aquadash.presets import PRESETS
from aquadash.ui.kit import datasets
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.lab import lab
from aquadash.work.queue import check_names

DEFAULT_PRESET = "notebook-fixed"
#: The card of a cloned run; no address can name it.
COPY = "the copied run"

_ORIGIN = "train:origin"
_COPY = "train:copy"
_FILLED = "train:filled"
_VALUES = "train:values"
_DRAWN = "train:drawn"


@dataclass(frozen=True)
class Origin:
    """The preset or the run that filled the form."""

    #: Name of the preset or id of the run.
    name: str
    title: str
    config: RunConfig
    run: bool = False
    #: Sentences about the settings of the run that cannot be used here.
    lost: tuple[str, ...] = ()


def key(name: str) -> str:
    """Return the key of a setting's widget; the data set's is that of the app's menu."""
    return "source" if name == "data.source" else f"set:{name}"


def preset(name: str) -> Origin:
    """Return a preset as an origin, in a class with the student's seed and within the class's limit of epochs."""
    return Origin(name, PRESETS[name].title, lab().limits.fitted(PRESETS[name].config))


def allowed(config: RunConfig) -> RunConfig:
    """Return the settings with at most the visitor's maximum of epochs."""
    epochs = lab().limits.within_epochs(config.training.epochs)
    return config if epochs == config.training.epochs else with_values(config, {"training.epochs": epochs})


def origin() -> Origin:
    """Return the origin; the first call fills the form from the address's or the default preset."""
    if _ORIGIN not in st.session_state:
        # The form must be filled before the preset's cards are drawn.
        named = st.query_params.get("preset")
        fill(preset(named if named in PRESETS else DEFAULT_PRESET))
    origin: Origin = st.session_state[_ORIGIN]
    return origin


def copied_run() -> Origin | None:
    """Return the run cloned last, also after a preset was chosen."""
    copied: Origin | None = st.session_state.get(_COPY)
    return copied


def fill(new: Origin, config: RunConfig | None = None) -> None:
    """Set all controls to ``config`` or the origin's settings; a preset leaves the data set."""
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
    """Show changes relative to this origin from now on; the controls stay."""
    st.session_state[_ORIGIN] = new


def apply(changes: Mapping[str, Any]) -> None:
    """Set some controls in a callback, values may be text; refuses all if one is impossible."""
    flat = flatten(with_values(config(), changes))
    put({name: flat[name] for name in changes})


def put(values: Mapping[str, Any]) -> None:
    """Set some settings to values of their kind; the origin stays."""
    for name, value in values.items():
        st.session_state[_FILLED][name] = st.session_state[_VALUES][name] = value
        st.session_state[key(name)] = _widget_value(name, value)


def values() -> tuple[dict[str, Any], dict[str, str]]:
    """Return the controls' settings, and the errors by name of those that kept their last value."""
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
    """Return the form's settings as a config, hidden ones as filled; refuses settings that conflict."""
    held, _ = values()
    effective = fields.effective(held)
    return with_values(RunConfig(), held | {name: st.session_state[_FILLED][name] for name in held.keys() - effective})


def check(config: RunConfig) -> None:
    """Refuse settings that name something missing, or that the visitor may not use."""
    check_names(config)
    lab().data.require(config.data.source)


@contextmanager
def controls() -> Iterator[None]:
    """Around the controls: delete the session's keys of those not drawn, which Streamlit would restore."""
    st.session_state[_DRAWN] = set()
    yield
    for name in st.session_state[_VALUES]:
        if name not in st.session_state[_DRAWN] and name != "data.source" and key(name) in st.session_state:
            del st.session_state[key(name)]


def prepare(name: str) -> None:
    """Set the value of a setting's control before it is drawn."""
    st.session_state[_DRAWN].add(name)
    st.session_state.setdefault(key(name), _widget_value(name, st.session_state[_VALUES][name]))


def _widget_value(name: str, value: Any) -> Any:
    return fields.field_text(value) if setting(name).kind is tuple else value
