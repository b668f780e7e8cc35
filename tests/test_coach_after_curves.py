"""What curves say about overfitting, progress and the end of training."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.evaluation import overfit_verdict
from aquadash.runs import EpochRecord, RunStatus
from tests.coach_runs import epochs, notes


def overfitting(count: int = 12) -> list[EpochRecord]:
    """Best in epoch 7."""
    return epochs(count, lambda e: 1.6 - 0.08 * e, lambda e: 1.5 - 0.1 * e if e <= 7 else 0.72 + 0.02 * e)


def learning(count: int) -> list[EpochRecord]:
    """Falling to the end."""
    return epochs(count, lambda e: 1.6 - 0.05 * e, lambda e: 1.6 - 0.05 * e, accuracy=lambda e: 0.5)


def flat(count: int, *, accuracy: float = 0.8) -> list[EpochRecord]:
    """Falls for five epochs, then stays."""
    return epochs(
        count,
        lambda e: 1.0 - 0.1 * min(e, 5),
        lambda e: 1.1 - 0.1 * min(e, 5),
        accuracy=lambda e: accuracy,
        val_accuracy=lambda e: accuracy - 0.05,
    )


def test_overfitting_tells_what_the_verdict_tells() -> None:
    note = notes(overfitting())["overfitting"]
    verdict = overfit_verdict(overfitting())
    assert note.title == "Overfitting since epoch 7" and verdict.headline.startswith(note.title)
    assert verdict.detail in note.evidence and "keeps the weights of epoch 7" in note.evidence
    assert note.level == "hint"


def test_overfitting_whose_best_weights_are_lost_is_a_warning() -> None:
    note = notes(overfitting(), {"training.restore_best_weights": False})["overfitting"]
    assert note.level == "warning" and note.changes == {"training.restore_best_weights": True}
    assert "nothing is lost" not in note.evidence


MIXED = {"augmentation.mode": "fresh", "augmentation.mixing": "cutmix"}


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"augmentation.pipeline": "none"}, {"augmentation.pipeline": "notebook"}),
        ({}, {"augmentation.mode": "fresh"}),
        ({"augmentation.mode": "fresh", "model.dropout": 0.2}, {"model.dropout": 0.5}),
        ({"augmentation.mode": "fresh"}, {"augmentation.mixing": "mixup"}),
        ({**MIXED}, {}),
        ({**MIXED, "model.name": "cnn"}, {"model.l2": 0.0001}),
        ({**MIXED, "model.name": "cnn", "model.l2": 0.001}, {}),
        ({"model.name": "backbone", "model.dropout": 0.3}, {"model.dropout": 0.5}),
    ],
    ids=str,
)
def test_the_mildest_cure_of_overfitting_that_is_left(changes: dict[str, Any], cure: dict[str, Any]) -> None:
    assert notes(overfitting(), changes)["overfitting"].changes == cure


def test_a_large_gap_is_a_hint_with_the_same_cures() -> None:
    gap = epochs(10, lambda e: 1.5 - 0.1 * e, lambda e: max(1.2 - 0.1 * e, 0.8), accuracy=lambda e: 0.9)
    note = notes(gap)["large-gap"]
    assert note.level == "hint" and note.changes == {"augmentation.mode": "fresh"}


@pytest.mark.parametrize(
    ("count", "title"), [(1, "1 epoch is only a first look"), (3, "3 epochs are only a first look")]
)
def test_a_few_epochs_are_a_first_look(count: int, title: str) -> None:
    note = notes(learning(count), {"training.epochs": count})["too-few-epochs"]
    assert note.title == title and note.changes == {"training.epochs": 10}


def test_too_few_epochs_when_all_were_used_and_the_loss_still_falls() -> None:
    found = notes(learning(12), {"training.epochs": 12})
    note = found["too-few-epochs"]
    assert "All 12 epochs were used" in note.evidence and "1.15 in epoch 9 and 1.00 in the last" in note.evidence
    assert note.changes == {"training.epochs": 24} and "still-improving" not in found


def test_too_few_epochs_speaks_of_what_is_monitored() -> None:
    rising = epochs(
        12,
        lambda e: 1.6 - 0.05 * e,
        lambda e: 1.6 - 0.05 * e,
        accuracy=lambda e: 0.5,
        val_accuracy=lambda e: 0.04 * e,
    )
    note = notes(rising, {"training.epochs": 12, "training.monitor": "val_accuracy"})["too-few-epochs"]
    assert "The validation accuracy was 36 % in epoch 9 and 48 % in the last" in note.evidence


@pytest.mark.parametrize("status", [RunStatus.STOPPED, RunStatus.INTERRUPTED])
def test_a_run_that_was_ended_early_has_not_used_its_epochs(status: RunStatus) -> None:
    found = notes(learning(12), {"training.epochs": 12}, status=status)
    assert "too-few-epochs" not in found and found["still-improving"].changes == {}


def stopped(noise: float) -> list[EpochRecord]:
    """Best in epoch 10 of 15; before it the validation loss jumps by ``noise``."""
    return epochs(
        15,
        lambda e: 1.2 - 0.03 * min(e, 10),
        lambda e: 1.0 if e == 10 else 1.01 + noise * (e % 2 == 0),
        accuracy=lambda e: 0.7,
        val_accuracy=lambda e: 0.68,
    )


def test_patience_that_ran_out_in_time_is_good_news() -> None:
    found = notes(stopped(0.01))
    note = found["stopped-in-time"]
    assert note.level == "good" and "than in epoch 10, whose weights are kept" in note.evidence
    assert "stopped-too-early" not in found


def test_patience_that_ran_out_by_chance() -> None:
    found = notes(stopped(0.1))
    note = found["stopped-too-early"]
    assert "typically jumps by 10 %" in note.evidence and note.changes == {"training.patience": 15}
    assert "stopped-in-time" not in found
    assert "stopped-too-early" not in notes(stopped(0.1), {"training.patience": 0})


def test_no_progress_for_many_epochs_asks_for_a_schedule() -> None:
    note = notes(flat(20), {"training.patience": 0})["plateau"]
    assert note.title == "No progress for 8 epochs" and "since epoch 13 is 0.500" in note.evidence
    assert note.changes == {"training.schedule": "plateau", "training.schedule_epochs": 5}
    impatient = notes(flat(20), {"training.patience": 15})["plateau"]
    assert impatient.changes["training.patience"] == 20


def test_a_plateau_needs_time_and_something_left_to_learn() -> None:
    assert "plateau" not in notes(flat(11), {"training.patience": 0})
    assert "plateau" not in notes(flat(20, accuracy=0.99), {"training.patience": 0})


def test_a_plateau_with_a_schedule() -> None:
    scheduled = {"training.patience": 0, "training.schedule": "step"}
    assert notes(flat(20), scheduled)["plateau"].changes == {"training.learning_rate": 0.003}
    faded = [EpochRecord(r.epoch, r.loss, r.accuracy, r.val_loss, r.val_accuracy, 0.0001, 1.0) for r in flat(20)]
    note = notes(faded, scheduled)["plateau"]
    assert note.changes == {} and "come down as far as it helps" in note.evidence


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({}, {"model.dropout": 0.2}),
        (MIXED, {"augmentation.mixing": "none"}),
        ({"model.dropout": 0.1}, {}),
        ({"model.dropout": 0.1, "training.label_smoothing": 0.2}, {"training.label_smoothing": 0.0}),
        ({"model.dropout": 0.1, "model.name": "cnn", "model.l2": 0.001}, {"model.l2": 0.0}),
    ],
    ids=str,
)
def test_underfitting(changes: dict[str, Any], cure: dict[str, Any]) -> None:
    held_back = epochs(
        10,
        lambda e: max(1.6 - 0.1 * e, 1.2),
        lambda e: max(1.5 - 0.1 * e, 1.1),
        accuracy=lambda e: 0.48,
        val_accuracy=lambda e: 0.5,
    )
    assert notes(held_back, changes)["underfitting"].changes == cure


def test_all_well() -> None:
    healthy = epochs(8, lambda e: 0.2, lambda e: 0.22, accuracy=lambda e: 0.95, val_accuracy=lambda e: 0.93)
    found = notes(healthy)
    assert [note.level for note in found.values()] == ["good"] * len(found)
    assert found["all-well"].title == "Healthy"


def test_test_images_that_validated() -> None:
    note = notes(overfitting(), {"training.validation": "test"})["validation-on-test"]
    assert note.level == "warning" and note.changes == {"training.validation": "training"}
    assert with_values(RunConfig(), note.changes).training.validation == "training"
