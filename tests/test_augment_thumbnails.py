from __future__ import annotations

import numpy as np
import pytest

from aquadash.augment import OPERATORS
from aquadash.augment.preview import thumbnail, thumbnail_source
from aquadash.errors import UnknownNameError


def test_every_operator_has_a_picture_that_shows_it() -> None:
    source = thumbnail_source()
    for name in OPERATORS:
        picture = thumbnail(name)
        assert picture.shape == source.shape == (64, 64, 3)
        assert picture.dtype == np.uint8
        assert np.abs(picture.astype(int) - source).mean() > 1.0, name


def test_each_pixel_of_the_picture_becomes_a_square() -> None:
    source = thumbnail_source()
    np.testing.assert_array_equal(source[::2, ::2], source[1::2, 1::2])


def test_a_picture_is_the_same_each_time() -> None:
    np.testing.assert_array_equal(thumbnail("Rain"), thumbnail("Rain"))
    np.testing.assert_array_equal(thumbnail("Fliplr"), thumbnail_source()[:, ::-1])


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'Fliplr'"):
        thumbnail("FlipLR")
