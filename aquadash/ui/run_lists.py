"""Runs as the pages list them: their order, owner and progress, and the included model where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from aquadash import data, settings
from aquadash.lab.rights import Action
from aquadash.people import Resource
from aquadash.store.fields import validation_accuracy
from aquadash.store.types import Run, RunStatus
from aquadash.ui import address, shell
from aquadash.ui.lab import lab, visitor
from aquadash.ui.text import joined, plain, sentence, time_left

#: A run as it is now: the store, its id, and when it ended or, at work, began. Training that goes on later is another.
Version = tuple[str, str, float | None]


def version(run: Run) -> Version:
    """What results of a run, and its stored network, hold for."""
    return settings.store_key(), run.run_id, run.ended_at if run.status.ended else run.started_at


#: For Streamlit's caches of functions that take runs.
BY_RUN: dict[str | type, Callable[[Any], object]] = {Run: version}


def active_first(runs: Sequence[Run]) -> list[Run]:
    """Running runs first, then the queued in their order, then the others as they came, the archived last."""
    running = [run for run in runs if run.status is RunStatus.RUNNING]
    ended = [run for run in runs if run.status.ended]
    return [*running, *queued(runs), *sorted(ended, key=lambda run: run.archived)]


def queued(runs: Sequence[Run]) -> list[Run]:
    """The queue: the run that starts next first."""
    return sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.rank)


def has_results(run: Run) -> bool:
    """Whether the run's model has been stored and has predicted the test images."""
    return "test_accuracy" in run.metrics


def best_first(runs: Sequence[Run]) -> list[Run]:
    """The runs in the order of menus, the default first.

    Finished ones by validation accuracy, no trials of searches and no student's imports among them; then the others
    with results, those without, and the archived, each in the order they came in.
    """

    def rank(run: Run) -> tuple[bool, bool, bool, float]:
        counts = _counts(run)
        return run.archived, not has_results(run), not counts, -(validation_accuracy(run) or 0.0) if counts else 0.0

    return sorted(runs, key=rank)


def _counts(run: Run) -> bool:
    # The figures in a student's ZIP can be made up.
    return run.status is RunStatus.FINISHED and not run.search_id and (run.shared or not run.origin)


def pictured_first(runs: Sequence[Run], *, before: str = "") -> list[Run]:
    """:func:`best_first`, but those with results whose data set is missing here come after those that show images.

    Finished ones that show images stand before those of the origin ``before``, however good these are.
    """
    here = {source for source in {run.config.data.source for run in runs} if data.is_here(source)}

    def rank(run: Run) -> tuple[bool, bool]:
        has_no_images = run.archived or not has_results(run) or run.config.data.source not in here
        return has_no_images, bool(before) and (has_no_images or run.origin == before or not _counts(run))

    return sorted(best_first(runs), key=rank)


def own_first(runs: Iterable[Run]) -> list[Run]:
    """The runs in their order, but the visitor's own before the others. Nothing changes where there is no class."""
    found = list(runs)
    person = visitor()
    if not settings.classroom() or not person.person_id:
        return found
    return sorted(found, key=lambda run: run.owner != person.person_id)


def with_networks(runs: Iterable[Run]) -> list[Run]:
    """The runs whose networks the visitor may open, in their order."""
    rights = lab().rights
    return [run for run in runs if rights.allow(Action.OPEN_MODEL, run.resource)]


def owner_text(resource: Resource) -> str:
    """Whose a thing is, plain text: ``"you"``, a name, ``"everybody"``; empty where there is no class."""
    if not settings.classroom():
        return ""
    return "you" if _own(resource) else resource.owner_name or "everybody"


def owner_badge(resource: Resource) -> None:
    """Say beside a thing whose it is, and that it is hidden; nothing where there is no class."""
    text = owner_text(resource)
    if not text:
        return
    # Somebody may call themselves "you".
    own = _own(resource)
    st.badge(plain(text), icon="⭐" if own else "👤", color="blue" if own else "gray")
    if resource.hidden:
        st.badge("hidden", icon="🙈", color="gray")


def _own(resource: Resource) -> bool:
    return bool(resource.owner) and resource.owner == visitor().person_id


#: Seconds between two looks at whether a run that is shown has ended.
_TICK_SECONDS = 5.0


def watch(runs: Sequence[Run]) -> None:
    """Have the page drawn again when one of these runs that was at work has ended, or a waiting one begun."""
    if any(not run.status.ended for run in runs):
        shell.live(_TICK_SECONDS)(_draw_changed)({run.run_id: run.status for run in runs})


def _draw_changed(known: Mapping[str, RunStatus]) -> None:
    if any(lab().runs.get(run_id).status != status for run_id, status in known.items()):
        lab().refresh()
        address.draw_again()


def progress_bar(run: Run, *, lead: str = "") -> None:
    """Draw a progress bar with its words, and before them what tells the run from others, if anything must."""
    fraction, text = progress_of(run)
    st.progress(fraction, text=plain(f"{lead}: {text}" if lead else sentence(text)))


def progress_of(run: Run) -> tuple[float, str]:
    """The fraction of its epochs that a run has done, 0 to 1, and what it does, plain text."""
    progress = run.progress
    if run.status is RunStatus.QUEUED or progress is None:
        return 0.0, "waits for its turn"
    if not progress.epochs:
        return 0.0, progress.phase
    left = time_left(progress.eta_seconds, at_most=True)
    return progress.fraction, joined(f"{progress.phase}: epoch {progress.epoch} of {progress.epochs}", left)


def or_included_model(runs: Sequence[Run]) -> Sequence[Run]:
    """The runs; where none of them has a network yet, with the included model, which is put into the store."""
    # The runs of an earlier version, which are not brought over yet, may have the included model, too.
    if settings.has_old_runs() or any(has_results(run) for run in runs):
        return runs
    with shell.guard(), st.spinner("Unpacking the included model ..."):
        if not lab().runs.first_model().deleted:
            return lab().runs.all()
    return runs


def offer_included_model() -> None:
    """A button that puts the included model into an empty store and shows it."""
    if st.button("Show the included model", icon="🪪", key="show-first-model"):
        with shell.guard(), st.spinner("Unpacking the included model ..."):
            run = lab().runs.first_model()
            if run.deleted:
                lab().runs.restore(run.run_id)
            st.switch_page("pages/evaluate.py", query_params={"run": run.run_id})


def render_model_card(run: Run) -> None:
    """What one should know of the included model: data, recipe, figures, limits; nothing for other runs.

    That of an older version, which a home keeps, has its own card in its note.
    """
    from aquadash.store.artifacts import CONFIG, read_artifact
    from aquadash.store.first_model import CARD, FOLDER, ORIGIN

    if run.origin == ORIGIN and run.config == read_artifact(FOLDER / CONFIG, CONFIG):
        with st.expander("About this model", icon="🪪"):
            st.markdown((FOLDER / CARD).read_text(encoding="utf-8").partition("\n\n")[2])


def offer_included_model_again() -> None:
    """A button that brings the included model back from the bin."""
    if lab().rights.allow(Action.ADD_FOR_ALL) and st.button(
        "Bring the included model back", icon=":material/restore_from_trash:", key="first-model"
    ):
        with shell.guard():
            lab().runs.restore(lab().runs.first_model().run_id)
            st.rerun()
