"""Filters and orders of the test-image browser."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.errors import DataError, UnknownNameError
from aquadash.evaluation import OUTCOMES, SORTS, select

LABELS = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 1, 1, 0, 2, 0])
CONFIDENT = np.array([0.9, 0.6, 0.5, 0.95, 0.7, 0.6])
PROBABILITIES = np.repeat((1 - CONFIDENT)[:, None] / 2, 3, axis=1)
PROBABILITIES[np.arange(6), PREDICTED] = CONFIDENT
PROBABILITIES = PROBABILITIES.astype(np.float32)


def chosen(**options) -> list[int]:
    return select(LABELS, PROBABILITIES, **options).tolist()


def test_nothing_asked_for_gives_all_in_order() -> None:
    assert chosen() == [0, 1, 2, 3, 4, 5]


def test_filters_hold_together() -> None:
    assert chosen(true_class=0) == [0, 1]
    assert chosen(predicted_class=0) == [0, 3, 5]
    assert chosen(outcome="right") == [0, 2, 4]
    assert chosen(outcome="wrong") == [1, 3, 5]
    assert chosen(true_class=1, predicted_class=0) == [3]
    assert chosen(predicted_class=0, outcome="wrong", confidence=(0.0, 0.7)) == [5]
    assert chosen(true_class=2, predicted_class=1) == []


def test_both_ends_of_the_confidence_range_count() -> None:
    assert chosen(confidence=(0.9, 0.95)) == [0, 3]
    assert chosen(confidence=(0.6, 0.6)) == [1, 5]


def test_orders() -> None:
    assert chosen(sort="most confident") == [3, 0, 4, 1, 5, 2]
    assert chosen(sort="least confident") == [2, 1, 5, 4, 0, 3]
    assert chosen(sort="most confident mistakes first") == [3, 1, 5, 2, 4, 0]


def test_filter_and_order_together() -> None:
    assert chosen(outcome="right", sort="most confident") == [0, 4, 2]


def test_the_menus_are_what_is_accepted() -> None:
    for outcome in OUTCOMES:
        for sort in SORTS:
            chosen(outcome=outcome, sort=sort)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'wrong'"):
        chosen(outcome="wron")
    with pytest.raises(UnknownNameError, match="order"):
        chosen(sort="random")
    with pytest.raises(DataError, match="no class 3"):
        chosen(true_class=3)
    with pytest.raises(DataError, match="lower end first"):
        chosen(confidence=(0.9, 0.1))
