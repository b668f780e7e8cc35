"""The filter, the order and the groups of a table of runs, and an action on many runs."""

import hashlib
import math
import statistics
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aquadash.config import DEFINITIONS, describe_definitions, flatten
from aquadash.errors import NotAllowedError, RunError, UnknownNameError, look_up
from aquadash.lab.query import select
from aquadash.store.fields import FIGURES, RunField, known_fields, validation_accuracy
from aquadash.store.types import Run, RunStatus

#: The name of this grouping in addresses and commands.
ALL_BUT_SEED = "all-but-seed"

#: The figures that groups have a mean and deviation of.
GROUPED = tuple(name for name, figure in FIGURES.items() if figure.grouped)


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
class Spread:
    """The spread of a figure over the finished runs of a group; equal trainings count once."""

    #: The number of runs with the figure.
    n: int
    #: The mean; None without a run.
    mean: float | None
    #: The standard deviation of a sample (divided by n - 1); None for fewer than two runs.
    deviation: float | None


@dataclass(frozen=True)
class RunGroup:
    """Runs that differ in the seed only."""

    #: The group's key in an address: a short checksum of the settings.
    key: str
    #: The settings in which the groups differ, by name.
    value: Mapping[str, Any]
    #: The runs in their given order.
    runs: tuple[Run, ...]
    #: The number of different seeds of the counted runs.
    seeds: int
    #: The spreads by metric, in the metric's own unit: fractions from 0 to 1.
    spreads: Mapping[str, Spread]


def group_runs(runs: Iterable[Run]) -> list[RunGroup]:
    """Group the repetitions of each experiment, the group with the best mean test accuracy first."""
    members: dict[str, list[Run]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for run in runs:
        values = _without_seed(run)
        key = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:10]
        members.setdefault(key, []).append(run)
        settings[key] = values
    every = list(settings.values())
    differing = [name for name in (every or [{}])[0] if any(other[name] != every[0][name] for other in every)]
    groups = []
    for key, inside in members.items():
        counted = _counted(inside)
        value = {name: settings[key][name] for name in differing}
        spreads = {name: _spread(counted, FIGURES[name]) for name in GROUPED}
        groups.append(RunGroup(key, value, tuple(inside), len({run.config.seed for run in counted}), spreads))
    return sorted(groups, key=_rank)


def _without_seed(run: Run) -> dict[str, Any]:
    """Return the settings and the images of a run; two runs with equal values are one experiment."""
    values = {name: value for name, value in flatten(run.config).items() if name != "seed"}
    if values[DEFINITIONS]:
        # Two definitions with the same steps are equal, however they are written.
        values[DEFINITIONS] = describe_definitions(values[DEFINITIONS])
    return values | {"dataset_fingerprint": run.dataset_fingerprint}


def _counted(runs: Sequence[Run]) -> list[Run]:
    """Return the finished runs, of equal trainings one: a repeat adds no information about chance."""
    finished = [run for run in runs if run.status is RunStatus.FINISHED]
    counted: list[Run] = []
    seen: set[str] = set()
    # Runs of this home come before imported copies, whose figures can be made up, and originals before repeats.
    for run in sorted(finished, key=lambda run: (bool(run.origin), bool(run.repeats), run.created_at)):
        # Equal seeds give equal numbers unless the libraries or the device differ.
        training = repr((run.config.seed, run.metrics.get("val_loss")))
        ids = {run.run_id, run.imported_id, run.repeats, training} - {""}
        if not ids & seen:
            counted.append(run)
        seen |= ids
    return counted


def _spread(runs: Sequence[Run], field: RunField) -> Spread:
    values = [value for run in runs if (value := field.get(run)) is not None and not math.isnan(value)]
    mean = statistics.fmean(values) if values else None
    return Spread(len(values), mean, statistics.stdev(values) if len(values) > 1 else None)


def _rank(group: RunGroup) -> list[tuple[bool, float]]:
    means = [group.spreads[name].mean for name in GROUPED]
    return [(mean is None, -(mean or 0.0)) for mean in means]


@dataclass(frozen=True)
class BulkResult:
    """The result of an action on many runs."""

    #: The ids of the runs whose action succeeded, in their order.
    done: list[str] = field(default_factory=list)
    #: The reasons of the failures by id.
    failed: dict[str, str] = field(default_factory=dict)


def for_each(
    run_ids: Sequence[str], action: Callable[[str], object], *, progress: Callable[[float], object] | None = None
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
