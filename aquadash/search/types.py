"""The records of a search, as pages and commands read them, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate

from aquadash.config import Value
from aquadash.people import OWNER, Person, Resource
from aquadash.runs.types import RunStatus
from aquadash.search.plan import MAX_MINUTES, Budget, SearchPlan


class TrialState(StrEnum):
    """Where a trial is: ``running -> complete | pruned | failed``, with a rest in between if the search is stopped."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """True when nothing more happens to the trial."""
        return self not in (TrialState.RUNNING, TrialState.PAUSED)


@dataclass(frozen=True)
class Trial:
    """One try.

    Attributes:
        number: From 0; trial 0 has the settings that the search started from.
        state: See :class:`TrialState`.
        value: Validation accuracy of the weights that its run kept, 0 to 1; None unless it is complete.
        params: The settings that vary, by dotted name, with what it took for them.
        run_id: Its run; empty if none came into being.
        epochs: How many epochs of its run the pruner has seen.
        reached: Its best validation accuracy as long as it was watched for pruning, None if it was not.
        pruned_at: The epoch after which it was to end because others were better by then; None otherwise.
        message: Why it failed or was pruned; empty otherwise.
        started_at: Seconds since 1970 UTC.
        ended_at: Likewise; None before.
    """

    number: int
    state: TrialState
    value: float | None = None
    params: Mapping[str, Value] = field(default_factory=dict)
    run_id: str = ""
    epochs: int = 0
    reached: float | None = None
    pruned_at: int | None = None
    message: str = ""
    started_at: float = 0.0
    ended_at: float | None = None


@dataclass(frozen=True)
class SearchHead:
    """What a menu of searches needs.

    Attributes:
        search_id: 32 hexadecimal digits.
        name: What people call it; text, never markup or a path.
        status: ``queued``, ``running``, ``stopped``, ``finished`` (its budget is spent), ``failed``, or
            ``interrupted``: it should be running, but its process is gone.
        created_at: Seconds since 1970 UTC.
        message: Why it failed or was interrupted; empty otherwise.
        maker: Who asked for it; its trials are their runs.
        hidden: True if the teacher keeps it from the class.
    """

    search_id: str
    name: str
    status: RunStatus
    created_at: float
    message: str = field(default="", kw_only=True)
    maker: Person = field(default=OWNER, kw_only=True)
    hidden: bool = field(default=False, kw_only=True)

    @property
    def at_work(self) -> bool:
        """True while it is carried out, or is about to be."""
        return not self.status.ended

    @property
    def resource(self) -> Resource:
        """The search as the table of rights sees it."""
        return Resource("search", self.name, self.maker.person_id, self.maker.name, self.maker.leads, self.hidden)


@dataclass(frozen=True)
class Search(SearchHead):
    """All of a search.

    Attributes:
        plan: What it was made from, with the present budget.
        trials: In the order of their numbers, without those whose runs are hidden from who asks.
        images: The fingerprint of the own pictures that all trials learn from; empty for other images, and for a search
            of version 0.6.0 that nobody has continued since.
        seconds: For how long it has been at work, breaks and waiting for the queue left out.
        stop_requested: True once somebody has asked it to stop, until it has.
    """

    plan: SearchPlan
    trials: tuple[Trial, ...] = ()
    images: str = ""
    seconds: float = 0.0
    stop_requested: bool = False

    def of(self, state: TrialState) -> list[Trial]:
        """The trials in that state."""
        return [trial for trial in self.trials if trial.state is state]

    @property
    def complete(self) -> list[Trial]:
        """The trials with a value."""
        return [trial for trial in self.trials if trial.value is not None]

    @property
    def best(self) -> Trial | None:
        """The complete trial with the highest value, the earlier of two that are equal."""
        return max(self.complete, key=lambda trial: trial.value or 0.0, default=None)

    @property
    def default(self) -> Trial | None:
        """The trial with the settings that the search started from; None where its run is hidden from who asks."""
        return next((trial for trial in self.trials if trial.number == 0), None)

    @property
    def default_value(self) -> float | None:
        """What those settings reached; None while that is not known."""
        return self.default.value if self.default else None

    @property
    def beats_default(self) -> bool:
        """Whether a trial is better than the settings that the search started from; False while neither is known."""
        best, default = self.best, self.default_value
        return best is not None and best.value is not None and default is not None and best.value > default

    @property
    def exhausted(self) -> bool:
        """Whether a grid has no point left, whatever the budget."""
        everything = replace(self.plan, budget=Budget(None, MAX_MINUTES)).max_trials
        return everything is not None and len(self.trials) >= everything

    @property
    def spent(self) -> bool:
        """Whether nothing is left to go on with: all trials have ended, and the budget has room for no more."""
        most, minutes = self.plan.max_trials, self.plan.budget.minutes
        full = (most is not None and len(self.trials) >= most) or (minutes is not None and self.seconds >= 60 * minutes)
        return full and all(trial.state.ended for trial in self.trials)

    @property
    def fraction(self) -> float:
        """How much of the budget is spent, 0 to 1: of trials or of minutes, whichever is nearer to its end."""
        ended = sum(trial.state.ended for trial in self.trials)
        trials, minutes = self.plan.max_trials, self.plan.budget.minutes
        fractions = [ended / trials if trials else 0.0, self.seconds / 60 / minutes if minutes else 0.0]
        return 1.0 if self.status is RunStatus.FINISHED else min(1.0, max(fractions))

    @property
    def eta_seconds(self) -> float | None:
        """Seconds of work until all trials have ended, if they go on taking as long as so far; None while unknown.

        None, too, where the minutes are spent before: trials that are under way then are finished, whatever that takes.
        """
        trials, minutes = self.plan.max_trials, self.plan.budget.minutes
        ended = sum(trial.state.ended for trial in self.trials)
        if self.status is not RunStatus.RUNNING or trials is None or not ended:
            return None
        left = max(0.0, self.seconds / ended * (trials - ended))
        return left if minutes is None or self.seconds + left <= 60 * minutes else None


def best_so_far(trials: Sequence[Trial]) -> list[tuple[int, float]]:
    """The number of each complete trial and the highest value up to it, in the order of their numbers."""
    known = [(trial.number, trial.value) for trial in trials if trial.value is not None]
    return list(zip((number for number, _ in known), accumulate((value for _, value in known), max), strict=True))


def describe_progress(search: Search) -> str:
    """How many of its trials are done, and how good the best is."""
    ended, most = sum(trial.state.ended for trial in search.trials), search.plan.max_trials
    best = search.best.value if search.best else None
    result = "no result yet" if best is None else f"best {_percent(best)}"
    return f"{ended}{'' if most is None else f' of {most}'} trials done, {result}"


def describe_result(search: Search) -> str:
    """Whether the search beat the settings that it started from: a sentence or two of plain text."""
    best, default = search.best, search.default_value
    if best is None or best.value is None:
        return f"No trial has {'a result' if any(trial.state.ended for trial in search.trials) else 'ended yet'}."
    if default is None:
        # Who may see all trials sees the first, which has them.
        why = "are hidden from you" if search.default is None else "have no result to compare it with"
        return (
            f"The best is trial {best.number} with {_percent(best.value)} validation accuracy. "
            f"The settings to start from {why}."
        )
    if not search.beats_default:
        return f"No trial beats the settings to start from, which reach {_percent(default)} validation accuracy."
    return (
        f"Trial {best.number} beats the settings to start from: {_percent(best.value)} validation accuracy instead of "
        f"{_percent(default)}. The best of {len(search.complete)} is partly luck: train it again with other seeds."
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
