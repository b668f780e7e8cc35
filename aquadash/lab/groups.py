"""Groups of runs that differ in the seed only, with the mean and the standard deviation of their figures."""

import hashlib
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aquadash.config import DEFINITIONS, describe_definitions, flatten
from aquadash.store.fields import FIGURES, RunField
from aquadash.store.types import Run, RunStatus

#: The name of this grouping in addresses and commands.
ALL_BUT_SEED = "all-but-seed"

#: The figures that groups have a mean and deviation of.
GROUPED = tuple(name for name, figure in FIGURES.items() if figure.grouped)


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
