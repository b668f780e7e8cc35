"""Which settings belong together, and which of them make a difference beside the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aquadash.augment import plan
from aquadash.config import AugmentationConfig
from aquadash.errors import AquaDashError
from aquadash.models import MODELS
from aquadash.training.optimizers import WITH_MOMENTUM


@dataclass(frozen=True)
class Group:
    """Settings under one heading.

    Attributes:
        key: A short name.
        title: The heading.
        icon: An emoji in front of it.
        names: The settings in their order.
    """

    key: str
    title: str
    icon: str
    names: tuple[str, ...]


#: The report's own knobs, shown at once; every other setting is in one of the groups, which are folded.
FIRST = (
    "training.epochs",
    "training.batch_size",
    "training.learning_rate",
    "training.patience",
    "training.optimizer",
    "augmentation.pipeline",
)

GROUPS = (
    Group(
        "network",
        "Network",
        "🕸️",
        (
            "model.name",
            "model.filters",
            "model.convolutions",
            "model.kernel_size",
            "model.strides",
            "model.activation",
            "model.batch_normalization",
            "model.residual",
            "model.pooling",
            "model.pool_size",
            "model.pool_strides",
            "model.summary",
            "model.dense_units",
            "model.dense_activation",
            "model.normalization",
            "model.test_time_flip",
        ),
    ),
    Group(
        "transfer",
        "Transfer learning",
        "🎓",
        ("model.fine_tuning", "training.head_epochs", "training.body_learning_rate", "model.input_size"),
    ),
    Group(
        "schedule",
        "Learning rate schedule",
        "📉",
        ("training.schedule", "training.schedule_epochs", "training.schedule_factor", "training.warmup_epochs"),
    ),
    Group(
        "optimizer",
        "Optimizer & regularization",
        "⛰️",
        (
            "training.momentum",
            "training.weight_decay",
            "model.dropout",
            "training.label_smoothing",
            "model.l1",
            "model.l2",
            "training.class_weights",
            "training.from_logits",
        ),
    ),
    Group(
        "augmentation",
        "Augmentation",
        "🎨",
        (
            "augmentation.mode",
            "augmentation.copies",
            "augmentation.keep_originals",
            "augmentation.mixing",
            "augmentation.mixing_alpha",
        ),
    ),
    Group(
        "data",
        "Data split & seed",
        "🎲",
        (
            "training.validation",
            "training.validation_fraction",
            "seed",
            "training.drop_remainder",
        ),
    ),
    Group("stopping", "Early stopping", "🛑", ("training.restore_best_weights", "training.monitor")),
    Group("device", "Precision & device", "💻", ("training.precision", "training.device")),
)

#: Settings that come and go with others and have no control of their own.
CARRIED = ("augmentation.definitions",)

_WITH_CUTS = ("step", "exponential", "plateau")


def _pretrained(values: Mapping[str, Any]) -> bool:
    entry = MODELS.get(values["model.name"])
    return entry is not None and entry.pretrained


def _originals_are_a_choice(values: Mapping[str, Any]) -> bool:
    """False where the pipeline keeps the originals anyway, or nothing but them."""
    try:
        found = plan(
            AugmentationConfig(pipeline=values["augmentation.pipeline"], definitions=values["augmentation.definitions"])
        )
    except (AquaDashError, ValueError):
        # A pipeline that is gone: nothing of its own is hidden.
        return True
    return found.changes and (found.mixed or not any(branch.is_original for branch in found.pipelines[0].branches))


#: Settings that do nothing unless others have certain values.
_NEEDS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "augmentation.mode": lambda values: values["augmentation.pipeline"] != "none",
    "augmentation.copies": lambda values: values["augmentation.pipeline"] != "none",
    "augmentation.keep_originals": _originals_are_a_choice,
    "augmentation.mixing": lambda values: not _pretrained(values) or values["model.fine_tuning"] != "head",
    "augmentation.mixing_alpha": lambda values: values["augmentation.mixing"] != "none",
    "model.residual": lambda values: values["model.convolutions"] > 1,
    "model.pool_size": lambda values: values["model.pooling"] != "none",
    "model.pool_strides": lambda values: values["model.pooling"] != "none",
    "model.dense_activation": lambda values: bool(values["model.dense_units"]),
    "training.head_epochs": lambda values: _pretrained(values) and values["model.fine_tuning"] != "head",
    "training.body_learning_rate": lambda values: _pretrained(values) and values["model.fine_tuning"] != "head",
    "training.momentum": lambda values: values["training.optimizer"] in WITH_MOMENTUM,
    "training.schedule_epochs": lambda values: values["training.schedule"] in _WITH_CUTS,
    "training.schedule_factor": lambda values: values["training.schedule"] in _WITH_CUTS,
    "training.monitor": lambda values: (
        bool(values["training.patience"])
        or values["training.restore_best_weights"]
        or values["training.schedule"] == "plateau"
    ),
    "training.validation_fraction": lambda values: values["training.validation"] == "training",
}


def matters(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a setting makes any difference.

    Args:
        name: The setting's dotted name.
        values: All settings, as :func:`aquadash.config.flatten` gives them.
    """
    section, _, field = name.partition(".")
    entry = MODELS.get(values["model.name"])
    if section == "model" and field != "name" and entry is not None and field not in entry.settings:
        return False
    needs = _NEEDS.get(name)
    return needs is None or needs(values)
