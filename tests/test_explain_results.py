"""Maps as pictures: colours, legends, words."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.explain import pictures
from aquadash.explain.nearest import nearest
from aquadash.explain.results import Explanation, describe_map


def explanation(values: np.ndarray, *, signed: bool = False) -> Explanation:
    return Explanation(
        method="occlusion" if signed else "grad-cam",
        class_index=2,
        class_name="otter",
        probability=0.62,
        image=np.full((*values.shape, 3), 128, np.uint8),
        map=values.astype(np.float32),
        signed=signed,
    )


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance as in WCAG 2.2."""
    shares = colours / 255.0
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def test_scales_are_readable_without_seeing_colours() -> None:
    line = pictures.legend(signed=False, width=64, height=2)
    assert line.shape == (2, 64, 3) and line.dtype == np.uint8
    assert (np.diff(luminance(line[0])) > 0).all()
    assert line[0, 0].tolist() == [0x44, 0x01, 0x54] and line[0, -1].tolist() == [0xFD, 0xE7, 0x25]
    signed = luminance(pictures.legend(signed=True, width=65, height=1)[0])
    assert (np.diff(signed[:33]) > 0).all() and (np.diff(signed[32:]) < 0).all()


def test_zero_of_a_signed_map_stays_in_the_middle_and_a_single_pixel_does_not_hide_the_others() -> None:
    values = np.zeros((10, 10))
    values[0, :2], values[5, 5] = 0.4, -0.1
    positions, end = pictures.shown(explanation(values, signed=True))
    assert end == pytest.approx(0.4)
    assert positions[0, 0] == pytest.approx(1) and positions[5, 5] == pytest.approx(0.375) and positions[9, 9] == 0.5
    for others, greatest, expected in ((0.01, 5.0, 0.01), (0.0, 0.3, 0.3)):
        values = np.full((20, 20), others)
        values[0, 0] = greatest
        assert pictures.shown(explanation(values, signed=True))[1] == pytest.approx(expected)


def test_the_overlay_colours_what_counts_and_leaves_the_rest_of_a_signed_one_grey() -> None:
    values = np.zeros((8, 8))
    values[:4] = 0.5
    signed = pictures.overlay(explanation(values, signed=True)).astype(int)
    assert signed.shape == (8, 8, 3)
    assert np.ptp(signed[6, 6]) == 0 and signed[0, 0, 0] - signed[0, 0, 2] > 60
    over = pictures.overlay(explanation(2 * values))
    assert luminance(over[0, 0]) > 2 * luminance(over[6, 6])


def test_an_empty_map_is_drawn_and_said_to_be_empty() -> None:
    for signed in (False, True):
        empty = explanation(np.zeros((9, 9)), signed=signed)
        assert pictures.overlay(empty).shape == pictures.colour_picture(empty).shape == (9, 9, 3)
        assert pictures.alt_text(empty).endswith("for otter, which the network gives 62 %: nothing is marked")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((slice(0, 4), slice(8, 12)), "brightest at the upper right"),
        ((slice(4, 8), slice(4, 8)), "brightest in the middle"),
        ((slice(None), slice(None)), "about equally bright everywhere"),
    ],
)
def test_places_in_words(place: tuple[slice, slice], expected: str) -> None:
    values = np.zeros((12, 12), np.float32)
    values[place] = 0.5
    assert describe_map(values) == expected


def test_the_nearest_rows_point_the_same_way_whatever_their_length() -> None:
    rows = [[1, 0], [0, 3], [9, 1], [0, 0], [-1, 0], [2, 0], [float("nan"), 1]]
    positions, similarity = nearest(rows, [5, 0], most=4, without=[0])
    assert positions.tolist() == [5, 2, 1, 3]
    np.testing.assert_allclose(similarity, [1, 9 / np.sqrt(82), 0, 0])
    assert [len(part) for part in nearest(np.zeros((0, 2)), [1, 0], most=3)] == [0, 0]
