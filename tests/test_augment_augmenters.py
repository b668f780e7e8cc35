from __future__ import annotations

import imgaug.augmenters as iaa
import numpy as np
import pytest

from aquadash.augment.augmenters import BatchMultiply

_IMAGES = np.random.default_rng(8).integers(0, 256, (300, 16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize("per_channel", [False, True, 0.5])
def test_the_bytes_are_imgaugs(per_channel: float) -> None:
    ours = BatchMultiply((0.5, 1.5), per_channel=per_channel, seed=3)(images=_IMAGES)
    np.testing.assert_array_equal(ours, iaa.Multiply((0.5, 1.5), per_channel=per_channel, seed=3)(images=_IMAGES))


def test_one_channel_inside_another_operator() -> None:
    ours = iaa.WithChannels(1, BatchMultiply((0.5, 1.5), seed=3), seed=4)(images=_IMAGES)
    np.testing.assert_array_equal(ours, iaa.WithChannels(1, iaa.Multiply((0.5, 1.5), seed=3), seed=4)(images=_IMAGES))


def test_images_that_come_one_by_one() -> None:
    several = list(_IMAGES[:5])
    ours = BatchMultiply((0.5, 1.5), seed=3)(images=several)
    np.testing.assert_array_equal(ours, iaa.Multiply((0.5, 1.5), seed=3)(images=several))
