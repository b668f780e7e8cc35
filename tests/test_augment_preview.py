from __future__ import annotations

import numpy as np
import pytest

from aquadash.augment import PIPELINES, preview, preview_branches
from aquadash.errors import ConfigError, UnknownNameError

_IMAGES = np.random.default_rng(2).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


def test_draws_differ_and_come_again_with_the_seed() -> None:
    draws = preview(_IMAGES, pipeline="notebook-2", branch=None, seed=1, draws=3)
    assert draws.shape == (3, 3, 16, 16, 3)
    assert not np.array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws, preview(_IMAGES, pipeline="notebook-2", branch=0, seed=1, draws=3))
    assert not np.array_equal(draws, preview(_IMAGES, pipeline="notebook-2", branch=None, seed=2, draws=3))


def test_more_draws_leave_the_first_ones_alone() -> None:
    few = preview(_IMAGES, pipeline="notebook", branch=None, seed=1, draws=2)
    many = preview(_IMAGES, pipeline="notebook", branch=None, seed=1, draws=6)
    np.testing.assert_array_equal(many[:2], few)


def test_no_branch_goes_round_those_that_change_images() -> None:
    assert preview_branches(PIPELINES["notebook"], branch=None, draws=6) == (1, 2, 3, 4, 1, 2)
    assert preview_branches(PIPELINES["notebook"], branch=0, draws=2) == (0, 0)
    assert preview_branches(PIPELINES["none"], branch=None, draws=2) == (0, 0)


def test_originals_are_shown_as_they_are() -> None:
    draws = preview(_IMAGES, pipeline="notebook", branch=0, seed=1, draws=2)
    np.testing.assert_array_equal(draws, np.stack([_IMAGES, _IMAGES]))


def test_unknown_pipelines_and_branches_are_refused() -> None:
    with pytest.raises(UnknownNameError):
        preview(_IMAGES, pipeline="nothing-like-it", branch=None, seed=1, draws=1)
    with pytest.raises(ConfigError, match="branches 0 to 4, not 5"):
        preview(_IMAGES, pipeline="notebook", branch=5, seed=1, draws=1)
