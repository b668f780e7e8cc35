"""The best epoch and the verdict, on made histories whose finding is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from aquadash.evaluation import best_epoch, overfit_verdict
from aquadash.runs.types import EpochRecord


def history(
    n: int,
    *,
    loss: Callable[[int], float],
    val_loss: Callable[[int], float],
    accuracy: Callable[[int], float] = lambda e: 0.8,
    val_accuracy: Callable[[int], float] = lambda e: 0.75,
) -> list[EpochRecord]:
    return [
        EpochRecord(e, loss(e), accuracy(e), val_loss(e), val_accuracy(e), learning_rate=0.01, seconds=1.0)
        for e in range(1, n + 1)
    ]


def test_best_epoch_is_the_first_of_those_that_tie() -> None:
    rows = history(4, loss=lambda e: 1 / e, val_loss=lambda e: [0.9, 0.7, 0.7, 0.8][e - 1])
    assert best_epoch(rows) == 2
    assert best_epoch(rows, monitor="loss") == 4
    assert best_epoch(rows, monitor="val_accuracy") == 1


def test_best_epoch_passes_over_what_is_no_number() -> None:
    rows = history(3, loss=lambda e: 1.0, val_loss=lambda e: [math.nan, 0.9, math.inf][e - 1])
    assert best_epoch(rows) == 2
    assert best_epoch([]) is None
    assert best_epoch(history(2, loss=lambda e: math.nan, val_loss=lambda e: math.nan)) is None


def test_no_epochs() -> None:
    assert overfit_verdict([]).kind == "no data"


def test_one_epoch_is_too_short() -> None:
    verdict = overfit_verdict(history(1, loss=lambda e: 1.0, val_loss=lambda e: 1.0))
    assert verdict.kind == "too short"
    assert "only 1 epoch so far" in verdict.headline


def test_a_loss_that_is_no_number_names_its_epoch() -> None:
    verdict = overfit_verdict(history(3, loss=lambda e: 1.0 if e < 2 else math.nan, val_loss=lambda e: 1.0))
    assert verdict.kind == "diverged"
    assert "epoch 2" in verdict.headline
    assert "learning rate" in verdict.detail


def test_overfitting_gives_epoch_losses_and_gap() -> None:
    verdict = overfit_verdict(
        history(
            12,
            loss=lambda e: 1.6 - 0.1 * e if e <= 7 else 0.69,
            val_loss=lambda e: 1.5 - 0.1 * e if e <= 7 else 0.89,
            accuracy=lambda e: 0.80,
            val_accuracy=lambda e: 0.62,
        )
    )
    assert verdict.kind == "overfitting"
    assert verdict.headline == (
        "Overfitting since epoch 7: training loss fell by 0.21, validation loss rose by 0.09; gap 18 points."
    )
    assert verdict.evidence["best_epoch"] == 7
    assert verdict.evidence["gap"] == pytest.approx(0.18)
    assert verdict.evidence["val_loss_rise"] == pytest.approx(0.09)
    assert "dropout switches" not in verdict.detail


def test_one_bad_last_epoch_is_not_overfitting() -> None:
    verdict = overfit_verdict(
        history(8, loss=lambda e: 1.5 - 0.1 * e, val_loss=lambda e: [1.4, 1.2, 1.1, 1.05, 1.02, 1.0, 1.0, 1.08][e - 1])
    )
    assert verdict.kind != "overfitting"


def test_both_losses_rising_is_instability() -> None:
    verdict = overfit_verdict(
        history(8, loss=lambda e: 1.0 + 0.1 * abs(e - 3), val_loss=lambda e: 1.0 + 0.1 * abs(e - 3))
    )
    assert verdict.kind == "unstable"
    assert "since epoch 3" in verdict.headline


def test_a_flat_loss_is_not_learning() -> None:
    verdict = overfit_verdict(
        history(
            6,
            loss=lambda e: 1.61,
            val_loss=lambda e: 1.61,
            accuracy=lambda e: 0.2,
            val_accuracy=lambda e: 0.2,
        )
    )
    assert verdict.kind == "not learning"


def test_a_good_network_that_has_little_left_to_learn_is_healthy() -> None:
    verdict = overfit_verdict(history(8, loss=lambda e: 0.200, val_loss=lambda e: 0.22))
    assert verdict.kind == "healthy"


def test_a_validation_loss_that_still_falls_wants_more_epochs() -> None:
    verdict = overfit_verdict(history(6, loss=lambda e: 1.6 - 0.1 * e, val_loss=lambda e: 1.6 - 0.1 * e))
    assert verdict.kind == "still improving"
    assert "epoch 6 of 6" in verdict.headline


def test_a_large_gap_without_a_rise() -> None:
    verdict = overfit_verdict(
        history(
            10,
            loss=lambda e: 1.5 - 0.1 * e,
            val_loss=lambda e: max(1.2 - 0.1 * e, 0.8),
            accuracy=lambda e: 0.9,
            val_accuracy=lambda e: 0.7,
        )
    )
    assert verdict.kind == "large gap"
    assert "20 points above" in verdict.headline


def test_a_low_plateau_is_underfitting_and_a_leading_validation_is_explained() -> None:
    verdict = overfit_verdict(
        history(
            12,
            loss=lambda e: max(1.6 - 0.1 * e, 1.2),
            val_loss=lambda e: max(1.5 - 0.1 * e, 1.1),
            accuracy=lambda e: 0.48,
            val_accuracy=lambda e: 0.55,
        )
    )
    assert verdict.kind == "underfitting"
    assert "48 %" in verdict.headline
    assert verdict.evidence["gap"] == pytest.approx(-0.07)
    assert "dropout" in verdict.detail and "augmented" in verdict.detail and "no mistake" in verdict.detail


def test_low_training_accuracy_that_still_rises_is_not_underfitting() -> None:
    verdict = overfit_verdict(
        history(
            8,
            loss=lambda e: 1.6 - 0.06 * e,
            val_loss=lambda e: max(1.5 - 0.1 * e, 1.2),
            accuracy=lambda e: 0.5,
            val_accuracy=lambda e: 0.5,
        )
    )
    assert verdict.kind == "still improving"
    assert "since epoch 3" in verdict.headline
