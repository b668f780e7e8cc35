"""Which runs a table shows and in which order, and the same done with each of some."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aquadash.errors import NotAllowedError, RunError, UnknownNameError, look_up
from aquadash.store.fields import RunField, known_fields, validation_accuracy
from aquadash.store.query import select
from aquadash.store.types import Run


@dataclass(frozen=True)
class RunFilter:
    """What a run must be to be shown; what is left empty lets all runs pass."""

    #: By the name of a field, such as ``"model.name"``, the values of which a run must have one.
    one_of: Mapping[str, Collection[str]] = field(default_factory=dict)
    #: All of these tags.
    tags: Collection[str] = ()
    #: Only those that are pinned.
    pinned: bool = False
    #: Those that are archived, too.
    archived: bool = False
    #: Trials of searches, too.
    trials: bool = False
    #: The least and greatest validation accuracy, 0 to 1; runs without one pass only if all may.
    accuracy: tuple[float, float] = (0.0, 1.0)
    #: A condition; see :mod:`aquadash.store.query`.
    where: str = ""

    def apply(self, runs: Iterable[Run]) -> list[Run]:
        """The runs that pass, in their order.

        Raises:
            QueryError: The condition cannot be used.
        """
        # The condition first: a name that only other runs have is a name, too.
        return [run for run in select(runs, self.where) if self._passes(run)]

    def _passes(self, run: Run) -> bool:
        known = known_fields()
        return (
            (self.archived or not run.archived)
            and (self.trials or not run.search_id)
            and (not self.pinned or run.pinned)
            and all(not values or known[name].get(run) in values for name, values in self.one_of.items())
            and set(self.tags) <= set(run.tags)
            and self._accurate(run)
        )

    def _accurate(self, run: Run) -> bool:
        low, high = self.accuracy
        if low <= 0.0 and high >= 1.0:
            return True
        accuracy = validation_accuracy(run)
        return accuracy is not None and low <= accuracy <= high


def sort_runs(runs: Iterable[Run], key: str, fields: Mapping[str, RunField]) -> list[Run]:
    """The runs by a field, pinned ones first and those without the value last."""
    sorted_by, falling = look_up("field of a run", key.removeprefix("-"), fields), key.startswith("-")
    found = list(runs)
    values = [(_comparable(sorted_by.get(run)), run) for run in found]
    known = [(value, run) for value, run in values if value is not None]
    unknown = [run for value, run in values if value is None]
    ordered = [run for _, run in sorted(known, key=lambda pair: pair[0], reverse=falling)] + unknown
    return sorted(ordered, key=lambda run: not run.pinned)


def _comparable(value: Any) -> Any:
    """A value that has an order, None for one that has none: the loss of a training that went astray is no number."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.casefold() if isinstance(value, str) else value


@dataclass(frozen=True)
class BulkResult:
    """What became of doing the same with many runs."""

    #: The ids with which it worked, in their order.
    done: list[str] = field(default_factory=list)
    #: Why not, by id, for the others.
    failed: dict[str, str] = field(default_factory=dict)


def for_each(
    run_ids: Sequence[str],
    action: Callable[[str], object],
    *,
    progress: Callable[[float], object] | None = None,
) -> BulkResult:
    """Do something with each run, one after the other, so that one that cannot be changed does not stop the rest.

    Args:
        action: Is called with the id.
        progress: Told how much is done, 0 to 1.

    Raises:
        StorageError: The store itself failed, so that the others would fail as well.
    """
    result = BulkResult()
    wanted = list(dict.fromkeys(run_ids))
    for number, run_id in enumerate(wanted, start=1):
        try:
            action(run_id)
            result.done.append(run_id)
        except (NotAllowedError, RunError, UnknownNameError) as error:
            result.failed[run_id] = str(error)
        if progress is not None:
            progress(number / len(wanted))
    return result
