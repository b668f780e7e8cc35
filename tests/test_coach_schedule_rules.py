"""Rules on the learning rate, its schedule and the end of training, at their edges."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.coach import Note, config_notes
from aquadash.config import RunConfig, with_values


def keys(**training: Any) -> set[str]:
    return set(found(**training))


def found(**training: Any) -> dict[str, Note]:
    config = with_values(RunConfig(), {f"training.{name}": value for name, value in training.items()})
    return {note.key: note for note in config_notes(config)}


def test_a_high_rate_names_its_limit_and_a_usual_one() -> None:
    note = found(learning_rate=5)["rate-too-high"]
    assert note.level == "warning" and note.title == "A learning rate of 5 is very high"
    assert "SGD" in note.evidence and "above 0.3" in note.evidence
    assert note.changes == {"training.learning_rate": 0.01}


def test_a_high_momentum_is_counted_in() -> None:
    assert keys(optimizer="momentum", learning_rate=0.01, momentum=0.9) == set()
    note = found(optimizer="momentum", learning_rate=0.01, momentum=0.99)["rate-too-high"]
    assert "momentum of 0.99" in note.evidence and "add up to 1" in note.evidence
    assert note.changes == {"training.learning_rate": 0.001}


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"learning_rate": 0.0001}, {"rate-too-low"}),
        ({"learning_rate": 0.001}, set()),
        ({"epochs": 300, "patience": 0}, set()),
        ({"epochs": 301, "patience": 0}, {"no-early-stopping"}),
        ({"epochs": 301, "patience": 1}, set()),
        ({"epochs": 40, "schedule": "cosine", "patience": 9}, {"patience-cuts-schedule"}),
        ({"epochs": 40, "schedule": "cosine", "patience": 10}, set()),
        ({"epochs": 40, "schedule": "one_cycle", "patience": 0}, set()),
        ({"schedule": "plateau", "schedule_epochs": 5, "patience": 5}, {"patience-before-plateau"}),
        ({"schedule": "plateau", "schedule_epochs": 4.5, "patience": 5}, set()),
        ({"schedule": "plateau", "schedule_epochs": 5, "patience": 0}, set()),
        ({"epochs": 20, "warmup_epochs": 10}, set()),
        ({"epochs": 20, "warmup_epochs": 11}, {"warmup-too-long"}),
        ({"epochs": 20, "schedule": "step", "schedule_epochs": 20}, {"never-cut"}),
        ({"epochs": 20, "schedule": "step", "schedule_epochs": 19}, set()),
        ({"epochs": 20, "schedule": "exponential", "schedule_epochs": 20}, set()),
        ({"epochs": 200, "schedule": "exponential", "schedule_epochs": 10}, set()),
        ({"epochs": 200, "schedule": "exponential", "schedule_epochs": 7}, {"rate-fades"}),
    ],
    ids=str,
)
def test_edges(training: dict[str, Any], expected: set[str]) -> None:
    assert keys(**training) == expected


def test_a_warm_up_as_long_as_the_training_is_worse_than_a_long_one() -> None:
    assert found(epochs=20, warmup_epochs=11)["warmup-too-long"].level == "hint"
    whole = found(epochs=20, warmup_epochs=20)["warmup-too-long"]
    assert whole.level == "warning" and whole.changes == {"training.warmup_epochs": 2.0}


def test_the_rate_fades_where_the_note_says() -> None:
    note = found(epochs=200, schedule="step", schedule_epochs=2, schedule_factor=0.1)["rate-fades"]
    assert "From epoch 8 on" in note.title
