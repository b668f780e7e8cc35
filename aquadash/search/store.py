"""Searches as rows of the database. Their trials are the runs that carry the search's id."""

import contextlib
import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select, update

from aquadash.data.folder.about import fingerprint_of
from aquadash.errors import AquaDashError, ConfigError, RunError, UnknownNameError
from aquadash.people import OWNER, Person
from aquadash.search.plan import SearchPlan, check_trials
from aquadash.search.types import Search, SearchHead, Trial, TrialState
from aquadash.store import Run, RunStatus, RunStore, open_store, schema
from aquadash.store.fields import duration
from aquadash.store.job_types import job_id
from aquadash.store.runs import id_of
from aquadash.store.types import clean_name, reason

#: The kind of job that carries a search out.
KIND = "search"

#: The message of a trial whose run was stopped, by itself or with the search.
STOPPED = "Its training was stopped."

_columns = schema.searches.c
#: The fields of a search that are columns. The others come from its job and its runs.
_STORED = {column.name for column in _columns} - {"revision"}
_HEAD, _SEARCH = TypeAdapter(SearchHead), TypeAdapter(Search)


class SearchStore:
    """Searches and their trials. Safe to use from several threads and processes.

    Every method raises :class:`~aquadash.errors.StorageError` when the store cannot be read or written, and
    :class:`~aquadash.errors.UnknownNameError` for an unknown search.
    """

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs

    def submit(self, plan: SearchPlan, *, owner: Person = OWNER) -> str:
        """Store a new search and its job in one transaction; return its id."""
        search_id = uuid.uuid4().hex
        search = Search(
            search_id,
            clean_name(plan.name) or f"search-{search_id[:6]}",
            RunStatus.QUEUED,
            time.time(),
            plan,
            images=fingerprint_of(plan.config.data.source),
            owner=owner.person_id,
            owner_name=owner.name,
            shared=owner.leads,
        )
        with self._runs.database.writing("store the search") as (connection, revision):
            connection.execute(schema.searches.insert().values(**_values(search), revision=revision))
            self._runs.jobs.submit(KIND, search_id, {}, owner=owner.person_id)
        return search_id

    def heads(self) -> list[SearchHead]:
        """Return all searches without their trials, newest first."""
        self._runs.jobs.end_expired()
        with self._runs.database.reading("read the searches") as connection:
            rows = connection.execute(select(schema.searches).order_by(_columns.created_at.desc())).mappings().all()
        return [_HEAD.validate_python(dict(row)) for row in rows]

    def get(self, search_id: str) -> Search:
        """Return one search with its trials."""
        trials = self._runs.trials(search_id)
        with self._runs.database.reading("read the search") as connection:
            row = connection.execute(select(schema.searches).where(_columns.search_id == search_id)).mappings().first()
        if row is None:
            raise UnknownNameError(f"There is no search {search_id[:40]!r}.")
        search, job = read_search(dict(row)), self._runs.jobs.get(job_id(KIND, search_id))
        return replace(
            search,
            trials=tuple(trial_of(run, is_active=search.at_work) for run in trials if run.trial is not None),
            stop_requested=job is not None and job.stop_requested and not job.status.ended,
        )

    def resolve(self, text: str) -> str:
        """Return the id of the search with this id, prefix of an id or name; see :func:`aquadash.store.runs.id_of`."""
        names = {head.search_id: head.name for head in self.heads()}
        return id_of(text, names, kind="search", kinds="searches")

    def set_trials(self, search_id: str, trials: int) -> None:
        """Change the number of trials, the earlier ones included."""
        check_trials(trials)
        search = self.get(search_id)
        self._update(search_id, {"plan": _values(replace(search, plan=replace(search.plan, trials=trials)))["plan"]})

    def set_hidden(self, search_id: str, hidden: bool = True) -> None:
        """Hide the search and its trials from all students but its owner, or show them again.

        The controller hides the runs of later trials.
        """
        self._update(search_id, {"hidden": hidden})
        for run in self._runs.trials(search_id):
            # A run in the bin cannot be changed; the lab hides it when it is restored.
            with contextlib.suppress(RunError):
                self._runs.update(run.run_id, hidden=hidden)

    def _update(self, search_id: str, values: dict[str, Any]) -> None:
        with self._runs.database.writing("write the search") as (connection, revision):
            where = _columns.search_id == search_id
            connection.execute(update(schema.searches).where(where).values(**values, revision=revision))


def read_search(row: Mapping[str, Any]) -> Search:
    """Return the search of a row, without its trials; raise ``ConfigError`` for an impossible plan."""
    try:
        return _SEARCH.validate_python(row)
    except (ValueError, TypeError, LookupError, AquaDashError) as error:
        raise ConfigError(f"This search cannot be read ({reason(error)}).") from None


def _values(search: Search) -> dict[str, Any]:
    values: dict[str, Any] = _SEARCH.dump_python(search, mode="json", include=_STORED)
    return values


def trial_of(run: Run, *, is_active: bool) -> Trial:
    """Return the trial of a run; its state follows from the status of the run and the search."""
    assert run.trial is not None
    number, params, pruned_at = run.trial.number, run.trial.params, run.trial.pruned_at
    value = run.metrics.get("val_accuracy")
    has_value = value is not None and math.isfinite(value)
    state, message = TrialState.FAILED, ""
    if run.deleted:
        message = "Its run was deleted."
    elif run.status in (RunStatus.UNREADABLE, RunStatus.FAILED):
        message = run.message or "The training failed."
    elif run.status is RunStatus.FINISHED and has_value:
        state = TrialState.COMPLETE
    elif run.status is RunStatus.FINISHED:
        message = "Its run ended without a validation accuracy."
    elif run.status.ended and pruned_at is not None:
        state, message = TrialState.PRUNED, f"Stopped after epoch {pruned_at}: other trials were better by then."
    elif run.status is RunStatus.STOPPED or (run.status.ended and not is_active):
        state, message = TrialState.PRUNED, STOPPED
    else:
        state = TrialState.RUNNING
    value, seconds = value if state is TrialState.COMPLETE else None, duration(run) if state.ended else None
    return Trial(number, state, value, params, run.run_id, pruned_at, message, seconds)


def open_search_store() -> SearchStore:
    """Return the searches of the store that the settings name."""
    return SearchStore(open_store())
