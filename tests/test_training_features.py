"""Features of a frozen body: the right numbers, computed once, from a cache that may be lost or damaged."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import models
from aquadash.training import features as module

pytestmark = pytest.mark.slow  # all of them need TensorFlow


@pytest.fixture(scope="module")
def body() -> Any:
    """A body with a layer that would tell training from predicting."""
    import keras

    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name="body")


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (70, 8, 8, 3), dtype=np.uint8)


class _Told(list[float]):
    """Shares that were told; the work is ended at one of them."""

    def __init__(self, stop_at: float = 2.0) -> None:
        self._stop_at = stop_at

    def __call__(self, share: float) -> None:
        self.append(share)
        if share >= self._stop_at:
            raise KeyboardInterrupt


def _files(home: Path) -> list[Path]:
    return sorted((home / "cache" / "features").iterdir())


def test_they_are_what_the_body_predicts_and_progress_is_told(body: Any, images: np.ndarray) -> None:
    told = _Told()
    found = module.features(body, images, key="a", progress=told)
    assert found.shape == (70, 4) and found.dtype == np.float32
    expected = np.asarray(body(models.normalise(images), training=False))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert told == [0.0, 32 / 70, 64 / 70, 1.0]


def test_the_second_time_nothing_is_computed(body: Any, images: np.ndarray, home: Path) -> None:
    first = module.features(body, images, key="a", progress=_Told())
    told = _Told()
    # Content decides, not the object: a view of the same images in another order of memory has the same features.
    again = module.features(body, np.asfortranarray(images), key="a", progress=told)
    np.testing.assert_array_equal(again, first)
    assert told == [1.0] and len(_files(home)) == 1


def test_other_images_or_another_body_have_an_entry_of_their_own(body: Any, images: np.ndarray, home: Path) -> None:
    module.features(body, images, key="a", progress=_Told())
    for other, key in ((images[:-1], "a"), (images[::-1], "a"), (images, "b")):
        told = _Told()
        module.features(body, other, key=key, progress=told)
        assert len(told) > 1
    assert len(_files(home)) == 4


def test_a_damaged_entry_is_made_again(body: Any, images: np.ndarray, home: Path) -> None:
    first = module.features(body, images, key="a", progress=_Told())
    (path,) = _files(home)
    whole = path.read_bytes()
    of_another_shape = io.BytesIO()
    np.savez(of_another_shape, features=first[:, :2])
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    for damaged in (whole[:-50], changed, b"nothing of the kind", of_another_shape.getvalue()):
        path.write_bytes(damaged)
        told = _Told()
        np.testing.assert_array_equal(module.features(body, images, key="a", progress=told), first)
        assert len(told) > 1 and path.read_bytes() == whole


def test_work_that_is_stopped_leaves_nothing(body: Any, images: np.ndarray, home: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        module.features(body, images, key="a", progress=_Told(stop_at=0.4))
    assert not (home / "cache").exists()


def test_a_cache_that_cannot_be_written_is_done_without(body: Any, images: np.ndarray, home: Path) -> None:
    (home / "cache").write_text("a file where the folder should be")
    assert module.features(body, images, key="a", progress=_Told()).shape == (70, 4)


def test_what_was_not_used_for_longest_makes_room(
    body: Any, images: np.ndarray, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(key: str) -> bool:
        told = _Told()
        module.features(body, images, key=key, progress=told)
        return len(told) > 1

    assert computed("first") and computed("second")
    left = home / "cache" / "features" / ".left.part"
    left.write_bytes(b"half")
    for path in (*_files(home), left):
        os.utime(path, (0, 0))
    assert not computed("first")  # used, so that "second" is the oldest now
    monkeypatch.setattr(module, "CACHE_BYTES", 2 * _files(home)[-1].stat().st_size)
    assert computed("third") and not left.exists()
    assert not computed("first") and computed("second")
    monkeypatch.setattr(module, "CACHE_BYTES", 1000)
    assert computed("what is larger than the cache") and computed("what is larger than the cache")


def test_large_layers_get_small_batches() -> None:
    import keras

    def batch(side: int, filters: int) -> int:
        inputs = keras.Input((side, side, 3))
        return module.batch_size(keras.Model(inputs, keras.layers.Conv2D(filters, 3, padding="same")(inputs)))

    assert [batch(32, 32), batch(224, 64), batch(512, 64), batch(1024, 64)] == [32, 8, 2, 1]
