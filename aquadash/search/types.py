"""The records of a search, as pages and commands read them, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from aquadash.config import Value
from aquadash.people import OWNER, Person, Resource
from aquadash.search.plan import SearchPlan
from aquadash.store.types import RunStatus


class TrialState(StrEnum):
    """Where a trial is: ``running -> complete | pruned | failed``."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """True when nothing more happens to the trial."""
        return self is not TrialState.RUNNING


@dataclass(frozen=True)
class Trial:
    """One try."""

    #: From 0; trial 0 has the settings that the search started from.
    number: int
    #: See :class:`TrialState`.
    state: TrialState
    #: Validation accuracy of the weights that its run kept, 0 to 1; None unless it is complete.
    value: float | None = None
    #: The settings that vary, by dotted name, with what it took for them.
    params: Mapping[str, Value] = field(default_factory=dict)
    #: Its run.
    run_id: str = ""
    #: The epoch after which it was to end because others were better by then; None otherwise.
    pruned_at: int | None = None
    #: Why it failed or was pruned; empty otherwise.
    message: str = ""
    #: Seconds from its start to its end; None before.
    seconds: float | None = None


@dataclass(frozen=True)
class SearchHead:
    """What a menu of searches needs."""

    #: 32 hexadecimal digits.
    search_id: str
    #: What people call it; text, never markup or a path.
    name: str
    #: ``queued``, ``running``, ``stopped``, ``finished`` (all trials are made), ``failed``, or ``interrupted``: it
    #: should be running, but its process is gone.
    status: RunStatus
    #: Seconds since 1970 UTC.
    created_at: float
    #: Why it failed or was interrupted; empty otherwise.
    message: str = field(default="", kw_only=True)
    #: Who asked for it; its trials are their runs.
    maker: Person = field(default=OWNER, kw_only=True)
    #: True if the teacher keeps it from the class.
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
    """All of a search."""

    #: What it was made from, with the present number of trials.
    plan: SearchPlan
    #: In the order of their numbers, without those whose runs are hidden from who asks.
    trials: tuple[Trial, ...] = ()
    #: The fingerprint of the own pictures that all trials learn from; empty for other images, and for a search of
    #: version 0.6.0 that nobody has continued since.
    images: str = ""
    #: True once somebody has asked it to stop, until it has.
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
    def num_ended(self) -> int:
        """How many trials have ended."""
        return sum(trial.state.ended for trial in self.trials)

    @property
    def spent(self) -> bool:
        """Whether nothing is left to go on with: all trials are made and have ended."""
        return self.num_ended == len(self.trials) >= self.plan.trials

    @property
    def fraction(self) -> float:
        """How many of all trials have ended, 0 to 1."""
        return 1.0 if self.status is RunStatus.FINISHED else min(1.0, self.num_ended / self.plan.trials)

    @property
    def seconds(self) -> float:
        """Seconds that its ended trials took, added up."""
        return sum(trial.seconds or 0.0 for trial in self.trials)

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until all trials have ended, by the median trial so far; None while unknown."""
        seconds = [trial.seconds for trial in self.trials if trial.seconds is not None]
        if self.status is not RunStatus.RUNNING or not seconds:
            return None
        side_by_side = max(1, len(self.of(TrialState.RUNNING)))
        return median(seconds) * max(0, self.plan.trials - self.num_ended) / side_by_side


def describe_progress(search: Search) -> str:
    """How many of its trials are done, and how good the best is."""
    best = search.best.value if search.best else None
    result = "no result yet" if best is None else f"best {_percent(best)}"
    return f"{search.num_ended} of {search.plan.trials} trials done, {result}"


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
