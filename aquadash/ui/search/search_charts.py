"""The charts of a search, drawn when a trial has ended and shared between sessions."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from aquadash.config import Range, setting
from aquadash.figures.optimization_history import optimization_history
from aquadash.figures.parallel_coordinates import Dimension, parallel_coordinates
from aquadash.figures.parameter_importance import parameter_importance
from aquadash.search import Parameter, Search, Trial
from aquadash.search.strategies import MIN_TRIALS, importance
from aquadash.ui import components
from aquadash.ui import hyperparameters as fields
from aquadash.ui.glossary import term

#: Numbers that span a factor of so many stand on a logarithmic axis.
_LOG_FACTOR = 8

#: A state of a search's trials that changes whenever one of its charts does.
Stage = tuple[tuple[str, float | None, float | None], ...]


def draw(search: Search) -> None:
    """Draw the history, and, once there is something to compare, the parallel coordinates and the importance."""
    stage: Stage = tuple(
        (str(trial.state), trial.value, trial.reached if trial.state.ended else None) for trial in search.trials
    )
    _title("Trial by trial", "Each dot is a training; the line is the best so far.")
    components.plot(_history(search.search_id, stage, search), key="search-history")
    if len(search.complete) < 2:
        return
    _title("Where do the good ones run?", term("parallel coordinates"))
    components.plot(_parallel(search.search_id, stage, search), key="search-parallel")
    if len(search.complete) >= MIN_TRIALS and len(search.plan.space) > 1:
        _title("What decides?", term("importance"))
        components.plot(_importance(search.search_id, stage, search), key="search-importance")


def dimensions(search: Search) -> list[Dimension]:
    """An axis for each setting that varies, over the complete trials."""
    return [_dimension(parameter, search.complete) for parameter in search.plan.space]


def _dimension(parameter: Parameter, trials: list[Trial]) -> Dimension:
    name, label = parameter.name, fields.label(parameter.name)
    values = [trial.params[name] for trial in trials]
    if setting(name).kind not in (int, float):
        return Dimension(label, [fields.value_text(name, value) for value in values])
    numbers = [float(value) for value in values]
    if isinstance(parameter.values, Range):
        return Dimension(label, numbers, log=parameter.values.log)
    return Dimension(label, numbers, log=min(numbers) > 0 and max(numbers) >= _LOG_FACTOR * min(numbers))


def _title(title: str, help_text: str) -> None:
    st.markdown(f"**{title}**", help=help_text)


@st.cache_resource(max_entries=32, show_spinner=False)
def _history(search_id: str, stage: Stage, _search: Search) -> go.Figure:
    return optimization_history(_search.trials, revision=search_id)


@st.cache_resource(max_entries=32, show_spinner=False)
def _parallel(search_id: str, stage: Stage, _search: Search) -> go.Figure:
    return parallel_coordinates(
        dimensions(_search),
        accuracies=[trial.value or 0.0 for trial in _search.complete],
        names=[f"trial {trial.number}" for trial in _search.complete],
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _importance(search_id: str, stage: Stage, _search: Search) -> go.Figure:
    shares = importance(_search.plan, _search.trials)
    return parameter_importance({fields.label(name): share for name, share in shares.items()})
