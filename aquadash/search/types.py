"""The records of a search, as pages and commands read them, and their descriptions in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from aquadash.config import Value
from aquadash.people import Person, Resource, Role
from aquadash.search.plan import SearchPlan
from aquadash.store.types import RunStatus


class TrialState(StrEnum):
    """The state of a trial: ``running -> complete | pruned | failed``."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """True unless the trial is running."""
        return self is not TrialState.RUNNING


@dataclass(frozen=True)
class Trial:
    """A trial of a search."""

    #: The number from 0; trial 0 has the settings that the search started from.
    number: int
    state: TrialState
    #: Validation accuracy of the run's kept weights, 0 to 1; None unless the trial is complete.
    value: float | None = None
    #: The values of the settings that vary, by dotted name.
    params: Mapping[str, Value] = field(default_factory=dict)
    #: The id of the trial's run.
    run_id: str = ""
    #: The epoch after which the pruner ended the trial; None otherwise.
    pruned_at: int | None = None
    #: The reason for a failure or pruning; empty otherwise.
    message: str = ""
    #: Seconds from the start to the end; None before the end.
    seconds: float | None = None


@dataclass(frozen=True)
class SearchHead:
    """A search without its plan and trials, for menus."""

    #: The id: 32 hexadecimal digits.
    search_id: str
    #: The name as plain text, never markup or a path.
    name: str
    #: The status; ``finished``: all trials have ended, ``interrupted``: the process is gone.
    status: RunStatus
    #: Seconds since 1970 UTC.
    created_at: float
    #: The reason for a failure or interruption; empty otherwise.
    message: str = field(default="", kw_only=True)
    #: The fingerprint of own pictures; empty for other images, and for a search of version 0.6.0.
    images: str = field(default="", kw_only=True)
    #: The id of the person who submitted it; empty for the owner of the machine.
    owner: str = field(default="", kw_only=True)
    #: That person's name at the time as plain text, never markup or a path.
    owner_name: str = field(default="", kw_only=True)
    #: True for a search of the teacher or the owner of the machine, which the whole class may open.
    shared: bool = field(default=True, kw_only=True)
    #: True if the teacher hides the search from the class.
    hidden: bool = field(default=False, kw_only=True)

    @property
    def at_work(self) -> bool:
        """True for a queued or running search."""
        return not self.status.ended

    @property
    def maker(self) -> Person:
        """The owner of the search and of the runs of its trials."""
        role = Role.STUDENT if not self.shared else Role.TEACHER if self.owner else Role.OWNER
        return Person(self.owner, self.owner_name, role)

    @property
    def resource(self) -> Resource:
        """The search for the table of rights."""
        return Resource("search", self.name, self.owner, self.owner_name, self.shared, self.hidden)


@dataclass(frozen=True)
class Search(SearchHead):
    """A search with its plan and trials."""

    #: The plan, with the present number of trials.
    plan: SearchPlan
    #: The trials in the order of their numbers; the lab leaves out those with runs that the person may not see.
    trials: tuple[Trial, ...] = ()
    #: True from the request to stop until the search has stopped.
    stop_requested: bool = False

    def of(self, state: TrialState) -> list[Trial]:
        """Return the trials in that state."""
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
        """The trial with the settings that the search started from; None if the person may not see its run."""
        return next((trial for trial in self.trials if trial.number == 0), None)

    @property
    def default_value(self) -> float | None:
        """The accuracy of :attr:`default`; None while it is unknown."""
        return self.default.value if self.default else None

    @property
    def beats_default(self) -> bool:
        """True if a trial is better than the settings that the search started from."""
        default = self.default_value
        return default is not None and any((trial.value or 0.0) > default for trial in self.complete)

    @property
    def num_ended(self) -> int:
        """The number of ended trials."""
        return sum(trial.state.ended for trial in self.trials)

    @property
    def spent(self) -> bool:
        """True if the search has made all trials and they have ended."""
        return self.num_ended == len(self.trials) >= self.plan.trials

    @property
    def fraction(self) -> float:
        """The fraction of ended trials, 0 to 1."""
        return 1.0 if self.status is RunStatus.FINISHED else min(1.0, self.num_ended / self.plan.trials)

    @property
    def seconds(self) -> float:
        """The sum of the seconds of the ended trials."""
        return sum(trial.seconds or 0.0 for trial in self.trials)

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until all trials have ended, by the median trial so far; None while unknown."""
        seconds = [trial.seconds for trial in self.trials if trial.seconds is not None]
        if self.status is not RunStatus.RUNNING or not seconds:
            return None
        side_by_side = max(1, len(self.of(TrialState.RUNNING)))
        return median(seconds) * max(0, self.plan.trials - self.num_ended) / side_by_side


def describe_result(search: Search) -> str:
    """Return in a sentence or two whether the search beat the settings that it started from."""
    best, default = search.best, search.default_value
    if best is None or best.value is None:
        return f"No trial has {'a result' if any(trial.state.ended for trial in search.trials) else 'ended yet'}."
    if default is None:
        # The settings to start from are those of trial 0, whose run may be hidden from the person.
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
