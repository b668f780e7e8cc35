"""What one change did: two models on the same images, accuracy against accuracy, overall and class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aquadash.errors import DataError
from aquadash.evaluation.compare import AccuracyChange, compare_predictions
from aquadash.evaluation.records import Predictions

#: p-values below count as more than luck.
LEVEL = 0.05


@dataclass(frozen=True)
class PairedChange:
    """Model B against model A on the same images."""

    overall: AccuracyChange
    #: One a class that has images, in the order of the labels.
    classes: tuple[AccuracyChange, ...]


def paired_change(a: Predictions, b: Predictions, *, class_names: Sequence[str]) -> PairedChange:
    """How accuracy changed from A to B, overall and in each class.

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


def describe_change(
    change: AccuracyChange, *, before: str, after: str, images: str, p_holm: float | None = None, pairs: int = 1
) -> str:
    """What McNemar's test finds, in a few sentences."""
    seen = f"Of {change.n:,} {images} image{'' if change.n == 1 else 's'}, "
    if not change.fixed + change.broken:
        return f"{seen}{after} and {before} have exactly the same right."
    low, high = change.interval
    better = after if change.fixed > change.broken else before
    if (change.p_value if p_holm is None else p_holm) < LEVEL:
        judged = f"so {better} is probably better"
    elif change.p_value < LEVEL:
        judged = f"but among {pairs} pairs some look like this by luck, so it does not count"
    else:
        judged = "so this difference may well be luck"
    holm = f"; by Holm's correction for {pairs} pairs p {p_text(p_holm)}" if p_holm is not None and pairs > 1 else ""
    return (
        f"{seen}{after} has {change.fixed} right that {before} had wrong (fixed) and {change.broken} wrong that "
        f"{before} had right (newly broken): {100 * change.change:+.1f} points (95 % interval {100 * low:+.1f} to "
        f"{100 * high:+.1f}). Of equally good networks {_chance_text(change.p_value)} would differ at least so much by "
        f"chance, {judged} (McNemar's exact test, p {p_text(change.p_value)}{holm}). Another seed would give other "
        "networks."
    )


def p_text(p_value: float) -> str:
    """``"= 0.012"`` or ``"< 0.001"``."""
    return f"= {p_value:.3f}" if p_value >= 0.001 else "< 0.001"


def _chance_text(p_value: float) -> str:
    """How often chance alone does so much: ``"less than 0.1 %"``, ``"3.1 %"``, ``"42 %"``."""
    return "less than 0.1 %" if p_value < 0.001 else f"{100 * p_value:.{1 if p_value < 0.1 else 0}f} %"
