"""Warnings before training: what they say together, whatever the rule."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from aquadash.coach import LEVELS, config_notes
from aquadash.config import RunConfig, with_values
from aquadash.presets import PRESETS

#: Settings that are each warned of, some for one network only.
TROUBLES: list[dict[str, Any]] = [
    {"training.learning_rate": 5},
    {"training.optimizer": "adam", "training.learning_rate": 0.05},
    {"training.optimizer": "nesterov", "training.momentum": 0.999},
    {"training.learning_rate": 0.00001},
    {"training.batch_size": 2048},
    {"training.batch_size": 1, "model.name": "cnn", "model.batch_normalization": True},
    {"training.patience": 0, "training.epochs": 2000},
    {"training.patience": 0, "training.epochs": 2000, "training.schedule": "cosine"},
    {"training.patience": 0, "training.epochs": 500, "training.schedule": "plateau", "training.schedule_epochs": 200},
    {"training.schedule": "one_cycle"},
    {"training.schedule": "plateau"},
    {"training.schedule": "plateau", "training.schedule_epochs": 2000},
    {"training.schedule": "step", "training.schedule_epochs": 500},
    {"training.schedule": "exponential", "training.schedule_epochs": 1},
    {"training.warmup_epochs": 200},
    {"training.warmup_epochs": 2, "training.epochs": 2},
    {"training.validation": "test"},
    {"training.validation_fraction": 0.01},
    {"training.restore_best_weights": False},
    {"training.from_logits": True},
    {"training.label_smoothing": 0.9},
    {"training.class_weights": "balanced"},
    {"model.dropout": 0.95},
    {"model.name": "cnn", "model.l1": 1, "model.l2": 1},
    {"model.name": "cnn", "model.convolutions": 2},
    {"model.name": "cnn", "model.pooling": "none", "model.dense_units": ""},
    {"model.name": "cnn", "model.residual": True},
    {"model.name": "cnn", "model.kernel_size": 11, "model.filters": "8,8,8,8"},
    {"model.name": "backbone", "augmentation.mode": "fresh"},
    {"model.name": "backbone", "model.fine_tuning": "all", "training.head_epochs": 200},
    {"model.name": "backbone", "model.fine_tuning": "top", "training.body_learning_rate": 0},
]


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "notebook"])
def test_presets_are_not_warned_of(name: str) -> None:
    assert [note for note in config_notes(PRESETS[name].config) if note.level == "warning"] == []


def test_the_reports_oddities_are_named_and_its_repair_has_none() -> None:
    found = {note.key: note.level for note in config_notes(PRESETS["notebook"].config)}
    assert found == {"validation-on-test": "warning", "last-weights-kept": "hint", "from-logits": "hint"}
    assert config_notes(PRESETS["notebook-fixed"].config) == []


@pytest.mark.parametrize("changes", TROUBLES, ids=str)
def test_a_trouble_is_noted_and_its_cure_cures_it_without_another_trouble(changes: dict[str, Any]) -> None:
    config = with_values(RunConfig(), changes)
    found = config_notes(config)
    assert found
    for note in found:
        assert note.title and note.evidence.endswith(".")
        if not note.changes:
            continue
        cured = with_values(config, note.changes)
        assert cured != config
        left = {left.key for left in config_notes(cured)}
        assert left <= {note.key for note in found} - {note.key}


def test_warnings_come_first_and_each_key_once() -> None:
    for first, second in product(TROUBLES, TROUBLES):
        found = config_notes(with_values(RunConfig(), first | second))
        assert [note.level for note in found] == sorted((note.level for note in found), key=LEVELS.index)
        assert len({note.key for note in found}) == len(found)


def test_a_network_that_is_not_there_is_no_reason_to_fail() -> None:
    config = with_values(
        RunConfig(), {"model.name": "gone", "augmentation.pipeline": "gone", "training.batch_size": 900}
    )
    assert [note.key for note in config_notes(config)] == ["batch-too-large"]
    assert "only a few weight updates" in config_notes(config)[0].evidence
