"""The verdict says plainly whether the search was worth it."""

from __future__ import annotations

import re

import pytest

from aquadash.runs import RunStatus
from aquadash.search import Search, Trial, TrialState
from aquadash.search.types import describe_result
from tests.search_fakes import plan


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
        ((None, None), False, "No trial has ended yet"),
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
