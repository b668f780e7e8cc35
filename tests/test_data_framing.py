"""Which part of a picture a network sees."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.data.framing import fit, fraction_seen, framed, framing_note, is_cut
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


def test_the_frame_makes_pale_what_is_left_out() -> None:
    part = framed(thirds(), size=SQUARE)
    same = (part == thirds()).all(axis=(0, 2))
    assert part.shape == thirds().shape and same[15] and not same[0] and not same[-1]
    assert (part[:, 0] > thirds()[:, 0]).all()
    square = thirds()[:, :10]
    np.testing.assert_array_equal(framed(square, size=SQUARE), square)


@pytest.mark.parametrize("shape", [(1, 1), (1, 20000), (20000, 1), (7, 3000), (33, 31)])
@pytest.mark.parametrize("position", [0.0, 0.37, 1.0])
def test_extreme_shapes(shape: tuple[int, int], position: float) -> None:
    picture = np.full((*shape, 3), (50, 100, 150), np.uint8)
    for size in ((32, 32), (20, 60)):
        seen = fit(picture, size=size, position=position)
        assert seen.shape == (*size, 3) and (seen == (50, 100, 150)).all()


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


def test_what_is_said_of_a_cut() -> None:
    third = fraction_seen(thirds(), size=SQUARE)
    assert third == pytest.approx(1 / 3) and fraction_seen(thirds(), size=(10, 30)) == 1.0
    assert framing_note(third) == "long picture: the network sees only the middle 33.3% of it"
    assert framing_note(third, position=0.0) == "long picture: the network sees only 33.3% of it"
    assert framing_note(0.6) is None


@pytest.mark.parametrize(
    ("picture", "size", "cut"),
    [((32, 32), (32, 32), False), ((33, 33), (32, 32), False), ((64, 48), (32, 32), True), ((3, 4), (32, 32), True)],
)
def test_whether_a_picture_is_cut(picture: tuple[int, int], size: tuple[int, int], cut: bool) -> None:
    assert is_cut(picture, size=size) == cut
    assert is_cut(picture[::-1], size=size) == cut


@pytest.mark.parametrize("size", [64, 96, 100, 333])
def test_fit_turns_fine_patterns_grey(size: int) -> None:
    checks = (np.indices((size, size)).sum(axis=0) % 2 * 255).astype(np.uint8)

    seen = fit(np.repeat(checks[..., None], 3, axis=2), size=(32, 32))

    assert np.abs(seen.astype(int) - 127).max() <= 30
    assert abs(seen.mean() - 127.5) <= 2


def test_fit_keeps_places_and_means() -> None:
    picture = photo(96, 96)

    expected = np.asarray(picture, dtype=float).reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))

    assert np.abs(fit(np.asarray(picture), size=(32, 32)) - expected).max() <= 6


def test_fit_keeps_the_middle_when_the_rest_is_uneven() -> None:
    """One column too many is shared by both sides: a mirrored picture gives the mirrored result."""
    picture = np.random.default_rng(4).integers(0, 256, (64, 67, 3), dtype=np.uint8)

    mirrored = fit(np.ascontiguousarray(picture[:, ::-1]), size=(32, 32))[:, ::-1]

    assert np.abs(mirrored.astype(int) - fit(picture, size=(32, 32))).max() <= 1
