"""One search's Optuna study, as the search's worker writes it: ask, report, tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from aquadash.runs.types import EpochRecord
from aquadash.search import store as kept
from aquadash.search import strategies
from aquadash.search.plan import SearchPlan
from aquadash.search.store import SearchStore, study_errors
from aquadash.search.types import Trial, TrialState

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial


class OpenStudy:
    """The study of a search. Every method raises ``StorageError`` when it cannot be read or written."""

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
