"""Notes on a run: on curves, learning rates and results, how many, in which order, and while it is at work."""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aquadash.coach import LEVELS, MAX_NOTES, Note, config_notes, run_notes, training_counts
from aquadash.coach.after import classes_ignored
from aquadash.coach.situation import Situation
from aquadash.config import RunConfig, with_values
from aquadash.data import SOURCES, Dataset
from aquadash.data.sources import BUILT_IN
from aquadash.errors import AquaDashError, DataError
from aquadash.evaluation import Evaluation, evaluate
from aquadash.store import EpochRecord, Run, RunStatus
from aquadash.training.worker import StoreListener
from tests.support.runs import run_record

#: A function of the epoch, from 1.
Curve = Callable[[int], float]


def epochs(
    count: int,
    loss: Curve,
    val_loss: Curve,
    *,
    accuracy: float = 0.7,
    val_accuracy: float = 0.65,
    learning_rate: Curve = lambda epoch: 0.01,
) -> list[EpochRecord]:
    """A history of such losses and rates, whose accuracies stay."""
    return [
        EpochRecord(e, loss(e), accuracy, val_loss(e), val_accuracy, learning_rate(e), seconds=1.0)
        for e in range(1, count + 1)
    ]


#: A finished run with these settings changed from the default, and these attributes.
run = partial(run_record, "mine", run_id="a" * 32)


def notes(
    history: Sequence[EpochRecord],
    changes: dict[str, Any] | None = None,
    *,
    status: RunStatus = RunStatus.FINISHED,
    message: str = "",
    evaluation: Evaluation | None = None,
    **more: Any,
) -> dict[str, Note]:
    """The coach's notes by key, in their order."""
    ranked = run_notes(run(changes, status=status, message=message), history, evaluation, **more)
    return {note.key: note for note in ranked}


_PLAIN = {"data.source": "cifar100", "augmentation.pipeline": "none", "training.epochs": 30, "training.patience": 0}

#: The settings that differ from ``notebook-fixed``.
_CHANGES: dict[str, dict[str, Any]] = {
    "ADAM_TOO_FAST": {**_PLAIN, "training.optimizer": "adam"},
    "SGD_TOO_SLOW": {**_PLAIN, "training.learning_rate": 0.001},
    "LEARNT_BY_HEART": {**_PLAIN, "training.optimizer": "adam", "training.learning_rate": 0.001, "model.dropout": 0.0},
    "SGD_FAST": {**_PLAIN, "training.learning_rate": 0.1},
    "REPORT_FIXED": {"data.source": "cifar100"},
    "SGD_BROKEN": {**_PLAIN, "data.source": "synthetic", "training.epochs": 10, "training.learning_rate": 1.0},
}


def _read(name: str) -> tuple[RunConfig, list[EpochRecord]]:
    """Return the settings and the epochs of a run."""
    config = with_values(RunConfig(), _CHANGES[name])
    with Path(__file__).with_name("measured_curves.csv").open(newline="") as file:
        rows = [list(row.values())[1:] for row in csv.DictReader(file) if row["curve"] == name]
    rate = config.training.learning_rate
    return config, [EpochRecord(int(row[0]), *map(float, row[1:]), rate, seconds=1.0) for row in rows]


#: Learning curves of real runs, all but the last on CIFAR-100's photographs; an epoch a row in the CSV file.
CURVES = {name: _read(name) for name in _CHANGES}


def overfitting(count: int = 12) -> list[EpochRecord]:
    """Best in epoch 7."""
    return epochs(count, lambda e: 1.6 - 0.08 * e, lambda e: 1.5 - 0.1 * e if e <= 7 else 0.72 + 0.02 * e)


def learning(count: int) -> list[EpochRecord]:
    """Falling to the end."""
    return epochs(count, lambda e: 1.6 - 0.05 * e, lambda e: 1.6 - 0.05 * e, accuracy=0.5)


def flat(accuracy: float = 0.8) -> list[EpochRecord]:
    """Falls for five epochs of twenty, then stays."""
    loss, val_loss = (lambda e: 1.0 - 0.1 * min(e, 5)), (lambda e: 1.1 - 0.1 * min(e, 5))
    return epochs(20, loss, val_loss, accuracy=accuracy, val_accuracy=accuracy - 0.05)


#: Training is ahead, and validation does not get worse.
LARGE_GAP = epochs(10, lambda e: 1.5 - 0.1 * e, lambda e: max(1.2 - 0.1 * e, 0.8), accuracy=0.9)
#: The training loss jumps from one epoch to the next.
JUMPING = epochs(10, lambda e: 1.2 + 0.2 * (e % 2) - 0.03 * e, lambda e: 1.1 - 0.03 * e)
#: The losses waver a little and go nowhere.
WAVERING = epochs(12, lambda e: 1.61 + 0.002 * (e % 2), lambda e: 1.61, accuracy=0.2, val_accuracy=0.2)
#: The training loss jumps while the validation loss stays.
OSCILLATING = epochs(10, lambda e: 1.2 + 0.2 * (e % 2) - 0.01 * e, lambda e: 1.3)
#: On a low plateau from the fourth epoch on.
HELD_BACK = epochs(
    10, lambda e: max(1.6 - 0.1 * e, 1.2), lambda e: max(1.5 - 0.1 * e, 1.1), accuracy=0.48, val_accuracy=0.5
)


def constant(count: int, **more: Any) -> list[EpochRecord]:
    """A network that gives one answer to everything."""
    return epochs(count, lambda e: 1.6095, lambda e: 1.6094, accuracy=0.2, val_accuracy=0.2, **more)


def creeping(count: int = 20, **more: Any) -> list[EpochRecord]:
    """Falling all the time, and slowly."""
    return epochs(count, lambda e: 1.6 - 0.01 * e, lambda e: 1.6 - 0.01 * e, accuracy=0.4, val_accuracy=0.4, **more)


def stopped(noise: float) -> list[EpochRecord]:
    """Best in epoch 10 of 15; before it the validation loss jumps by ``noise``."""
    return epochs(15, lambda e: 1.2 - 0.03 * min(e, 10), lambda e: 1.0 if e == 10 else 1.01 + noise * (e % 2 == 0))


UNCHANGED, FRESH = {"augmentation.pipeline": "none"}, {"augmentation.mode": "fresh"}
MIXED = {**FRESH, "augmentation.mixing": "cutmix"}
CNN = {"model.name": "cnn"}
NOT_KEPT, TWELVE = {"training.restore_best_weights": False}, {"training.epochs": 12}
PATIENT, STEPS = {"training.patience": 0}, {"training.patience": 0, "training.schedule": "step"}

#: Of a run's curves and settings: a note, and what it suggests to change; None where it must not be given.
ADVICE: dict[str, tuple[list[EpochRecord], dict[str, Any], str, dict[str, Any] | None]] = {
    "augment": (overfitting(), UNCHANGED, "overfitting", {"augmentation.pipeline": "notebook"}),
    "overfitting: augment anew": (overfitting(), {}, "overfitting", FRESH),
    "more dropout": (overfitting(), {**FRESH, "model.dropout": 0.2}, "overfitting", {"model.dropout": 0.5}),
    "overfitting: mix": (overfitting(), FRESH, "overfitting", {"augmentation.mixing": "mixup"}),
    "overfitting: a penalty": (overfitting(), {**MIXED, **CNN}, "overfitting", {"model.l2": 0.0001}),
    "overfitting: nothing left": (overfitting(), {**MIXED, **CNN, "model.l2": 0.001}, "overfitting", {}),
    "best weights are lost": (overfitting(), NOT_KEPT, "overfitting", {"training.restore_best_weights": True}),
    "a large gap: as overfitting": (LARGE_GAP, {}, "large-gap", FRESH),
    "a few epochs": (learning(3), {"training.epochs": 3}, "too-few-epochs", {"training.epochs": 10}),
    "twice as many epochs": (learning(12), TWELVE, "too-few-epochs", {"training.epochs": 24}),
    "patience that ran out by chance": (stopped(0.1), {}, "stopped-too-early", {"training.patience": 15}),
    "no praise for chance": (stopped(0.1), {}, "stopped-in-time", None),
    "patience that ran out in time": (stopped(0.01), {}, "stopped-too-early", None),
    "no plateau where the loss jumps": (OSCILLATING, {}, "plateau", None),
    "a schedule": (flat(), PATIENT, "plateau", {"training.schedule": "plateau", "training.schedule_epochs": 5}),
    "a plateau at a scheduled rate: a lower one": (flat(), STEPS, "plateau", {"training.learning_rate": 0.003}),
    "no plateau with nothing left to learn": (flat(0.99), PATIENT, "plateau", None),
    "underfitting: less dropout": (HELD_BACK, {}, "underfitting", {"model.dropout": 0.2}),
    "underfitting: no mixing": (HELD_BACK, MIXED, "underfitting", {"augmentation.mixing": "none"}),
    "underfitting: nothing left": (HELD_BACK, {"model.dropout": 0.1}, "underfitting", {}),
    "a loss that jumps": (JUMPING, {}, "rate-too-high", {"training.learning_rate": 0.001}),
    "mixed images make it jump": (JUMPING, {"augmentation.mixing": "mixup"}, "rate-too-high", None),
    "a loss that goes nowhere": (WAVERING, {}, "rate-too-high", {"training.learning_rate": 0.001}),
    "a loss that creeps": (creeping(10), {}, "rate-too-low", {"training.learning_rate": 0.03}),
    "large batches": (creeping(), {"training.batch_size": 1024}, "batch-too-large", {"training.batch_size": 64}),
    "too early to tell whether it creeps": (creeping()[:7], {}, "rate-too-low", None),
    "a rate being warmed up": (creeping(10, learning_rate=lambda e: 0.0004 * e), {}, "rate-too-low", None),
}


@pytest.mark.parametrize(("history", "changes", "key", "cure"), ADVICE.values(), ids=ADVICE)
def test_suggestions(
    history: list[EpochRecord], changes: dict[str, Any], key: str, cure: dict[str, Any] | None
) -> None:
    by_key = notes(history, changes)
    assert (dict(by_key[key].changes) if key in by_key else None) == cure


def test_a_run_that_was_ended_early_has_not_used_its_epochs() -> None:
    for status in (RunStatus.STOPPED, RunStatus.INTERRUPTED):
        by_key = notes(learning(12), TWELVE, status=status)
        assert "too-few-epochs" not in by_key and by_key["still-improving"].changes == {}


CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")


def evaluation(recall: dict[str, float], *, per_class: int = 100) -> Evaluation:
    """Each class is recognised in that share (else fully), and otherwise taken for a seal, or a whale."""
    answers: list[int] = []
    for index, name in enumerate(CLASSES):
        right = round(per_class * recall.get(name, 1.0))
        answers += [index] * right + [CLASSES.index("whale" if name == "seal" else "seal")] * (per_class - right)
    return evaluate(np.repeat(np.arange(5), per_class), np.eye(5)[answers], class_names=CLASSES)


def note(results: Evaluation | None, counts: dict[str, int] | None = None, **changes: object):  # noqa: ANN201
    return classes_ignored(Situation(run(dict(changes)), [], results, lambda: counts or {}))


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.FINISHED, RunStatus.FAILED])
@pytest.mark.parametrize("name", CURVES)
def test_any_run_at_any_time_gets_notes_whose_changes_are_possible(name: str, status: RunStatus) -> None:
    config, history = CURVES[name]
    for count in range(len(history) + 1):
        all_notes = run_notes(Run("a" * 32, name, status, config, 0.0), history[:count], None)
        assert len(all_notes) <= MAX_NOTES
        assert [note.level for note in all_notes] == sorted((note.level for note in all_notes), key=LEVELS.index)
        before = {note.key for note in config_notes(config)}
        for note in all_notes:
            after = config_notes(with_values(config, note.changes))
            assert {left.key for left in after if left.level == "warning"} <= before, f"{note.key} leads into trouble"


def test_nobody_is_given_more_than_four() -> None:
    changes = {**NOT_KEPT, "training.validation": "test", "training.batch_size": 1024}
    by_key = notes(overfitting(), changes, evaluation=evaluation({"otter": 0.0}))
    assert list(by_key) == ["validation-on-test", "overfitting", "class-ignored", "stopped-in-time"]


def test_a_run_at_work_is_not_told_how_it_ended() -> None:
    assert list(notes(overfitting(), TWELVE, status=RunStatus.RUNNING)) == ["overfitting"]
    healthy = epochs(12, lambda e: 0.2, lambda e: 0.22, accuracy=0.99)
    assert notes(healthy, TWELVE, status=RunStatus.RUNNING) == {}


def test_a_note_on_a_run_at_work_has_held_for_an_epoch_and_stays() -> None:
    history = overfitting(14)
    assert notes(history)["overfitting"].level == "hint" and notes(history, NOT_KEPT)["overfitting"].level == "warning"
    first = next(n for n in range(1, 15) if "overfitting" in notes(history[:n]))
    live = [n for n in range(1, 15) if "overfitting" in notes(history[:n], status=RunStatus.RUNNING)]
    assert live == list(range(first + 1, 15))


def test_a_class_that_is_right_less_than_half_as_often_as_by_guessing_is_ignored() -> None:
    assert note(evaluation({"otter": 0.09})) is not None
    assert note(evaluation({"otter": 0.1})) is None
    assert note(evaluation({"otter": 0.0}, per_class=9)) is None, "a few images prove nothing"
    assert note(None) is None, "no results"


def test_a_class_that_is_rare_in_training_may_be_weighted() -> None:
    counts = dict.fromkeys(CLASSES, 500) | {"otter": 40}
    balanced = {"training.class_weights": "balanced"}
    one, both = evaluation({"otter": 0.0}), evaluation({"otter": 0.0, "seal": 0.0})
    assert note(one, counts).changes == note(both, counts | {"seal": 40}).changes == balanced
    assert "Class weights make up" in note(one, counts).evidence
    assert note(one, counts, **balanced).changes == {}, "they are counted more already"
    assert note(both, counts).changes == {}, "the seal is not rare"
    frequent = note(one, dict.fromkeys(CLASSES, 500))
    assert frequent.changes == {} and "test images" in frequent.evidence


def test_only_images_of_the_run_are_counted_by_class(monkeypatch: pytest.MonkeyPatch, tiny_dataset: Dataset) -> None:
    mine = replace(run(), dataset_fingerprint=tiny_dataset.fingerprint)
    assert training_counts(mine, lambda source: tiny_dataset) == {"red": 20, "green": 20, "blue": 20}
    assert training_counts(replace(run(), dataset_fingerprint="0" * 64), lambda source: tiny_dataset) == {}

    def refuse(source: str) -> Dataset:
        raise DataError("The archive is damaged.")

    assert training_counts(mine, refuse) == {}
    # Nothing here yet: loading would download it.
    monkeypatch.setitem(BUILT_IN, "synthetic", replace(SOURCES["synthetic"], key=lambda: None))
    assert training_counts(mine, lambda source: tiny_dataset) == {}
    assert training_counts(run({"data.source": "gone"}), refuse) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ADAM_TOO_FAST", {"rate-too-high": {"training.learning_rate": 0.001}}),
        ("SGD_BROKEN", {"rate-too-high": {"training.learning_rate": 0.1}}),
        ("SGD_TOO_SLOW", {"rate-too-low": {"training.learning_rate": 0.003}}),
        ("SGD_FAST", {"still-improving": {}}),
        ("REPORT_FIXED", {"stopped-too-early": {"training.patience": 15}}),
        ("LEARNT_BY_HEART", {"overfitting": {"augmentation.pipeline": "notebook"}}),
    ],
)
def test_real_runs(name: str, expected: dict[str, dict]) -> None:
    config, history = CURVES[name]
    all_notes = run_notes(Run("a" * 32, "measured", RunStatus.FINISHED, config, 0.0), history, None)
    assert {note.key: dict(note.changes) for note in all_notes} == expected


BROKEN_EPOCH = EpochRecord(3, math.nan, 0.2, math.nan, 0.2, 0.01, 1.0)


def test_a_run_that_failed_because_of_its_loss_is_recognised_by_the_workers_own_words() -> None:
    with pytest.raises(AquaDashError) as raised:
        StoreListener(None, None, None).on_epoch(SimpleNamespace(history=(BROKEN_EPOCH,)))  # type: ignore[arg-type]
    history = epochs(2, lambda e: 1.6 * e, lambda e: 1.6 * e)
    by_key = notes(history, {"training.learning_rate": 0.3}, status=RunStatus.FAILED, message=str(raised.value))
    note = by_key["broke-down"]
    assert note.level == "warning" and note.changes == {"training.learning_rate": 0.03}
    assert "In epoch 3 the loss was no longer a number; an epoch earlier it was 3.2." in note.evidence


def test_before_the_first_epoch_there_is_nothing_to_say_but_a_breakdown() -> None:
    for status in RunStatus:
        assert notes([], {"training.validation": "test"}, status=status, message="The disk is full.") == {}
    failed = {"status": RunStatus.FAILED, "message": "The loss became nan in epoch 1."}
    by_key = notes([], {"training.learning_rate": 5}, **failed)
    assert list(by_key) == ["broke-down"]
    assert "In epoch 1 the loss was no longer a number." in by_key["broke-down"].evidence
    assert by_key["broke-down"].changes == {"training.learning_rate": 0.01}
    assert list(notes([BROKEN_EPOCH])) == ["broke-down"], "its loss is no number"


def test_a_network_that_does_not_learn_is_told_so_and_not_praised() -> None:
    silent = evaluation(dict.fromkeys(CLASSES, 0.0) | {"seal": 1.0})
    by_key = notes(constant(6), evaluation=silent)
    assert list(by_key) == ["not-learning"]
    assert notes(constant(1), status=RunStatus.STOPPED, evaluation=silent) == {}, "too early to tell"
    assert list(notes(constant(6), status=RunStatus.RUNNING)) == ["not-learning"]
    warming_up = constant(6, learning_rate=lambda e: 0.0004 * e)
    assert notes(warming_up, status=RunStatus.RUNNING) == {}, "it may yet move"
