"""The link that carries a run's settings to the Train page."""

from __future__ import annotations

from aquadash.config import RunConfig, flatten, parse_assignments, with_values
from aquadash.ui.train import clone

RUN_ID = "a" * 32


def test_every_setting_survives_the_address() -> None:
    values = flatten(RunConfig(seed=3)) | {"training.learning_rate": 0.00012345678901}
    text = clone.address(RUN_ID, values)["set"]
    assert flatten(with_values(RunConfig(), parse_assignments(text.split(";")))) == values
