"""The embedded data set: sizes, order, the same bytes everywhere."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from aquadash.data import synthetic
from aquadash.data.dataset import Dataset


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return synthetic.load()


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


def test_it_is_the_same_data_set_on_every_machine(dataset: Dataset) -> None:
    """Runs say with which images they were trained."""
    assert dataset.fingerprint == "547f82156126ed4521281ca0025ab1b31bbbbfd6a4fc62179728faad2ded120f"


def test_the_card_names_the_file_and_the_data_set(dataset: Dataset) -> None:
    card = synthetic.FILE.with_suffix(".md").read_text(encoding="utf-8")
    assert hashlib.sha256(synthetic.FILE.read_bytes()).hexdigest() in card and dataset.fingerprint in card
