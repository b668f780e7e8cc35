"""Rules on batches, loss and validation, at their edges."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.coach import Note, config_notes, training_rules
from aquadash.config import RunConfig, with_values


def found(changes: dict[str, Any]) -> dict[str, Note]:
    return {note.key: note for note in config_notes(with_values(RunConfig(), changes))}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training.batch_size": 512}, set()),
        ({"training.batch_size": 513}, {"batch-too-large"}),
        ({"training.label_smoothing": 0.3}, set()),
        ({"training.label_smoothing": 0.31}, {"much-smoothing"}),
        ({"training.validation_fraction": 0.04}, set()),
        ({"training.validation_fraction": 0.03}, {"few-validation-images"}),
        ({"training.validation_fraction": 0.03, "training.validation": "test"}, {"validation-on-test"}),
        ({"training.restore_best_weights": False}, {"last-weights-kept"}),
        ({"training.restore_best_weights": False, "training.patience": 0}, set()),
        ({"training.from_logits": True}, {"from-logits"}),
        ({"training.class_weights": "balanced"}, {"nothing-to-balance"}),
        ({"training.class_weights": "balanced", "data.source": "mine"}, set()),
        ({"training.validation_fraction": 0.01, "data.source": "mine"}, set()),
    ],
    ids=str,
)
def test_edges(changes: dict[str, Any], expected: set[str]) -> None:
    assert set(found(changes)) == expected


def test_weight_updates_are_counted() -> None:
    # 2,125 images in 5 versions, batches of 1,024.
    assert "10 weight updates an epoch" in found({"training.batch_size": 1024})["batch-too-large"].evidence
    alone = {"training.batch_size": 2048, "augmentation.pipeline": "none"}
    assert "1 weight update an epoch" in found(alone)["batch-too-large"].evidence


@pytest.mark.parametrize(
    ("capable", "device", "told"), [(True, "auto", False), (False, "auto", True), (False, "gpu", False)]
)
def test_bfloat16_is_for_processors_made_for_it(
    monkeypatch: pytest.MonkeyPatch, capable: bool, device: str, told: bool
) -> None:
    monkeypatch.setattr(training_rules, "multiplies_bfloat16", lambda: capable)
    notes = found({"training.precision": "mixed_bfloat16", "training.device": device})
    assert ("slow-precision" in notes) is told
