"""Wrong learning rates and settings that keep a network from learning, on made and on measured curves."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from aquadash.coach import run_notes
from aquadash.errors import AquaDashError
from aquadash.runs import EpochRecord, Run, RunStatus
from aquadash.training.worker import _StoreListener
from tests import measured_curves
from tests.coach_runs import epochs, notes
from tests.measured_curves import Curve


def on(curve: Curve) -> dict[str, dict]:
    run = Run("a" * 32, "measured", RunStatus.FINISHED, curve.config, 0.0)
    return {note.key: dict(note.changes) for note in run_notes(run, curve.history, None)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ADAM_TOO_FAST", {"rate-too-high": {"training.learning_rate": 0.001}}),
        ("SGD_BROKEN", {"rate-too-high": {"training.learning_rate": 0.1}}),
        ("SGD_FAR_TOO_SLOW", {"rate-too-low": {"training.learning_rate": 0.01}}),
        ("SGD_TOO_SLOW", {"rate-too-low": {"training.learning_rate": 0.003}}),
        ("LARGE_BATCHES", {"batch-too-large": {"training.batch_size": 64}}),
        ("MUCH_DROPOUT", {"much-dropout": {"model.dropout": 0.5}, "too-few-epochs": {"training.epochs": 60}}),
        ("SGD_FAST", {"still-improving": {}}),
        ("REPORT_FIXED", {"stopped-too-early": {"training.patience": 15}}),
        ("LEARNT_BY_HEART", {"overfitting": {"augmentation.pipeline": "notebook"}}),
    ],
)
def test_real_runs(name: str, expected: dict[str, dict]) -> None:
    assert on(getattr(measured_curves, name)) == expected


def broken_epoch() -> EpochRecord:
    return EpochRecord(3, math.nan, 0.2, math.nan, 0.2, 0.01, 1.0)


def test_a_run_that_failed_because_of_its_loss_is_recognised_by_the_workers_own_words() -> None:
    with pytest.raises(AquaDashError) as raised:
        _StoreListener(None, None).on_epoch(SimpleNamespace(history=(broken_epoch(),)))  # type: ignore[arg-type]
    history = epochs(2, lambda e: 1.6 * e, lambda e: 1.6 * e)
    found = notes(history, {"training.learning_rate": 0.3}, status=RunStatus.FAILED, message=str(raised.value))
    note = found["broke-down"]
    assert note.level == "warning" and note.changes == {"training.learning_rate": 0.03}
    assert "In epoch 3 the loss was no longer a number; an epoch earlier it was 3.2." in note.evidence


def test_it_may_break_down_in_its_first_epoch() -> None:
    found = notes([], {"training.learning_rate": 5}, status=RunStatus.FAILED, message="The loss became nan in epoch 1.")
    assert list(found) == ["broke-down"]
    assert "In epoch 1 the loss was no longer a number." in found["broke-down"].evidence
    assert found["broke-down"].changes == {"training.learning_rate": 0.01}


def test_other_failures_are_not_the_learning_rates() -> None:
    assert notes([], status=RunStatus.FAILED, message="The disk is full.") == {}


def test_a_history_with_a_loss_that_is_no_number() -> None:
    found = notes([*epochs(2, lambda e: 1.5, lambda e: 1.5), broken_epoch()])
    assert list(found) == ["broke-down"] and "In epoch 3" in found["broke-down"].evidence


def test_an_oscillating_loss() -> None:
    found = notes(epochs(10, lambda e: 1.2 + 0.2 * (e % 2) - 0.01 * e, lambda e: 1.3))
    note = found["rate-too-high"]
    assert "from one epoch to the next" in note.evidence and "The rate was 0.01." in note.evidence
    assert note.changes == {"training.learning_rate": 0.001}
    assert not {"plateau", "underfitting", "too-few-epochs"} & set(found), "they follow from it"


def test_a_loss_that_gets_worse_is_said_with_the_verdicts_words() -> None:
    rising = epochs(10, lambda e: 1.0 + 0.02 * abs(e - 3), lambda e: 1.0 + 0.05 * abs(e - 3))
    assert "Validation loss rose by" in notes(rising)["rate-too-high"].evidence


def test_a_loss_that_goes_nowhere_is_not_a_loss_that_creeps() -> None:
    low = {"accuracy": lambda e: 0.2, "val_accuracy": lambda e: 0.2}
    assert "rate-too-high" in notes(epochs(12, lambda e: 1.61 + 0.002 * (e % 2), lambda e: 1.61, **low))
    assert "rate-too-low" in notes(epochs(12, lambda e: 1.61 - 0.001 * e, lambda e: 1.61 - 0.001 * e, **low))


def test_slow_but_steady_and_still_high_is_too_low() -> None:
    creeping = epochs(
        20, lambda e: 1.6 - 0.01 * e, lambda e: 1.6 - 0.01 * e, accuracy=lambda e: 0.4, val_accuracy=lambda e: 0.4
    )
    note = notes(creeping)["rate-too-low"]
    assert "from 1.59 to 1.40" in note.evidence and note.changes == {"training.learning_rate": 0.03}
    assert "rate-too-low" not in notes(creeping[:7]), "too early to tell"


def test_a_rate_that_is_still_being_warmed_up_is_not_too_low() -> None:
    warming = epochs(
        10,
        lambda e: 1.6 - 0.01 * e,
        lambda e: 1.6 - 0.01 * e,
        accuracy=lambda e: 0.3,
        val_accuracy=lambda e: 0.3,
        learning_rate=lambda e: 0.0004 * e,
    )
    assert "rate-too-low" not in notes(warming)


def test_a_learnt_network_that_creeps_on_is_not_too_slow() -> None:
    found = notes(epochs(20, lambda e: 0.6 - 0.001 * e, lambda e: 0.7 - 0.001 * e, accuracy=lambda e: 0.8))
    assert "rate-too-low" not in found


def test_no_higher_rate_is_suggested_where_the_highest_is_tried() -> None:
    slow = epochs(20, lambda e: 1.6 - 0.01 * e, lambda e: 1.6 - 0.01 * e, accuracy=lambda e: 0.4)
    high = [EpochRecord(r.epoch, r.loss, r.accuracy, r.val_loss, r.val_accuracy, 0.3, 1.0) for r in slow]
    assert "rate-too-low" not in notes(high, {"training.learning_rate": 0.3})
