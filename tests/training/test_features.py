"""Features of a frozen body: the right numbers, computed once, from a cache that may be lost or damaged."""

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


def looked(body: Any, images: np.ndarray, key: str = "a", stop_at: float = 2.0) -> tuple[np.ndarray, list[float]]:
    """Return the features and the fractions of the progress, which ends the work at ``stop_at``."""
    told: list[float] = []

    def tell(share: float) -> None:
        told.append(share)
        if share >= stop_at:
            raise KeyboardInterrupt

    return module.features(body, images, key=key, progress=tell), told


def computed(body: Any, images: np.ndarray, key: str) -> bool:
    """Whether they were not in the cache."""
    return len(looked(body, images, key)[1]) > 1


def _files(home: Path) -> list[Path]:
    return sorted((home / "cache" / "features").iterdir())


def test_they_are_what_the_body_predicts_and_are_computed_once(body: Any, images: np.ndarray, home: Path) -> None:
    first, told = looked(body, images)
    assert first.shape == (70, 4) and first.dtype == np.float32
    np.testing.assert_allclose(first, np.asarray(body(models.normalise(images), training=False)), atol=1e-6)
    assert told == [0.0, 32 / 70, 64 / 70, 1.0]
    # The key is the content: a view of the same images in another order of memory has the same features.
    again, told = looked(body, np.asfortranarray(images))
    np.testing.assert_array_equal(again, first)
    assert told == [1.0] and len(_files(home)) == 1
    for other, key in ((images[:-1], "a"), (images[::-1], "a"), (images, "b")):
        assert computed(body, other, key), "other images or another body"
    assert len(_files(home)) == 4


def test_a_damaged_entry_is_made_again(body: Any, images: np.ndarray, home: Path) -> None:
    first, _ = looked(body, images)
    (path,) = _files(home)
    whole = path.read_bytes()
    of_another_shape = io.BytesIO()
    np.savez(of_another_shape, features=first[:, :2])
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    for damaged in (whole[:-50], changed, b"nothing of the kind", of_another_shape.getvalue()):
        path.write_bytes(damaged)
        again, told = looked(body, images)
        np.testing.assert_array_equal(again, first)
        assert len(told) > 1 and path.read_bytes() == whole


def test_the_least_used_makes_room(body: Any, images: np.ndarray, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert computed(body, images, "first") and computed(body, images, "second")
    left = home / "cache" / "features" / ".left.part"
    left.write_bytes(b"half")
    for path in (*_files(home), left):
        os.utime(path, (0, 0))
    assert not computed(body, images, "first")  # Now "second" is the least recently used.
    monkeypatch.setattr(module, "CACHE_BYTES", 2 * _files(home)[-1].stat().st_size)
    assert computed(body, images, "third") and not left.exists()
    assert not computed(body, images, "first") and computed(body, images, "second")


def test_features_of_stopped_work_or_beyond_the_limit_or_without_a_folder_are_not_kept(
    body: Any, images: np.ndarray, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        looked(body, images, stop_at=0.4)
    with monkeypatch.context() as patch:
        patch.setattr(module, "CACHE_BYTES", 1000)
        assert looked(body, images)[0].nbytes > 1000
    assert not (home / "cache").exists()
    (home / "cache").write_text("a file where the folder should be")
    assert looked(body, images)[0].shape == (70, 4)
