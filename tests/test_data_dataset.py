"""Images in files are looked at without keeping them in the memory; held out, the same fraction of each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aquadash.data import stratified_split
from aquadash.data.dataset import in_chunks, let_go
from aquadash.errors import DataError

COUNT, SIDE = 600, 200
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(5), 500))


@pytest.fixture
def images(tmp_path: Path) -> np.ndarray:
    path = tmp_path / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8))
    return np.load(path, mmap_mode="r").view(np.ndarray)


def test_chunks_are_all_there_is(images: np.ndarray) -> None:
    chunks = [chunk.copy() for chunk in in_chunks(images, max_bytes=7 * SIDE * SIDE * 3)]
    assert {len(chunk) for chunk in chunks[:-1]} == {7} and np.array_equal(np.concatenate(chunks), images)
    assert list(in_chunks(images[:0])) == []


def test_what_was_written_is_not_lost(tmp_path: Path) -> None:
    written = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (50, 100, 100, 3))
    written[:] = 7
    let_go(written)
    assert (written == 7).all()
    plain = np.ones(3)
    let_go(plain)
    assert plain.sum() == 3


def test_fifteen_percent_of_500_are_75_a_class_and_every_position_comes_once_in_its_order() -> None:
    kept, held_out = stratified_split(LABELS, fraction=0.15, seed=0)
    assert np.bincount(LABELS[held_out]).tolist() == [75] * 5
    assert sorted([*kept, *held_out]) == list(range(len(LABELS)))
    assert (np.diff(kept) > 0).all() and (np.diff(held_out) > 0).all()


def test_the_seed_decides_for_each_class_by_itself() -> None:
    first, again, other = (stratified_split(LABELS, fraction=0.15, seed=seed)[1] for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    labels = np.repeat([0, 1], [20, 30])
    both = stratified_split(labels, fraction=0.2, seed=3)[1]
    alone = stratified_split(labels[:20], fraction=0.2, seed=3)[1]
    assert np.array_equal(both[both < 20], alone)


@pytest.mark.parametrize(("count", "fraction", "expected"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.25, 3), (10, 0.5, 5)])
def test_counts_are_rounded_and_both_sides_get_one(count: int, fraction: float, expected: int) -> None:
    assert len(stratified_split([0] * count, fraction=fraction, seed=0)[1]) == expected
    assert len(stratified_split([0, 9] * count, fraction=fraction, seed=0)[1]) == 2 * expected, "8 labels are missing"


@pytest.mark.parametrize(
    ("labels", "fraction", "error", "what"),
    [
        *((LABELS, fraction, ValueError, "fraction") for fraction in (0.0, 1.0, -0.1, float("nan"))),
        *((labels, 0.5, ValueError, "labels") for labels in ([[0, 1]], [0.5, 1.5], [-1, -1])),
        ([0, 0, 1], 0.5, DataError, "Class number 1 has only one image"),
    ],
)
def test_other_fractions_and_labels_are_refused(
    labels: list, fraction: float, error: type[Exception], what: str
) -> None:
    with pytest.raises(error, match=what):
        stratified_split(labels, fraction=fraction, seed=0)
