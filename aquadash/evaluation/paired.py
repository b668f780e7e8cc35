"""What one change did: two models on the same images, accuracy against accuracy, overall and class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aquadash.errors import DataError
from aquadash.evaluation.compare import AccuracyChange, compare_predictions
from aquadash.evaluation.records import Predictions


@dataclass(frozen=True)
class PairedChange:
    """Model B against model A on the same images.

    Attributes:
        overall: Over all images.
        classes: One a class that has images, in the order of the labels.
    """

    overall: AccuracyChange
    classes: tuple[AccuracyChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "overall": self.overall.to_dict(),
            "classes": [change.to_dict() for change in self.classes],
            "mcnemar": self.overall.mcnemar_dict(),
        }


def paired_change(a: Predictions, b: Predictions, *, class_names: Sequence[str]) -> PairedChange:
    """How accuracy changed from A to B, overall and in each class.

    Args:
        a: Of the model without the change.
        b: Of the model with it.
        class_names: One name a class.

    Raises:
        DataError: They are not of the same images, or the names do not belong to them.
    """
    overall = compare_predictions(a, b)
    num_classes = a.probabilities.shape[1]
    if len(class_names) != num_classes:
        raise DataError(f"{len(class_names)} class names do not go with {num_classes} probabilities an image.")
    classes = tuple(
        AccuracyChange(overall.right_a[mine], overall.right_b[mine], str(name))
        for label, name in enumerate(class_names)
        if (mine := a.labels == label).any()
    )
    return PairedChange(overall, classes)


def verdict(change: PairedChange, *, images: str) -> str:
    """What was found over all images, in plain text.

    Args:
        change: Of a model with something against one without it.
        images: What kind of images they are, such as ``"validation"``.
    """
    all_ = change.overall
    low, high = all_.interval
    text = (
        f"Of {all_.n:,} {images} images, {100 * all_.before:.1f} % were classified correctly without it and "
        f"{100 * all_.after:.1f} % with it: a change of {100 * all_.change:+.1f} points (95 % interval "
        f"{100 * low:+.1f} to {100 * high:+.1f}). {all_.fixed} {'image was' if all_.fixed == 1 else 'images were'} "
        f"fixed, {all_.broken} newly broken; were both networks equally good, chance alone would give a split at least "
        f"this uneven in {chance_text(all_.p_value)} of such comparisons (McNemar's exact test, p = "
        f"{all_.p_value:.3g})."
    )
    if all_.p_value >= 0.05:
        return f"{text} So this may well be luck."
    return f"{text} So it probably {'helps' if all_.change > 0 else 'does harm'} here."


def chance_text(p_value: float) -> str:
    """How often chance alone does so much: ``"less than 0.1 %"``, ``"3.1 %"``, ``"42 %"``."""
    return "less than 0.1 %" if p_value < 0.001 else f"{100 * p_value:.{1 if p_value < 0.1 else 0}f} %"
