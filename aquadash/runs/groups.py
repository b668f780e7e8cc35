"""Runs put together by what they have in common, with the mean and the deviation of their figures."""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aquadash.config import DEFINITIONS, SETTINGS, describe_definitions, flatten
from aquadash.runs.fields import FIGURES, Kind, RunField
from aquadash.runs.types import Run, RunStatus

#: The name of the grouping by everything but the seed: its groups are repetitions of one experiment.
ALL_BUT_SEED = "all-but-seed"

#: What groups are measured by.
METRICS = tuple(name for name, figure in FIGURES.items() if figure.grouped)


@dataclass(frozen=True)
class Spread:
    """How a figure varies over the finished runs of a group that have it; equal trainings count once.

    Attributes:
        n: How many have it.
        mean: Their mean; None without any.
        deviation: Their standard deviation, of a sample (divided by n - 1); None for fewer than two.
        low: The least.
        high: The greatest.
    """

    n: int
    mean: float | None = None
    deviation: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of the values themselves."""
        if not values:
            return cls(0)
        deviation = statistics.stdev(values) if len(values) > 1 else None
        return cls(len(values), statistics.fmean(values), deviation, min(values), max(values))


@dataclass(frozen=True)
class RunGroup:
    """Runs with the same value.

    Attributes:
        key: Stands for the group in an address: the value as text, or a short checksum of the settings.
        value: What they have in common, None for unknown; for :data:`ALL_BUT_SEED` the settings in which the groups
            differ, by name.
        runs: In the order in which they came.
        seeds: How many different seeds those have that the spreads count.
        varying: The settings, the seed left out, in which those differ: whatever these do is in the deviation, too.
        spreads: By the metric's name, in the metric's own unit: fractions from 0 to 1.
    """

    key: str
    value: Any
    runs: tuple[Run, ...]
    seeds: int
    varying: tuple[str, ...]
    spreads: Mapping[str, Spread]


def group_runs(
    runs: Iterable[Run], by: str, fields: Mapping[str, RunField], *, metrics: Sequence[str] = METRICS
) -> list[RunGroup]:
    """Put runs together, the group with the best mean of the first metric that is known first.

    Args:
        runs: Which.
        by: A field's name, or :data:`ALL_BUT_SEED`.
        fields: All fields; ``by`` and the metrics are looked up here.
        metrics: Of which figures the spread is wanted.

    Raises:
        KeyError: There is no field of that name.
    """
    found = list(runs)
    settings = {run.run_id: _without_seed(run) for run in found}
    members: dict[str, list[Run]] = {}
    values: dict[str, Any] = {}
    for run in found:
        if by == ALL_BUT_SEED:
            value: Any = settings[run.run_id]
            key = hashlib.sha256(repr(sorted(value.items())).encode()).hexdigest()[:10]
        else:
            value = fields[by].get(run)
            key = value_key(value)
        members.setdefault(key, []).append(run)
        values.setdefault(key, value)
    if by == ALL_BUT_SEED:
        differing = _varying(list(values.values()))
        values = {key: {name: value[name] for name in differing} for key, value in values.items()}
    counted = {key: _counted(inside, settings) for key, inside in members.items()}
    groups = [
        RunGroup(
            key=key,
            value=values[key],
            runs=tuple(inside),
            seeds=len({run.config.seed for run in counted[key]}),
            varying=_varying([settings[run.run_id] for run in counted[key]]),
            spreads={name: _spread(counted[key], fields[name]) for name in metrics},
        )
        for key, inside in members.items()
    ]
    signs = {name: 1 if fields[name].better == "lower" else -1 for name in metrics}
    return sorted(groups, key=lambda group: _rank(group, signs))


def groupable(fields: Mapping[str, RunField]) -> list[str]:
    """The fields that runs can sensibly be grouped by: settings and whatever has few values, no measured figures."""
    measured = {name for name, field in fields.items() if field.kind is Kind.NUMBER and name not in SETTINGS}
    return [
        name
        for name, field in fields.items()
        if name not in measured and field.kind is not Kind.TIME and name not in ("run_id", "note", "message")
    ]


def value_key(value: Any) -> str:
    """A value as text: ``"64"``, ``"32, 64"``, ``"unknown"``."""
    if value is None:
        return "unknown"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _without_seed(run: Run) -> dict[str, Any]:
    # Other images are another experiment, whatever the settings say.
    values = {name: value for name, value in flatten(run.config).items() if name != "seed"}
    if values[DEFINITIONS]:
        # By what its pipelines do: other words for the same steps are no other experiment.
        values[DEFINITIONS] = describe_definitions(values[DEFINITIONS])
    return values | {"dataset_fingerprint": run.dataset_fingerprint}


def _varying(settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    first = settings[0] if settings else {}
    return tuple(name for name in first if any(other[name] != first[name] for other in settings[1:]))


def _counted(runs: Sequence[Run], settings: Mapping[str, Mapping[str, Any]]) -> list[Run]:
    # Of a run that was broken off a figure says little, and the same training again tells nothing new of chance.
    ended = [run for run in runs if run.status is RunStatus.FINISHED]
    kept: list[Run] = []
    known: set[str] = set()
    # A run that was trained here stands for its copies, which may say of themselves what they like. What is repeated
    # comes first; where that is not among them, its first repeat stands for it.
    for run in sorted(ended, key=lambda run: (bool(run.origin), bool(run.repeats), run.created_at)):
        # Equal settings give equal numbers; where these differ, so did the libraries or the device.
        training = repr((run.config.seed, run.metrics.get("val_loss"), sorted(settings[run.run_id].items())))
        ids = {run.run_id, run.imported_id, run.repeats, training} - {""}
        if not ids & known:
            kept.append(run)
        known |= ids
    return kept


def _spread(runs: Sequence[Run], field: RunField) -> Spread:
    return Spread.of([value for run in runs if (value := field.get(run)) is not None and not math.isnan(value)])


def _rank(group: RunGroup, signs: Mapping[str, int]) -> tuple[tuple[bool, float], ...]:
    """What groups are sorted by: 1 stands for a metric of which less is better, -1 for one of which more is."""
    means = [(group.spreads[name].mean, sign) for name, sign in signs.items()]
    return tuple((mean is None, sign * (mean or 0.0)) for mean, sign in means)
