"""Tests of duplicates: test images that are copies of training images, also after small changes."""

from pathlib import Path

import numpy as np
import pytest

from aquadash import data
from aquadash.data import Dataset, Split
from aquadash.data.duplicates import DEFAULT_DISTANCE, MAX_DISTANCE, MAX_PER_IMAGE, find_duplicates
from tests.cli.test_cli import answer, call, refusal
from tests.support.drawn_images import use_images


def scenes(count: int, *, seed: int, size: int = 32) -> np.ndarray:
    """Smooth random pictures, uint8 (count, size, size, 3)."""
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 226, (count, size // 4, size // 4, 3))
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)


def made_of(train: np.ndarray, test: np.ndarray) -> Dataset:
    def split(images: np.ndarray) -> Split:
        return Split(images, np.arange(len(images)) % 3, tuple(f"{index}.png" for index in range(len(images))))

    return Dataset("made", "Made", "Made by a test.", True, ("a", "b", "c"), split(train), split(test))


def test_copies_are_found_whatever_was_done_to_them() -> None:
    train, test = scenes(200, seed=0), scenes(40, seed=1)
    original = train[7].astype(float)
    noise = np.random.default_rng(2).normal(0, 6, original.shape)
    test[3] = train[11]
    test[5] = train[12][:, ::-1]
    test[6] = (original * 0.6 + 40).astype(np.uint8)
    test[8] = (original + noise + [12, -9, 4]).clip(0, 255).astype(np.uint8)
    duplicates = find_duplicates(made_of(train, test))

    pairs = {(pair.test, pair.train): pair for pair in duplicates.within(DEFAULT_DISTANCE)}
    assert set(pairs) == {(3, 11), (5, 12), (6, 7), (8, 7)}
    assert pairs[3, 11].distance == 0.0 and not pairs[3, 11].mirrored
    assert pairs[5, 12].distance == 0.0 and pairs[5, 12].mirrored
    assert (pairs[3, 11].test_label, pairs[3, 11].train_label) == (0, 2)
    assert duplicates.test_images(DEFAULT_DISTANCE) == 4
    distances = [pair.distance for pair in duplicates.pairs]
    assert distances == sorted(distances) and max(distances) <= MAX_DISTANCE


def test_at_most_some_training_images_are_named_for_a_test_image_and_none_without_contrast() -> None:
    train = np.repeat(scenes(1, seed=0), 9, axis=0)
    pairs = find_duplicates(made_of(train, scenes(1, seed=0))).pairs
    assert [pair.train for pair in pairs] == list(range(MAX_PER_IMAGE))
    flat = np.full((2, 32, 32, 3), 90, np.uint8)
    flat[1, 4, 4] = 91
    assert find_duplicates(made_of(flat, flat)).pairs == ()


def test_large_data_sets_are_compared_in_parts() -> None:
    train = scenes(1100, seed=0)
    dataset = made_of(train, np.concatenate([train[1020:1029], scenes(1030, seed=5), train[1099:]]))
    shares: list[float | None] = []
    pairs = find_duplicates(dataset, progress=lambda text, share: shares.append(share)).within(0.001)
    assert {(pair.test, pair.train) for pair in pairs} == {*((row, 1020 + row) for row in range(9)), (1039, 1099)}
    assert shares[0] == 0 and shares[-1] == 1 and shares == sorted(shares) and len(shares) > 2


def test_the_command_counts_and_lists(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = scenes(100, seed=0), scenes(50, seed=1)
    test[17] = train[99]
    use_images(monkeypatch, made_of(train, test))
    values = answer("data", "duplicates", "--source", "synthetic", "--distance", "0.1")

    assert values["test"] == 50 and values["test_with_duplicate"] == 1 == len(values["pairs"])
    (pair,) = values["pairs"]
    assert (pair["test"], pair["train"], pair["distance"], pair["train_label"]) == (17, 99, 0.0, "a")
    said = call("data", "duplicates", "--distance", "0.1").stdout
    assert "test with duplicate: 1\n" in said and "  17     99         0  " in said
    assert "0.7" in refusal("data", "duplicates", "--distance", "0.7")


def test_real_photographs_hold_known_copies(home: Path, cifar100_archive: Path) -> None:
    duplicates = find_duplicates(data.load("cifar100"))
    exact = duplicates.within(0.001)
    assert len(exact) == 3 and all(pair.test_label != pair.train_label for pair in exact), "a label of each is wrong"
    assert 15 <= duplicates.test_images(DEFAULT_DISTANCE) <= 30
