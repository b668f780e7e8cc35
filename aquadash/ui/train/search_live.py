"""A search: its buttons, metrics, charts and trials."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from aquadash import settings
from aquadash.config import Value
from aquadash.figures import search_charts
from aquadash.figures.theme import escape
from aquadash.lab.rights import Action
from aquadash.search import Search, SearchHead, Trial, TrialState
from aquadash.search.plan import MAX_TRIALS, PRUNERS, SAMPLERS, Strategy
from aquadash.search.strategies import has_importance, study_of
from aquadash.search.types import describe_result
from aquadash.store.fields import FIGURES
from aquadash.store.types import RunStatus
from aquadash.ui.kit import address, clone, components, inputs, run_lists, shell
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.tables import Column, number_column, render_columns, text_column
from aquadash.ui.kit.text import count, joined, mid_sentence, named, plain, short_moment, time_left, unique_titles
from aquadash.ui.train import live

#: Seconds between two redraws of a running search.
TICK_SECONDS = 2.0


def watch_searches(heads: Sequence[SearchHead]) -> None:
    """Draw the menu of searches and the chosen one, by default a running one or the newest."""
    if not heads:
        st.info("Press **Search**, and see which values work best.", icon="🔭")
        return
    titles = {
        head.search_id: joined(head.name, short_moment(head.created_at), run_lists.owner_text(head.resource))
        for head in sorted(heads, key=lambda head: not head.at_work)
    }
    with st.container(horizontal=True, vertical_alignment="center", key="search-head"):
        chosen = components.id_picker(
            unique_titles(titles),
            key="search",
            label="Search",
            label_visibility="collapsed",
            thing="search",
            # Searches are never deleted.
            why_not=lambda text: f"There is no search “{text[:40]}” here; the link may come from another computer.",
        )
        if chosen is not None:
            search = lab().searches.get(chosen)
            components.render_status(search.status)
            run_lists.render_owner(search.resource)
            _actions(search)
    if chosen is not None:
        _explanation(search)
        # An app that has just started continues interrupted searches.
        changing = search.at_work or search.status is RunStatus.INTERRUPTED
        shell.live(TICK_SECONDS if changing else None)(_picture)(search.search_id, _signature(search))


def _signature(search: Search) -> tuple[object, ...]:
    """Return the values whose change redraws the whole page."""
    return search.status, search.stop_requested, search.best and search.best.run_id


def _recipe(search: Search) -> str:
    plan = search.plan
    varied = ", ".join(mid_sentence(fields.label(parameter.name)) for parameter in plan.space)
    return joined(
        fields.value_text("model.name", plan.config.model.name),
        fields.value_text("data.source", plan.config.data.source),
        f"varies {varied}",
        _title(SAMPLERS, plan.sampler),
        f"stops poor trials: {_title(PRUNERS, plan.pruner).lower()}",
    )


def _title(table: Mapping[str, Strategy], name: str) -> str:
    """Return a strategy's title; an earlier version's search may have one that is gone."""
    return table[name].title if name in table else f"{name} (of an earlier version)"


def _explanation(search: Search) -> None:
    may = not search.spent and lab().rights.allow(Action.RESUME, search.resource)
    going = "**Continue** runs the remaining trials"
    if search.status is RunStatus.INTERRUPTED and not search.spent:
        by_itself = "AquaDash continues it by itself soon after a start."
        more = f"{going}; {by_itself}" if may else by_itself
        st.warning(f"This search was cut off, and nothing is lost. {more}", icon="⚡")
    elif search.status is RunStatus.FAILED:
        st.error(plain(search.message or "The search failed without a reason."), icon="❌")
    elif search.status is RunStatus.STOPPED:
        st.info(f"Stopped. {going}." if may else "Stopped.", icon="✋")


def _actions(search: Search) -> None:
    """Draw the buttons: stop, continue, more trials, the best trial's settings, hide."""
    rights = lab().rights
    if search.at_work and rights.allow(Action.STOP, search.resource):
        shell.render_stop_button(
            partial(lab().searches.stop, search.search_id),
            stop_requested=search.stop_requested,
            key=f"stop-{search.search_id}",
            help="Running trainings stop, and their trials end without a result. You can continue the search.",
        )
    elif search.at_work or not rights.allow(Action.RESUME, search.resource):
        pass
    elif search.status is RunStatus.FINISHED or search.spent:
        _more_trials(search)
    else:
        resume = partial(lab().searches.resume, search.search_id)
        shell.render_action_button("Continue", resume, key=f"resume-{search.search_id}", type="primary", icon="▶️")
    if search.best is not None:
        help = "Fills the form of a single training with the settings of the best trial."
        clone.render_clone_button(
            search.best.run_id, key="use-best", label="Use the best", icon=":material/arrow_forward:", help=help
        )
    if settings.classroom() and rights.allow(Action.HIDE):
        shell.render_action_button(
            "Show again" if search.hidden else "Hide",
            partial(lab().searches.hide, search.search_id, not search.hidden),
            key=f"hide-{search.search_id}",
            icon="🙈",
            help="Only its owner and the teacher see a hidden search and its trials.",
        )


def _more_trials(search: Search) -> None:
    """Draw the field for more trials of a search that has made all of its own."""
    made = len(search.trials)
    if made >= MAX_TRIALS:
        return
    with st.popover("More trials", icon="➕"):
        more = inputs.number_input(
            "How many more", 1, MAX_TRIALS - made, min(10, MAX_TRIALS - made), key=f"more-{search.search_id}"
        )
        extend = partial(lab().searches.resume, search.search_id, trials=made + int(more))
        shell.render_action_button("Go on", extend, key=f"extend-{search.search_id}", type="primary")


def _picture(search_id: str, seen: tuple[object, ...]) -> None:
    search = lab().searches.get(search_id)
    if _signature(search) != seen:
        lab().refresh()
        address.draw_again()
    progress = joined(f"{search.num_ended} of {count(search.plan.trials, 'trial')} done", time_left(search.eta_seconds))
    st.progress(search.fraction, text=plain(progress))
    _under_way(search)
    _figures(search)
    if search.status.ended and search.complete:
        show_verdict = st.success if search.beats_default else st.info
        show_verdict(plain(describe_result(search)), icon="🏆" if search.beats_default else "🟰")
    render_charts(search)
    render_trials(search)
    st.caption(plain(_recipe(search)))


def _under_way(search: Search) -> None:
    for trial in search.of(TrialState.RUNNING):
        run = lab().runs.get(trial.run_id)
        waits = run.status is RunStatus.QUEUED
        with st.container(horizontal=True, vertical_alignment="center"):
            text = "waits for its turn" if waits else live.progress_text(run)
            st.caption(f"{'⏳' if waits else '🏊'} Trial {trial.number}: {plain(text)}", width="content")
            st.page_link("pages/train.py", label=named("Watch", run.name), query_params={"run": trial.run_id})


def _figures(search: Search) -> None:
    best, default = search.best, search.default_value
    if best is None or best.value is None:
        return
    validated = f"Validation accuracy. {term('validation')}"
    started = "Validation accuracy of trial 0, which has the settings that the search started from."
    with st.container(horizontal=True, key="search-figures"):
        title, value = "Best so far" if search.at_work else "Best", f"{100 * best.value:.1f} %"
        components.render_metric(title, value, note=f"trial {best.number}", help=validated)
        if default is not None:
            note = f"{100 * (best.value - default):.1f} points less" if search.beats_default else "not beaten"
            components.render_metric("Settings to start from", f"{100 * default:.1f} %", note=note, help=started)
        pruned, failed = len(search.of(TrialState.PRUNED)), len(search.of(TrialState.FAILED))
        note = f"{pruned} stopped early, {failed} failed" if pruned or failed else "none failed"
        components.render_metric("Trials", f"{len(search.trials)}", note=note, help=term("trial"))


def _stage(search: Search) -> tuple[object, ...]:
    """Return the cache key of a search's charts."""
    # The trials' numbers are in the key: visitors may see different trials.
    trials = ((trial.number, str(trial.state), trial.value) for trial in search.trials)
    return search.search_id, *trials


#: Number of slices side by side.
_SLICES = 3


def render_charts(search: Search) -> None:
    """Draw the history and, from two complete trials on, the settings against the accuracy."""
    components.render_plot(_figure("optimization_history", search, revision=search.search_id), key="search-history")
    if len(search.complete) < 2:
        return
    st.markdown("**What the best trials share**", help=term("parallel coordinates"))
    components.render_plot(_figure("parallel_coordinates", search), key="search-parallel")
    names = [_label(parameter.name) for parameter in search.plan.space]
    with st.expander("Accuracy by setting", icon="🎚️"):
        for start in range(0, len(names), _SLICES):
            figure = _figure("slices", search, names=tuple(names[start : start + _SLICES]))
            components.render_plot(figure, key=f"search-slices-{start}")
    if len(names) > 1 and has_importance(_study(search)):
        # Last, because it is slow.
        figure = _figure("importances", search)
        st.markdown("**What decides?**", help=term("importance"))
        components.render_plot(figure, key="search-importance")


def _label(name: str) -> str:
    return escape(fields.label(name))


def _text(name: str, value: Value) -> str:
    return escape(fields.value_text(name, value))


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs={Search: _stage})
def _study(search: Search) -> Any:
    return study_of(search.plan, search.trials, label=_label, text=_text)


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs={Search: _stage})
def _figure(chart: str, search: Search, **options: Any) -> go.Figure:
    figure: go.Figure = getattr(search_charts, chart)(_study(search), **options)
    return figure


#: Icon and word of each state.
TRIAL_SIGNS: dict[TrialState, tuple[str, str]] = {
    TrialState.RUNNING: ("🏊", "training"),
    TrialState.COMPLETE: ("✅", "complete"),
    TrialState.PRUNED: ("✂️", "stopped early"),
    TrialState.FAILED: ("❌", "failed"),
}


def render_trials(search: Search) -> None:
    """Draw the table of trials and the menu below it."""
    if not search.trials:
        return
    st.markdown("**All trials**", help=f"{term('trial')} {term('pruning')}")
    ranked = sorted(search.trials, key=lambda trial: (trial.value is None, -(trial.value or 0.0), trial.number))
    accuracies = [None if trial.value is None else 100 * trial.value for trial in ranked]
    kept = "Of the weights that the training kept. Trials that were stopped early have none."
    notes = [trial.message or ("the settings to start from" if trial.number == 0 else "") for trial in ranked]
    render_columns(
        number_column("Trial", [trial.number for trial in ranked], "%d", pinned=True),
        Column("State", [" ".join(TRIAL_SIGNS[trial.state]) for trial in ranked]),
        number_column(FIGURES["val_accuracy"].title, accuracies, "%.1f %%", help=kept),
        *(
            Column(fields.label(name), [_cell(name, trial.params.get(name)) for trial in ranked])
            for name in (parameter.name for parameter in search.plan.space)
        ),
        text_column("Note", notes, width="medium"),
        alt=f"Table of {count(len(search.trials), 'trial')} with their state, accuracy and settings.",
        key="search-trials",
        placeholder="–",
    )
    _one_trial(search)


def _cell(name: str, value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.3g}")
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return fields.value_text(name, value)


def _one_trial(search: Search) -> None:
    trials = {trial.number: trial for trial in search.trials}
    numbers = list(trials)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = inputs.selectbox(
            "One of the trials",
            numbers,
            index=numbers.index(search.best.number) if search.best and search.best.number in trials else 0,
            key=f"search-trial-{search.search_id}",
            format_func=lambda number: trial_label(trials[number]),
            width=300,
        )
        trial = trials[number]
        help = "Fills the form of a single training with them."
        clone.render_clone_button(trial.run_id, key="use-trial", label="Use its settings", help=help)
        query_params = {"run": trial.run_id}
        st.page_link(
            "pages/train.py", label="Watch its training", icon=":material/show_chart:", query_params=query_params
        )
    values = (f"{fields.label(name)} {fields.value_text(name, value)}" for name, value in trial.params.items())
    st.caption(plain("; ".join(values)))


def trial_label(trial: Trial) -> str:
    """Return a trial's title in menus: number, state, accuracy."""
    accuracy = "" if trial.value is None else f" · {100 * trial.value:.1f} %"
    return f"Trial {trial.number} · {' '.join(TRIAL_SIGNS[trial.state])}{accuracy}"
