"""Notes on a run: how many, in which order, and while it is at work; classes that are hardly ever recognised."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from aquadash.coach import LEVELS, MAX_NOTES, config_notes, run_notes, training_counts
from aquadash.coach.after import classes_ignored
from aquadash.coach.situation import Situation
from aquadash.config import with_values
from aquadash.data import SOURCES, Dataset
from aquadash.data.sources import BUILT_IN
from aquadash.errors import DataError
from aquadash.evaluation import Evaluation, evaluate
from aquadash.runs import EpochRecord, Run, RunStatus
from tests import measured_curves
from tests.coach_runs import epochs, notes, run
from tests.measured_curves import Curve
from tests.test_coach_after_curves import overfitting

CURVES = {name: value for name, value in vars(measured_curves).items() if isinstance(value, Curve)}
CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")


def evaluation(recall: dict[str, float], *, per_class: int = 100, instead: str = "seal") -> Evaluation:
    """Each class is recognised in that share (else fully), and otherwise taken for ``instead``, or a whale."""
    labels, answers = [], []
    for index, name in enumerate(CLASSES):
        right = round(per_class * recall.get(name, 1.0))
        other = CLASSES.index(instead if instead != name else "whale")
        labels += [index] * per_class
        answers += [index] * right + [other] * (per_class - right)
    return evaluate(labels, np.eye(5)[answers], class_names=CLASSES)


def note(found: Evaluation | None, counts: dict[str, int] | None = None, **changes: object):  # noqa: ANN201
    return classes_ignored(Situation(run(dict(changes)), [], found, lambda: counts or {}))


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
        assert len(found) <= MAX_NOTES
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


def test_without_results_there_is_nothing_to_say() -> None:
    assert note(None) is None


@pytest.mark.parametrize(("recall", "told"), [(0.0, True), (0.09, True), (0.1, False), (0.5, False)])
def test_less_than_half_of_guessing_is_ignored(recall: float, told: bool) -> None:
    assert (note(evaluation({"otter": recall})) is not None) is told


def test_the_evidence_says_what_became_of_the_images() -> None:
    found = note(evaluation({"otter": 0.03}))
    assert found.title == "Hardly ever recognised: otter"
    assert found.evidence.startswith("otter is right for 3 of 100 images; most often, 97 times, it was taken for seal.")
    assert "By guessing it would be 20 %" in found.evidence
    assert found.level == "hint"


def test_a_class_that_is_never_named() -> None:
    assert "otter is never named at all" in note(evaluation({"otter": 0.0})).evidence


def test_test_images_lead_to_no_setting() -> None:
    found = note(evaluation({"otter": 0.0}), counts=dict.fromkeys(CLASSES, 500))
    assert found.changes == {} and "observation on test images" in found.evidence


def test_a_class_that_is_rare_in_training_may_be_weighted() -> None:
    counts = dict.fromkeys(CLASSES, 500) | {"otter": 40}
    assert note(evaluation({"otter": 0.0}), counts).changes == {"training.class_weights": "balanced"}
    assert note(evaluation({"otter": 0.0}), counts, **{"training.class_weights": "balanced"}).changes == {}
    assert note(evaluation({"otter": 0.0, "seal": 0.0}), counts).changes == {}, "the seal is not rare"


def test_a_few_images_prove_nothing() -> None:
    assert note(evaluation({"otter": 0.0}, per_class=9)) is None


def test_images_are_counted_only_for_a_class_that_is_ignored() -> None:
    counted = []

    def count() -> dict[str, int]:
        counted.append(1)
        return {}

    run_notes(run(), [], evaluation({"otter": 0.5}), count_training=count)
    assert not counted
    run_notes(run(), [], evaluation({"otter": 0.0}), count_training=count)
    assert counted


def test_images_are_counted_by_class(tiny_dataset: Dataset) -> None:
    mine = replace(run(), dataset_fingerprint=tiny_dataset.fingerprint)
    assert training_counts(mine, lambda source: tiny_dataset) == {"red": 20, "green": 20, "blue": 20}


def test_other_images_than_the_runs_do_not_count(tiny_dataset: Dataset) -> None:
    assert training_counts(replace(run(), dataset_fingerprint="0" * 64), lambda source: tiny_dataset) == {}


def test_images_that_are_gone(monkeypatch: pytest.MonkeyPatch, tiny_dataset: Dataset) -> None:
    mine = replace(run(), dataset_fingerprint=tiny_dataset.fingerprint)

    def refuse(source: str) -> Dataset:
        raise DataError("The archive is damaged.")

    assert training_counts(mine, refuse) == {}
    monkeypatch.setitem(
        BUILT_IN, "synthetic", replace(SOURCES["synthetic"], key=lambda: None)
    )  # Nothing here yet: loading would download it.
    assert training_counts(mine, lambda source: tiny_dataset) == {}
    assert training_counts(run({"data.source": "gone"}), refuse) == {}
