"""Which part of a picture a network sees."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.data.framing import fit, fraction_seen, is_cut
from tests.encoded_pictures import photo

SQUARE = (8, 8)


def thirds() -> np.ndarray:
    """Three squares beside one another: 50, 150 and 250."""
    picture = np.zeros((10, 30, 3), np.uint8)
    for number, value in enumerate((50, 150, 250)):
        picture[:, 10 * number : 10 * number + 10] = value
    return picture


@pytest.mark.parametrize(("position", "value"), [(0.0, 50), (0.5, 150), (1.0, 250)])
@pytest.mark.parametrize("tall", [False, True])
def test_the_part_lies_where_the_position_says(position: float, value: int, tall: bool) -> None:
    picture = thirds().transpose(1, 0, 2) if tall else thirds()
    assert (fit(picture, size=SQUARE, position=position) == value).all()
    assert (fit(picture, size=SQUARE) == 150).all(), "the middle, if nobody says otherwise"


def test_a_picture_of_the_networks_proportions_is_the_same_at_every_position() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    seen = fit(picture, size=(32, 32), position=0.0)
    np.testing.assert_array_equal(seen, fit(picture, size=(32, 32)))
    same = fit(seen, size=(32, 32), position=1.0)
    np.testing.assert_array_equal(same, seen)
    assert not np.shares_memory(same, seen)


@pytest.mark.parametrize("position", [-0.1, 1.5, float("nan")])
def test_other_positions_are_refused(position: float) -> None:
    with pytest.raises(ValueError, match="no part lies at"):
        fit(thirds(), size=SQUARE, position=position)


def test_a_picture_is_cut_unless_only_a_pixel_is_lost() -> None:
    assert fraction_seen(thirds(), size=SQUARE) == pytest.approx(1 / 3) and is_cut((64, 48), size=(32, 32))
    assert not is_cut((33, 33), size=(32, 32))


@pytest.mark.parametrize("size", [64, 333])
def test_fit_turns_fine_patterns_grey(size: int) -> None:
    checks = (np.indices((size, size)).sum(axis=0) % 2 * 255).astype(np.uint8)

    seen = fit(np.repeat(checks[..., None], 3, axis=2), size=(32, 32))

    assert np.abs(seen.astype(int) - 127).max() <= 30
    assert abs(seen.mean() - 127.5) <= 2


def test_fit_keeps_places_and_means() -> None:
    picture = photo(96, 96)

    expected = np.asarray(picture, dtype=float).reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))

    assert np.abs(fit(np.asarray(picture), size=(32, 32)) - expected).max() <= 6
