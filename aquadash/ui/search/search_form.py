"""The form that launches a search."""

from __future__ import annotations

import math
import time

import streamlit as st

from aquadash.config import RunConfig, with_values
from aquadash.data import is_here, title_of
from aquadash.errors import AquaDashError
from aquadash.presets import PRESETS
from aquadash.search import PRUNERS, SAMPLERS, Budget, SearchPlan
from aquadash.search.plan import DEFAULT_TRIALS, MAX_MINUTES, MAX_TRIALS
from aquadash.ui import bound, inputs, shell, source_menu
from aquadash.ui import hyperparameters as fields
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.search import search_space_fields
from aquadash.ui.text import count, plain
from aquadash.ui.train import form_state

#: The entry of the menu for what the form of a single training holds.
THE_FORM = "form"

#: What the form holds, kept under a name of our own: Streamlit forgets a widget's value when a page is left.
_VALUES = "search:values"
_LAUNCHES = "search:launches"
_LAUNCHED_AT = "search:launched-at"

#: A second click on the launch button within so many seconds is a double click, not a wish for two searches.
_DOUBLE_CLICK_SECONDS = 2.0

_DEFAULTS: dict[str, str | int | float] = {
    "sampler": "tpe",
    "pruner": "none",
    "trials": DEFAULT_TRIALS,
    "minutes": 0.0,
    "seed": 0,
}


@shell.live(None)
def show() -> None:
    """Draw the form; a launch puts the new search into the address and draws the page again."""
    with shell.guard():
        st.subheader("New search", anchor=False)
        st.caption(term("search"))
        origin, config = _start()
        launches = st.session_state.setdefault(_LAUNCHES, 0)
        name = inputs.text_input(
            "Name (optional)",
            key=f"search:name:{launches}",
            max_chars=80,
            placeholder="One is made up if this stays empty",
        )
        space = search_space_fields.show(config, origin=origin)
        sampler, pruner = _strategies()
        budget, seed = _budget()
        plan = None
        if space is not None:
            try:
                plan = SearchPlan(config, space, sampler, pruner, budget, seed, name).checked()
            except AquaDashError as error:
                shell.show_error(error)
        if plan is not None:
            st.markdown(summary(plan))
        here = is_here(config.data.source)
        pressed = st.button(
            "Search", key="search:launch", type="primary", icon="🔭", width="stretch", disabled=plan is None or not here
        )
        if pressed and plan is not None:
            _launch(plan)


def summary(plan: SearchPlan) -> str:
    """What the search will do, in markdown."""
    most, minutes = plan.max_trials, plan.budget.minutes
    if most is None:
        first = f"It starts trainings for **{minutes:g} minutes** and finishes those under way."
    else:
        first = f"It trains **{count(most, 'time')}**"
        first += f", or until {minutes:g} minutes are over." if minutes is not None else "."
    return (
        f"{first} The first training has the settings to start from, so that you see whether the search beats them. "
        "All are compared on the same validation images."
    )


def _start() -> tuple[str, RunConfig]:
    """The menus of the settings to start from and of the data; returns where they come from and what they are."""
    titles = {name: preset.title for name, preset in PRESETS.items()} | {THE_FORM: "The settings under “One training”"}
    origin = bound.menu("base", titles, label="Start from", default=form_state.DEFAULT_PRESET, help=term("preset"))
    values, _ = form_state.values()
    source = source_menu.choose(
        fields.label("data.source"), default=values["data.source"], help=fields.help_text("data.source")
    )
    if not is_here(source):
        st.info(f"{plain(title_of(source))} is not on this computer yet. The Data page can fetch it.", icon="📦")
    config = PRESETS[origin].config if origin in PRESETS else form_state.config()
    return origin, form_state.allowed(with_values(config, {"data.source": source}))


def _strategies() -> tuple[str, str]:
    for name in ("sampler", "pruner"):
        _prepare(name)
    sampler = inputs.selectbox(
        "Sampler",
        list(SAMPLERS),
        key="search:sampler",
        format_func=lambda name: SAMPLERS[name].title,
        help=f"{term('sampler')}\n\n{term('TPE')}",
    )
    st.caption(plain(SAMPLERS[sampler].help))
    pruner = inputs.selectbox(
        "Stop poor trials early",
        list(PRUNERS),
        key="search:pruner",
        format_func=lambda name: PRUNERS[name].title,
        help=term("pruning"),
    )
    st.caption(plain(PRUNERS[pruner].help))
    _keep(sampler=sampler, pruner=pruner)
    return sampler, pruner


def _budget() -> tuple[Budget, int]:
    for name in ("trials", "minutes", "seed"):
        _prepare(name)
    first, second, third = st.columns(3, vertical_alignment="bottom")
    with first:
        trials = inputs.number_input(
            "Trials", 2, MAX_TRIALS, key="search:trials", help=f"{term('trial')} {term('budget')}"
        )
    with second:
        minutes = inputs.number_input(
            "Minutes",
            0.0,
            MAX_MINUTES,
            step=5.0,
            format="%g",
            key="search:minutes",
            help="No trial starts after so many minutes; those under way are finished. 0 sets no limit.",
        )
    with third:
        seed = inputs.number_input(
            "Seed",
            0,
            2**32 - 1,
            key="search:seed",
            help="Decides which values are tried. Each training keeps its own seed.",
        )
    _keep(trials=trials, minutes=minutes, seed=seed)
    return Budget(int(trials), float(minutes) or None), int(seed)


def _prepare(name: str) -> None:
    """Give a widget the value that it had when the page was left."""
    held = st.session_state.setdefault(_VALUES, dict(_DEFAULTS))
    st.session_state.setdefault(f"search:{name}", held[name])


def _keep(**values: str | int | float) -> None:
    st.session_state[_VALUES].update(values)


def _launch(plan: SearchPlan) -> None:
    now = time.monotonic()
    if now - st.session_state.get(_LAUNCHED_AT, -math.inf) < _DOUBLE_CLICK_SECONDS:
        return
    st.session_state[_LAUNCHED_AT] = now
    try:
        with st.spinner("Launching ..."):
            search_id = lab().searches.start(plan)
    except Exception:
        # A second try at once is no double click.
        del st.session_state[_LAUNCHED_AT]
        raise
    st.session_state[_LAUNCHES] += 1
    st.query_params["search"] = search_id
    st.rerun()
