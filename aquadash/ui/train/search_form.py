"""The form that starts a search: base settings, values to try, strategy and length."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from aquadash.augment import embedded
from aquadash.config import RunConfig, SearchRange, Value, setting, with_values
from aquadash.data import is_here
from aquadash.errors import AquaDashError
from aquadash.presets import PRESETS
from aquadash.search import PRUNERS, SAMPLERS, SearchParameter, SearchPlan, default_space, parse, suggested
from aquadash.search.plan import DEFAULT_EPOCHS, DEFAULT_PRUNER, DEFAULT_TRIALS, MAX_TRIALS, Strategy
from aquadash.search.space import separator
from aquadash.training.forecast import STARTING_SECONDS
from aquadash.ui.kit import bound, datasets, form_state, inputs, shell
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, duration, mid_sentence, plain

#: The menu's entry for the settings of the form of a single training.
THE_FORM = "form"

_LAUNCHES = "search:launches"


@shell.live(None)
def search_form() -> None:
    """Draw the form; a launch puts the new search into the address and draws the page again."""
    with shell.guard():
        origin, config = _start()
        varies = st.container()
        trials, config = _size(config)
        with varies:
            # The suggested range of epochs must contain the chosen epochs per trial.
            space = space_fields(config, origin=origin)
        estimate, bar = st.container(), st.container(key="launch-bar")
        with st.expander("Advanced", icon="⚙️", key="search:advanced"):
            # Part of the key: each search has a name of its own.
            launches = st.session_state.setdefault(_LAUNCHES, 0)
            name = _kept(inputs.text_input, "Name (optional)", f"name:{launches}", max_chars=80)
            sampler = _strategy("Sampler", "sampler", SAMPLERS, "tpe", f"{term('sampler')} {term('TPE')}")
            pruner = _strategy("Stop poor trials early", "pruner", PRUNERS, DEFAULT_PRUNER, term("pruning"))
            help = "Decides which values are tried. Each training keeps its own seed."
            seed = _kept(inputs.number_input, "Seed", "seed", 0, 2**32 - 1, help=help)
        plan = None
        with estimate, shell.guard():
            if space is not None:
                plan = SearchPlan(config, space, sampler, pruner, trials, int(seed), name).checked()
                st.caption(f"⏱️ {estimate_text(plan)}")
        with bar, shell.guard():
            here = is_here(config.data.source)
            pressed = st.button(
                "Search", key="search:launch", type="primary", icon="🔭", width="stretch", disabled=not (plan and here)
            )
            if pressed and plan is not None:
                search_id = shell.launch_once("search:launched", lambda: lab().searches.start(plan))
                st.session_state[_LAUNCHES] = launches + 1
                st.query_params["search"] = search_id
                st.rerun()


_EPOCHS_HELP = (
    "The maximum, unless the search varies Maximum epochs. Short trials suffice to find good settings; train the best "
    "for longer afterwards."
)

HELP = (
    "The first trial uses the settings to start from, so you see whether the search beats them. All trials are "
    "compared on the same validation images, never on test images."
)


def estimate_text(plan: SearchPlan) -> str:
    """Return the number of trials and epochs, and the estimated time, in markdown."""
    size = f"{plan.trials} × {count(plan.epochs, 'epoch')}"
    # The longest trial has the most epochs, and the fewest of the new head alone.
    heads = [plan.config.training.head_epochs, *(int(value) for value in plan.ends("training.head_epochs"))]
    longest = with_values(plan.config, {"training.epochs": plan.epochs, "training.head_epochs": min(heads)})
    # The estimate uses the slowest value of each setting, with all others unchanged.
    paced = [p for p in plan.space if setting(p.name).affects_pace]
    tried = [longest, *(with_values(longest, {p.name: value}) for p in paced for value in plan.ends(p.name))]
    paces = [lab().runs.paces().seconds_per_epoch(embedded(config)) for config in tried]
    known_paces = [seconds for seconds in paces if seconds is not None]
    if not known_paces:
        return f"{size}; the first trial will show how long it takes"
    return f"{size}, about **{duration(plan.trials * (STARTING_SECONDS + plan.epochs * max(known_paces)))}**"


def _start() -> tuple[str, RunConfig]:
    titles = {name: preset.title for name, preset in PRESETS.items()} | {THE_FORM: "As under “One training”"}
    origin = bound.menu(
        "base", titles, label="Start from", default=form_state.DEFAULT_PRESET, help=f"{term('search')} {HELP}"
    )
    source = datasets.current()
    datasets.here(source)
    config = lab().limits.fitted(PRESETS[origin].config) if origin in PRESETS else form_state.config()
    return origin, form_state.allowed(with_values(config, {"data.source": source}))


def _size(config: RunConfig) -> tuple[int, RunConfig]:
    """Draw trials and epochs; return the trials, and the settings with these epochs."""
    trials_column, epochs_column = st.columns(2, vertical_alignment="bottom")
    with trials_column:
        trials = _kept(inputs.number_input, "Trials", "trials", 2, MAX_TRIALS, DEFAULT_TRIALS, help=term("trial"))
    with epochs_column:
        limits = fields.number("training.epochs")
        low, high = int(limits.low), int(limits.high)
        epochs = _kept(inputs.number_input, "Epochs per trial", "epochs", low, high, DEFAULT_EPOCHS, help=_EPOCHS_HELP)
    return int(trials), form_state.allowed(with_values(config, {"training.epochs": int(epochs)}))


def _strategy(label: str, name: str, table: Mapping[str, Strategy], usual: str, help: str) -> str:
    entries = "\n".join(f"- **{one.title}**: {one.help}" for one in table.values())
    options: dict[str, Any] = {"index": list(table).index(usual), "format_func": lambda each: table[each].title}
    return str(_kept(inputs.selectbox, label, name, list(table), help=f"{help}\n\n{entries}", **options))


def _kept(widget: Callable[..., Any], label: str, name: str, *values: Any, **options: Any) -> Any:
    """Draw a widget of the form, whose value the session keeps while another page is open."""
    return widget(label, *values, key=f"search:{name}", persist_state="session", **options)


_OVER = "search:over"
_FILLED_FOR = "search:filled-for"

_PARTS = ("low", "high", "log", "values")

_LOG_HELP = (
    "Tries values from 0.001 to 0.01 as often as values from 0.01 to 0.1. Use it for learning rates and penalties."
)


def space_fields(config: RunConfig, *, origin: str) -> tuple[SearchParameter, ...] | None:
    """Draw the choice of settings and a field for each; None while a field cannot be read."""
    suggestions = suggested(config)
    if st.session_state.get(_FILLED_FOR) != (origin, config.model.name):
        st.session_state[_FILLED_FOR] = (origin, config.model.name)
        st.session_state[_OVER] = [parameter.name for parameter in default_space(config)]
        for field in (f"search:{name}:{part}" for name in suggestions for part in _PARTS):
            st.session_state.pop(field, None)
    varied = ", ".join(mid_sentence(fields.label(name)) for name in st.session_state[_OVER])
    with st.expander(f"Varies {varied or 'nothing'}", icon="🎚️", key="search:values-to-try"):
        help = f"{term('hyperparameter')} More settings need more trials: begin with two to four."
        choice: dict[str, Any] = {"format_func": fields.label, "placeholder": "Choose at least one", "help": help}
        names = _kept(inputs.multiselect, "Settings to vary", "over", list(suggestions), **choice)
        space = [_field(name, suggestions[name]) for name in names]
    parameters = tuple(parameter for parameter in space if parameter is not None)
    return parameters if len(parameters) == len(space) else None


def _field(name: str, suggestion: SearchParameter) -> SearchParameter | None:
    """Draw a setting's fields; return its values, or None while they cannot be read."""
    values = suggestion.values
    text = _range_field(suggestion, values) if isinstance(values, SearchRange) else _choices_field(name, values)
    try:
        return parse(f"{name}={text}")
    except AquaDashError as error:
        shell.render_error(error)
        return None


def _range_field(suggestion: SearchParameter, values: SearchRange) -> str:
    name, label = suggestion.name, fields.label(suggestion.name)
    _, _, bounds = str(suggestion).partition("=")
    usual = (*bounds.partition(":")[0].split(".."), values.log)
    for part, value in zip(("low", "high", "log"), usual, strict=True):
        st.session_state.setdefault(f"search:{name}:{part}", value)
    left, right = st.columns(2)
    with left:
        help = fields.help_text(name)
        low = _kept(inputs.text_input, f"{label}, from", f"{name}:low", max_chars=20, help=help)
    with right:
        high = _kept(inputs.text_input, f"{label}, to", f"{name}:high", max_chars=20)
    is_log = _kept(inputs.checkbox, f"{label}: log scale", f"{name}:log", help=_LOG_HELP)
    return f"{low}..{high}{':log' if is_log else ''}"


def _choices_field(name: str, values: tuple[Value, ...]) -> str:
    label, key, help = fields.label(name), f"{name}:values", fields.help_text(name)
    if setting(name).kind is bool:
        st.caption(f"**{plain(label)}**: no or yes", help=help)
        return "no,yes"
    if words := fields.choices(name):
        options = list(dict.fromkeys([*words, *map(str, values)]))
        st.session_state.setdefault(f"search:{key}", list(values))
        titles = partial(fields.value_text, name)
        chosen = _kept(inputs.multiselect, label, key, options, format_func=titles, help=help)
        mark = separator(name, chosen)
        # Without a separator, one mixture of pipelines would be read as several pipelines.
        return mark.join(chosen) + (mark if len(chosen) == 1 else "")
    st.session_state.setdefault(f"search:{key}", str(SearchParameter(name, values)).partition("=")[2])
    form = "comma-separated" if separator(name) == "," else "separated by |"
    return str(_kept(inputs.text_input, f"{label} ({form})", key, max_chars=200, help=help))
