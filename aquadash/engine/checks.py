"""Checks of a config that need the tables of other rooms, made before a run is queued."""

from __future__ import annotations

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.errors import UnknownNameError


def check(config: RunConfig) -> None:
    """Refuse a config that no worker could train.

    On a cluster the workers fetch pretrained weights, and say it if they cannot: what this computer has says nothing.

    Raises:
        AquaDashError: A name is unknown, a network cannot be made as set, or its pretrained weights cannot be had.
    """
    check_names(config)
    if settings.scheduler_address() is None:
        check_weights(config)


def check_names(config: RunConfig) -> None:
    """Refuse a config that names a source, pipeline or model that is not there.

    Raises:
        UnknownNameError: With the nearest known name.
        ConfigError: A pipeline is carried or saved that cannot be used.
        StorageError: A saved pipeline cannot be read.
    """
    from aquadash.augment import plan
    from aquadash.data import SOURCES
    from aquadash.models import MODELS

    for kind, name, known in (
        ("data source", config.data.source, SOURCES),
        ("model", config.model.name, MODELS),
    ):
        if name not in known:
            raise UnknownNameError.of(kind, name, known)
    plan(config.augmentation)


def check_weights(config: RunConfig) -> None:
    """Refuse a pretrained network whose weights are neither on this computer nor to be downloaded.

    Without a file it asks the server that has one, which takes some seconds at most.

    Raises:
        DataError: With what is missing, where it was looked for and how to mend it.
        ConfigError: The network cannot be made as set.
    """
    from aquadash.models import model_entry

    weights = model_entry(config.model.name).weights
    if weights is not None:
        weights(config.model).check()
