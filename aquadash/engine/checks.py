"""Checks of a config that need the tables of other rooms, made before a run is queued."""

from __future__ import annotations

from aquadash.config import RunConfig
from aquadash.errors import UnknownNameError


def check_names(config: RunConfig) -> None:
    """Refuse a config that names a source, pipeline or model that is not there.

    Raises:
        UnknownNameError: With the nearest known name.
    """
    from aquadash.augment import PIPELINES
    from aquadash.data import SOURCES
    from aquadash.models import MODELS

    for kind, name, known in (
        ("data source", config.data.source, SOURCES),
        ("pipeline", config.augmentation.pipeline, PIPELINES),
        ("model", config.model.name, MODELS),
    ):
        if name not in known:
            raise UnknownNameError.of(kind, name, known)
