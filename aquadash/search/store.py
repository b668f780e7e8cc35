"""Where searches are kept: each an Optuna study in a SQLite file, with the rest of what belongs to it as attributes."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING, Any

from cachetools import cached
from filelock import FileLock

from aquadash import settings
from aquadash.data.folder.about import fingerprint_of
from aquadash.errors import AquaDashError, RunError, UnknownNameError
from aquadash.files import storage_error
from aquadash.people import OWNER, Person, Role
from aquadash.search import strategies
from aquadash.search.plan import SearchPlan, check_trials, from_json
from aquadash.search.types import Search, SearchHead, Trial, TrialState
from aquadash.store import Job, JobStatus, import_sqlalchemy, open_jobs, open_store
from aquadash.store.database import storage_errors
from aquadash.store.job_types import job_id
from aquadash.store.runs import id_of
from aquadash.store.types import RunStatus, clean_name

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as OptunaTrial

#: The kind of job that carries a search out.
KIND = "search"

# Attributes of a study.
PLAN = "plan"
NAME = "name"
STATUS = "status"
CREATED = "created_at"
MESSAGE = "message"
MAKER = "maker"
IMAGES = "images"
HIDDEN = "hidden"

# Attributes of a trial. (MESSAGE, too.)
RUN = "run_id"
PRUNED_AT = "pruned_at"


class SearchStore:
    """Searches and their trials. Safe to use from several threads and processes.

    Every method raises :class:`~aquadash.errors.StorageError` when the file cannot be read or written, and
    :class:`~aquadash.errors.UnknownNameError` for a search that is not there.
    """

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def create(self, plan: SearchPlan, *, owner: Person = OWNER) -> str:
        """Store a new search of somebody's and return its id. Nobody carries it out yet."""
        import optuna

        search_id = uuid.uuid4().hex
        with study_errors("store the search"):
            study = optuna.create_study(storage=self._storage, study_name=search_id, direction="maximize")
            study.enqueue_trial(dict(strategies.base_point(plan)))
            for key, value in (
                (NAME, clean_name(plan.name) or f"search-{search_id[:6]}"),
                (CREATED, time.time()),
                (STATUS, str(RunStatus.STOPPED)),
                (MAKER, [owner.person_id, owner.name, str(owner.role)]),
                (IMAGES, fingerprint_of(plan.config.data.source)),
                # Last: a study without a plan is not listed.
                (PLAN, plan.to_json()),
            ):
                study.set_user_attr(key, value)
        return search_id

    def heads(self) -> list[SearchHead]:
        """All searches without their trials, newest first."""
        with study_errors("read the searches"):
            found = [(study.study_name, study.user_attrs) for study in self._storage.get_all_studies()]
        jobs = {job.run: job for job in open_jobs().find(kind=KIND)}
        heads = [_head(search_id, attrs, jobs.get(search_id)) for search_id, attrs in found if PLAN in attrs]
        return sorted(heads, key=lambda head: head.created_at, reverse=True)

    def get(self, search_id: str) -> Search:
        """One search with its trials."""
        from optuna.trial import TrialState as State

        study = self.study(search_id)
        with study_errors("read the search"):
            attrs = study.user_attrs
            frozen = [trial for trial in study.get_trials(deepcopy=False) if trial.state is not State.WAITING]
        job, plan = open_jobs().get(job_id(KIND, search_id)), from_json(attrs[PLAN])
        head = _head(search_id, attrs, job)
        return Search(
            **vars(head),
            plan=plan,
            trials=tuple(_trial(one, plan) for one in frozen),
            images=attrs.get(IMAGES, ""),
            stop_requested=job is not None and job.stop_requested and not job.status.ended,
        )

    def resolve(self, text: str) -> str:
        """The id that a text stands for; see :meth:`aquadash.lab.searches.Searches.find`."""
        names = {head.search_id: head.name for head in self.heads()}
        return id_of(text, names, kind="search", kinds="searches")

    def ended_as(self, search_id: str) -> RunStatus | None:
        """How the search is written to have ended, whatever its job says; None while it is to be carried out."""
        status = _stored_status(self.study(search_id).user_attrs)
        return status if status.ended else None

    def set_trials(self, search_id: str, trials: int) -> None:
        """Give the search another number of trials, those that were made included."""
        check_trials(trials)
        plan = self.get(search_id).plan
        self.set_attributes(search_id, {PLAN: replace(plan, trials=trials).to_json()})

    def set_hidden(self, search_id: str, hidden: bool = True) -> None:
        """Keep the search and the runs of its trials from all students but its owner, or no longer.

        Trials that come later are hidden by the search's worker.
        """
        self.set_attributes(search_id, {HIDDEN: hidden})
        runs = open_store()
        for trial in self.get(search_id).trials:
            # What is in the bin cannot be written to, and of what is gone for good there is nothing to hide.
            with contextlib.suppress(UnknownNameError, RunError):
                if trial.run_id and not runs.read(trial.run_id).deleted:
                    runs.set_hidden(trial.run_id, hidden)

    def set_attributes(self, search_id: str, values: dict[str, Any]) -> None:
        """Write attributes of the study."""
        study = self.study(search_id)
        with study_errors("write the search"):
            for key, value in values.items():
                study.set_user_attr(key, value)

    def trial(self, study: Study, number: int) -> OptunaTrial:
        """A trial as Optuna has it for whoever asked for it, with the study's pruner."""
        from optuna import Trial as OptunaTrial

        study_id = self._storage.get_study_id_from_name(study.study_name)
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(study_id, number)
        return OptunaTrial(study, trial_id)

    def study(self, search_id: str) -> Study:
        """The search as Optuna has it."""
        import optuna

        with study_errors("read the search"):
            try:
                study = optuna.load_study(study_name=search_id, storage=self._storage)
                if PLAN not in study.user_attrs:
                    raise KeyError(search_id)
            except KeyError:
                raise UnknownNameError(f"There is no search {search_id[:40]!r}.") from None
        return study


def _stored_status(attrs: dict[str, Any]) -> RunStatus:
    return RunStatus(attrs.get(STATUS, RunStatus.STOPPED))


def _head(search_id: str, attrs: dict[str, Any], job: Job | None) -> SearchHead:
    """What is stored of a search, and what its job knows of it while that is new."""
    status, message = _stored_status(attrs), str(attrs.get(MESSAGE, ""))
    if job is None:
        # Its home came without its jobs, or is of an earlier version.
        status = status if status.ended else RunStatus.INTERRUPTED
    elif not (status.ended and job.status.ended):
        handed_back = job.status is JobStatus.QUEUED and job.started_at is not None
        status, message = RunStatus.INTERRUPTED if handed_back else RunStatus(job.status), job.message
    return SearchHead(
        search_id,
        str(attrs.get(NAME, search_id[:8])),
        status,
        float(attrs.get(CREATED, 0.0)),
        message=message,
        maker=_maker_of(attrs.get(MAKER)),
        hidden=bool(attrs.get(HIDDEN)),
    )


def _maker_of(values: Any) -> Person:
    """Who asked for a search; the machine's owner where that was not kept."""
    try:
        person_id, name, role = values
        return Person(str(person_id), str(name), Role(role))
    except (TypeError, ValueError):
        return OWNER


def _trial(frozen: FrozenTrial, plan: SearchPlan) -> Trial:
    from optuna.trial import TrialState as State

    state = {State.COMPLETE: TrialState.COMPLETE, State.PRUNED: TrialState.PRUNED, State.FAIL: TrialState.FAILED}.get(
        frozen.state, TrialState.RUNNING
    )
    return Trial(
        number=frozen.number,
        state=state,
        value=frozen.value if state is TrialState.COMPLETE else None,
        params=plan.base if frozen.number == 0 else dict(frozen.params),
        run_id=str(frozen.user_attrs.get(RUN, "")),
        epochs=frozen.last_step or 0,
        pruned_at=frozen.user_attrs.get(PRUNED_AT),
        message=str(frozen.user_attrs.get(MESSAGE, "")),
        seconds=frozen.duration.total_seconds() if frozen.duration else None,
    )


@contextlib.contextmanager
def study_errors(what: str) -> Iterator[None]:
    """Raise :class:`StorageError` in place of whatever Optuna or its database raises inside the block."""
    from optuna.exceptions import OptunaError

    try:
        with storage_errors(what):
            yield
    except AquaDashError:
        raise
    except OptunaError as error:
        raise storage_error(what, error.__cause__ or error) from error


def any_stored() -> bool:
    """Whether there may be searches; asked before anything heavy is imported."""
    return settings.search_database().is_file()


def open_search_store() -> SearchStore:
    """The searches of the home that the settings name, opened once a process and shared by its threads."""
    return _opened(settings.search_database())


@cached({}, condition=Condition())
def _opened(path: Path) -> SearchStore:
    import_sqlalchemy()
    import optuna

    strategies.quiet()
    with study_errors("open the searches"):
        path.parent.mkdir(parents=True, exist_ok=True)
        # One process at a time makes the tables.
        with FileLock(path.with_suffix(".lock"), timeout=60):
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 20}})
            with contextlib.closing(sqlite3.connect(path, timeout=20)) as connection:
                # Pages read while the search writes; the setting stays in the file.
                connection.execute("PRAGMA journal_mode=WAL")
        return SearchStore(optuna.storages.get_storage(storage))
