"""Carries a search out: asks for trials, gives them to the engine as runs, and tells what came of them.

All that it knows is in the stores, so that a search goes on where it was whichever process takes it up.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from aquadash.config import with_values
from aquadash.data.folder.about import PREFIX, fingerprint_of
from aquadash.engine import Engine
from aquadash.errors import AquaDashError, RunError, StorageError, UnknownNameError
from aquadash.jobs import JobStatus
from aquadash.runs import EpochRecord, Run, RunStatus, RunStore
from aquadash.search import store as kept
from aquadash.search import strategies
from aquadash.search.plan import SearchPlan
from aquadash.search.store import SearchStore, study_errors
from aquadash.search.types import Search, Trial, TrialState

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial

#: After so many failures in a row there is something wrong that more trials will not mend.
MAX_FAILURES = 5


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
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the search up.

        Args:
            store: Where it is kept.
            search_id: Which one.
            engine: Trains the trials, as many at once as it has slots.
            runs: Where the engine keeps them.
            clock: Seconds since 1970 UTC.
        """
        self._store = store
        self._id = search_id
        self._engine = engine
        self._runs = runs
        self._clock = clock
        self._study = _Study(store, search_id)
        self._failures = 0
        #: Whether the scheduler has ever answered.
        self._reached = False
        self.search = store.get(search_id)
        #: The runs of the trials that rested, or were about to, when the search was taken up.
        self._resting = {trial.run_id for trial in self.search.trials if not trial.state.ended and self._rests(trial)}
        #: Of the runs of trials, as they were last looked at.
        self._statuses: dict[str, RunStatus] = {}
        self.message = ""
        self._seconds = self._written = self.search.seconds
        self._looked = clock()
        images = self.search.images or self._images()
        store.set_attributes(search_id, {kept.STATUS: str(RunStatus.RUNNING), kept.IMAGES: images})

    def step(self) -> JobStatus:
        """Look after the trials under way and start what the budget has room for.

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
        for trial in search.trials:
            if not trial.state.ended:
                self._look_after(search, trial, may_begin=may_begin)
        self.search = search = self._store.get(self._id)
        under_way = [trial for trial in search.trials if not trial.state.ended]
        statuses = [self._statuses.get(trial.run_id, RunStatus.QUEUED) for trial in under_way if trial.run_id]
        resting = all(status.ended for status in statuses)
        # Nobody works while the queue is held, others go first or the scheduler is away.
        self._account(worked=RunStatus.RUNNING in statuses or not (under_way or away))
        if search.stop_requested:
            return self._end(JobStatus.STOPPED) if resting else JobStatus.RUNNING
        if self._failures >= MAX_FAILURES:
            message = next(trial.message for trial in reversed(search.trials) if trial.state is TrialState.FAILED)
            self.message = f"{self._failures} trials failed in a row. {message}"
            waits = under_way and not (replaced and resting)
            return JobStatus.RUNNING if waits else self._end(JobStatus.FAILED)
        if self._spent(search.plan, first := len(search.trials)) and not under_way:
            return self._end(JobStatus.FINISHED)
        if replaced:
            self.message = "The data set is gone or has other images now. Put the old ones back, or start a new search."
            return self._end(JobStatus.FAILED) if resting else JobStatus.RUNNING
        if away and resting and not self._reached:
            # Its address may be wrong.
            raise away
        for number in range(first, first + slots - len(under_way)):
            if not self._spent(search.plan, number):
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
            raise
        except AquaDashError as error:
            # Values that do not go together, or no scheduler.
            self._fail(trial, str(error))
            return
        self._note_run(trial, run)

    def _note_run(self, trial: Trial, run: Run) -> None:
        self._study.note(trial, kept.RUN, run.run_id)
        # Looked at only now: who hides the search later, or shows it again, finds the run among its trials.
        hidden = self._store.get(self._id).hidden
        if run.hidden != hidden:
            self._runs.set_hidden(run.run_id, hidden)

    def _look_after(self, search: Search, trial: Trial, *, may_begin: bool) -> None:
        """See how a trial's run is doing, and act on it; what rests does so until it may begin."""
        if not trial.run_id:
            self._recover(search, trial, may_begin=may_begin)
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
        elif search.stop_requested:
            return
        elif run.status is RunStatus.INTERRUPTED or run.run_id in self._resting:
            if may_begin:
                self._resume(trial)
        else:
            self._prune(trial, "Somebody stopped its run.")

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
        self._study.tell_without_value(trial, "FAIL", message)

    def _prune(self, trial: Trial, message: str) -> None:
        self._failures = 0
        self._study.tell_without_value(trial, "PRUNED", message)

    def _stop(self, run_id: str) -> None:
        # It may have ended by itself.
        with contextlib.suppress(RunError):
            self._runs.request_stop(run_id)

    def _resume(self, trial: Trial) -> None:
        try:
            self._engine.resume(trial.run_id)
        except RunError as error:
            self._fail(trial, str(error))
        self._resting.discard(trial.run_id)

    def _rests(self, trial: Trial) -> bool:
        with contextlib.suppress(UnknownNameError, RunError):
            if trial.run_id:
                run = self._runs.read(trial.run_id)
                return run.status.ended or run.stop_requested
        return False

    def _recover(self, search: Search, trial: Trial, *, may_begin: bool) -> None:
        """A trial that the process before this one asked for and left before it noted its run."""
        if set(trial.params) != {parameter.name for parameter in search.plan.space}:
            self._fail(trial, "AquaDash ended before the trial had begun.")
            return
        taken = {other.run_id for other in search.trials}
        for run in self._runs.list_runs():
            unwatched = run.search_id == self._id and run.run_id not in taken
            # Not what was submitted: of the search's saved pipelines, a run carries those alone that its values name.
            if unwatched and run.config == with_values(run.config, trial.params):
                self._note_run(trial, run)
                return
        if may_begin:
            self._submit(search, trial)

    # -- the search --------------------------------------------------------------------------------------------------

    def _spent(self, plan: SearchPlan, number: int) -> bool:
        """Whether the budget has no room for the trial of that number."""
        most, minutes = plan.max_trials, plan.budget.minutes
        return (most is not None and number >= most) or (minutes is not None and self._seconds >= 60 * minutes)

    def _end(self, status: JobStatus) -> JobStatus:
        """Write what the search took."""
        self._store.set_attributes(self._id, {kept.SECONDS: self._seconds})
        return status

    def _account(self, *, worked: bool) -> None:
        """Count the time since the last look if there was work in it, and write it down every five seconds."""
        now = self._clock()
        if worked:
            # More than a minute between two looks was no work: the computer was asleep.
            self._seconds += min(max(0.0, now - self._looked), 60.0)
        self._looked = now
        if self._seconds - self._written >= 5.0:
            self._store.set_attributes(self._id, {kept.SECONDS: self._seconds})
            self._written = self._seconds


class _Study:
    """The search's Optuna study: ask, report, tell. Every method may raise ``StorageError``."""

    def __init__(self, store: SearchStore, search_id: str) -> None:
        self._store = store
        self._study = store.study(search_id)

    def ask(self, plan: SearchPlan, number: int) -> Trial:
        """Begin the trial of that number, which must be the next: draw its values."""
        from optuna.trial import TrialState as State

        space = strategies.distributions(plan)
        with study_errors("store the trial"):
            self._study.sampler = strategies.sampler(plan, number=number)
            self._study.pruner = strategies.pruner(plan)
            if number == 0:
                # What lies outside of the space is not the sampler's business.
                space = {name: space[name] for name in strategies.base_point(plan)}
            elif plan.sampler == "grid" and not self._study.get_trials(deepcopy=False, states=(State.WAITING,)):
                self._study.enqueue_trial(dict(strategies.grid_points(plan)[number - 1]))
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

    def tell_without_value(self, trial: Trial, state: Literal["FAIL", "PRUNED"], message: str) -> None:
        """The trial failed or was pruned, and why."""
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
