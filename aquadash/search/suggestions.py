"""Sensible spaces: what people usually vary, and between what."""

from __future__ import annotations

from collections.abc import Callable

from aquadash.config import RunConfig, fields, setting
from aquadash.models import MODELS
from aquadash.search.space import Choices, Parameter, Range, base_value, searchable, widened

#: The usual ranges. Learning rates and penalties are tried by factors of ten, since ten times as much is as big a step
#: anywhere on their scale (J. Bergstra and Y. Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012).
USUAL: tuple[Parameter, ...] = (
    Range("training.learning_rate", 1e-4, 1e-1, log=True),
    Choices("training.batch_size", (16, 32, 64, 128)),
    Choices("training.optimizer", ("nesterov", "rmsprop", "adam", "adamw")),
    Choices("training.schedule", ("constant", "cosine", "one_cycle")),
    Range("model.dropout", 0.0, 0.7),
    Range("training.weight_decay", 1e-5, 1e-1, log=True),
    Range("training.label_smoothing", 0.0, 0.2),
    Range("training.momentum", 0.5, 0.99),
    Range("training.warmup_epochs", 0.0, 5.0),
    Range("training.patience", 3, 15, whole=True),
    Choices("training.epochs", (10, 20, 40)),
    Choices("augmentation.pipeline", ("none", "notebook")),
    Choices("augmentation.mode", ("copies", "fresh")),
    Choices("model.normalization", ("unit", "symmetric", "standardize")),
    Choices("model.filters", ("16, 32", "32, 64", "32, 64, 128")),
    Choices("model.kernel_size", (2, 3, 5)),
    Choices("model.convolutions", (1, 2)),
    Choices("model.activation", ("linear", "relu", "gelu")),
    Choices("model.batch_normalization", (False, True)),
    Choices("model.residual", (False, True)),
    Choices("model.pooling", ("max", "average")),
    Choices("model.summary", ("flatten", "average")),
    Choices("model.dense_units", ("128", "256", "256, 128")),
    Range("model.l1", 1e-6, 1e-3, log=True),
    Range("model.l2", 1e-6, 1e-2, log=True),
    Range("training.body_learning_rate", 0.01, 1.0, log=True),
    Range("training.head_epochs", 0, 5, whole=True),
    Choices("model.fine_tuning", ("head", "top", "all")),
)

#: What to vary first. Few, because each more needs more trials.
_FIRST = ("training.learning_rate", "training.batch_size", "training.optimizer", "model.dropout")
_FIRST_OF_YOUR_OWN = (*_FIRST, "model.activation", "model.batch_normalization")
#: A pretrained network breaks under large steps, and little of it is left to choose.
_FIRST_PRETRAINED = ("training.learning_rate", "training.weight_decay", "training.label_smoothing", "model.dropout")
_PRETRAINED_RATES = Range("training.learning_rate", 1e-4, 1e-2, log=True)


def suggested(config: RunConfig) -> dict[str, Parameter]:
    """For each setting that a search over this config may vary, a space that holds the config's own value.

    Settings that the network does not use are left out. A setting without a usual range gets one around its value.
    """
    usual = {parameter.name: parameter for parameter in USUAL}
    entry = MODELS.get(config.model.name)
    if entry is not None and entry.pretrained:
        usual[_PRETRAINED_RATES.name] = _PRETRAINED_RATES
    found = {}
    for name in fields():
        if searchable(name) and used(config, name):
            parameter = usual.get(name) or _from_limits(config, name)
            if parameter is not None:
                found[name] = widened(parameter, base_value(config, name))
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


def used(config: RunConfig, name: str) -> bool:
    """Whether the config's network takes notice of the setting; of a network that is not known, all are."""
    section, _, field = name.partition(".")
    entry = MODELS.get(config.model.name)
    if entry is None:
        return True
    if name in ("training.body_learning_rate", "training.head_epochs"):
        return entry.pretrained
    return section != "model" or field == "name" or field in entry.settings


def _from_limits(config: RunConfig, name: str) -> Parameter | None:
    """A space for a setting that has no usual one; None where nothing sensible can be said."""
    found = setting(name)
    own = base_value(config, name)
    tables: dict[type, Callable[[], Parameter | None]] = {
        bool: lambda: Choices(name, (False, True)),
        str: lambda: Choices(name, found.choices) if len(found.choices) > 1 else None,
        int: lambda: _around(name, float(own), whole=True),
        float: lambda: _around(name, float(own), whole=False),
    }
    return tables[found.kind]() if found.kind in tables else None


def _around(name: str, value: float, *, whole: bool) -> Range | None:
    """From half to twice the value, cut at the setting's limits; None around zero, which has no half."""
    limits = setting(name)
    low, high = value / 2, value * 2
    if limits.low is not None:
        low = max(low, limits.low if limits.low_allowed else value / 2)
    if limits.high is not None:
        high = min(high, limits.high if limits.high_allowed else (value + limits.high) / 2)
    if whole:
        low, high = float(int(low)), float(-(-high // 1))
    return Range(name, low, high, whole=whole) if low < high else None
