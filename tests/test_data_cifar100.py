"""CIFAR-100: what is taken from it, and what is refused."""

from __future__ import annotations

import copy
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash.data import cifar100
from aquadash.errors import DataError
from tests.cifar100_archives import pickled, sound_members, without_network, write

NAMES = ["beaver", "dolphin", "otter", "seal", "whale"]


@pytest.fixture(scope="module")
def sound() -> dict[str, dict[bytes, Any]]:
    return sound_members()


@pytest.fixture(autouse=True)
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of Keras, and no way to the network."""
    folder = tmp_path / "keras"
    without_network(folder, monkeypatch)
    return folder


# The real archive


def test_the_real_archive_gives_the_reports_images(cifar100_archive: Path) -> None:
    dataset = cifar100.load()
    assert dataset.class_names == tuple(NAMES)
    assert dataset.train.images.shape == (2500, 32, 32, 3)
    assert dataset.test.images.shape == (500, 32, 32, 3)
    assert np.bincount(dataset.train.labels).tolist() == [500] * 5
    assert np.bincount(dataset.test.labels).tolist() == [100] * 5
    assert not dataset.drawn
    assert str(cifar100_archive.resolve()) in dataset.origin


def test_the_real_archives_order_and_pixels_are_kept(cifar100_archive: Path) -> None:
    with tarfile.open(cifar100_archive) as tar:
        member = tar.extractfile("cifar-100-python/test")
        assert member
        raw = pickle.load(member, encoding="bytes")
    rows = [i for i, label in enumerate(raw[b"fine_labels"]) if label in cifar100.FINE_LABELS.values()]
    test = cifar100.load().test
    to_label = {fine: label for label, fine in enumerate(cifar100.FINE_LABELS.values())}
    assert test.labels.tolist() == [to_label[raw[b"fine_labels"][row]] for row in rows]
    assert list(test.file_names) == [raw[b"filenames"][row].decode() for row in rows]
    red, green, blue = raw[b"data"][rows[3]].reshape(3, 32, 32)
    np.testing.assert_array_equal(test.images[3], np.stack([red, green, blue], axis=-1))


def test_the_real_archive_is_fetched_where_it_lies(cifar100_archive: Path) -> None:
    result = cifar100.fetch()
    assert result.path == cifar100_archive.resolve()
    assert result.sha256 is not None and len(result.sha256) == 64
    assert result.verified == (result.sha256 == cifar100.SHA256)


# What is taken


def test_animals_are_taken_in_file_order_with_labels_0_to_4(sound: dict[str, Any]) -> None:
    train, test = cifar100.decode(pickled(sound), where="a test")
    for part, split in (("train", train), ("test", test)):
        fine = sound[part][b"fine_labels"]
        rows = [i for i, label in enumerate(fine) if label in (4, 30, 55, 72, 95)]
        assert split.labels.tolist() == [[4, 30, 55, 72, 95].index(fine[i]) for i in rows]
        assert split.labels.dtype == np.int64
        assert split.images[:, 0, 0, 0].tolist() == [i % 251 for i in rows]
        assert split.file_names == tuple(f"image_{i}.png" for i in rows)


def test_a_copy_pickled_by_python_3_gives_the_same(sound: dict[str, Any]) -> None:
    modern = {
        name: pickle.dumps({key.decode(): value for key, value in values.items()}, protocol=5)
        for name, values in sound.items()
    }
    for ours, theirs in zip(
        cifar100.decode(modern, where="a test"), cifar100.decode(pickled(sound), where="a test"), strict=True
    ):
        np.testing.assert_array_equal(ours.images, theirs.images)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        assert ours.file_names == theirs.file_names


# What is refused


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def test_a_foreign_class_is_refused_and_not_run(
    sound: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    path = write(tmp_path / "evil.tar.gz", {**sound, "test": {**sound["test"], b"extra": _Touch(victim)}})
    monkeypatch.setenv("AQUADASH_CIFAR100", str(path))
    with pytest.raises(DataError, match=r"'test' in evil\.tar\.gz asks for '\w+\.system'"):
        cifar100.load()
    assert not victim.exists()


def _without(key: bytes) -> Any:
    return lambda batch: batch.pop(key)


def _set(key: bytes, value: Any) -> Any:
    return lambda batch: batch.update({key: value(batch[key])})


@pytest.mark.parametrize(
    ("member", "change", "message"),
    [
        ("test", _without(b"data"), "no 'data'"),
        ("test", _without(b"fine_labels"), "no 'fine_labels'"),
        ("test", _without(b"coarse_labels"), "no 'coarse_labels'"),
        ("test", _without(b"filenames"), "no 'filenames'"),
        ("test", _set(b"data", lambda data: data[:-1]), "699 images, 700 fine labels"),
        ("test", _set(b"data", lambda data: data[:, :-1]), "rows of 3072"),
        ("test", _set(b"data", lambda data: data.astype(np.float32)), "rows of 3072"),
        ("test", _set(b"data", lambda data: data.tolist()), "images are list"),
        ("test", _set(b"fine_labels", lambda labels: labels[:-1]), "699 fine labels"),
        ("test", _set(b"fine_labels", lambda labels: [*labels[:-1], 100]), "from 0 to 99"),
        ("test", _set(b"fine_labels", lambda labels: [*labels[:-1], -1]), "from 0 to 99"),
        ("test", _set(b"fine_labels", lambda labels: [*labels[:-1], 10**30]), "from 0 to 99"),
        ("test", _set(b"fine_labels", lambda labels: [*labels[:-1], "4"]), "from 0 to 99"),
        ("test", _set(b"fine_labels", lambda labels: np.array(labels, dtype=float)), "from 0 to 99"),
        ("test", _set(b"fine_labels", lambda labels: [99] * len(labels)), "fine and coarse labels disagree"),
        ("test", _set(b"fine_labels", lambda labels: [4 if x == 30 else x for x in labels]), "200 beaver, 0 dolphin"),
        ("test", _set(b"filenames", lambda names: names[:-1]), "699 file names"),
        ("test", _set(b"filenames", lambda names: None), "file names are a NoneType"),
        ("test", _set(b"filenames", lambda names: [7] * len(names)), "not text"),
        ("meta", _without(b"coarse_label_names"), "no 'coarse_label_names'"),
        ("meta", _set(b"coarse_label_names", lambda names: names[1:]), "no superclass"),
        ("meta", _set(b"fine_label_names", lambda names: names[1:]), "class 4 is 'class_5'; expected 'beaver'"),
        ("meta", _set(b"fine_label_names", lambda names: names[:10]), "class 30 is 'missing'"),
    ],
)
def test_damage_is_named(sound: dict[str, Any], member: str, change: Any, message: str) -> None:
    values = copy.copy(sound[member])
    change(values)
    members = pickled({"meta": sound["meta"], "train": sound["test"], "test": sound["test"], member: values})
    members["train"] = members["test"]  # the test batch alone is looked at here, and it is the smaller
    with pytest.raises(DataError, match=message):
        cifar100._check_meta(cifar100.archive.unpickle(members["meta"], what="it"), "it")
        cifar100._decode_batch(cifar100.archive.unpickle(members["test"], what="it"), "test", 0, "it")


@pytest.mark.parametrize("value", [[], None, 7, {}])
def test_a_member_of_another_form_is_refused(sound: dict[str, Any], value: Any) -> None:
    with pytest.raises(DataError, match="'meta' in it is damaged"):
        cifar100.decode({**pickled({"train": {}, "test": {}}), "meta": pickle.dumps(value)}, where="it")
