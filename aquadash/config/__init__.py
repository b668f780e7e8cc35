"""The configuration of a run: one frozen :class:`RunConfig` that is written to JSON and YAML and read back.

A config with its seed and a data set decides a run's result. The sections are small records of plain values; the rooms
with the tables of sources, pipelines and models check those names.
"""

from aquadash.config.pipelines import (
    MAX_PIPELINES,
    definitions_text,
    describe_definitions,
    digests,
    read_definitions,
    read_weights,
    weights_text,
)
from aquadash.config.reading import (
    DEFINITIONS,
    SETTINGS,
    config_diff,
    flatten,
    from_json,
    from_mapping,
    from_yaml,
    parse_assignments,
    pipeline_versions,
    setting,
    to_yaml,
    with_values,
)
from aquadash.config.sections import WITH_MOMENTUM, AugmentationConfig, ModelConfig, RunConfig, TrainingConfig
from aquadash.config.setting import Family, SearchRange, Setting, Value
