"""Where a map is brightest, in words."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.explain.results import describe_map


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((slice(0, 4), slice(8, 12)), "brightest at the upper right"),
        ((slice(4, 8), slice(4, 8)), "brightest in the middle"),
        ((slice(4, 8), slice(0, 4)), "brightest at the left"),
        ((slice(8, 12), slice(4, 8)), "brightest at the lower edge"),
        ((slice(None), slice(None)), "about equally bright everywhere"),
        ((slice(0, 0), slice(0, 0)), "nothing is marked"),
    ],
)
def test_places_in_words(place: tuple[slice, slice], expected: str) -> None:
    values = np.zeros((12, 12), np.float32)
    values[place] = 0.5
    assert describe_map(values) == expected


def test_both_signs_in_words() -> None:
    values = np.zeros((9, 9), np.float32)
    values[:3, :3], values[6:, 6:] = 0.2, -0.4
    said = "most for the class at the upper left, most against the class at the lower right"
    assert describe_map(values, signed=True) == said
    mixed = np.zeros((9, 9), np.float32)
    mixed[4, 4], mixed[4, 5] = 0.2, -0.2
    assert describe_map(mixed, signed=True) == "most for and against the class in the middle"
    mixed[:] = np.where(np.indices((9, 9)).sum(axis=0) % 2, 0.1, -0.1)
    assert describe_map(mixed, signed=True) == "a little for and against the class everywhere"
    values[:3, :3] = 1e-6
    assert describe_map(values, signed=True) == "most against the class at the lower right"
    assert describe_map(values * 0, signed=True) == "nothing is marked"
