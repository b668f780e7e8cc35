"""What is said beside the learning rate's curve."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.ui.train.train_settings import unknown_before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"schedule": "cosine"}, "Early stopping may end the training on the way."),
        ({"schedule": "cosine", "patience": 0}, ""),
        (
            {"schedule": "plateau", "schedule_epochs": 1, "monitor": "val_accuracy"},
            "How often it will be cut is not known before: after every epoch without a better validation accuracy it "
            "is multiplied by 0.5.",
        ),
    ],
)
def test_what_the_curve_cannot_know(changes: dict[str, object], told: str) -> None:
    config = with_values(RunConfig(), {f"training.{name}": value for name, value in changes.items()})
    assert unknown_before(config.training) == told
