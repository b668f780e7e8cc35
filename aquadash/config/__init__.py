"""What a run is made from: one frozen :class:`RunConfig` with a JSON and a YAML round trip.

A config plus its seed and a data set decides a run's result. The sections are small records of plain values; names of
sources, pipelines and models are checked against their tables by the rooms that own those tables.
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
from aquadash.config.sections import (
    WITH_MOMENTUM,
    AugmentationConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
)
from aquadash.config.setting import Family, SearchRange, Setting, Value
