"""Searches as rows of the database. Their trials are the runs that carry the search's id."""

from __future__ import annotations

import contextlib
import math
import time
import uuid
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, select, update

from aquadash.data.folder.about import fingerprint_of
from aquadash.errors import RunError, UnknownNameError
from aquadash.people import OWNER, Person, Role
from aquadash.search.plan import SearchPlan, check_trials, from_dict
from aquadash.search.types import Search, SearchHead, Trial, TrialState
from aquadash.store import Run, RunStatus, RunStore, open_store, schema
from aquadash.store.job_types import job_id
from aquadash.store.runs import id_of
from aquadash.store.types import clean_name

#: The kind of job that carries a search out.
KIND = "search"

#: The message of a trial whose run was stopped, by itself or with the search.
STOPPED = "Its training was stopped."

_columns = schema.searches.c


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
        values = {
            "search_id": search_id,
            "name": clean_name(plan.name) or f"search-{search_id[:6]}",
            "status": RunStatus.QUEUED,
            "plan": plan.to_dict(),
            "created_at": time.time(),
            "images": fingerprint_of(plan.config.data.source),
            "owner": owner.person_id,
            "owner_name": owner.name,
            "shared": owner.leads,
        }
        with self._runs.database.writing("store the search") as (connection, revision):
            connection.execute(schema.searches.insert().values(**values, revision=revision))
            self._runs.jobs.submit(KIND, search_id, {}, owner=owner.person_id)
        return search_id

    def heads(self) -> list[SearchHead]:
        """Return all searches without their trials, newest first."""
        self._runs.jobs.end_expired()
        with self._runs.database.reading("read the searches") as connection:
            rows = connection.execute(select(schema.searches).order_by(_columns.created_at.desc())).mappings().all()
        return [_head(row) for row in rows]

    def get(self, search_id: str) -> Search:
        """Return one search with its trials."""
        trials = self._runs.trials(search_id)
        with self._runs.database.reading("read the search") as connection:
            row = connection.execute(select(schema.searches).where(_columns.search_id == search_id)).mappings().first()
        if row is None:
            raise UnknownNameError(f"There is no search {search_id[:40]!r}.")
        head, job = _head(row), self._runs.jobs.get(job_id(KIND, search_id))
        return Search(
            **vars(head),
            plan=from_dict(row["plan"]),
            trials=tuple(trial_of(run, is_active=head.at_work) for run in trials if run.trial is not None),
            images=row["images"],
            stop_requested=job is not None and job.stop_requested and not job.status.ended,
        )

    def resolve(self, text: str) -> str:
        """Return the id of the search with this id, prefix of an id or name; see :func:`aquadash.store.runs.id_of`."""
        names = {head.search_id: head.name for head in self.heads()}
        return id_of(text, names, kind="search", kinds="searches")

    def set_trials(self, search_id: str, trials: int) -> None:
        """Change the number of trials, the earlier ones included."""
        check_trials(trials)
        plan = replace(self.get(search_id).plan, trials=trials)
        self._update(search_id, {"plan": plan.to_dict()})

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


def _head(row: RowMapping) -> SearchHead:
    role = Role.STUDENT if not row["shared"] else Role.TEACHER if row["owner"] else Role.OWNER
    return SearchHead(
        row["search_id"],
        row["name"],
        RunStatus(row["status"]),
        row["created_at"],
        message=row["message"],
        maker=Person(row["owner"], row["owner_name"], role),
        hidden=row["hidden"],
    )


def trial_of(run: Run, *, is_active: bool) -> Trial:
    """Return the trial of a run; its state follows from the status of the run and the search."""
    assert run.trial is not None
    state, message, value = _outcome(run, is_active)
    ended = run.ended_at is not None and run.started_at is not None and state is not TrialState.RUNNING
    return Trial(
        number=run.trial.number,
        state=state,
        value=value,
        params=run.trial.params,
        run_id=run.run_id,
        pruned_at=run.trial.pruned_at,
        message=message,
        seconds=max(0.0, (run.ended_at or 0.0) - (run.started_at or 0.0)) if ended else None,
    )


def _outcome(run: Run, is_active: bool) -> tuple[TrialState, str, float | None]:
    assert run.trial is not None
    value, pruned_at = run.metrics.get("val_accuracy"), run.trial.pruned_at
    if run.deleted:
        return TrialState.FAILED, "Its run was deleted.", None
    if run.status in (RunStatus.UNREADABLE, RunStatus.FAILED):
        return TrialState.FAILED, run.message or "The training failed.", None
    if not run.status.ended:
        return TrialState.RUNNING, "", None
    if run.status is RunStatus.FINISHED:
        if value is None or not math.isfinite(value):
            return TrialState.FAILED, "Its run ended without a validation accuracy.", None
        return TrialState.COMPLETE, "", value
    if pruned_at is not None:
        return TrialState.PRUNED, f"Stopped after epoch {pruned_at}: other trials were better by then.", None
    if run.status is RunStatus.STOPPED or not is_active:
        return TrialState.PRUNED, STOPPED, None
    return TrialState.RUNNING, "", None


def open_search_store() -> SearchStore:
    """Return the searches of the store that the settings name."""
    return SearchStore(open_store())
