"""What pages read, cached and shared between sessions.

Thirty browsers that look at a running training cost one read of the store a second, and what has ended is read once.
Every cache is keyed by the store's address, so that another ``AQUADASH_HOME`` never shows this one's runs. What is
kept is everybody's, so it is read in the name of the machine's owner, and each visitor gets what they may see of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from aquadash import data, people, settings
from aquadash.classroom.rights import Action, require, viewed
from aquadash.data.dataset import Dataset
from aquadash.data.statistics import SplitStatistics, describe
from aquadash.errors import DataError, RunError
from aquadash.runs.types import EpochRecord, EpochReplay, Predictions, Run
from aquadash.ui import warmup

if TYPE_CHECKING:
    from aquadash.engine import Engine
    from aquadash.engine.waiting import Waiting
    from aquadash.evaluation import Evaluation
    from aquadash.jobs import Job
    from aquadash.runs import RunStore
    from aquadash.runs.pace import Paces
    from aquadash.search import Search, SearchHead
    from aquadash.search.store import SearchStore

#: Seconds for which what still changes may be shown as it was.
FRESH_SECONDS = 1.0

#: The same for the list of runs, of which only what has changed is read.
RUNS_FRESH_SECONDS = 0.5

#: The same for how long epochs took, which a run more hardly changes.
PACES_FRESH_SECONDS = 10.0


class _Runs(NamedTuple):
    """Runs of one reading of the store, in their order and by their ids."""

    runs: tuple[Run, ...]
    by_id: dict[str, Run]

    @classmethod
    def of(cls, runs: Iterable[Run]) -> _Runs:
        found = tuple(runs)
        return cls(found, {run.run_id: run for run in found})


def store_ready() -> bool:
    """True once the run store can be read without waiting.

    Raises:
        AquaDashError: It could not be opened.
    """
    return warmup.ready()


def store() -> RunStore:
    """The run store; waits for it at a cold start.

    Raises:
        AquaDashError: It could not be opened.
    """
    if not warmup.ready():
        with st.spinner("Opening the run store ..."):
            warmup.wait_for_store()
    from aquadash.runs import open_store

    return open_store()


def engine() -> Engine:
    """The engine that trains; waits for it at a cold start.

    Raises:
        AquaDashError: It could not be started.
    """
    warmup.wait_for_engine()
    from aquadash.engine import open_engine

    return open_engine()


def dataset(source: str) -> Dataset:
    """A data set, loaded once for everybody; never downloads it.

    Raises:
        UnknownNameError: There is no such source.
        DataError: It is missing or damaged.
    """
    known = data.SOURCES.get(source)
    if known is not None and known.key() is None:
        # Loading would begin a download, which is for the person at the screen to decide.
        raise DataError(f"{known.title} is not on this computer yet. The Data page can fetch it.")
    with st.spinner("Loading the images ..."):
        return data.load(source)


def statistics(source: str, split: str) -> SplitStatistics:
    """What there is to see in one split, ``"train"`` or ``"test"``; errors as in :func:`dataset`."""
    return _statistics(dataset(source).fingerprint, source, split)


def runs(*, deleted: bool = False) -> list[Run]:
    """The stored runs, newest first, at most :data:`RUNS_FRESH_SECONDS` old."""
    return list(shared_runs(deleted=deleted))


def shared_runs(*, deleted: bool = False) -> tuple[Run, ...]:
    """:func:`runs`, the same object for all sessions that see all of them until it is read again."""
    store()
    if deleted:
        # Not kept: it is looked at seldom, and each sees another part of the bin.
        return tuple(store().list_runs(deleted=True))
    everything = _runs(settings.place()).runs
    seen = viewed(everything, lambda run: run.thing)
    return everything if len(seen) == len(everything) else tuple(seen)


def run(run_id: str) -> Run:
    """One run, at most :data:`RUNS_FRESH_SECONDS` old, or :data:`FRESH_SECONDS` if it is in the bin.

    Raises:
        AquaDashError: There is none of that id, or it is hidden from the visitor.
    """
    store()
    # One reading serves those who watch one run, those who watch another, and those who look at the table of runs.
    found = _runs(settings.place()).by_id.get(run_id) or _run(settings.place(), run_id)
    require(Action.VIEW, found.thing)
    return found


def history(run_id: str) -> list[EpochRecord]:
    """A run's epochs so far; read once when the run has ended."""
    ended_at = _ended_at(run_id)
    if ended_at is None:
        return list(_live_history(settings.place(), run_id))
    return list(_history(settings.place(), run_id, ended_at))


def predictions(run_id: str) -> Predictions:
    """What a run's model says of the test split.

    Raises:
        RunError: There are no predictions yet.
    """
    ended_at = _ended_at(run_id)
    if ended_at is None:
        # A run that is resumed twice has the same key both times, so nothing of it is kept until it ends.
        return store().predictions(run_id)
    return _predictions(settings.place(), run_id, ended_at)


def validation_predictions(run_id: str) -> Predictions | None:
    """What a run's model says of its validation images; None for a run that kept none.

    Raises:
        RunError: The run has not ended.
    """
    ended_at = _ended_at(run_id)
    if ended_at is None:
        raise RunError("This run has not ended yet; its results are worked out when it has.")
    return _validation_predictions(settings.place(), run_id, ended_at)


def epoch_replay(run_id: str) -> EpochReplay | None:
    """How a run's answers changed from epoch to epoch; None where that was not kept."""
    ended_at = _ended_at(run_id)
    if ended_at is None:
        return _live_epoch_replay(settings.place(), run_id)
    return _epoch_replay(settings.place(), run_id, ended_at)


def matching_dataset(run: Run) -> Dataset | None:
    """The data set that the run learned from; None where it has changed since, or where what is stored of the run names
    images that it does not have.

    Raises:
        AquaDashError: The data set or what is stored of the run cannot be read.
    """
    found = dataset(run.config.data.source)
    if found.fingerprint != run.dataset_fingerprint:
        return None
    validated = found.test if run.config.training.validation == "test" else found.train
    named = [(validated, replay.probe_indices)] if (replay := epoch_replay(run.run_id)) else []
    if run.status.ended and "test_accuracy" in run.metrics:
        named.append((found.test, predictions(run.run_id).indices))
        if validation := validation_predictions(run.run_id):
            named.append((validated, validation.indices))
    return found if all(indices.max(initial=-1) < len(split) for split, indices in named) else None


def evaluation(run_id: str) -> Evaluation:
    """The figures that follow from :func:`predictions`.

    Raises:
        RunError: There are no predictions yet.
    """
    ended_at = _ended_at(run_id)
    if ended_at is None:
        raise RunError("This run has not ended yet; its results are worked out when it has.")
    return _evaluation(settings.place(), run_id, ended_at)


def job(job_id: str) -> Job | None:
    """A job in the background, at most :data:`FRESH_SECONDS` old; None where nobody ever asked for it.

    Raises:
        StorageError: The table of jobs cannot be read.
    """
    return _job(settings.place(), job_id)


def waiting_times() -> dict[str, Waiting]:
    """Of each waiting run its place and when it will about start, at most :data:`FRESH_SECONDS` old."""
    store()
    return _waiting_times(settings.place())


def paces() -> Paces:
    """How long epochs took in everybody's runs that have finished, at most :data:`PACES_FRESH_SECONDS` old."""
    store()
    return _paces(settings.place())


def search_heads() -> list[SearchHead]:
    """The stored searches without their trials, newest first, at most :data:`FRESH_SECONDS` old."""
    return viewed(_search_heads(settings.place()), lambda head: head.thing)


def search(search_id: str) -> Search:
    """One search, at most :data:`FRESH_SECONDS` old.

    Raises:
        AquaDashError: There is none of that id, or it is hidden from the visitor.
    """
    from aquadash.search.seen import as_seen

    return as_seen(_search(settings.place(), search_id))


def refresh() -> None:
    """Forget what may just have been changed; call after launching, stopping, renaming or deleting a run or search."""
    _runs.clear()
    _run.clear()
    _live_history.clear()
    _search_heads.clear()
    _search.clear()


def refresh_jobs() -> None:
    """Forget what may just have been changed of jobs; call after starting or stopping one."""
    _job.clear()


def _ended_at(run_id: str) -> float | None:
    """When the run ended, None while it has not: the part of a key that a resumed run changes."""
    known = run(run_id)
    return known.ended_at if known.status.ended else None


@st.cache_resource(max_entries=16, show_spinner="Measuring the images ...")
def _statistics(fingerprint: str, source: str, split: str) -> SplitStatistics:
    found = dataset(source)
    return describe(found.train if split == "train" else found.test, found.class_names)


@st.cache_resource(ttl=RUNS_FRESH_SECONDS, max_entries=8, show_spinner=False)
def _runs(place: str) -> _Runs:
    from aquadash.runs.snapshot import snapshot_of

    with people.acting(people.OWNER):
        return _Runs.of(snapshot_of(store()).runs())


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=64, show_spinner=False)
def _run(place: str, run_id: str) -> Run:
    with people.acting(people.OWNER):
        return store().get(run_id)


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=8, show_spinner=False)
def _search_heads(place: str) -> tuple[SearchHead, ...]:
    from aquadash.search import any_stored

    with people.acting(people.OWNER):
        return tuple(_search_store().heads()) if any_stored() else ()


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=64, show_spinner=False)
def _search(place: str, search_id: str) -> Search:
    with people.acting(people.OWNER):
        return _search_store().get(search_id)


def _search_store() -> SearchStore:
    # Optuna imports SQLAlchemy, as opening the run store does: two threads that do so at once can both fail.
    store()
    from aquadash.search.store import open_search_store

    return open_search_store()


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=64, show_spinner=False)
def _live_history(place: str, run_id: str) -> tuple[EpochRecord, ...]:
    return tuple(store().history(run_id))


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=128, show_spinner=False)
def _job(place: str, job_id: str) -> Job | None:
    from aquadash.jobs import open_jobs

    return open_jobs().get(job_id)


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=4, show_spinner=False)
def _waiting_times(place: str) -> dict[str, Waiting]:
    # One answer for everybody; pages show what of it belongs to runs that their visitor may see.
    with people.acting(people.OWNER):
        return engine().waiting()


@st.cache_resource(ttl=PACES_FRESH_SECONDS, max_entries=4, show_spinner=False)
def _paces(place: str) -> Paces:
    from aquadash.runs.pace import Paces

    return Paces(_runs(place).runs)


@st.cache_resource(max_entries=256, show_spinner=False)
def _history(place: str, run_id: str, ended_at: float) -> tuple[EpochRecord, ...]:
    return tuple(store().history(run_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _predictions(place: str, run_id: str, ended_at: float) -> Predictions:
    return store().predictions(run_id)


@st.cache_resource(max_entries=64, show_spinner=False)
def _validation_predictions(place: str, run_id: str, ended_at: float) -> Predictions | None:
    return store().validation_predictions(run_id)


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=64, show_spinner=False)
def _live_epoch_replay(place: str, run_id: str) -> EpochReplay | None:
    return store().epoch_replay(run_id)


@st.cache_resource(max_entries=64, show_spinner=False)
def _epoch_replay(place: str, run_id: str, ended_at: float) -> EpochReplay | None:
    return store().epoch_replay(run_id)


@st.cache_resource(max_entries=64, show_spinner="Working the figures out ...")
def _evaluation(place: str, run_id: str, ended_at: float) -> Evaluation:
    from aquadash.evaluation import evaluate

    found = _predictions(place, run_id, ended_at)
    return evaluate(found.labels, found.probabilities, class_names=run(run_id).class_names)
