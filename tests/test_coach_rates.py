"""What is known of learning rates."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.coach import rates
from aquadash.config import RunConfig, with_values


def config(**training: Any) -> RunConfig:
    return with_values(RunConfig(), {f"training.{name}": value for name, value in training.items()})


def test_momentum_adds_steps_up() -> None:
    assert rates.effective_rate(
        config(optimizer="momentum", learning_rate=0.02, momentum=0.9).training
    ) == pytest.approx(0.2)
    assert rates.effective_rate(config(optimizer="sgd", learning_rate=0.02, momentum=0.9).training) == 0.02


@pytest.mark.parametrize(
    ("optimizer", "works", "breaks"),
    [
        ("sgd", 0.1, 0.5),
        ("momentum", 0.01, 0.1),
        ("nesterov", 0.03, 0.1),
        ("adam", 0.003, 0.01),
        ("adamw", 0.005, 0.02),
    ],
)
def test_the_limits_divide_what_was_seen_to_work_from_what_was_seen_to_break(
    optimizer: str, works: float, breaks: float
) -> None:
    assert not rates.too_large(config(optimizer=optimizer, learning_rate=works))
    assert rates.too_large(config(optimizer=optimizer, learning_rate=breaks))


def test_batch_normalization_allows_more_where_the_network_has_it() -> None:
    fast = {"training.learning_rate": 0.5, "model.batch_normalization": True}
    assert not rates.too_large(with_values(RunConfig(), {**fast, "model.name": "cnn"}))
    assert rates.too_large(with_values(RunConfig(), {**fast, "model.name": "notebook"}))


def test_a_lower_rate_is_one_that_works() -> None:
    assert rates.lower(config(learning_rate=0.1), 10) == 0.01
    assert rates.lower(config(learning_rate=10), 10) == 0.01
    assert rates.lower(config(optimizer="momentum", learning_rate=1, momentum=0.999), 10) == 0.0003


def test_a_higher_rate_is_one_that_works() -> None:
    assert rates.higher(config(learning_rate=0.001), 3) == 0.003
    assert rates.higher(config(learning_rate=0.2), 3) == 0.3
    assert rates.higher(config(learning_rate=0.0001), 3) == 0.01, "far too low: the usual one at once"


def test_rates_are_written_without_an_exponent() -> None:
    assert [rates.text(rate) for rate in (0.00001, 0.01, 2.0, 10.0)] == ["0.00001", "0.01", "2", "10"]
