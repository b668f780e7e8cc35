"""The table of sources and the data sets that a process keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from cachetools import LRUCache

from aquadash.data import SOURCES, Dataset, ProgressCallback, Source, Split, load, sources
from aquadash.errors import DataError, UnknownNameError


def _dataset() -> Dataset:
    split = Split(np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1]), ("a.png", "b.png"))
    return Dataset("fake", "Fake", "Nowhere.", True, ("a", "b"), split, split)


class _Loader:
    calls = 0
    fail = False

    def __call__(self, *, progress: ProgressCallback | None = None) -> Dataset:
        self.calls += 1
        if self.fail:
            raise DataError("broken")
        return _dataset()


@pytest.fixture
def loader() -> _Loader:
    return _Loader()


@pytest.fixture
def register(loader: _Loader, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], str | None]], None]:
    monkeypatch.setattr(sources, "_loaded", LRUCache(sources._KEEP))

    def _register(key: Callable[[], str | None]) -> None:
        monkeypatch.setitem(sources.BUILT_IN, "fake", Source("fake", "Fake", "A fake.", True, loader, key))

    return _register


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


def test_a_data_set_is_loaded_once_a_key_and_a_few_are_kept(loader: _Loader, register: Callable) -> None:
    key = ""
    register(lambda: key)
    for count in range(1, 10):
        key = str(count)
        assert load("fake") is load("fake") and loader.calls == count
    assert len(sources._loaded) == sources._KEEP


def test_a_failure_is_not_kept(loader: _Loader, register: Callable) -> None:
    register(lambda: "one")
    loader.fail = True
    with pytest.raises(DataError, match="broken"):
        load("fake")
    loader.fail = False
    assert load("fake").name == "fake"


def test_shared_arrays_cannot_be_changed(register: Callable) -> None:
    register(lambda: "one")
    dataset = load("fake")
    with pytest.raises(ValueError, match="read-only"):
        dataset.train.images[0, 0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        dataset.train.labels[0] = 1


def test_many_threads_load_once(loader: _Loader, register: Callable) -> None:
    register(lambda: "one")
    gate = threading.Barrier(8)
    results: list[Dataset] = []

    def ask() -> None:
        gate.wait(timeout=10)
        results.append(load("fake"))

    threads = [threading.Thread(target=ask, name=f"asks-{i}") for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert loader.calls == 1
    assert len(results) == 8 and len({id(result) for result in results}) == 1
