"""The controller of a search: Optuna proposes the values of each trial, and a run is trained with them.

All state is in the database, so that any process can continue a search.
"""

import contextlib
import math
from dataclasses import replace
from typing import Any

from aquadash.config import with_values
from aquadash.data.folder.about import fingerprint_of
from aquadash.errors import AquaDashError, RunError, StorageError
from aquadash.search import strategies
from aquadash.search.store import SearchStore
from aquadash.search.types import Search, Trial, TrialState
from aquadash.store import Run, RunStatus, RunStore
from aquadash.store.runs import new_run
from aquadash.store.types import TrialOf
from aquadash.work.queue import Engine

#: Failures in a row after which the search ends, because more trials would fail, too.
MAX_FAILURES = 5


class Controller:
    """A running search. Call :meth:`step` about once a second until it returns a status that has ended."""

    def __init__(self, store: SearchStore, search_id: str, *, engine: Engine, runs: RunStore) -> None:
        self._store = store
        self._id = search_id
        self._engine = engine
        self._runs = runs
        #: The search after the last step.
        self.search = store.get(search_id)
        #: The reason for a failure; empty before.
        self.message = ""
        #: Failures of an earlier attempt do not end this one.
        self._earlier = {trial.number for trial in self.search.trials if trial.state.ended}
        #: Validation accuracy by epoch of the trials that have ended, for the pruner.
        self._curves: dict[str, dict[int, float]] = {}
        #: The last epoch of each running trial that the pruner has seen.
        self._seen: dict[str, int] = {}

    def step(self) -> RunStatus:
        """Prune, resume and start trials; return how the search has ended, or running.

        Raises:
            AquaDashError: The store could not be read or written. The next step tries again.
        """
        self.search = search = self._store.get(self._id)
        replaced = search.images not in ("", fingerprint_of(search.plan.config.data.source))
        may_begin = not replaced and not search.stop_requested
        under_way = search.of(TrialState.RUNNING)
        idle = True
        for trial in under_way:
            run = self._runs.read(trial.run_id)
            idle = idle and run.status.ended
            if not run.status.ended:
                self._watch(search, trial, run)
            elif may_begin:
                # An interrupted run goes on after its last epoch.
                with contextlib.suppress(RunError):
                    self._engine.resume(run.run_id)
        if search.stop_requested:
            return RunStatus.STOPPED if idle else RunStatus.RUNNING
        recent = [trial for trial in search.trials if trial.state.ended and trial.number not in self._earlier]
        last = recent[-MAX_FAILURES:]
        if len(last) == MAX_FAILURES and all(trial.state is TrialState.FAILED for trial in last):
            self.message = f"{MAX_FAILURES} trials failed in a row. {last[-1].message}"
            return RunStatus.FAILED if not under_way or (replaced and idle) else RunStatus.RUNNING
        if search.spent:
            return RunStatus.FINISHED
        if replaced:
            self.message = "The data set is gone or has other images now. Put the old ones back, or start a new search."
            return RunStatus.FAILED if idle else RunStatus.RUNNING
        first = max((trial.number for trial in search.trials), default=-1) + 1
        for number in range(first, min(search.plan.trials, first + self._engine.slots() - len(under_way))):
            self._submit(search, number)
            # Read the search again: if it was hidden meanwhile, this run was not among the trials that were hidden.
            search = self._store.get(self._id)
            if (run := self._runs.read(search.trials[-1].run_id)).hidden != search.hidden:
                self._runs.update(run.run_id, hidden=search.hidden)
        return RunStatus.RUNNING

    def _submit(self, search: Search, number: int) -> None:
        plan = search.plan
        # The first trial has the settings that the search starts from.
        params = strategies.propose(plan, search.trials, self._curve) if number else plan.base
        common: dict[str, Any] = {
            "name": f"{search.name} #{number}",
            "search_id": self._id,
            "trial": TrialOf(number, dict(params)),
            "owner": search.maker,
            "hidden": search.hidden,
        }
        try:
            self._engine.submit(with_values(plan.config, params), **common)
        except StorageError:
            # The next step tries again.
            raise
        except AquaDashError as error:
            # The values are impossible together: store the trial as a failed run.
            run = new_run(plan.config, **common)
            self._runs.add(replace(run, status=RunStatus.FAILED, message=str(error)[:500], ended_at=run.created_at))

    def _curve(self, trial: Trial) -> dict[int, float]:
        """Return the validation accuracy of an ended trial by epoch; empty without a pruner."""
        if self.search.plan.pruner == "none" or trial.state is TrialState.RUNNING:
            return {}
        if trial.run_id not in self._curves:
            self._curves[trial.run_id] = self._accuracies(trial.run_id)
        return self._curves[trial.run_id]

    def _accuracies(self, run_id: str) -> dict[int, float]:
        return {
            record.epoch: record.val_accuracy
            for record in self._runs.history(run_id)
            if math.isfinite(record.val_accuracy)
        }

    def _watch(self, search: Search, trial: Trial, run: Run) -> None:
        """Stop a run that waits or trains if the search is to stop, or if the pruner says so."""
        if run.stop_requested:
            return
        if search.stop_requested:
            self._stop(run.run_id)
            return
        # Trial 0 has the settings that the others are compared with, so it is never pruned.
        if search.plan.pruner == "none" or trial.number == 0 or run.progress is None:
            return
        done = run.progress.epoch - 1
        if done <= self._seen.get(run.run_id, 0):
            return
        self._seen[run.run_id] = done
        if strategies.should_prune(search.plan, search.trials, self._curve, self._accuracies(run.run_id)):
            pruned = TrialOf(trial.number, dict(trial.params), done)
            self._runs.update(run.run_id, in_bin=True, trial=pruned)
            self._stop(run.run_id)

    def _stop(self, run_id: str) -> None:
        # The run may have ended meanwhile.
        with contextlib.suppress(RunError):
            self._runs.request_stop(run_id)
