from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from aquadash.augment import PIPELINES, AugmentationPlan, Branch, draw, op
from aquadash.augment.apply import batch_size
from tests.augmented import augmented

_RNG = np.random.default_rng(4)
_IMAGES = _RNG.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
_LABELS = np.arange(40, dtype=np.int64) % 5
_REPORT, _SECOND, _NONE = (AugmentationPlan((PIPELINES[name],)) for name in ("notebook", "notebook-2", "none"))


def test_notebook_yields_originals_first_and_five_times_the_images_and_none_a_copy_of_them() -> None:
    images = draw(_IMAGES, _REPORT, seed=6)
    labels = _REPORT.labels(_LABELS)
    assert images.shape == (200, 32, 32, 3)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images[:40], _IMAGES)
    np.testing.assert_array_equal(labels, np.tile(_LABELS, 5))
    for branch in range(1, 5):
        changed = (images[40 * branch : 40 * branch + 40] != _IMAGES).any(axis=(1, 2, 3))
        assert changed.mean() > 0.5
    kept = draw(_IMAGES, _NONE, seed=6)
    np.testing.assert_array_equal(kept, _IMAGES)
    assert not np.shares_memory(kept, _IMAGES)
    assert draw(_IMAGES[:0], _REPORT, seed=6).shape == (0, 32, 32, 3)


def test_operators_keep_their_order_and_nest() -> None:
    image = np.full((4, 5, 6, 3), 100, dtype=np.uint8)
    doubled = op("Multiply", mul=2.0)
    added = op("WithChannels", channels=1, children=op("Add", value=10))
    both = augmented(image, Branch("both", (op("Sequential", children=(added, doubled)),)), seed=0)
    assert both[0, 0, 0].tolist() == [200, 220, 200]
    assert augmented(image, Branch("both", (doubled, added)), seed=0)[0, 0, 0].tolist() == [200, 210, 200]


def test_each_seed_gives_bytes_of_its_own_and_the_same_again_while_threads_do_not_disturb_each_other() -> None:
    expected = [augmented(_IMAGES, PIPELINES["notebook"], seed=seed) for seed in range(4)]
    for branch in range(2, 5):
        part = slice(40 * branch, 40 * branch + 40)
        assert len({made[part].tobytes() for made in expected}) == 4
    with ThreadPoolExecutor(4) as pool:
        for result, wanted in zip(
            pool.map(lambda seed: augmented(_IMAGES, PIPELINES["notebook"], seed=seed), range(4)), expected, strict=True
        ):
            np.testing.assert_array_equal(result, wanted)


def test_batches_differ_from_each_other_and_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aquadash.augment.apply.IMAGES_A_BATCH", 10)
    told: list[tuple[str, float | None]] = []
    same = np.repeat(_IMAGES[:1], 20, axis=0)
    result = draw(same, _SECOND, seed=6, progress=lambda text, share: told.append((text, share)))
    assert not np.array_equal(result[:10], result[10:])
    assert told == [("Augmenting: Recoloured", 0.5), ("Augmenting: Recoloured", 1.0)]


def test_large_pictures_go_in_small_batches() -> None:
    assert batch_size(32, 32) == 500
    assert batch_size(512, 512) == 7
    assert batch_size(5000, 5000) == 1


@pytest.mark.parametrize("images", [_IMAGES.astype(np.float32), _IMAGES[0]], ids=["floats", "a single image"])
def test_what_cannot_be_augmented_is_refused(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        augmented(images, PIPELINES["none"], seed=0)
