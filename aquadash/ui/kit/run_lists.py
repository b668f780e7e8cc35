"""Lists of runs on the pages: their order, owners and progress, and the included model in an empty store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from aquadash import data, settings
from aquadash.lab.rights import Action
from aquadash.people import Resource
from aquadash.presets import usual_epochs
from aquadash.store.fields import validation_accuracy
from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import address, datasets, shell
from aquadash.ui.kit.lab import lab, visitor
from aquadash.ui.kit.text import joined, plain, sentence, time_left

#: The store, a run's id, and the time at which it ended or, while it trains, began; changes when training goes on.
Version = tuple[str, str, float | None]


def version(run: Run) -> Version:
    """Return the version of a run, for which its results and stored network are valid."""
    return settings.store_key(), run.run_id, run.ended_at if run.status.ended else run.started_at


#: For Streamlit's caches of functions that take runs.
BY_RUN: dict[str | type, Callable[[Any], object]] = {Run: version}


def active_first(runs: Sequence[Run]) -> list[Run]:
    """Return running runs first, then the queue, then the others in their order, the archived last."""
    running = [run for run in runs if run.status is RunStatus.RUNNING]
    ended = [run for run in runs if run.status.ended]
    return [*running, *queued(runs), *sorted(ended, key=lambda run: run.archived)]


def queued(runs: Sequence[Run]) -> list[Run]:
    """Return the queue; the run that starts next is the first."""
    return sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.rank)


def has_results(run: Run) -> bool:
    """Return whether the run's model is stored and has predicted the test images."""
    return "test_accuracy" in run.metrics


def best_first(runs: Sequence[Run]) -> list[Run]:
    """Return the runs in the order of menus: finished ones by validation accuracy, others with results, then the rest.

    Trials of searches and students' imports count as others; archived runs are the last.
    """

    def rank(run: Run) -> tuple[bool, bool, bool, float]:
        # A student can make up the figures in a ZIP.
        counts = run.status is RunStatus.FINISHED and not run.search_id and (run.shared or not run.origin)
        return run.archived, not has_results(run), not counts, -(validation_accuracy(run) or 0.0) if counts else 0.0

    return sorted(runs, key=rank)


def pictured_first(runs: Sequence[Run]) -> list[Run]:
    """Return :func:`best_first` with the runs that show images before the others, and the sidebar's data set first."""
    here = {source for source in {run.config.data.source for run in runs} if data.is_here(source)}
    current = datasets.current()

    def rank(run: Run) -> tuple[bool, bool]:
        has_no_images = run.archived or not has_results(run) or run.config.data.source not in here
        return has_no_images, run.config.data.source != current

    return sorted(best_first(runs), key=rank)


def own_first(runs: Iterable[Run]) -> list[Run]:
    """Return the visitor's own runs before the others; the same order without a class."""
    person = visitor()
    if not settings.classroom() or not person.person_id:
        return list(runs)
    return sorted(runs, key=lambda run: run.owner != person.person_id)


def with_networks(runs: Iterable[Run]) -> list[Run]:
    """Return the runs whose networks the visitor may open."""
    rights = lab().rights
    return [run for run in runs if rights.allow(Action.OPEN_MODEL, run.resource)]


def owner_text(resource: Resource) -> str:
    """Return a resource's owner as plain text: ``"you"``, a name, ``"everybody"``; empty without a class."""
    if not settings.classroom():
        return ""
    return "you" if _own(resource) else resource.owner_name or "everybody"


def render_owner(resource: Resource) -> None:
    """Draw badges of a resource's owner and of being hidden; nothing without a class."""
    text = owner_text(resource)
    if not text:
        return
    # By the owner's id: a student may be called "you".
    own = _own(resource)
    st.badge(plain(text), icon="⭐" if own else "👤", color="blue" if own else "gray")
    if resource.hidden:
        st.badge("hidden", icon="🙈", color="gray")


def _own(resource: Resource) -> bool:
    return bool(resource.owner) and resource.owner == visitor().person_id


#: Seconds between two checks of the status of shown runs.
_TICK_SECONDS = 5.0


def watch(runs: Sequence[Run]) -> None:
    """Draw the page again when the status of one of these runs changes."""
    if any(not run.status.ended for run in runs):
        shell.live(_TICK_SECONDS)(_draw_changed)({run.run_id: run.status for run in runs})


def _draw_changed(known: Mapping[str, RunStatus]) -> None:
    if any(lab().runs.get(run_id).status != status for run_id, status in known.items()):
        lab().refresh()
        address.draw_again()


def render_progress(run: Run, *, lead: str = "") -> None:
    """Draw a run's progress bar with its text, after a ``lead`` such as the run's name."""
    progress, fraction = run.progress, 0.0
    if run.status is RunStatus.QUEUED or progress is None:
        text = "waits for its turn"
    elif not progress.epochs:
        text = progress.phase
    else:
        fraction = progress.fraction
        text = joined(f"{progress.phase}: epoch {progress.epoch} of {progress.epochs}", remaining(run))
    st.progress(fraction, text=plain(f"{lead}: {text}" if lead else sentence(text)))


def remaining(run: Run) -> str:
    """Return the time until a running run usually ends; early stopping ends it before its maximum of epochs."""
    progress = run.progress
    if progress is None or not progress.eta_seconds or progress.fraction >= 1:
        return ""
    done = progress.fraction * progress.epochs
    left = max(0.0, usual_epochs(run.config) - done) / (progress.epochs - done)
    return time_left(left * progress.eta_seconds)


def or_included_model(runs: Sequence[Run]) -> Sequence[Run]:
    """Return the runs; where none has results, unpack the included model into the store first."""
    if any(has_results(run) for run in runs):
        return runs
    with shell.guard(), st.spinner("Unpacking the included model ..."):
        if not lab().runs.first_model().deleted:
            return lab().runs.all()
    return runs


def render_included_model_button() -> None:
    """Draw a button that unpacks the included model into an empty store and opens it."""
    if st.button("Show the included model", icon="🪪", key="show-first-model"):
        with shell.guard(), st.spinner("Unpacking the included model ..."):
            run = lab().runs.first_model()
            if run.deleted:
                lab().runs.restore(run.run_id)
            st.switch_page("pages/evaluate.py", query_params={"run": run.run_id})


def render_model_card(run: Run) -> None:
    """Draw the card of the included model; nothing for other runs, and for that of an older version."""
    from aquadash.store.artifacts import CONFIG, read_artifact
    from aquadash.store.first_model import CARD, FOLDER, ORIGIN

    if run.origin == ORIGIN and run.config == read_artifact(FOLDER / CONFIG, CONFIG):
        with st.expander("About this model", icon="🪪"):
            st.markdown((FOLDER / CARD).read_text(encoding="utf-8").partition("\n\n")[2])


def render_restore_button() -> None:
    """Draw a button that restores the included model from the bin."""
    if lab().rights.allow(Action.ADD_FOR_ALL) and st.button(
        "Bring the included model back", icon=":material/restore_from_trash:", key="first-model"
    ):
        with shell.guard():
            lab().runs.restore(lab().runs.first_model().run_id)
            st.rerun()
