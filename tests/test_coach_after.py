"""Notes on a run: how many, in which order, and while it is at work."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from aquadash.coach import LEVELS, MOST_NOTES, config_notes, run_notes
from aquadash.config import with_values
from aquadash.runs import EpochRecord, Run, RunStatus
from tests import measured_curves
from tests.coach_runs import epochs, notes
from tests.measured_curves import Curve
from tests.test_coach_curve_rules import overfitting
from tests.test_coach_result_rules import evaluation

CURVES = {name: value for name, value in vars(measured_curves).items() if isinstance(value, Curve)}


def test_before_the_first_epoch_there_is_nothing_to_say() -> None:
    for status in RunStatus:
        assert notes([], {"training.validation": "test"}, status=status) == {}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_histories_that_are_no_numbers(count: int) -> None:
    broken = [EpochRecord(e, math.nan, 0.2, math.inf, 0.2, 0.01, 1.0) for e in range(1, count + 1)]
    assert list(notes(broken)) == ["broke-down"]


@pytest.mark.parametrize("status", RunStatus)
@pytest.mark.parametrize("name", CURVES)
def test_any_run_at_any_time_gets_notes_whose_changes_are_possible(name: str, status: RunStatus) -> None:
    curve = CURVES[name]
    for count in range(len(curve.history) + 1):
        run = Run("a" * 32, name, status, curve.config, 0.0)
        found = run_notes(run, curve.history[:count], None)
        assert len(found) <= MOST_NOTES
        assert [note.level for note in found] == sorted((note.level for note in found), key=LEVELS.index)
        before = {note.key for note in config_notes(curve.config)}
        for note in found:
            changed = with_values(curve.config, note.changes)
            troubles = {left.key for left in config_notes(changed) if left.level == "warning"}
            assert troubles <= before, f"{note.key} leads into trouble"


def test_nobody_is_given_more_than_four() -> None:
    found = notes(
        overfitting(),
        {"training.validation": "test", "training.restore_best_weights": False, "training.batch_size": 1024},
        evaluation=evaluation({"otter": 0.0}),
    )
    assert list(found) == ["validation-on-test", "overfitting", "class-ignored", "stopped-in-time"]


def test_a_run_at_work_is_not_told_how_it_ended() -> None:
    at_work = notes(overfitting(), {"training.epochs": 12}, status=RunStatus.RUNNING)
    assert list(at_work) == ["overfitting"]
    healthy = epochs(12, lambda e: 0.2, lambda e: 0.22, accuracy=lambda e: 0.99)
    assert notes(healthy, {"training.epochs": 12}, status=RunStatus.RUNNING) == {}


def test_a_note_on_a_run_at_work_has_held_for_an_epoch() -> None:
    history = overfitting(14)
    first = next(n for n in range(1, 15) if "overfitting" in notes(history[:n]))
    live = [n for n in range(1, 15) if "overfitting" in notes(history[:n], status=RunStatus.RUNNING)]
    assert live[0] == first + 1
    assert all(after == before + 1 for before, after in pairwise(live)), "once there, it stays"


def test_notes_are_plain_values_for_json() -> None:
    note = notes(overfitting())["overfitting"]
    assert note.to_dict() == {
        "key": "overfitting",
        "level": "hint",
        "title": "Overfitting since epoch 7",
        "evidence": note.evidence,
        "changes": {"augmentation.mode": "fresh"},
    }
