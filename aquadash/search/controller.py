"""Carries a search out: asks for trials, gives them to the engine as runs, and tells what came of them.

All that it knows is in the stores, so that a search goes on where it was whichever process takes it up.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Protocol

from aquadash.config import RunConfig, with_values
from aquadash.errors import AquaDashError, RunError, StorageError, UnknownNameError
from aquadash.people import Person
from aquadash.runs.types import EpochRecord, Run, RunStatus
from aquadash.search import store as kept
from aquadash.search.plan import SearchPlan
from aquadash.search.store import SearchStore
from aquadash.search.study import OpenStudy
from aquadash.search.types import Search, Trial, TrialState

_log = logging.getLogger(__name__)

#: After so many failures in a row there is something wrong that more trials will not mend.
MOST_FAILURES = 5

#: A run whose worker died goes on from its last epoch so many times before its trial counts as failed.
_MOST_RESTARTS = 2

#: How often the time spent is written down, in seconds.
_ACCOUNT_SECONDS = 5.0

#: More between two looks was no work: the computer was asleep.
_LONGEST_LOOK = 60.0


class TrialEngine(Protocol):
    """What a search needs of the engine."""

    def submit(
        self, config: RunConfig, *, name: str | None = None, search_id: str = "", owner: Person | None = None
    ) -> Run: ...
    def stop(self, run_id: str) -> None: ...
    def resume(self, run_id: str) -> Run: ...
    def slots(self) -> int: ...


class TrialRuns(Protocol):
    """What a search needs of the run store."""

    def get(self, run_id: str) -> Run: ...
    def history(self, run_id: str) -> list[EpochRecord]: ...
    def list_runs(self) -> list[Run]: ...
    def set_hidden(self, run_id: str, hidden: bool = True) -> None: ...


class Controller:
    """One search under way. Call :meth:`step` about once a second until it says that nothing is left to do.

    Whoever uses it holds the search's lock, so that there is one of them only.
    """

    def __init__(
        self,
        store: SearchStore,
        search_id: str,
        *,
        engine: TrialEngine,
        runs: TrialRuns,
        slots: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the search up.

        Args:
            store: Where it is kept.
            search_id: Which one.
            engine: Trains the trials.
            runs: Where the engine keeps them.
            slots: So many trials are under way at once; None for as many as the engine has room for.
            clock: Seconds since 1970 UTC.
        """
        self._store = store
        self._id = search_id
        self._engine = engine
        self._runs = runs
        self._slots = slots
        self._clock = clock
        self._study = OpenStudy(store, search_id)
        self._failures = 0
        search = store.get(search_id)
        self._seconds = self._written = search.seconds
        self._looked = clock()

    def step(self) -> bool:
        """Look after the trials under way and start what the budget has room for.

        Returns:
            Whether there is more to do.

        Raises:
            AquaDashError: A store could not be read or written, or the scheduler not reached. The next step tries
                again.
        """
        self._account()
        search = self._store.get(self._id)
        for trial in search.trials:
            if not trial.state.ended:
                self._look_after(search, trial)
        search = self._store.get(self._id)
        under_way = [trial for trial in search.trials if not trial.state.ended]
        if search.stop_requested:
            if any(not self._at_rest(trial) for trial in under_way):
                return True
            return self._end(RunStatus.STOPPED)
        if self._failures >= MOST_FAILURES:
            message = next(trial.message for trial in reversed(search.trials) if trial.state is TrialState.FAILED)
            message = f"{self._failures} trials failed in a row. {message}"
            return bool(under_way) or self._end(RunStatus.FAILED, message)
        started = False
        slots = self._engine.slots() if self._slots is None else self._slots
        for number in range(len(search.trials), len(search.trials) + slots - len(under_way)):
            if self._spent(search.plan, number):
                break
            self._submit(search, self._study.ask(search.plan, number))
            started = True
        return started or bool(under_way) or self._end(RunStatus.FINISHED)

    # -- one trial ---------------------------------------------------------------------------------------------------

    def _submit(self, search: Search, trial: Trial) -> None:
        try:
            config = with_values(search.plan.config, trial.params)
            name = f"{search.name} #{trial.number}"
            run = self._engine.submit(config, name=name, search_id=self._id, owner=search.maker)
        except StorageError:
            raise
        except AquaDashError as error:
            # Values that do not go together, or no scheduler.
            self._fail(trial, str(error))
            return
        self._study.note(trial, kept.RUN, run.run_id)
        # Looked at only now: who hides the search meanwhile finds the run among its trials.
        if self._store.get(self._id).hidden:
            self._runs.set_hidden(run.run_id)

    def _look_after(self, search: Search, trial: Trial) -> None:
        """See how a trial's run is doing, and act on it."""
        if not trial.run_id:
            self._recover(search, trial)
            return
        try:
            run = self._runs.get(trial.run_id)
        except UnknownNameError:
            self._fail(trial, "Its run is no longer in the run store.")
            return
        if run.deleted:
            self._fail(trial, "Its run was deleted.")
        elif not run.status.ended:
            self._watch(search, trial, run)
        elif run.status is RunStatus.FINISHED:
            self._complete(search, trial, run)
        elif run.status is RunStatus.FAILED:
            self._fail(trial, run.message or "The training failed.")
        elif (epoch := self._study.attribute(trial, kept.PRUNED_AT)) is not None:
            self._prune(trial, f"Stopped after epoch {epoch}: other trials were better by then.")
        elif run.status is RunStatus.INTERRUPTED:
            self._revive(search, trial, run)
        elif trial.state is not TrialState.PAUSED:
            self._prune(trial, "Somebody stopped its run.")
        elif not search.stop_requested:
            self._resume(trial)

    def _watch(self, search: Search, trial: Trial, run: Run) -> None:
        """A run at work: prune it if it falls behind, stop it if the search is to stop."""
        if search.stop_requested:
            if not run.stop_requested:
                # First the note, then the deed: so a stop is never taken for somebody else's.
                self._study.note(trial, kept.PAUSED, True)
                self._ask_to_stop(run.run_id)
            return
        if run.stop_requested:
            return
        if trial.state is TrialState.PAUSED:
            self._study.note(trial, kept.PAUSED, False)
        if search.plan.pruner != "none" and run.progress is not None and run.progress.epoch > trial.epochs + 1:
            epoch = self._study.report(search.plan, trial, self._runs.history(run.run_id))
            if epoch is not None and trial.number > 0:  # Trial 0 is what the others are measured by.
                self._study.note(trial, kept.PRUNED_AT, epoch)
                self._ask_to_stop(run.run_id)

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

    def _revive(self, search: Search, trial: Trial, run: Run) -> None:
        """A run whose worker is gone: go on from its last epoch, now or when the search is continued."""
        if search.stop_requested:
            self._study.note(trial, kept.PAUSED, True)
            return
        restarts = int(self._study.attribute(trial, kept.RESTARTS) or 0)
        if restarts >= _MOST_RESTARTS:
            self._fail(trial, f"Its training process died {restarts + 1} times. {run.message}".strip())
            return
        self._study.note(trial, kept.RESTARTS, restarts + 1)
        self._resume(trial)

    def _resume(self, trial: Trial) -> None:
        try:
            self._engine.resume(trial.run_id)
        except RunError as error:
            self._fail(trial, str(error))
            return
        self._study.note(trial, kept.PAUSED, False)

    def _recover(self, search: Search, trial: Trial) -> None:
        """A trial that the process before this one asked for and left before it noted its run."""
        if set(trial.params) != {parameter.name for parameter in search.plan.space}:
            self._fail(trial, "AquaDash ended before the trial had begun.")
            return
        config = with_values(search.plan.config, trial.params)
        taken = {other.run_id for other in search.trials}
        for run in self._runs.list_runs():
            if run.search_id == self._id and run.run_id not in taken and run.config == config:
                self._study.note(trial, kept.RUN, run.run_id)
                return
        if search.stop_requested:
            self._study.note(trial, kept.PAUSED, True)
        else:
            self._study.note(trial, kept.PAUSED, False)
            self._submit(search, trial)

    # -- the search --------------------------------------------------------------------------------------------------

    def _spent(self, plan: SearchPlan, number: int) -> bool:
        """Whether the budget has no room for the trial of that number."""
        most, minutes = plan.most_trials, plan.budget.minutes
        return (most is not None and number >= most) or (minutes is not None and self._seconds >= 60 * minutes)

    def _at_rest(self, trial: Trial) -> bool:
        """Whether a paused trial's run has really ended."""
        return trial.state is TrialState.PAUSED and (not trial.run_id or self._runs.get(trial.run_id).status.ended)

    def _end(self, status: RunStatus, message: str = "") -> bool:
        """Write how the search ended; returns False, for there is nothing more to do."""
        self._store.set_attributes(
            self._id, {kept.SECONDS: self._seconds, kept.MESSAGE: message, kept.STATUS: str(status)}
        )
        return False

    def _account(self) -> None:
        """Count the time since the last look."""
        now = self._clock()
        self._seconds += min(max(0.0, now - self._looked), _LONGEST_LOOK)
        self._looked = now
        if self._seconds - self._written >= _ACCOUNT_SECONDS:
            self._store.set_attributes(self._id, {kept.SECONDS: self._seconds})
            self._written = self._seconds

    def _ask_to_stop(self, run_id: str) -> None:
        try:
            self._engine.stop(run_id)
        except RunError as error:
            _log.debug("run %s had ended by itself: %s", run_id, error)
