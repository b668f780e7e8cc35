"""The form that starts a search: from what, over which settings and between what, by which strategy, for how long."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aquadash.augment import embedded
from aquadash.config import RunConfig, SearchRange, Value, setting, with_values
from aquadash.data import is_here, title_of
from aquadash.errors import AquaDashError
from aquadash.presets import PRESETS
from aquadash.runs.cost import STARTING_SECONDS
from aquadash.search import PRUNERS, SAMPLERS, Budget, SearchParameter, SearchPlan, default_space, parse, suggested
from aquadash.search.plan import MAX_MINUTES, MAX_TRIALS
from aquadash.search.space import separator
from aquadash.ui import bound, datasets, inputs, shell
from aquadash.ui import hyperparameters as fields
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, duration, plain
from aquadash.ui.train import form_state

#: The entry of the menu for what the form of a single training holds.
THE_FORM = "form"

#: What the form holds, kept under a name of our own: Streamlit forgets a widget's value when a page is left.
_VALUES = "search:values"
_LAUNCHES = "search:launches"

#: Trials are short, and poor ones end early: that finds as good settings in a fraction of the time.
_DEFAULTS: dict[str, str | int | float] = {
    "sampler": "tpe",
    "pruner": "median",
    "trials": 12,
    "epochs": 15,
    "minutes": 0.0,
    "seed": 0,
}


@shell.live(None)
def search_form() -> None:
    """Draw the form; a launch puts the new search into the address and draws the page again."""
    with shell.guard():
        origin, config = _start()
        space = space_fields(config, origin=origin)
        trials, config = _size(config)
        estimate, bar = st.container(), st.container(key="launch-bar")
        with st.expander("Advanced", icon="⚙️", key="search:advanced"):
            name = inputs.text_input("Name (optional)", key=f"search:name:{_launches()}", max_chars=80)
            sampler, pruner = _strategies()
            minutes, seed = _limits()
        plan = None
        with estimate, shell.guard():
            if space is not None:
                budget = Budget(trials, minutes)
                plan = SearchPlan(config, space, sampler, pruner, budget, seed, name).checked()
                st.caption(f"⏱️ {estimate_text(plan)}")
        with bar, shell.guard():
            here = is_here(config.data.source)
            pressed = st.button(
                "Search", key="search:launch", type="primary", icon="🔭", width="stretch", disabled=not (plan and here)
            )
            if pressed and plan is not None:
                _launch(plan)


HELP = (
    "The first training has the settings to start from, so that you see whether the search beats them. All are "
    "compared on the same validation images; test images are never looked at."
)


def estimate_text(plan: SearchPlan) -> str:
    """What the search will do and how long that takes at most, in markdown."""
    most, minutes = plan.max_trials, plan.budget.minutes
    told = f"{'' if most is None else f'{most} × '}{count(plan.epochs, 'epoch')}"
    known = lab().runs.paces().known(embedded(plan.config))
    limits = [60 * minutes] if minutes is not None else []
    if known is not None and most is not None:
        limits.append(most * (STARTING_SECONDS + plan.epochs * known[0]))
    if not limits:
        return f"{told}; the first trial shows how long"
    return f"{told}, at most **{duration(min(limits))}**"


def _launches() -> int:
    launches: int = st.session_state.setdefault(_LAUNCHES, 0)
    return launches


def _start() -> tuple[str, RunConfig]:
    """The menu of the settings to start from; returns where they come from and what they are."""
    titles = {name: preset.title for name, preset in PRESETS.items()} | {THE_FORM: "As under “One training”"}
    origin = bound.menu(
        "base", titles, label="Start from", default=form_state.DEFAULT_PRESET, help=f"{term('search')} {HELP}"
    )
    source = datasets.current()
    if not is_here(source):
        st.info(f"{plain(title_of(source))} is not on this computer yet. The Data page can fetch it.", icon="📦")
    config = PRESETS[origin].config if origin in PRESETS else form_state.config()
    return origin, form_state.allowed(with_values(config, {"data.source": source}))


def _size(config: RunConfig) -> tuple[int, RunConfig]:
    """How many trials, and the settings with as many epochs as each may take."""
    trials_column, epochs_column = st.columns(2, vertical_alignment="bottom")
    for name in ("trials", "epochs"):
        _prepare(name)
    with trials_column:
        trials = inputs.number_input(
            "Trials", 2, MAX_TRIALS, key="search:trials", help=f"{term('trial')} {term('budget')}"
        )
    with epochs_column:
        limits = fields.number("training.epochs")
        epochs = inputs.number_input(
            "Epochs per trial",
            int(limits.low),
            int(limits.high),
            key="search:epochs",
            help="At most. Short trials tell good settings from poor ones; train the best for longer afterwards.",
        )
    _keep(trials=trials, epochs=epochs)
    return int(trials), form_state.allowed(
        with_values(config, {"training.epochs": min(int(epochs), config.training.epochs)})
    )


def _strategies() -> tuple[str, str]:
    for name in ("sampler", "pruner"):
        _prepare(name)
    told = "\n".join(f"- **{one.title}**: {one.help}" for one in SAMPLERS.values())
    sampler = inputs.selectbox(
        "Sampler",
        list(SAMPLERS),
        key="search:sampler",
        format_func=lambda name: SAMPLERS[name].title,
        help=f"{term('sampler')} {term('TPE')}\n\n{told}",
    )
    told = "\n".join(f"- **{one.title}**: {one.help}" for one in PRUNERS.values())
    pruner = inputs.selectbox(
        "Stop poor trials early",
        list(PRUNERS),
        key="search:pruner",
        format_func=lambda name: PRUNERS[name].title,
        help=f"{term('pruning')}\n\n{told}",
    )
    _keep(sampler=sampler, pruner=pruner)
    return sampler, pruner


def _limits() -> tuple[float | None, int]:
    for name in ("minutes", "seed"):
        _prepare(name)
    first, second = st.columns(2, vertical_alignment="bottom")
    with first:
        minutes = inputs.number_input(
            "Minutes",
            0.0,
            MAX_MINUTES,
            step=5.0,
            format="%g",
            key="search:minutes",
            help="No trial starts after so many minutes; those under way are finished. 0 sets no limit.",
        )
    with second:
        seed = inputs.number_input(
            "Seed",
            0,
            2**32 - 1,
            key="search:seed",
            help="Decides which values are tried. Each training keeps its own seed.",
        )
    _keep(minutes=minutes, seed=seed)
    return float(minutes) or None, int(seed)


def _prepare(name: str) -> None:
    """Give a widget the value that it had when the page was left."""
    held = st.session_state.setdefault(_VALUES, dict(_DEFAULTS))
    st.session_state.setdefault(f"search:{name}", held[name])


def _keep(**values: str | int | float) -> None:
    st.session_state[_VALUES].update(values)


def _launch(plan: SearchPlan) -> None:
    search_id = shell.launch_once("search:launched-at", lambda: lab().searches.start(plan))
    if search_id is None:
        return
    st.session_state[_LAUNCHES] = _launches() + 1
    st.query_params["search"] = search_id
    st.rerun()


_OVER = "search:over"
#: What the fields hold, kept under names of our own: Streamlit forgets a widget's value when a page is left.
_CHOSEN = "search:chosen"
_TEXTS = "search:texts"
_FILLED_FOR = "search:filled-for"

_PARTS = ("low", "high", "log", "values")


def space_fields(config: RunConfig, *, origin: str) -> tuple[SearchParameter, ...] | None:
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
        _fill_space(config, known)
    st.session_state.setdefault(_OVER, [name for name in st.session_state[_CHOSEN] if name in known])
    varied = ", ".join(fields.label(name) for name in st.session_state[_OVER])
    with st.expander(f"Varies {varied.lower() or 'nothing'}", icon="🎚️", key="search:values-to-try"):
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


def _fill_space(config: RunConfig, known: dict[str, SearchParameter]) -> None:
    """Set every field to what is suggested."""
    st.session_state[_CHOSEN] = [parameter.name for parameter in default_space(config)]
    st.session_state[_OVER] = list(st.session_state[_CHOSEN])
    st.session_state[_TEXTS] = {}
    for name in known:
        for part in _PARTS:
            st.session_state.pop(_space_key(name, part), None)


def _field(name: str, suggestion: SearchParameter) -> SearchParameter | None:
    """The widgets of one setting; returns what they say, None while that cannot be used."""
    texts: dict[str, str] = st.session_state[_TEXTS]
    now = parse(texts.get(name, str(suggestion)))
    values = now.values
    text = _range_field(now, values) if isinstance(values, SearchRange) else _choices_field(now.name, values)
    try:
        found = parse(f"{name}={text}")
    except AquaDashError as error:
        shell.show_error(error)
        return None
    texts[name] = str(found)
    return found


def _range_field(now: SearchParameter, values: SearchRange) -> str:
    label = fields.label(now.name)
    _, _, bounds = str(now).partition("=")
    low_text, high_text = bounds.partition(":")[0].split("..")
    for part, value in (("low", low_text), ("high", high_text), ("log", values.log)):
        st.session_state.setdefault(_space_key(now.name, part), value)
    left, right = st.columns(2)
    with left:
        low = inputs.text_input(
            f"{label}, from", key=_space_key(now.name, "low"), max_chars=20, help=fields.help_text(now.name)
        )
    with right:
        high = inputs.text_input(f"{label}, to", key=_space_key(now.name, "high"), max_chars=20)
    log = inputs.checkbox(
        f"{label}: log scale",
        key=_space_key(now.name, "log"),
        help="Gives each factor of ten the same attention, 0.001 to 0.01 as much as 0.01 to 0.1. Right for learning "
        "rates and penalties.",
    )
    return f"{low}..{high}{':log' if log else ''}"


def _choices_field(name: str, values: tuple[Value, ...]) -> str:
    label, key = fields.label(name), _space_key(name, "values")
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
    st.session_state.setdefault(key, str(SearchParameter(name, values)).partition("=")[2])
    form = "comma-separated" if separator(name) == "," else "separated by |"
    return inputs.text_input(f"{label} ({form})", max_chars=200, **common)


def _space_key(name: str, part: str) -> str:
    return f"search:{name}:{part}"
