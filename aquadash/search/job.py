"""Searches as jobs: functions to start, continue and stop a search, and the work of its worker."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aquadash.augment import embedded
from aquadash.errors import AquaDashError, RunError, StorageError
from aquadash.people import OWNER, Person
from aquadash.search.controller import Controller
from aquadash.search.plan import SearchPlan
from aquadash.search.store import KIND, open_search_store
from aquadash.store import RunStatus, Stopped, open_jobs, open_store
from aquadash.store.job_types import job_id
from aquadash.work.queue import Engine, check

if TYPE_CHECKING:
    from aquadash.work.worker import JobContext

_log = logging.getLogger("aquadash.search")

#: Seconds between two looks at the trials: workers report once a second.
POLL_SECONDS = 1.0

#: Errors in a row (a busy or full disk) after which a search fails.
MAX_ERRORS = 30


def start_search(plan: SearchPlan, engine: Engine, *, owner: Person = OWNER) -> str:
    """Store a new search and its job, and return its id; see :meth:`aquadash.lab.searches.Searches.start`."""
    plan.checked()
    check(plan.config)
    # The plan has copies of the pipelines, so that edits in between do not change later trials.
    tried = [str(name) for name in plan.ends("augmentation.pipeline")]
    search_id = open_search_store().submit(replace(plan, config=embedded(plan.config, also=tried)), owner=owner)
    engine.serve()
    return search_id


def resume_search(search_id: str, engine: Engine, *, trials: int | None = None) -> None:
    """Continue a search; see :meth:`aquadash.lab.searches.Searches.resume`."""
    store = open_search_store()
    search = store.get(search_id)
    if search.status is RunStatus.RUNNING:
        raise RunError(f"{search.name} is running already.")
    if trials is not None:
        search = replace(search, plan=replace(search.plan, trials=trials))
    if search.spent:
        raise RunError(f"{search.name} has made all of its {len(search.trials)} trials. Give it a larger number.")
    if trials is not None:
        store.set_trials(search_id, trials)
    if search.status is not RunStatus.QUEUED:
        open_jobs().submit(KIND, search_id, {}, owner=search.maker.person_id)
    engine.serve()


def stop_search(search_id: str) -> None:
    """Ask a search to stop; a queued one has no worker, so stop its trainings at once."""
    job = open_jobs().request_stop(job_id(KIND, search_id))
    if job.status.ended:
        for trial in open_search_store().get(search_id).trials:
            # Runs that have ended or are in the bin cannot be stopped.
            with contextlib.suppress(RunError, StorageError):
                open_store().request_stop(trial.run_id)


def work(job: JobContext) -> dict[str, Any]:
    """Queue the trainings of a search until all trials are made; the app gives them their slots.

    Raises:
        Stopped: The search and its trainings have stopped.
        AquaDashError: Too many trials failed, or the database for too long.
    """
    runs = open_store()
    controller = Controller(open_search_store(), job.run, engine=Engine(runs, serving=False), runs=runs)
    status, errors = RunStatus.RUNNING, 0
    # Trials that ended before this process are not its progress.
    done = controller.search.num_ended
    while True:
        try:
            status = controller.step()
            errors = 0
        except AquaDashError as error:
            errors += 1
            _log.warning("search %s (%d in a row): %s", job.run, errors, error)
            if errors >= MAX_ERRORS:
                raise
        search = controller.search
        # The controller reads the request to stop itself, and stops the trainings first.
        with contextlib.suppress(Stopped):
            best = "no result yet" if search.best is None else f"best {100 * (search.best.value or 0.0):.1f} %"
            progress = f"{search.num_ended} of {search.plan.trials} trials done, {best}"
            job.report(progress, round(1000 * search.fraction), 1000, search.eta_seconds)
        if search.num_ended > done:
            job.beat(advanced=True)
            done = search.num_ended
        if status is RunStatus.FINISHED:
            return {}
        if status is RunStatus.STOPPED:
            raise Stopped("")
        if status is RunStatus.FAILED:
            raise RunError(controller.message)
        time.sleep(POLL_SECONDS)
