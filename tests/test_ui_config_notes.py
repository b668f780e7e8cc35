"""What a note's button says."""

from __future__ import annotations

from aquadash.coach import Note
from aquadash.config import RunConfig
from aquadash.ui.train.coach_notes import fix_text


def test_a_fix_says_what_it_sets() -> None:
    changes = {"training.learning_rate": 0.01, "model.filters": "16, 32", "training.restore_best_weights": True}
    note = Note("key", "warning", "Title", "Evidence", changes)
    assert fix_text(note, RunConfig()) == ("Learning rate: 0.01; Filters per block: 16, 32; Restore best weights: yes")
