"""What a run is made from: one frozen :class:`RunConfig` with a JSON and a YAML round trip.

A config plus its seed and a data set decides a run's result. The sections are small records of plain values; names of
sources, pipelines and models are checked against their tables by the rooms that own those tables.
"""

from aquadash.config.names import Setting, config_diff, fields, flatten, setting
from aquadash.config.reading import from_json, from_mapping, from_yaml, parse_assignments, to_yaml, with_values
from aquadash.config.sections import (
    AugmentationConfig,
    DataConfig,
    ModelConfig,
    RunConfig,
    Section,
    TrainingConfig,
)

__all__ = [
    "AugmentationConfig",
    "DataConfig",
    "ModelConfig",
    "RunConfig",
    "Section",
    "Setting",
    "TrainingConfig",
    "config_diff",
    "fields",
    "flatten",
    "from_json",
    "from_mapping",
    "from_yaml",
    "parse_assignments",
    "setting",
    "to_yaml",
    "with_values",
]
