"""Looks at what a pipeline or an operator does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from aquadash.augment import (
    OPERATORS,
    PIPELINES,
    Branch,
    PipelineSpec,
    Range,
    difference,
    film_strip,
    op,
    preview,
    preview_branches,
)
from aquadash.augment.preview import thumbnail, thumbnail_source
from aquadash.errors import ConfigError

_IMAGES = np.random.default_rng(2).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


def test_draws_differ_and_come_again_with_the_seed_however_many_are_asked_for() -> None:
    spec = PIPELINES["notebook-2"]
    draws = preview(_IMAGES, pipeline=spec, branch=None, seed=1, draws=3)
    assert draws.shape == (3, 3, 16, 16, 3)
    assert not np.array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws, preview(_IMAGES, pipeline=spec, branch=0, seed=1, draws=3))
    assert not np.array_equal(draws, preview(_IMAGES, pipeline=spec, branch=None, seed=2, draws=3))
    few, many = (preview(_IMAGES, pipeline=PIPELINES["notebook"], branch=None, seed=1, draws=draws) for draws in (2, 6))
    np.testing.assert_array_equal(many[:2], few)


def test_no_branch_goes_round_those_that_change_images() -> None:
    assert preview_branches(PIPELINES["notebook"], branch=None, draws=6) == (1, 2, 3, 4, 1, 2)
    assert preview_branches(PIPELINES["notebook"], branch=0, draws=2) == (0, 0)
    assert preview_branches(PIPELINES["none"], branch=None, draws=2) == (0, 0)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_film_strip_ends_as_the_whole_branch_and_every_picture_as_the_branch_up_to_there(name: str) -> None:
    spec = PIPELINES[name]
    for number, branch in enumerate(spec.branches):
        strip = film_strip(_IMAGES, pipeline=spec, branch=number, seed=4)
        assert len(strip) == 1 + len(branch.operators)
        np.testing.assert_array_equal(strip[0], _IMAGES)
        for steps, pictures in enumerate(strip):
            shorter = Branch(branch.title, branch.operators[:steps])
            branches = tuple(shorter if i == number else one for i, one in enumerate(spec.branches))
            cut = PipelineSpec(spec.name, spec.title, spec.summary, branches)
            np.testing.assert_array_equal(pictures, preview(_IMAGES, pipeline=cut, branch=number, seed=4, draws=1)[0])


def test_large_images_are_stripped_in_the_batches_of_the_whole() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 700, 700, 3), dtype=np.uint8)
    spec = PIPELINES["mirror-shift"]
    strip = film_strip(images, pipeline=spec, seed=2)
    np.testing.assert_array_equal(strip[-1], preview(images, pipeline=spec, seed=2, draws=1)[0])


def test_the_same_draw_moves_all_images_alike() -> None:
    marks = np.zeros((6, 21, 21, 3), dtype=np.uint8)
    marks[:, 10, 10] = 10 * np.arange(1, 7)[:, np.newaxis]
    move = Branch("Moved", (op("TranslateX", px=Range(-5, 5)), op("TranslateY", px=Range(-5, 5))))
    alike = preview(marks, pipeline=move, seed=3, draws=8, alike=True)
    places = [[tuple(np.argwhere(image[..., 0])[0]) for image in draw] for draw in alike]
    assert all(len(set(draw)) == 1 for draw in places)
    assert len({draw[0] for draw in places}) > 3, "another draw moves them elsewhere"
    apart = preview(marks, pipeline=move, seed=3, draws=1)[0]
    assert len({tuple(np.argwhere(image[..., 0])[0]) for image in apart}) > 1


def test_the_same_draw_stays_when_more_are_asked_for_or_another_image_is_in_front() -> None:
    same_draw = partial(preview, pipeline=PIPELINES["notebook-4"], seed=1, alike=True)
    few = same_draw(_IMAGES, draws=1)
    np.testing.assert_array_equal(same_draw(_IMAGES, draws=3)[:1], few)
    np.testing.assert_array_equal(same_draw(_IMAGES[::-1], draws=1)[0, ::-1], few[0])


@pytest.mark.parametrize("look", [partial(preview, draws=1), film_strip], ids=["draws", "film strip"])
def test_a_branch_that_is_not_there_is_refused(look: Callable) -> None:
    with pytest.raises(ConfigError, match="branches 0 to 4, not 5"):
        look(_IMAGES, pipeline=PIPELINES["notebook"], branch=5, seed=0)


def pixels(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint8)


def test_a_difference_is_black_where_nothing_changed_and_amplified_and_cut() -> None:
    before, after = pixels(10, 200, 0), pixels(10, 190, 255)
    np.testing.assert_array_equal(difference(before, after), [0, 10, 255])
    np.testing.assert_array_equal(difference(after, before), [0, 10, 255])
    np.testing.assert_array_equal(difference(before, after, factor=16), [0, 160, 255])


def test_a_signed_difference_is_grey_where_nothing_changed() -> None:
    before, after = pixels(7, 100, 100, 0, 255), pixels(7, 120, 80, 255, 0)
    np.testing.assert_array_equal(difference(before, after, signed=True), [128, 138, 118, 255, 1])
    np.testing.assert_array_equal(difference(before, after, signed=True, factor=4), [128, 168, 88, 255, 0])


def test_every_operator_has_a_picture_that_shows_it() -> None:
    source = thumbnail_source()
    np.testing.assert_array_equal(source[::2, ::2], source[1::2, 1::2], "each pixel is a square")
    for name in OPERATORS:
        picture = thumbnail(name)
        assert picture.shape == source.shape == (64, 64, 3)
        assert picture.dtype == np.uint8
        assert np.abs(picture.astype(int) - source).mean() > 1.0, name
    np.testing.assert_array_equal(thumbnail("Rain"), thumbnail("Rain"))
    np.testing.assert_array_equal(thumbnail("Fliplr"), source[:, ::-1])
