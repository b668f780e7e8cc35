"""What a run is made from: one frozen :class:`RunConfig` with a JSON and a YAML round trip.

A config plus its seed and a data set decides a run's result. The sections are small records of plain values; names of
sources, pipelines and models are checked against their tables by the rooms that own those tables.
"""

from aquadash.config.definitions import definitions_text, definitions_words, digests, read_definitions
from aquadash.config.names import DEFINITIONS, Setting, config_diff, fields, flatten, pipeline_versions, setting
from aquadash.config.reading import from_json, from_mapping, from_yaml, parse_assignments, to_yaml, with_values
from aquadash.config.sections import (
    AugmentationConfig,
    DataConfig,
    ModelConfig,
    RunConfig,
    Section,
    TrainingConfig,
)
from aquadash.config.weights import MOST_PIPELINES, read_weights, weights_text

__all__ = [
    "DEFINITIONS",
    "MOST_PIPELINES",
    "AugmentationConfig",
    "DataConfig",
    "ModelConfig",
    "RunConfig",
    "Section",
    "Setting",
    "TrainingConfig",
    "config_diff",
    "definitions_text",
    "definitions_words",
    "digests",
    "fields",
    "flatten",
    "from_json",
    "from_mapping",
    "from_yaml",
    "parse_assignments",
    "pipeline_versions",
    "read_definitions",
    "read_weights",
    "setting",
    "to_yaml",
    "weights_text",
    "with_values",
]
