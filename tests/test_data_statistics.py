"""Counts, channels and mean images of a split."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from aquadash.data import Split, statistics
from aquadash.data.dataset import in_chunks
from aquadash.data.statistics import describe


def _split(images: np.ndarray, labels: list[int]) -> Split:
    return Split(images, np.array(labels, dtype=np.int64), tuple(f"{i}.png" for i in range(len(labels))))


@pytest.fixture
def split(monkeypatch: pytest.MonkeyPatch) -> Split:
    """Forty images, of which eleven are looked at together."""
    monkeypatch.setattr(statistics, "in_chunks", partial(in_chunks, max_bytes=1000))
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    return _split(images, [0] * 10 + [2] * 30)


def test_classes_are_counted_and_empty_ones_kept(split: Split) -> None:
    result = describe(split, ("a", "b", "c"))
    assert [(entry.name, entry.count, entry.fraction) for entry in result.classes] == [
        ("a", 10, 0.25),
        ("b", 0, 0.0),
        ("c", 30, 0.75),
    ]
    assert (result.count, result.image_shape, result.classes[1].mean_image) == (40, (6, 5, 3), None)
    assert not result.balanced
    assert describe(_split(np.zeros((4, 2, 2, 3), np.uint8), [0, 1, 1, 0]), "ab").balanced


def test_channels_agree_with_the_pixels(split: Split) -> None:
    for index, channel in enumerate(describe(split, "abc").channels):
        values = split.images[..., index]
        assert channel.mean == pytest.approx(values.mean())
        assert channel.std == pytest.approx(values.std())
        assert channel.histogram.shape == (256,)
        assert channel.histogram.sum() == values.size
        assert channel.histogram[7] == (values == 7).sum()


def test_mean_image_and_brightness(split: Split) -> None:
    entry = describe(split, "abc").classes[2]
    assert entry.mean_image is not None and entry.mean_image.dtype == np.uint8
    np.testing.assert_array_equal(entry.mean_image, np.rint(split.images[10:].mean(axis=0)))
    assert entry.mean_brightness == pytest.approx(split.images[10:].mean())


def test_a_label_without_a_name_is_refused(split: Split) -> None:
    with pytest.raises(ValueError, match="labels go up to 2; there are 2 class names"):
        describe(split, ("a", "b"))
