"""Which settings decided a search."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aquadash.search import Trial, TrialState
from aquadash.search.strategies import MIN_TRIALS, importance
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
