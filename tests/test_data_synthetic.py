"""The embedded data set: sizes, order, the same bytes everywhere, and its cache."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from aquadash import settings
from aquadash.data import synthetic
from aquadash.data.dataset import Dataset

_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def dataset(prepared_home: Path) -> Dataset:
    """The whole data set, as it was drawn once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(prepared_home))
        return synthetic.load()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes ``load`` draw little."""
    monkeypatch.setattr(synthetic, "TRAIN_PER_CLASS", 4)
    monkeypatch.setattr(synthetic, "TEST_PER_CLASS", 2)
    drawn = synthetic.make
    monkeypatch.setattr(
        synthetic, "make", lambda *, progress=None: drawn(train_per_class=4, test_per_class=2, progress=progress)
    )


def _no_drawing(**_: object) -> Dataset:
    raise AssertionError("it was drawn again")


def test_sizes_labels_and_words(dataset: Dataset) -> None:
    assert dataset.name == "synthetic"
    assert dataset.drawn
    assert "drawing" in dataset.origin and "not one photograph" in dataset.origin
    assert dataset.class_names == ("beaver", "dolphin", "otter", "seal", "whale")
    assert dataset.train.images.shape == (2500, 32, 32, 3)
    assert dataset.test.images.shape == (500, 32, 32, 3)
    assert np.bincount(dataset.train.labels).tolist() == [500] * 5
    assert np.bincount(dataset.test.labels).tolist() == [100] * 5
    assert dataset.train.labels.dtype == np.int64


def test_any_long_stretch_holds_all_classes_in_about_equal_shares(dataset: Dataset) -> None:
    assert np.abs(np.bincount(dataset.test.labels[:400], minlength=5) - 80).max() <= 15
    assert np.abs(np.bincount(dataset.test.labels[400:], minlength=5) - 20).max() <= 15
    for start in range(0, 2500, 500):
        assert np.bincount(dataset.train.labels[start : start + 500], minlength=5).min() > 60


def test_no_image_comes_twice(dataset: Dataset) -> None:
    images = np.concatenate([dataset.train.images, dataset.test.images]).reshape(3000, -1)
    assert len({image.tobytes() for image in images}) == 3000


def test_file_names_name_the_class_and_are_unique_in_their_split(dataset: Dataset) -> None:
    for split in (dataset.train, dataset.test):
        assert len(set(split.file_names)) == len(split)
        for name, label in zip(split.file_names, split.labels, strict=True):
            assert name.startswith(dataset.class_names[label] + "-") and name.endswith(".png")
    assert "beaver-0001.png" in dataset.train.file_names


def test_the_mean_colour_gives_little_away(dataset: Dataset) -> None:
    """The nearest class mean of the mean colour, a rule as simple as can be, stays near the 20 % of guessing."""
    train, test = (split.images.mean(axis=(1, 2)) for split in (dataset.train, dataset.test))
    centres = np.stack([train[dataset.train.labels == label].mean(axis=0) for label in range(5)])
    nearest = np.linalg.norm(test[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == dataset.test.labels).mean() < 0.4


def test_another_process_draws_the_same_bytes() -> None:
    code = "from aquadash.data import synthetic as s; print(s.make(train_per_class=6, test_per_class=3).fingerprint)"
    there = subprocess.run([sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True, check=True)
    assert there.stdout.strip() == synthetic.make(train_per_class=6, test_per_class=3).fingerprint


def test_the_seed_decides_and_a_larger_set_holds_the_smaller_one() -> None:
    few = synthetic.make(train_per_class=2, test_per_class=1)
    more = synthetic.make(train_per_class=4, test_per_class=1)
    other = synthetic.make(seed=1, train_per_class=2, test_per_class=1)
    assert few.fingerprint != other.fingerprint
    assert {image.tobytes() for image in few.train.images} < {image.tobytes() for image in more.train.images}


@pytest.mark.parametrize("values", [{"seed": -1}, {"train_per_class": 0}, {"test_per_class": 0}])
def test_numbers_that_are_too_small_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        synthetic.make(**values)  # type: ignore[arg-type]


def test_progress_rises_to_the_end() -> None:
    reports: list[tuple[str, float | None]] = []
    synthetic.make(train_per_class=20, test_per_class=5, progress=lambda text, share: reports.append((text, share)))
    shares = [share for _, share in reports if share is not None]
    assert len(shares) == len(reports) >= 4
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    assert reports[-1][0] == "Drew 125 images"


@pytest.mark.usefixtures("small")
def test_the_second_load_comes_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    first = synthetic.load()
    monkeypatch.setattr(synthetic, "make", _no_drawing)
    second = synthetic.load()
    assert second.fingerprint == first.fingerprint
    assert second.train.file_names == first.train.file_names
    assert second.train.labels.dtype == np.int64


def test_a_cached_load_is_quick(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "make", lambda **_: dataset)
    synthetic.load()
    monkeypatch.setattr(synthetic, "make", _no_drawing)
    began = time.process_time()
    assert synthetic.load().fingerprint == dataset.fingerprint
    assert time.process_time() - began < 0.3


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("damage", ["empty", "text", "cut", "other"])
def test_a_damaged_cache_is_drawn_again_and_mended(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = synthetic.load().fingerprint
    (path,) = (settings.home() / "cache").glob("synthetic-*.npz")
    content = path.read_bytes()
    if damage == "other":
        tiny = synthetic.make().train.take(slice(0, 3))
        synthetic.disk_cache.write(path.stem, tiny, tiny, "")
    else:
        path.write_bytes({"empty": b"", "text": b"not a cache", "cut": content[: len(content) // 2]}[damage])
    assert synthetic.load().fingerprint == sound
    monkeypatch.setattr(synthetic, "make", _no_drawing)
    assert synthetic.load().fingerprint == sound


@pytest.mark.usefixtures("small")
def test_a_cache_that_cannot_be_written_does_no_harm(home: Path) -> None:
    (home / "cache").write_text("a file where the folder should be")
    assert len(synthetic.load().train) == 20
