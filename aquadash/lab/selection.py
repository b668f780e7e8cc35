"""The filter and the order of a table of runs, and an action on many runs."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aquadash.errors import NotAllowedError, RunError, UnknownNameError, look_up
from aquadash.lab.query import select
from aquadash.store.fields import RunField, known_fields, validation_accuracy
from aquadash.store.types import Run


@dataclass(frozen=True)
class RunFilter:
    """The filter of a table of runs; an empty value filters nothing."""

    #: Allowed values by the name of a field, such as ``"model.name"``.
    one_of: Mapping[str, Collection[str]] = field(default_factory=dict)
    #: Required tags.
    tags: Collection[str] = ()
    #: Whether only pinned runs pass.
    pinned: bool = False
    #: Whether archived runs pass.
    archived: bool = False
    #: Whether trials of searches pass.
    trials: bool = False
    #: The least and greatest validation accuracy, 0 to 1; runs without one pass the full range only.
    accuracy: tuple[float, float] = (0.0, 1.0)
    #: A condition; see :mod:`aquadash.lab.query`.
    where: str = ""

    def apply(self, runs: Iterable[Run]) -> list[Run]:
        """Return the runs that pass, in their order; raise ``QueryError`` for a condition that cannot be used."""
        # The condition comes first, because it may name metrics that only runs outside of the filter have.
        return [run for run in select(runs, self.where) if self._passes(run)]

    def _passes(self, run: Run) -> bool:
        fields = known_fields()
        return (
            (self.archived or not run.archived)
            and (self.trials or not run.search_id)
            and (not self.pinned or run.pinned)
            and all(not values or fields[name].get(run) in values for name, values in self.one_of.items())
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
    """Return the runs by a field (``"-"`` before it: falling), pinned ones first and those without a value last."""
    sorted_by, falling = look_up("field of a run", key.removeprefix("-"), fields), key.startswith("-")
    values = [(_comparable(sorted_by.get(run)), run) for run in runs]
    with_value = [(value, run) for value, run in values if value is not None]
    without_value = [run for value, run in values if value is None]
    ordered = [run for _, run in sorted(with_value, key=lambda pair: pair[0], reverse=falling)] + without_value
    return sorted(ordered, key=lambda run: not run.pinned)


def _comparable(value: Any) -> Any:
    """Return a value that can be sorted; None for NaN, the loss of a training that diverged."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.casefold() if isinstance(value, str) else value


@dataclass(frozen=True)
class BulkResult:
    """The result of an action on many runs."""

    #: The ids of the runs whose action succeeded, in their order.
    done: list[str] = field(default_factory=list)
    #: The reasons of the failures by id.
    failed: dict[str, str] = field(default_factory=dict)


def for_each(
    run_ids: Sequence[str],
    action: Callable[[str], object],
    *,
    progress: Callable[[float], object] | None = None,
) -> BulkResult:
    """Call an action with the id of each run, also after a run that cannot be changed; ``progress`` is 0 to 1."""
    result = BulkResult()
    unique_ids = list(dict.fromkeys(run_ids))
    for number, run_id in enumerate(unique_ids, start=1):
        try:
            action(run_id)
            result.done.append(run_id)
        except (NotAllowedError, RunError, UnknownNameError) as error:
            result.failed[run_id] = str(error)
        if progress is not None:
            progress(number / len(unique_ids))
    return result
