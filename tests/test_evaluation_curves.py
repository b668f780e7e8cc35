"""The best epoch and the verdict, on made histories whose finding is known."""

from __future__ import annotations

import math

import pytest

from aquadash.config import RunConfig
from aquadash.evaluation import best_epoch, overfit_verdict
from tests.coach_runs import Curve
from tests.coach_runs import epochs as history


def test_the_best_epoch_is_the_first_finite_one_of_those_that_tie() -> None:
    rows = history(6, loss=lambda e: 1 / e, val_loss=lambda e: [math.nan, 0.9, 0.7, 0.7, 0.8, -math.inf][e - 1])
    assert best_epoch(rows) == 3
    assert best_epoch(rows, monitor="loss") == 6
    assert best_epoch(rows, monitor="val_accuracy") == 1
    assert best_epoch([]) is None
    assert best_epoch(history(2, loss=lambda e: math.nan, val_loss=lambda e: math.nan)) is None


#: Epochs and their curves; the verdict's kind, and words of its title and reason and then of its detail.
VERDICTS = {
    "nothing": (0, lambda e: 1.0, lambda e: 1.0, 0.8, 0.75, "no data", ()),
    "one epoch": (1, lambda e: 1.0, lambda e: 1.0, 0.8, 0.75, "too short", ("only 1 epoch so far",)),
    "a loss that is no number": (
        3, lambda e: 1.0 if e < 2 else math.nan, lambda e: 1.0, 0.8, 0.75, "diverged", ("epoch 2", "learning rate")
    ),
    "both losses rise": (
        8, lambda e: 1.0 + 0.1 * abs(e - 3), lambda e: 1.0 + 0.1 * abs(e - 3), 0.8, 0.75, "unstable", ("since epoch 3",)
    ),
    "flat": (6, lambda e: 1.61, lambda e: 1.61, 0.2, 0.2, "not learning", ()),
    "good, with little left to learn": (8, lambda e: 0.2, lambda e: 0.22, 0.8, 0.75, "healthy", ()),
    "validation loss still falls": (
        6, lambda e: 1.6 - 0.1 * e, lambda e: 1.6 - 0.1 * e, 0.8, 0.75, "still improving", ("epoch 6 of 6",)
    ),
    "a large gap without a rise": (
        10, lambda e: 1.5 - 0.1 * e, lambda e: max(1.2 - 0.1 * e, 0.8), 0.9, 0.7, "large gap", ("20 points above",)
    ),
    "a low plateau, validation ahead": (
        12, lambda e: max(1.6 - 0.1 * e, 1.2), lambda e: max(1.5 - 0.1 * e, 1.1), 0.48, 0.55, "underfitting",
        ("48 %", "dropout", "augmented", "Validation is better"),
    ),
    "training accuracy held down by mixing": (
        12, lambda e: max(1.6 - 0.1 * e, 1.2), lambda e: max(1.5 - 0.2 * e, 0.6), 0.58, 0.82, "healthy",
        ("keeps up", "Validation is better"),
    ),
    "low, but still rising": (
        8, lambda e: 1.6 - 0.06 * e, lambda e: max(1.5 - 0.1 * e, 1.2), 0.5, 0.5, "still improving", ("since epoch 3",)
    ),
    "one bad last epoch": (
        8, lambda e: 1.5 - 0.1 * e, lambda e: 1.5 - 0.1 * min(e, 5) + 0.08 * (e == 8), 0.8, 0.75, "healthy", ()
    ),
    "perfect, while the validation loss creeps up": (
        8, lambda e: 0.1 / e, lambda e: 0.0113 + 0.0002 * abs(e - 3), 1.0, 1.0, "healthy", ()
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("epochs", "loss", "val_loss", "accuracy", "val_accuracy", "kind", "words"), VERDICTS.values(), ids=VERDICTS
)
def test_verdicts(
    epochs: int, loss: Curve, val_loss: Curve, accuracy: float, val_accuracy: float, kind: str, words: tuple[str, ...]
) -> None:
    rows = history(epochs, loss, val_loss, accuracy=accuracy, val_accuracy=val_accuracy)
    verdict = overfit_verdict(rows, RunConfig())
    assert verdict.kind == kind and ": " not in verdict.title
    headline = f"{verdict.title}. {verdict.reason}"
    assert all(each in headline for each in words[:1]) and all(each in verdict.detail for each in words[1:])
    if kind == "underfitting":
        assert verdict.evidence["gap"] == pytest.approx(-0.07)


def test_overfitting_gives_epoch_losses_and_gap() -> None:
    loss, val_loss = (lambda e: 1.6 - 0.1 * e if e <= 7 else 0.69), (lambda e: 1.5 - 0.1 * e if e <= 7 else 0.89)
    verdict = overfit_verdict(history(12, loss, val_loss, accuracy=0.8, val_accuracy=0.62), RunConfig())
    assert verdict.kind == "overfitting" and verdict.title == "Overfitting since epoch 7"
    assert verdict.reason == "Training loss fell by 0.21, validation loss rose by 0.09; gap 18 points."
    figures = [verdict.evidence[name] for name in ("best_epoch", "gap", "val_loss_rise")]
    assert figures == pytest.approx([7, 0.18, 0.09]) and "dropout switches" not in verdict.detail
