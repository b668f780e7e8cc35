"""Carries a search out: asks Optuna for trials, trains each as a run, and reports its result to Optuna.

Its state is in the stores, so that any process can carry on with a search.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from aquadash.config import with_values
from aquadash.data.folder.about import PREFIX, fingerprint_of
from aquadash.errors import AquaDashError, RunError, StorageError, UnknownNameError
from aquadash.search import store as kept
from aquadash.search import strategies
from aquadash.search.plan import SearchPlan
from aquadash.search.store import SearchStore, study_errors
from aquadash.search.types import Search, Trial, TrialState
from aquadash.store import EpochRecord, JobStatus, Run, RunStatus, RunStore
from aquadash.work.queue import Engine

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial

#: After so many failures in a row the search ends: more trials would fail, too.
MAX_FAILURES = 5

#: Message of a trial whose run was stopped, by itself or with the search.
STOPPED = "Its training was stopped."


class Controller:
    """One search under way. Call :meth:`step` about once a second until it says how the search has ended.

    Attributes:
        search: The search as the last step left it.
        message: Why it failed; empty before.
    """

    def __init__(
        self,
        store: SearchStore,
        search_id: str,
        *,
        engine: Engine,
        runs: RunStore,
    ) -> None:
        """Take the search up."""
        self._store = store
        self._id = search_id
        self._engine = engine
        self._runs = runs
        self._study = Study(store, search_id)
        self._failures = 0
        #: Whether the scheduler has ever answered.
        self._reached = False
        self.search = store.get(search_id)
        #: Statuses of the trials' runs at the last step.
        self._statuses: dict[str, RunStatus] = {}
        self.message = ""
        images = self.search.images or self._images()
        store.set_attributes(search_id, {kept.STATUS: str(RunStatus.RUNNING), kept.IMAGES: images})

    def step(self) -> JobStatus:
        """Look after the trials under way and start as many as there are slots for.

        Returns:
            Running while there is more to do; else how the search has ended.

        Raises:
            AquaDashError: A store could not be read or written, or the scheduler not been reached yet. The next step
                tries again.
        """
        search, away = self._store.get(self._id), None
        try:
            slots, self._reached = self._engine.slots(), True
        except RunError as error:
            # The scheduler is away: what trains goes on, the rest waits.
            slots, away = 0, error
        replaced = search.images not in ("", fingerprint_of(search.plan.config.data.source))
        may_begin = slots > 0 and not replaced and not search.stop_requested
        for trial in search.of(TrialState.RUNNING):
            self._look_after(search, trial, may_begin=may_begin)
        self.search = search = self._store.get(self._id)
        under_way = search.of(TrialState.RUNNING)
        # Interrupted runs stay so while the scheduler is away or their pictures are gone.
        idle = all(self._statuses[trial.run_id].ended for trial in under_way if trial.run_id in self._statuses)
        if search.stop_requested:
            return JobStatus.RUNNING if under_way else JobStatus.STOPPED
        if self._failures >= MAX_FAILURES:
            message = next(trial.message for trial in reversed(search.trials) if trial.state is TrialState.FAILED)
            self.message = f"{self._failures} trials failed in a row. {message}"
            return JobStatus.RUNNING if under_way and not (replaced and idle) else JobStatus.FAILED
        if search.spent:
            return JobStatus.FINISHED
        if replaced:
            self.message = "The data set is gone or has other images now. Put the old ones back, or start a new search."
            return JobStatus.FAILED if idle else JobStatus.RUNNING
        if away and idle and not self._reached:
            # Its address may be wrong.
            raise away
        first = len(search.trials)
        for number in range(first, min(search.plan.trials, first + slots - len(under_way))):
            self._submit(search, self._study.ask(search.plan, number))
        return JobStatus.RUNNING

    def _images(self) -> str:
        """As :attr:`Search.images`, for version 0.6.0 did not write them down: those of a complete trial, or of now."""
        source = self.search.plan.config.data.source
        for trial in self.search.complete if source.startswith(PREFIX) else ():
            with contextlib.suppress(UnknownNameError, RunError):
                if images := self._runs.read(trial.run_id).dataset_fingerprint:
                    return images
        return fingerprint_of(source)

    # -- one trial ---------------------------------------------------------------------------------------------------

    def _submit(self, search: Search, trial: Trial) -> None:
        try:
            config = with_values(search.plan.config, trial.params)
            name = f"{search.name} #{trial.number}"
            run = self._engine.submit(config, name=name, search_id=self._id, owner=search.maker, hidden=search.hidden)
        except StorageError:
            # The next step tries again.
            raise
        except AquaDashError as error:
            # Values that do not go together, or no scheduler.
            self._fail(trial, str(error))
            return
        self._study.note(trial, kept.RUN, run.run_id)
        # Read after the run was noted: whoever hides the search later, or shows it again, finds the run in its trial.
        hidden = self._store.get(self._id).hidden
        if run.hidden != hidden:
            self._runs.set_hidden(run.run_id, hidden)

    def _look_after(self, search: Search, trial: Trial, *, may_begin: bool) -> None:
        """Read the state of a trial's run and act on it."""
        if not trial.run_id:
            # AquaDash ended, or the store failed, between asking for the trial and storing its run.
            if search.stop_requested:
                self._prune(trial, STOPPED)
            elif len(trial.params) < len(search.plan.space):
                self._fail(trial, "AquaDash ended before the trial had begun.")
            elif may_begin:
                self._submit(search, trial)
            return
        try:
            run = self._runs.read(trial.run_id)
        except (UnknownNameError, RunError):
            self._fail(trial, "Its run is no longer in the run store, or cannot be read.")
            return
        self._statuses[run.run_id] = run.status
        if run.deleted:
            self._fail(trial, "Its run was deleted.")
        elif run.status is RunStatus.UNREADABLE:
            self._fail(trial, run.message)
        elif not run.status.ended:
            self._watch(search, trial, run)
        elif run.status is RunStatus.FINISHED:
            self._complete(search, trial, run)
        elif run.status is RunStatus.FAILED:
            self._fail(trial, run.message or "The training failed.")
        elif trial.pruned_at is not None:
            self._prune(trial, f"Stopped after epoch {trial.pruned_at}: other trials were better by then.")
        elif run.status is RunStatus.STOPPED or search.stop_requested:
            self._prune(trial, STOPPED)
        elif may_begin:
            self._resume(trial)

    def _watch(self, search: Search, trial: Trial, run: Run) -> None:
        """A run at work: prune it if it falls behind, stop it if the search is to stop."""
        if run.stop_requested:
            return
        if search.stop_requested:
            self._stop(run.run_id)
        elif search.plan.pruner != "none" and run.progress is not None and run.progress.epoch > trial.epochs + 1:
            epoch = self._study.report(search.plan, trial, self._runs.history(run.run_id))
            if epoch is not None and trial.number > 0:  # Trial 0 is what the others are measured by.
                self._study.note(trial, kept.PRUNED_AT, epoch)
                self._stop(run.run_id)

    def _complete(self, search: Search, trial: Trial, run: Run) -> None:
        value = run.metrics.get("val_accuracy")
        if value is None or not math.isfinite(value):
            self._fail(trial, "Its run ended without a validation accuracy.")
            return
        if search.plan.pruner != "none":
            # What later trials are compared with.
            self._study.report(search.plan, trial, self._runs.history(run.run_id))
        self._failures = 0
        self._study.tell(trial, value)

    def _fail(self, trial: Trial, message: str) -> None:
        self._failures += 1
        self._study.fail(trial, message)

    def _prune(self, trial: Trial, message: str) -> None:
        self._failures = 0
        self._study.prune(trial, message)

    def _stop(self, run_id: str) -> None:
        # It may have ended by itself.
        with contextlib.suppress(RunError):
            self._runs.request_stop(run_id)

    def _resume(self, trial: Trial) -> None:
        try:
            self._engine.resume(trial.run_id)
        except RunError as error:
            self._fail(trial, str(error))


class Study:
    """The search's Optuna study: ask, report, tell. Every method may raise ``StorageError``."""

    def __init__(self, store: SearchStore, search_id: str) -> None:
        self._store = store
        self._study = store.study(search_id)

    def ask(self, plan: SearchPlan, number: int) -> Trial:
        """Begin the trial of that number, which must be the next: draw its values."""
        space = strategies.distributions(plan)
        with study_errors("store the trial"):
            self._study.sampler = strategies.sampler(plan, number=number)
            self._study.pruner = strategies.pruner(plan)
            if number == 0:
                # What lies outside of the space is not the sampler's business.
                space = {name: space[name] for name in strategies.base_point(plan)}
            asked = self._study.ask(space)
        params = plan.base if asked.number == 0 else asked.params
        return Trial(asked.number, TrialState.RUNNING, params=params)

    def report(self, plan: SearchPlan, trial: Trial, history: Sequence[EpochRecord]) -> int | None:
        """Tell the pruner about the epochs that are new to it.

        Returns:
            The first of them at which it says that the trial should end; None if it may go on.
        """
        pruned_at = None
        with study_errors("report the trial"):
            self._study.pruner = strategies.pruner(plan)
            handle = self._handle(trial.number)
            for record in history:
                if record.epoch > trial.epochs and math.isfinite(record.val_accuracy):
                    handle.report(record.val_accuracy, record.epoch)
                    if pruned_at is None and handle.should_prune():
                        pruned_at = record.epoch
        return pruned_at

    def tell(self, trial: Trial, value: float) -> None:
        """The trial is complete, with that validation accuracy (0 to 1)."""
        with study_errors("store the trial's result"):
            self._study.tell(trial.number, value)

    def fail(self, trial: Trial, message: str) -> None:
        """The trial failed, and why."""
        self._tell_without_value(trial, "FAIL", message)

    def prune(self, trial: Trial, message: str) -> None:
        """The trial was stopped early, and why."""
        self._tell_without_value(trial, "PRUNED", message)

    def _tell_without_value(self, trial: Trial, state: Literal["FAIL", "PRUNED"], message: str) -> None:
        from optuna.trial import TrialState as State

        self.note(trial, kept.MESSAGE, message[:500])
        with study_errors("store the trial's result"):
            self._study.tell(trial.number, state=State[state])

    def note(self, trial: Trial, key: str, value: str | int | bool) -> None:
        """Write an attribute of the trial."""
        with study_errors("write the trial"):
            self._handle(trial.number).set_user_attr(key, value)

    def _handle(self, number: int) -> OptunaTrial:
        """Optuna's own object of a trial, for which another process may have asked."""
        return self._store.trial(self._study, number)
