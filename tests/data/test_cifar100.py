"""Tests of CIFAR-100: its places, the images that are read, damaged archives, and the copy on the disk."""

import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash.data import archive, cifar100
from aquadash.data.progress import ProgressCallback
from aquadash.errors import DataError
from tests.support.faults import let_fail


def batch(part: str) -> dict[bytes, Any]:
    """Return a batch with a full number of animals, shuffled with images of other classes."""
    rng = np.random.default_rng(len(part))
    fine = np.repeat([*cifar100.FINE_LABELS.values(), 0, 99], cifar100.IMAGES_PER_CLASS[part])
    fine = rng.permutation(fine)
    data = np.repeat(np.arange(len(fine), dtype=np.uint32) % 251, 3072).astype(np.uint8).reshape(-1, 3072)
    return {
        b"data": data,
        b"fine_labels": fine.tolist(),
        b"filenames": [b"image_%d.png" % i for i in range(len(fine))],
    }


def meta() -> dict[bytes, Any]:
    fine = [b"class_%d" % i for i in range(100)]
    for name, label in cifar100.FINE_LABELS.items():
        fine[label] = name.encode()
    return {b"fine_label_names": fine}


def pickled(values: dict[str, Any]) -> dict[str, bytes]:
    return {name: pickle.dumps(value, protocol=2) for name, value in values.items()}


def write(path: Path, values: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in pickled(values).items():
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[bytes, Any]]:
    """Return the three members of a valid archive with few images."""
    for part, count in (("train", 20), ("test", 10)):
        monkeypatch.setitem(cifar100.IMAGES_PER_CLASS, part, count)
    return {"train": batch("train"), "test": batch("test"), "meta": meta()}


@pytest.fixture
def sound_archive(sound: dict[str, Any], tmp_path: Path) -> Path:
    return write(tmp_path / "some.tar.gz", sound)


@pytest.fixture
def named(sound_archive: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AQUADASH_CIFAR100", str(sound_archive))
    return sound_archive


@pytest.fixture(autouse=True)
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty Keras's cache and make every download fail."""
    let_fail(monkeypatch, cifar100, "download", DataError("no network"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def test_the_real_archive_gives_the_reports_images(cifar100_archive: Path) -> None:
    dataset = cifar100.load()
    assert dataset.class_names == ("beaver", "dolphin", "otter", "seal", "whale")
    assert dataset.train.images.shape == (2500, 32, 32, 3)
    assert dataset.test.images.shape == (500, 32, 32, 3)
    assert np.bincount(dataset.train.labels).tolist() == [500] * 5
    assert np.bincount(dataset.test.labels).tolist() == [100] * 5
    assert not dataset.drawn
    assert str(cifar100_archive.resolve()) in dataset.origin
    assert cifar100.fetch().path == cifar100_archive.resolve()


def modern(values: dict[str, Any]) -> dict[str, bytes]:
    """Pickle the members as Python 3 does."""
    return {
        name: pickle.dumps({key.decode(): value for key, value in member.items()}, protocol=5)
        for name, member in values.items()
    }


@pytest.mark.parametrize("written", [pickled, modern], ids=["Python 2", "Python 3"])
def test_animals_are_taken_in_file_order_with_labels_0_to_4(sound: dict[str, Any], written: Any) -> None:
    train, test = cifar100.decode(written(sound), archive_name="a test")
    for part, split in (("train", train), ("test", test)):
        fine = sound[part][b"fine_labels"]
        rows = [i for i, label in enumerate(fine) if label in (4, 30, 55, 72, 95)]
        assert split.labels.tolist() == [[4, 30, 55, 72, 95].index(fine[i]) for i in rows]
        assert split.labels.dtype == np.int64
        assert split.images[:, 0, 0, 0].tolist() == [i % 251 for i in rows]
        assert split.file_names == tuple(f"image_{i}.png" for i in rows)


def _set(key: bytes, value: Any) -> Any:
    return lambda batch: batch.update({key: value(batch[key])})


@pytest.mark.parametrize(
    ("member", "change", "message"),
    [
        ("test", lambda batch: batch.update({b"extra": os.system}), r"asks for '(posix|nt)\.system'.*nothing was run"),
        ("test", lambda batch: batch.pop(b"data"), "no 'data'"),
        ("test", _set(b"data", lambda data: data[:-1]), "69 images, 70 fine labels"),
        ("test", _set(b"data", lambda data: data[:, :-1]), "rows of 3072"),
        ("test", _set(b"fine_labels", lambda labels: labels[:-1]), "69 fine labels"),
        ("test", _set(b"fine_labels", lambda labels: [*labels[:-1], 100]), "from 0 to 99"),
        ("test", _set(b"fine_labels", lambda labels: [*labels[:-1], 10**30]), "from 0 to 99"),
        ("test", _set(b"fine_labels", lambda labels: [99] * len(labels)), "0 beaver, 0 dolphin"),
        ("test", _set(b"fine_labels", lambda labels: [4 if x == 30 else x for x in labels]), "20 beaver, 0 dolphin"),
        ("test", _set(b"filenames", lambda names: [7] * len(names)), "not text"),
        ("meta", _set(b"fine_label_names", lambda names: names[1:]), "class 4 is 'class_5'; expected 'beaver'"),
    ],
)
def test_damage_is_named(sound: dict[str, Any], member: str, change: Any, message: str) -> None:
    change(sound[member])
    with pytest.raises(DataError, match=message):
        cifar100.decode(pickled(sound), archive_name="it")
    for value in ([], None):
        with pytest.raises(DataError, match="'meta' in it is damaged"):
            cifar100.decode(pickled(sound | {"meta": value}), archive_name="it")


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"an archive")
    return path


def test_archives_are_looked_for(home: Path, keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cifar100.locate() is None
    assert cifar100.cache_key() is None
    cache = keras_home / "datasets"
    _place(cache / "cifar-100-python" / "train")
    assert cifar100.locate() is None, "an incomplete folder is passed over"
    for folder in (cache / "cifar-100-python", cache / "cifar-100-python-target" / "cifar-100-python"):
        for name in archive.MEMBER_LIMITS:
            _place(folder / name)
        assert cifar100.locate() == folder
    for path in (
        cache / "cifar-100-python-target_archive",
        cache / "cifar-100-python.tar.gz",
        home / "data" / "cifar-100-python.tar.gz",
    ):
        _place(path)
        assert cifar100.locate() == path
    named = _place(tmp_path / "named.tar.gz")
    monkeypatch.setenv("AQUADASH_CIFAR100", str(named))
    assert cifar100.locate() == named
    named.unlink()
    with pytest.raises(DataError, match=r"AQUADASH_CIFAR100 names .*named\.tar\.gz, which does not exist"):
        cifar100.locate()


def test_an_unpacked_folder_is_read(sound: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in pickled(sound).items():
        path = tmp_path / "cifar-100-python" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setenv("AQUADASH_CIFAR100", str(tmp_path))
    assert len(cifar100.load().train) == 100
    result = cifar100.fetch()
    assert (result.path, result.sha256, result.verified) == (tmp_path / "cifar-100-python", None, False)


def test_without_archive_and_network_the_message_names_both_remedies(home: Path) -> None:
    with pytest.raises(
        DataError, match="no network.*Either put cifar-100-python.tar.gz.*or use.*'synthetic'"
    ) as caught:
        cifar100.load()
    assert str(home / "data") in str(caught.value)


def test_a_download_is_kept_and_reported(home: Path, sound_archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(target: Path, *, url: str, sha256: str, size: int, progress: ProgressCallback) -> None:
        assert (url, sha256) == (cifar100.URL, cifar100.SHA256)
        progress("Downloading", 0.5)
        target.parent.mkdir(parents=True)
        target.write_bytes(sound_archive.read_bytes())

    monkeypatch.setattr(cifar100, "download", fake)
    seen: list[tuple[str, float | None]] = []
    result = cifar100.fetch(lambda text, fraction: seen.append((text, fraction)))
    assert result.path == home / "data" / "cifar-100-python.tar.gz" and not result.verified
    assert ("Downloading", 0.5) in seen
    monkeypatch.setattr(cifar100, "SHA256", result.sha256)
    assert cifar100.fetch().verified and cifar100.load().origin.endswith(", the official archive.")


def test_a_second_load_reads_the_copy_until_the_archive_changes(named: Path) -> None:
    first, key, stat = cifar100.load(), cifar100.cache_key(), named.stat()
    named.write_bytes(bytes(stat.st_size))
    os.utime(named, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    second = cifar100.load()
    assert second.fingerprint == first.fingerprint
    assert second.train.file_names == first.train.file_names
    assert second.origin == first.origin and "not the official archive" in first.origin
    os.utime(named, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    assert cifar100.cache_key() != key
    with pytest.raises(DataError, match="damaged"):
        cifar100.load()


def test_a_damaged_copy_is_replaced(named: Path, home: Path) -> None:
    first = cifar100.load()
    (copy_on_disk,) = (home / "cache").glob("*.npz")
    whole = copy_on_disk.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 255
    for damaged in (b"", b"nonsense", whole[: len(whole) // 2], bytes(changed)):
        copy_on_disk.write_bytes(damaged)
        assert cifar100.load().fingerprint == first.fingerprint
        assert len(copy_on_disk.read_bytes()) == len(whole)


#: Fine labels: three images of the five animals, three of other classes.
FINE = [4, 0, 1, 95, 2, 4]


ROWS = np.random.default_rng(0).integers(0, 256, (len(FINE), 3072), dtype=np.uint8)


def test_images_of_other_classes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cifar100.other_classes() is None, "there is no archive"
    members = {"train": {}, "test": {b"data": ROWS, b"fine_labels": FINE}, "meta": {}}
    monkeypatch.setenv("AQUADASH_CIFAR100", str(write(tmp_path / "c.tar.gz", members)))
    others = cifar100.other_classes()
    assert others is not None and others.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(others[:, 5, 7, 1], ROWS[[1, 2, 4], 1024 + 5 * 32 + 7])
    np.testing.assert_array_equal(cifar100.other_classes(), others)
    members["test"][b"fine_labels"] = FINE[:3]
    write(tmp_path / "c.tar.gz", members)
    with pytest.raises(DataError, match="damaged: it has 6 images and 3 labels"):
        cifar100.other_classes()
