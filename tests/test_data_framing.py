"""Which part of a picture a network sees."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.data.framing import CENTRED, PADDING, Framing, fit, fraction_seen, framed, framing_note, is_cut, views
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
    assert (fit(picture, size=SQUARE, framing=Framing("part", position)) == value).all()
    assert (fit(picture, size=SQUARE) == 150).all(), "the middle, if nobody says otherwise"


def test_padded_shows_all_between_grey_bars() -> None:
    seen = fit(thirds(), size=(9, 9), framing=Framing("padded"))[..., 0]

    assert (seen[:3] == PADDING).all() and (seen[6:] == PADDING).all()
    np.testing.assert_array_equal(seen[4, 1::3], [50, 150, 250])
    assert (seen[3:6] != PADDING).all()
    turned = fit(thirds().transpose(1, 0, 2), size=(9, 9), framing=Framing("padded"))[..., 0]
    np.testing.assert_array_equal(turned, seen.T)


def test_squeezed_shows_all_without_bars() -> None:
    seen = fit(thirds(), size=(6, 6), framing=Framing("squeezed"))[..., 0]
    assert (seen[:, 0] == 50).all() and (seen[:, -1] == 250).all()
    assert (np.diff(seen[0].astype(int)) >= 0).all() and (seen == seen[0]).all()


def test_the_frame_adds_the_bars_and_makes_pale_what_is_left_out() -> None:
    padded = framed(thirds(), size=(8, 8), framing=Framing("padded"))
    height, width = thirds().shape[:2]
    top = (width - height) // 2
    assert padded.shape == (width, width, 3) and (padded[:top] == PADDING).all()
    np.testing.assert_array_equal(padded[top : top + height], thirds())

    part = framed(thirds(), size=(8, 8), framing=CENTRED)
    same = (part == thirds()).all(axis=(0, 2))
    assert part.shape == thirds().shape and same[width // 2] and not same[0] and not same[-1]
    assert (part[:, 0] > thirds()[:, 0]).all()

    square = thirds()[:, :height]
    for mode in ("part", "padded"):
        np.testing.assert_array_equal(framed(square, size=(8, 8), framing=Framing(mode)), square)  # type: ignore[arg-type]
    np.testing.assert_array_equal(framed(thirds(), size=(8, 8), framing=Framing("squeezed")), thirds())


def test_the_mean_is_over_all_of_it_padded_and_squeezed_and_a_part() -> None:
    several = views(thirds(), size=SQUARE, framing=Framing("mean"))
    for seen, mode in zip(several, ("padded", "squeezed", "part"), strict=True):
        np.testing.assert_array_equal(seen, fit(thirds(), size=SQUARE, framing=Framing(mode)))  # type: ignore[arg-type]
    np.testing.assert_array_equal(several[0], fit(thirds(), size=SQUARE, framing=Framing("mean")))
    np.testing.assert_array_equal(framed(thirds(), size=SQUARE, framing=Framing("mean")), thirds())
    assert len(views(thirds()[:, :10], size=SQUARE, framing=Framing("mean"))) == 1
    assert len(views(thirds(), size=SQUARE, framing=CENTRED)) == 1


@pytest.mark.parametrize("mode", ["part", "padded", "squeezed"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 20000), (20000, 1), (7, 3000), (33, 31)])
@pytest.mark.parametrize("position", [0.0, 0.37, 1.0])
def test_extreme_shapes(mode: str, shape: tuple[int, int], position: float) -> None:
    picture = np.full((*shape, 3), (50, 100, 150), np.uint8)
    for size in ((32, 32), (20, 60)):
        seen = fit(picture, size=size, framing=Framing(mode, position))  # type: ignore[arg-type]
        assert seen.shape == (*size, 3)
        coloured = (seen == (50, 100, 150)).all(axis=2)
        assert coloured.any() and (mode == "padded" or coloured.all())


@pytest.mark.parametrize("mode", ["part", "padded", "squeezed"])
def test_a_picture_of_the_networks_proportions_is_the_same_in_every_framing(mode: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    seen = fit(picture, size=(32, 32), framing=Framing(mode, 0.0))  # type: ignore[arg-type]
    np.testing.assert_array_equal(seen, fit(picture, size=(32, 32)))
    np.testing.assert_array_equal(fit(seen, size=(32, 32), framing=Framing(mode)), seen)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [("cut",), ("part", -0.1), ("part", 1.5), ("part", float("nan"))])
def test_other_framings_are_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="no such framing"):
        Framing(*arguments)


def test_what_is_said_of_a_framing() -> None:
    third = fraction_seen(thirds(), size=SQUARE)
    assert third == pytest.approx(1 / 3) and fraction_seen(thirds(), size=(10, 30)) == 1.0
    assert framing_note(CENTRED, fraction=third) == "long picture: the network sees only the middle 33.3% of it"
    assert framing_note(Framing("part", 0.0), fraction=third) == "long picture: the network sees only 33.3% of it"
    assert framing_note(CENTRED, fraction=0.6) is None
    assert framing_note(Framing("padded"), fraction=1.0) is None
    assert "grey bars" in str(framing_note(Framing("padded"), fraction=0.9))
    assert "squeezed" in str(framing_note(Framing("squeezed"), fraction=0.9))


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


def test_fit_returns_a_copy() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    fit(picture, size=(4, 4))[:] = 1
    assert not picture.any()
