"""Tests of data sets: the split by class, statistics, the embedded drawings, the table of sources."""

import hashlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from aquadash.data import SOURCES, ProgressCallback, Source, load, sources, statistics, synthetic
from aquadash.data.dataset import Dataset, Split, in_chunks, let_go, stratified_split
from aquadash.data.statistics import describe
from aquadash.errors import DataError, UnknownNameError

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(5), 500))


def test_chunks_are_all_there_is_and_what_was_written_is_not_lost(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (50, 100, 100, 3), dtype=np.uint8)
    written = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, drawn.shape)
    written[:] = drawn
    let_go(written)
    for images in (written, drawn):
        chunks = [chunk.copy() for chunk in in_chunks(images, max_bytes=7 * 100 * 100 * 3)]
        assert {len(chunk) for chunk in chunks[:-1]} == {7} and np.array_equal(np.concatenate(chunks), drawn)
    assert list(in_chunks(drawn[:0])) == []


def test_fifteen_percent_of_500_are_75_a_class_and_every_position_comes_once_in_its_order() -> None:
    kept, held_out = stratified_split(LABELS, fraction=0.15, seed=0)
    assert np.bincount(LABELS[held_out]).tolist() == [75] * 5
    assert sorted([*kept, *held_out]) == list(range(len(LABELS)))
    assert (np.diff(kept) > 0).all() and (np.diff(held_out) > 0).all()


def test_the_seed_decides_for_each_class_by_itself_and_one_image_is_no_class() -> None:
    first, again, other = (stratified_split(LABELS, fraction=0.15, seed=seed)[1] for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    labels = np.repeat([0, 1], [20, 30])
    both = stratified_split(labels, fraction=0.2, seed=3)[1]
    alone = stratified_split(labels[:20], fraction=0.2, seed=3)[1]
    assert np.array_equal(both[both < 20], alone)
    with pytest.raises(DataError, match="Class number 1 has only one image"):
        stratified_split([0, 0, 1], fraction=0.5, seed=0)


@pytest.mark.parametrize(("count", "fraction", "expected"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.25, 3), (10, 0.5, 5)])
def test_counts_are_rounded_and_both_sides_get_one(count: int, fraction: float, expected: int) -> None:
    assert len(stratified_split([0] * count, fraction=fraction, seed=0)[1]) == expected
    assert len(stratified_split([0, 9] * count, fraction=fraction, seed=0)[1]) == 2 * expected, "8 labels are missing"


def _split(images: np.ndarray, labels: list[int]) -> Split:
    return Split(images, np.array(labels, dtype=np.int64), tuple(f"{i}.png" for i in range(len(labels))))


def test_classes_are_counted_and_averaged_as_their_pixels_are(monkeypatch: pytest.MonkeyPatch) -> None:
    # Forty images, which are described eleven at a time.
    monkeypatch.setattr(statistics, "in_chunks", partial(in_chunks, max_bytes=1000))
    split = _split(np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8), [0] * 10 + [2] * 30)
    result = describe(split, "abc")
    assert [(entry.name, entry.count, entry.fraction) for entry in result.classes] == [
        ("a", 10, 0.25),
        ("b", 0, 0.0),
        ("c", 30, 0.75),
    ]
    assert (result.count, result.image_shape, result.classes[1].mean_image) == (40, (6, 5, 3), None)
    assert not result.balanced
    assert describe(_split(np.zeros((4, 2, 2, 3), np.uint8), [0, 1, 1, 0]), "ab").balanced
    for index, channel in enumerate(result.channels):
        values = split.images[..., index]
        assert (channel.mean, channel.std) == (pytest.approx(values.mean()), pytest.approx(values.std()))
        np.testing.assert_array_equal(channel.histogram, np.bincount(values.ravel(), minlength=256))
    entry = result.classes[2]
    assert entry.mean_image is not None and entry.mean_image.dtype == np.uint8
    np.testing.assert_array_equal(entry.mean_image, np.rint(split.images[10:].mean(axis=0)))
    assert entry.mean_brightness == pytest.approx(split.images[10:].mean())


def test_every_machine_has_the_drawings_that_their_card_describes() -> None:
    dataset, card = synthetic.load(), synthetic.FILE.with_suffix(".md").read_text(encoding="utf-8")
    assert dataset.fingerprint == "547f82156126ed4521281ca0025ab1b31bbbbfd6a4fc62179728faad2ded120f"
    assert hashlib.sha256(synthetic.FILE.read_bytes()).hexdigest() in card and dataset.fingerprint in card


def _fake_data(*, progress: ProgressCallback | None = None) -> Dataset:
    split = _split(np.zeros((2, 4, 4, 3), np.uint8), [0, 1])
    return Dataset("fake", "Fake", "Nowhere.", True, ("a", "b"), split, split)


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Add the source "fake", of which no other test has loaded anything; ``loader.key()`` is the key of its content."""
    loader = Mock(side_effect=_fake_data, key=Mock(return_value=uuid.uuid4().hex))
    monkeypatch.setitem(sources.BUILT_IN, "fake", Source("fake", "Fake", "A fake.", True, loader, loader.key))
    return loader


@pytest.mark.parametrize("name", sources.BUILT_IN)
def test_what_a_source_says_before_it_is_loaded_is_true(name: str, request: pytest.FixtureRequest) -> None:
    if name == "cifar100":
        request.getfixturevalue("cifar100_archive")
    source, dataset = SOURCES[name], load(name)
    assert (source.name, source.title, source.drawn) == (dataset.name, dataset.title, dataset.drawn)
    assert source.side in (None, *dataset.image_shape[:2]) and source.train in (None, len(dataset.train))
    counts = np.bincount(dataset.train.labels, minlength=len(dataset.class_names))
    assert not source.balanced or len(set(counts.tolist())) == 1


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'cifar100'"):
        load("cifar10")


def test_a_data_set_is_loaded_once_a_key_and_a_few_are_kept(loader: Mock) -> None:
    keys = [uuid.uuid4().hex for _ in range(9)]
    for count, loader.key.return_value in enumerate(keys, start=1):
        assert load("fake") is load("fake") and loader.call_count == count
    for loader.key.return_value, calls in ((keys[8], 9), (keys[5], 9), (keys[0], 10)):
        assert load("fake") and loader.call_count == calls


def test_a_failure_is_not_kept_and_shared_arrays_cannot_be_changed(loader: Mock) -> None:
    loader.side_effect = DataError("broken")
    with pytest.raises(DataError, match="broken"):
        load("fake")
    loader.side_effect = _fake_data
    train = load("fake").train
    for array in (train.images, train.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_many_threads_load_once(loader: Mock) -> None:
    gate = threading.Barrier(8)

    def ask(_: int) -> Dataset:
        gate.wait(timeout=10)
        return load("fake")

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(ask, range(8)))
    assert loader.call_count == 1 and len({id(result) for result in results}) == 1
