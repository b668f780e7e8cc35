"""Filters and orders of the test-image browser."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.errors import DataError, UnknownNameError
from aquadash.evaluation import select
from aquadash.evaluation.browse import doubtful_labels

LABELS = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 1, 1, 0, 2, 0])
CONFIDENT = np.array([0.9, 0.6, 0.5, 0.95, 0.7, 0.6])
PROBABILITIES = np.repeat((1 - CONFIDENT)[:, None] / 2, 3, axis=1)
PROBABILITIES[np.arange(6), PREDICTED] = CONFIDENT
PROBABILITIES = PROBABILITIES.astype(np.float32)


def chosen(**options) -> list[int]:
    return select(LABELS, PROBABILITIES, **options).tolist()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"true_class": 0}, [0, 1]),
        ({"predicted_class": 0}, [0, 3, 5]),
        ({"outcome": "right"}, [0, 2, 4]),
        ({"outcome": "wrong"}, [1, 3, 5]),
        ({"predicted_class": 0, "outcome": "wrong", "confidence": (0.0, 0.7)}, [5]),
        # Both ends of the range count.
        ({"confidence": (0.9, 0.95)}, [0, 3]),
        ({"sort": "most confident"}, [3, 0, 4, 1, 5, 2]),
        ({"sort": "least confident"}, [2, 1, 5, 4, 0, 3]),
        ({"sort": "most confident mistakes first"}, [3, 1, 5, 2, 4, 0]),
        ({"outcome": "right", "sort": "most confident"}, [0, 4, 2]),
        ({"outcome": "wrong", "among": [True, True, True, False, False, False]}, [1]),
    ],
)
def test_filters_and_orders(options: dict[str, object], expected: list[int]) -> None:
    assert chosen(**options) == expected


def test_bad_requests_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'wrong'"):
        chosen(outcome="wron")
    with pytest.raises(DataError, match="no class 3"):
        chosen(true_class=3)


def test_label_mistakes_are_found_and_come_first() -> None:
    """A good network knows 300 images, of which 12 have the label of another class."""
    truth = np.repeat(np.arange(3), 100)
    scores = np.random.default_rng(3).normal(size=(300, 3)) + 4 * np.eye(3)[truth]
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wrong = np.arange(300) % 25 == 0
    labels = np.where(wrong, (truth + 1) % 3, truth)
    doubtful = select(labels, shares, outcome="doubtful", sort="likely label mistakes first")
    assert 8 <= len(doubtful) <= 12 and wrong[doubtful].all(), "few are missed, and none that is right is suspected"
    everything = select(labels, shares, sort="likely label mistakes first")
    assert len(everything) == 300 and everything[: len(doubtful)].tolist() == doubtful.tolist()
    own = shares[np.arange(300), labels]
    assert (np.diff(own[doubtful]) >= 0).all() and (np.diff(own[everything[len(doubtful) :]]) >= 0).all()


def test_confident_learning_by_hand() -> None:
    labels = [0, 0, 1, 1]
    shares = [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.45, 0.55]]
    # Thresholds: class 0 (0.9 + 0.2) / 2 = 0.55, class 1 (0.7 + 0.55) / 2 = 0.625.
    assert doubtful_labels(labels, shares).tolist() == [False, True, False, False]
    assert doubtful_labels([0], [[0.1, 0.9]]).tolist() == [False], "nothing is taken for a class without images"
