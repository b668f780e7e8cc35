"""Searches as jobs: how they are started and continued, and what their worker does."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aquadash.augment import embedded
from aquadash.errors import AquaDashError, RunError, UnknownNameError
from aquadash.people import OWNER, Person
from aquadash.search import store as kept
from aquadash.search.controller import STOPPED, Controller, Study
from aquadash.search.plan import SearchPlan
from aquadash.search.store import KIND, any_stored, open_search_store
from aquadash.search.types import TrialState, describe_progress
from aquadash.store import JobStatus, Stopped, open_jobs, open_store
from aquadash.store.job_types import job_id
from aquadash.work.queue import Engine, check

if TYPE_CHECKING:
    from aquadash.work.worker import JobContext

_log = logging.getLogger("aquadash.search")

#: Seconds between two looks at the trials: workers report once a second.
POLL_SECONDS = 1.0

#: Errors in a row (a busy or full disk) after which a search gives up.
_MAX_ERRORS = 30


def start_search(plan: SearchPlan, engine: Engine, *, owner: Person = OWNER) -> str:
    """Store a new search of somebody's, have it begun, and return its id.

    See :meth:`aquadash.lab.searches.Searches.start`.
    """
    plan.checked()
    check(plan.config)
    # All trials learn with the same pipelines, also when somebody edits one in between.
    tried = [str(name) for name in plan.ends("augmentation.pipeline")]
    search_id = open_search_store().create(replace(plan, config=embedded(plan.config, also=tried)), owner=owner)
    open_jobs().submit(KIND, search_id, {}, owner=owner.person_id)
    engine.serve()
    return search_id


def resume_search(search_id: str, engine: Engine, *, trials: int | None = None) -> None:
    """Continue a search; see :meth:`aquadash.lab.searches.Searches.resume`."""
    store = open_search_store()
    search = store.get(search_id)
    if search.at_work:
        raise RunError(f"{search.name} is running already.")
    if trials is not None:
        search = replace(search, plan=replace(search.plan, trials=trials))
    if search.spent:
        raise RunError(f"{search.name} has made all of its {len(search.trials)} trials. Give it a larger number.")
    if trials is not None:
        store.set_trials(search_id, trials)
    job = open_jobs().get(job_id(KIND, search_id))
    if job is None or job.status.ended:
        open_jobs().submit(KIND, search_id, {}, owner=search.maker.person_id)
    else:
        open_jobs().bring_home(job.id)
    engine.serve()


def work(job: JobContext) -> dict[str, Any]:
    """Carry a search out until all trials are made. It queues trainings; whoever serves gives them their slots.

    Raises:
        Stopped: Somebody asked it to, and its trainings have stopped.
        AquaDashError: Too many of its trials failed, or the stores for too long.
    """
    runs = open_store()
    controller = Controller(open_search_store(), job.run, engine=Engine(runs, serving=False), runs=runs)
    status, errors = JobStatus.RUNNING, 0
    # What had ended before this process took the search up is no sign that it gets on.
    done = controller.search.num_ended
    while True:
        try:
            status = controller.step()
            errors = 0
        except AquaDashError as error:
            errors += 1
            _log.warning("search %s (%d in a row): %s", job.run, errors, error)
            if errors >= _MAX_ERRORS:
                raise
        search = controller.search
        # The next steps read of the search that it is to stop, and take their time to do it.
        with contextlib.suppress(Stopped):
            job.report(describe_progress(search), round(1000 * search.fraction), 1000, search.eta_seconds)
        if search.num_ended > done:
            job.beat(advanced=True)
            done = search.num_ended
        if status is JobStatus.FINISHED:
            return {}
        if status is JobStatus.STOPPED:
            raise Stopped("")
        if status is JobStatus.FAILED:
            raise RunError(controller.message)
        time.sleep(POLL_SECONDS)


def record_end(search_id: str, status: JobStatus, message: str) -> None:
    """Keep how a search ended; where it was stopped while no worker had it, stop its trainings.

    Raises:
        StorageError: A store cannot be read or written.
    """
    try:
        if not any_stored() or open_search_store().ended_as(search_id) is not None:
            return
    except UnknownNameError:
        # Of another home.
        return
    store = open_search_store()
    if status is JobStatus.STOPPED:
        runs, study = open_store(), Study(store, search_id)
        for trial in store.get(search_id).of(TrialState.RUNNING):
            study.prune(trial, STOPPED)
            with contextlib.suppress(RunError, UnknownNameError):
                # One that is damaged counts as ended, and could not be asked.
                if trial.run_id and not runs.read(trial.run_id).status.ended:
                    runs.request_stop(trial.run_id)
    store.set_attributes(search_id, {kept.MESSAGE: message[:500], kept.STATUS: str(status)})
