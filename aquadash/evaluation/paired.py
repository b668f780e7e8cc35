"""What one change did: two models on the same images, accuracy against accuracy, overall and class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.errors import DataError
from aquadash.evaluation.compare import McNemar, exact_p_value, mcnemar
from aquadash.evaluation.intervals import Interval, newcombe_interval
from aquadash.evaluation.metrics import predicted_labels


@dataclass(frozen=True)
class AccuracyChange:
    """How the accuracy on some images changed from model A to model B.

    Attributes:
        label: The class, or what else the images have in common.
        n: How many images.
        before: A's accuracy on them, 0 to 1.
        after: B's.
        change: ``after - before``, -1 to 1.
        interval: Newcombe's 95 % interval of the change, (low, high).
        fixed: How many A had wrong and B has right.
        broken: How many A had right and B has wrong.
        p_value: McNemar's, exact and two-sided, over these images alone.
    """

    label: str
    n: int
    before: float
    after: float
    change: float
    interval: Interval
    fixed: int
    broken: int
    p_value: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no change out."""
        return not self.interval[0] <= 0.0 <= self.interval[1]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "label": self.label,
            "n": self.n,
            "before": self.before,
            "after": self.after,
            "change": self.change,
            "change_ci95": list(self.interval),
            "fixed": self.fixed,
            "broken": self.broken,
            "p_value": self.p_value,
        }


@dataclass(frozen=True)
class PairedChange:
    """Model B against model A on the same images.

    Attributes:
        overall: Over all images.
        classes: One a class that has images, in the order of the labels.
        mcnemar: The test over all images, with the images that changed.
    """

    overall: AccuracyChange
    classes: tuple[AccuracyChange, ...]
    mcnemar: McNemar

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "overall": self.overall.to_dict(),
            "classes": [change.to_dict() for change in self.classes],
            "mcnemar": self.mcnemar.to_dict(),
        }


def paired_change(
    labels: ArrayLike, probabilities_a: ArrayLike, probabilities_b: ArrayLike, *, class_names: Sequence[str]
) -> PairedChange:
    """How accuracy changed from A to B, overall and in each class.

    Args:
        labels: Integers, shape (n,): the truth for both.
        probabilities_a: Shape (n, classes), of the model without the change.
        probabilities_b: Shape (n, classes), of the model with it, rows for the same images.
        class_names: One name a class.

    Raises:
        DataError: The arrays or the names do not belong together.
    """
    test = mcnemar(labels, probabilities_a, probabilities_b)
    y_true, num_classes = np.asarray(labels), np.shape(probabilities_a)[1]
    if len(class_names) != num_classes:
        raise DataError(f"{len(class_names)} class names do not go with {num_classes} probabilities an image.")
    right_a, right_b = (predicted_labels(np.asarray(y_prob)) == y_true for y_prob in (probabilities_a, probabilities_b))
    classes = tuple(
        _change(str(name), right_a[mine], right_b[mine])
        for label, name in enumerate(class_names)
        if (mine := y_true == label).any()
    )
    return PairedChange(_change("all classes", right_a, right_b), classes, test)


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
        f"{100 * low:+.1f} to {100 * high:+.1f}). {all_.fixed} images were fixed, {all_.broken} newly broken; were "
        f"both networks equally good, chance alone would give a split at least this uneven in "
        f"{_chance(all_.p_value)} of such comparisons (McNemar's exact test, p = {all_.p_value:.3g})."
    )
    if all_.p_value >= 0.05:
        return f"{text} So this may well be luck."
    return f"{text} So it probably {'helps' if all_.change > 0 else 'does harm'} here."


def _chance(p_value: float) -> str:
    return "less than 0.1 %" if p_value < 0.001 else f"{100 * p_value:.{1 if p_value < 0.1 else 0}f} %"


def _change(label: str, right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> AccuracyChange:
    both, neither = int((right_a & right_b).sum()), int((~right_a & ~right_b).sum())
    fixed, broken = int((~right_a & right_b).sum()), int((right_a & ~right_b).sum())
    n = len(right_a)
    return AccuracyChange(
        label=label,
        n=n,
        before=(both + broken) / n,
        after=(both + fixed) / n,
        change=(fixed - broken) / n,
        interval=newcombe_interval(both, fixed, broken, neither),
        fixed=fixed,
        broken=broken,
        p_value=exact_p_value(fixed, broken),
    )
