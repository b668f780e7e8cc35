"""Differences of pictures as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.augment import difference


def pixels(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint8)


def test_a_difference_is_black_where_nothing_changed_and_knows_no_direction() -> None:
    np.testing.assert_array_equal(difference(pixels(10, 200, 0), pixels(10, 190, 255)), [0, 10, 255])
    np.testing.assert_array_equal(difference(pixels(10, 190, 255), pixels(10, 200, 0)), [0, 10, 255])


def test_a_difference_is_amplified_and_cut() -> None:
    np.testing.assert_array_equal(difference(pixels(10, 0, 0), pixels(13, 100, 0), factor=4), [12, 255, 0])


def test_a_signed_difference_is_grey_where_nothing_changed() -> None:
    before, after = pixels(7, 100, 100, 0, 255), pixels(7, 120, 80, 255, 0)
    np.testing.assert_array_equal(difference(before, after, signed=True), [128, 138, 118, 255, 1])
    np.testing.assert_array_equal(difference(before, after, signed=True, factor=4), [128, 168, 88, 255, 0])


def test_a_change_by_one_level_can_be_seen() -> None:
    assert difference(pixels(9), pixels(10), factor=16)[0] == 16
    assert difference(pixels(9), pixels(10), factor=16, signed=True)[0] == 136


def test_other_shapes_and_factors_are_refused() -> None:
    with pytest.raises(ValueError, match="same shape"):
        difference(pixels(1, 2), pixels(1))
    with pytest.raises(ValueError, match="1 to 16"):
        difference(pixels(1), pixels(1), factor=0)
