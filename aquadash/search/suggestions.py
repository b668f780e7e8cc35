"""Sensible spaces: what people usually vary, and between what."""

from __future__ import annotations

import math
from typing import Any

from aquadash.config import SETTINGS, Range, RunConfig, Setting, Value, flatten
from aquadash.models import MODELS, uses
from aquadash.search.space import Parameter, base_value, widened

#: What to vary first. Few, because each more needs more trials.
_FIRST = ("training.learning_rate", "training.batch_size", "training.optimizer", "model.dropout")
_FIRST_OF_YOUR_OWN = (*_FIRST, "model.activation", "model.batch_normalization")
#: A pretrained network breaks under large steps, and little of it is left to choose.
_FIRST_PRETRAINED = ("training.learning_rate", "training.weight_decay", "training.label_smoothing", "model.dropout")
_PRETRAINED_RATES = Range(1e-4, 1e-2, log=True)


def suggested(config: RunConfig) -> dict[str, Parameter]:
    """For each setting that a search over this config may vary, a space that holds the config's own value.

    Settings that the network does not use are left out. A setting without a usual range gets one around its value.
    """
    entry = MODELS.get(config.model.name)
    found = {}
    for name, record in SETTINGS.items():
        if record.incomparable or not uses(config.model.name, name):
            continue
        values = record.search or _from_limits(record, flatten(config)[name])
        if name == "training.learning_rate" and entry is not None and entry.pretrained:
            values = _PRETRAINED_RATES
        if values is not None:
            found[name] = widened(Parameter(name, values), base_value(config, name))
    return found


def default_space(config: RunConfig) -> tuple[Parameter, ...]:
    """What a search over this config varies when nobody says anything else."""
    entry = MODELS.get(config.model.name)
    if entry is not None and entry.pretrained:
        names: tuple[str, ...] = _FIRST_PRETRAINED
    else:
        names = _FIRST_OF_YOUR_OWN if config.model.name == "cnn" else _FIRST
    known = suggested(config)
    return tuple(known[name] for name in names if name in known)


def _from_limits(record: Setting, value: Any) -> Range | tuple[Value, ...] | None:
    """A space for a setting that has no usual one; None where nothing sensible can be said."""
    if record.kind is bool:
        return (False, True)
    if record.kind in (int, float):
        return _around(record, value)
    return record.choices if len(record.choices) > 1 else None


def _around(record: Setting, value: float) -> Range | None:
    """From half to twice the value, cut at the setting's limits; None around zero, which has no half."""
    low, high = value / 2, value * 2
    if record.low is not None and record.low_allowed:
        low = max(low, record.low)
    if record.high is not None:
        high = min(high, record.high if record.high_allowed else (value + record.high) / 2)
    if record.kind is int:
        low, high = math.floor(low), math.ceil(high)
    return Range(low, high) if low < high else None
