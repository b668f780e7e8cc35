"""Pairs of runs that differ in their augmentation alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aquadash.augment import pipeline as pipeline_named
from aquadash.augment import plan
from aquadash.config import DEFINITIONS, SETTINGS, RunConfig, flatten, with_values
from aquadash.errors import ConfigError
from aquadash.runs.reading import id_of
from aquadash.runs.types import Run

#: The two roles of a pair, as they are stored.
WITH, WITHOUT = "with", "without"


@dataclass(frozen=True)
class Pair:
    """Two runs with the same settings and seed, one of them with a pipeline.

    Attributes:
        pair_id: 12 hexadecimal digits.
        without: The run that trains on the images as they are; None if it is gone.
        with_it: The run that trains with the pipeline; None if it is gone.
    """

    pair_id: str
    without: Run | None
    with_it: Run | None

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those that are there, the one without first."""
        return tuple(run for run in (self.without, self.with_it) if run is not None)

    @property
    def created_at(self) -> float:
        """When it was queued, in seconds since 1970."""
        return min(run.created_at for run in self.runs)

    @property
    def pipeline(self) -> str:
        """What the pair is about, as the config names it; empty if that run is gone."""
        return "" if self.with_it is None else self.with_it.config.augmentation.pipeline

    @property
    def title(self) -> str:
        """What people call it: the runs' name without the role."""
        run = self.runs[-1]
        # Older pairs have the role behind.
        return run.name.removeprefix(half_name("", run.pair_role)).removesuffix(f": {run.pair_role}")

    @property
    def at_work(self) -> bool:
        """Whether one of the two has not ended."""
        return any(not run.status.ended for run in self.runs)

    @property
    def same_updates(self) -> bool:
        """Whether the run without the pipeline may train for more epochs, to change its weights as often."""
        return (
            self.without is not None
            and self.with_it is not None
            and self.without.config.training.epochs > self.with_it.config.training.epochs
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "pair_id": self.pair_id,
            "title": self.title,
            "pipeline": self.pipeline,
            "same_updates": self.same_updates,
            **{
                key: None if run is None else {"run_id": run.run_id, "name": run.name, "status": str(run.status)}
                for key, run in (("without", self.without), ("with", self.with_it))
            },
        }


def pair_configs(config: RunConfig, pipeline: str, *, same_updates: bool = False) -> tuple[RunConfig, RunConfig]:
    """The configuration without a pipeline, and the one with it.

    A pipeline that makes several images of each has more batches in an epoch, and so changes the weights more often.
    With ``same_updates`` everything that the run without it counts in epochs is multiplied by as much.

    Args:
        config: What both are made from; its own pipeline is left aside.
        pipeline: The pipeline's name.
        same_updates: See above.

    Raises:
        UnknownNameError: There is no pipeline of that name.
        ConfigError: It changes nothing, or more epochs would be needed than a run may have.
    """
    spec = pipeline_named(pipeline)
    if all(branch.is_original for branch in spec.branches):
        raise ConfigError(f"The pipeline {spec.title!r} leaves all images as they are, so both runs would be the same.")
    # A base that is a run's config may carry that run's pipelines, which the pair's must not be mistaken for.
    config = with_values(config, {DEFINITIONS: ""})
    with_it = with_values(config, {"augmentation.pipeline": pipeline})
    changes: dict[str, Any] = {"augmentation.pipeline": "none"}
    if same_updates:
        changes |= _longer(config, plan(with_it.augmentation).factor)
    return with_values(config, changes), with_it


def _longer(config: RunConfig, times: int) -> dict[str, Any]:
    values = flatten(config)
    changes = {name: values[name] * times for name, record in SETTINGS.items() if record.unit == "epochs"}
    for name, wanted in changes.items():
        most = SETTINGS[name].high
        if most is not None and wanted > most:
            raise ConfigError(
                f"For as many updates the run without the pipeline needs {name} = {wanted:g}; at most {most:g} is "
                "possible. Take fewer epochs, or let both have the same number of them."
            )
    return changes


def half_name(about: str, role: str) -> str:
    """What a run of a pair is called. The role stands in front: where there is little room, names lose their end."""
    return f"{role.capitalize()}: {about}"


def new_pair_id() -> str:
    """An id that no pair has."""
    return secrets.token_hex(6)


def pairs(runs: Iterable[Run]) -> list[Pair]:
    """The pairs among some runs, newest first."""
    found: dict[str, dict[str, Run]] = {}
    for run in runs:
        if run.pair_id and run.pair_role in (WITH, WITHOUT):
            halves = found.setdefault(run.pair_id, {})
            # An imported copy never takes the place of the run that was trained here.
            if run.pair_role not in halves or not run.origin:
                halves[run.pair_role] = run
    made = [Pair(pair_id, halves.get(WITHOUT), halves.get(WITH)) for pair_id, halves in found.items()]
    return sorted(made, key=lambda pair: pair.created_at, reverse=True)


def find_pair(runs: Iterable[Run], text: str) -> Pair:
    """The pair of an id, or of the unique beginning of one.

    Raises:
        UnknownNameError: There is none.
        RunError: There are several.
    """
    known = {pair.pair_id: pair for pair in pairs(runs)}
    return known[id_of(text, {pair_id: pair_id for pair_id in known}, kind="pair", kinds="pairs")]
