"""The two configurations of a pair: the same but for the augmentation."""

from __future__ import annotations

from typing import Any

from aquadash.augment import pipeline as pipeline_named
from aquadash.augment import plan
from aquadash.config import DEFINITIONS, SETTINGS, RunConfig, flatten, with_values
from aquadash.errors import ConfigError

_NONE = "none"


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
    changes: dict[str, Any] = {"augmentation.pipeline": _NONE}
    if same_updates:
        changes |= _longer(config, factor(with_it))
    return with_values(config, changes), with_it


def factor(config: RunConfig) -> int:
    """How many images a config's augmentation makes of each.

    Raises:
        UnknownNameError: There is no pipeline of its name.
    """
    return plan(config.augmentation).factor


def pipeline_title(pipeline: str) -> str:
    """What people call a pipeline; errors as for :func:`pair_configs`."""
    return pipeline_named(pipeline).title


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
