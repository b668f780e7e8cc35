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


def test_it_is_the_same_data_set_on_every_machine(dataset: Dataset) -> None:
    """Runs say with which images they were trained."""
    assert dataset.fingerprint == "547f82156126ed4521281ca0025ab1b31bbbbfd6a4fc62179728faad2ded120f"


def test_the_card_names_the_file_and_the_data_set(dataset: Dataset) -> None:
    card = synthetic.FILE.with_suffix(".md").read_text(encoding="utf-8")
    assert hashlib.sha256(synthetic.FILE.read_bytes()).hexdigest() in card and dataset.fingerprint in card
