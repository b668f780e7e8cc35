"""The live view of a search. All of it is read from the stores, so that every browser sees the same."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash import settings
from aquadash.lab.rights import Action
from aquadash.runs.types import RunStatus
from aquadash.search import Budget, Search, SearchHead, TrialState
from aquadash.search.plan import MAX_TRIALS, PRUNERS, SAMPLERS
from aquadash.search.types import describe_result
from aquadash.ui import address, components, inputs, owners, shell
from aquadash.ui import hyperparameters as fields
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.search import search_charts, search_trials
from aquadash.ui.text import count, duration, joined, plain, time_left
from aquadash.ui.train import clone, live

#: Seconds between two looks at a search at work.
TICK_SECONDS = 2.0

#: More trials under way than that are only counted.
_MOST_SHOWN = 4

_KEY = "search"


def watch(heads: Sequence[SearchHead]) -> None:
    """Draw the menu of searches, bound to ``?search=``, and the chosen one; by default one at work, or the newest."""
    st.subheader("Watch", anchor=False)
    at_work = [head for head in heads if head.at_work]
    ordered = {head.search_id: head for head in [*at_work, *(head for head in heads if head not in at_work)]}
    if st.session_state.get(_KEY) not in (None, *ordered):
        del st.session_state[_KEY]

    def decode(text: str) -> str | None:
        matches = [search_id for search_id in ordered if text and search_id.startswith(text)]
        return matches[0] if len(matches) == 1 else None

    if address.restore(_KEY, decode, default=next(iter(ordered), None), expected="the id of a search") is None:
        st.warning(
            f"There is no search “{plain(st.query_params.get(_KEY, '')[:40])}” here; the link may come from another "
            "computer. Choose one below.",
            icon="🧭",
        )
    chosen = inputs.selectbox(
        "Search to watch",
        list(ordered),
        key=_KEY,
        format_func=lambda search_id: _label(ordered[search_id]),
        placeholder="Choose a search",
        help=term("search"),
    )
    if chosen is not None:
        address.record(_KEY, chosen, default="")
        show(chosen)


def show(search_id: str) -> None:
    """Draw a search: what can be done with it, how far it is, its charts and its trials."""
    search = lab().searches.get(search_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        components.status_badge(search.status)
        owners.badge(search.thing)
        st.caption(plain(_recipe(search)), width="content")
    _explanation(search)
    _actions(search)
    # An interrupted one may be taken up in a moment by an app that has just been started.
    changing = search.at_work or search.status is RunStatus.INTERRUPTED
    shell.live(TICK_SECONDS if changing else None)(_picture)(search_id, _signature(search))


def progress_text(search: Search) -> str:
    """How far a search is and how long it will still take, as plain text."""
    ended = sum(trial.state.ended for trial in search.trials)
    most, minutes = search.plan.max_trials, search.plan.budget.minutes
    return joined(
        f"{ended} of {count(most, 'trial')} done" if most is not None else f"{count(ended, 'trial')} done",
        "" if minutes is None else f"{duration(search.seconds)} of {minutes:g} min spent",
        time_left(search.eta_seconds),
    )


def _label(head: SearchHead) -> str:
    parts = (head.name, components.status_text(head.status), owners.owner_text(head.thing), head.search_id[:8])
    return " · ".join(filter(None, parts))


def _signature(search: Search) -> tuple[RunStatus, bool]:
    """What the parts around the fragment depend on."""
    return search.status, search.stop_requested


def _recipe(search: Search) -> str:
    plan = search.plan
    varied = ", ".join(fields.label(parameter.name) for parameter in plan.space)
    return " · ".join(
        [
            fields.value_text("model.name", plan.config.model.name),
            fields.value_text("data.source", plan.config.data.source),
            f"varies {varied}",
            SAMPLERS[plan.sampler].title,
            f"stops poor trials: {PRUNERS[plan.pruner].title.lower()}",
        ]
    )


def _explanation(search: Search) -> None:
    """Why the search is where it is, in words."""
    if search.status is RunStatus.INTERRUPTED:
        st.warning(
            "The process that carried this search out is gone. Nothing is lost: trainings that were at work go on by "
            "themselves, and **Continue** takes the search up where it was. (An AquaDash that has just been started "
            "does that by itself.)",
            icon="⚡",
        )
    elif search.status is RunStatus.FAILED:
        st.error(plain(search.message or "The search failed and left no reason."), icon="❌")
    elif search.status is RunStatus.STOPPED:
        resting = search.of(TrialState.PAUSED)
        rest = f" {count(len(resting), 'trial')} will go on after the last complete epoch." if resting else ""
        may = lab().rights.allow(Action.RESUME, search.thing)
        st.info(f"Stopped. **Continue** takes it up where it was.{rest}" if may else "Stopped.", icon="✋")


def _actions(search: Search) -> None:
    """Stop, continue, more trials, and the best trial's settings."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if search.at_work:
            if lab().rights.allow(Action.STOP, search.thing):
                _stop_button(search)
        elif not lab().rights.allow(Action.RESUME, search.thing):
            pass
        elif search.status is RunStatus.FINISHED:
            _more_trials(search)
        elif st.button("Continue", key=f"continue-{search.search_id}", type="primary", icon="▶️"):
            _resume(search, search.plan.budget)
        if search.best is not None and search.best.run_id:
            clone.link(
                search.best.run_id,
                label="Use the best trial's settings",
                icon=":material/arrow_forward:",
                help="Fills the form of a single training with them.",
            )
        if settings.classroom() and lab().rights.allow(Action.HIDE):
            _hide_button(search)


def _hide_button(search: Search) -> None:
    if st.button(
        "Show again" if search.hidden else "Hide",
        key=f"hide-{search.search_id}",
        icon="🙈",
        help="The class does not see a hidden search and its trials; whose it is, does.",
    ):
        with shell.guard():
            lab().searches.hide(search.search_id, not search.hidden)
            st.rerun()


def _stop_button(search: Search) -> None:
    if search.stop_requested:
        st.button("Stopping ...", key=f"stopping-{search.search_id}", icon="✋", disabled=True)
    elif st.button(
        "Stop",
        key=f"stop-{search.search_id}",
        icon="✋",
        help="Trainings at work stop and keep their complete epochs. The search can be continued from there.",
    ):
        with shell.guard():
            lab().searches.stop(search.search_id)
            st.rerun()


def _more_trials(search: Search) -> None:
    """A larger budget for a search that has spent its own."""
    made = len(search.trials)
    if search.exhausted:
        st.caption("Every point of the grid has been tried.", width="content")
        return
    if made >= MAX_TRIALS:
        return
    with st.popover("More trials", icon="➕"):
        more = inputs.number_input(
            "How many more", 1, MAX_TRIALS - made, min(10, MAX_TRIALS - made), key=f"more-{search.search_id}"
        )
        if st.button("Go on", key=f"extend-{search.search_id}", type="primary"):
            _resume(search, Budget(made + int(more)))


def _resume(search: Search, budget: Budget) -> None:
    with shell.guard():
        lab().searches.resume(search.search_id, budget=budget)
        st.rerun()


def _picture(search_id: str, seen: tuple[RunStatus, bool]) -> None:
    """The part that a search at work keeps drawing."""
    search = lab().searches.get(search_id)
    if _signature(search) != seen:
        lab().refresh()
        st.rerun()
    st.progress(search.share, text=plain(progress_text(search)))
    _under_way(search)
    _figures(search)
    if search.status.ended and search.complete:
        show_verdict = st.success if search.beats_default else st.info
        show_verdict(plain(describe_result(search)), icon="🏆" if search.beats_default else "🟰")
    search_charts.draw(search)
    search_trials.draw(search)


def _under_way(search: Search) -> None:
    """What trains at the moment."""
    at_work = search.of(TrialState.RUNNING)
    for trial in at_work[:_MOST_SHOWN]:
        if not trial.run_id:
            continue
        run = lab().runs.get(trial.run_id)
        waits = run.status is RunStatus.QUEUED
        _, doing, facts = live.progress_text(run)
        with st.container(horizontal=True, vertical_alignment="center"):
            text = "waits for its turn" if waits else joined(doing, facts)
            st.caption(f"{'⏳' if waits else '🏊'} Trial {trial.number}: {plain(text)}", width="content")
            st.page_link("pages/train.py", label="Watch", query_params={"run": trial.run_id})
    if len(at_work) > _MOST_SHOWN:
        st.caption(f"and {len(at_work) - _MOST_SHOWN} more")


def _figures(search: Search) -> None:
    """The best figure so far beside the one to beat."""
    best, default = search.best, search.default_value
    if best is None or best.value is None:
        return
    with st.container(horizontal=True):
        st.metric(
            "Best so far" if search.at_work else "Best",
            f"{100 * best.value:.1f} %",
            delta=f"trial {best.number}",
            delta_color="off",
            delta_arrow="off",
            help=f"Validation accuracy. {term('validation')}",
            width="content",
            border=True,
        )
        if default is not None:
            st.metric(
                "Settings to start from",
                f"{100 * default:.1f} %",
                delta=f"{100 * (best.value - default):.1f} points less" if search.beats_default else "not beaten",
                delta_color="off",
                delta_arrow="off",
                help="Validation accuracy of trial 0, which has the settings that the search started from.",
                width="content",
                border=True,
            )
        pruned, failed = len(search.of(TrialState.PRUNED)), len(search.of(TrialState.FAILED))
        st.metric(
            "Trials",
            f"{len(search.trials)}",
            delta=f"{pruned} stopped early, {failed} failed" if pruned or failed else "all well",
            delta_color="off",
            delta_arrow="off",
            help=term("trial"),
            width="content",
            border=True,
        )
