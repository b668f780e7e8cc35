"""What a search has found: which settings decided it, and whether it was worth it."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from aquadash.search import Search, Trial, TrialState
from aquadash.search.strategies import MIN_TRIALS, importance
from aquadash.search.types import describe_result
from aquadash.store import RunStatus
from tests.search_fakes import plan

PLAN = plan("training.learning_rate=1e-4..1e-1:log", "training.optimizer=sgd,adam", "model.dropout=0..0.5")


def trials(count: int, *, flat: bool = False) -> list[Trial]:
    """The learning rate decides nearly everything, the optimizer a little, dropout nothing."""
    random = np.random.default_rng(0)
    made = []
    for number in range(count):
        rate = float(10 ** random.uniform(-4, -1))
        optimizer = ("sgd", "adam")[number % 2]
        value = 0.8 - 0.1 * abs(math.log10(rate / 0.003)) + (0.02 if optimizer == "adam" else 0.0)
        params = {
            "training.learning_rate": rate,
            "training.optimizer": optimizer,
            "model.dropout": random.uniform(0, 0.5),
        }
        made.append(Trial(number, TrialState.COMPLETE, 0.5 if flat else value, params))
    return made


@pytest.mark.slow
def test_the_setting_that_decides_comes_first() -> None:
    found = importance(PLAN, trials(30))
    assert next(iter(found)) == "training.learning_rate" and set(found) == {part.name for part in PLAN.space}
    assert sum(found.values()) == pytest.approx(1.0) and found["training.learning_rate"] > 0.7
    assert importance(PLAN, trials(30)) == found  # The same trials, the same answer.


def test_it_says_nothing_of_few_or_equal_trials_or_of_those_outside_of_the_space() -> None:
    assert importance(PLAN, []) == importance(PLAN, trials(MIN_TRIALS - 1)) == {}
    assert importance(PLAN, trials(20, flat=True)) == {}
    outside = [Trial(0, TrialState.COMPLETE, 0.1, {**trials(1)[0].params, "training.learning_rate": 5.0})]
    assert importance(PLAN, outside + trials(MIN_TRIALS)[1:]) == {}
    assert importance(PLAN, [Trial(9, TrialState.PRUNED, None, {}), *trials(MIN_TRIALS)[1:]]) == {}


def search(*values: float | None) -> Search:
    trials = tuple(
        Trial(number, TrialState.FAILED if value is None else TrialState.COMPLETE, value)
        for number, value in enumerate(values)
    )
    return Search("a" * 32, "mine", RunStatus.FINISHED, 0.0, plan(), trials)


@pytest.mark.parametrize(
    ("values", "beats", "said"),
    [
        ((), False, "No trial has ended yet"),
        ((None, None), False, "No trial has a result"),
        ((0.5,), False, "No trial beats the settings to start from, which reach 50.0 %"),
        ((0.5, 0.5, 0.4), False, "No trial beats"),  # As good is not better.
        ((0.5, 0.4, 0.61, 0.61), True, "Trial 2 beats the settings to start from: 61.0 % .* of 50.0 %"),
        ((None, 0.6), False, "The best is trial 1 with 60.0 %.*no result"),
    ],
)
def test_verdict(values: tuple[float | None, ...], beats: bool, said: str) -> None:
    found = search(*values)
    assert found.beats_default is beats
    assert re.search(said, describe_result(found))


def test_another_trial_is_not_the_one_to_beat_where_the_first_is_hidden() -> None:
    found = search(0.5, 0.6, 0.7)
    found = replace(found, trials=found.trials[1:])
    assert found.default is None and not found.beats_default
    assert re.search("The best is trial 2 with 70.0 %.*are hidden from you", describe_result(found))
