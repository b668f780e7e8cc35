"""Where CIFAR-100 is looked for, the copy on disk, and the images of its other classes."""

from __future__ import annotations

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
from tests.cifar100_archives import pickled, sound_members, without_network, write


@pytest.fixture(scope="module")
def sound() -> dict[str, dict[bytes, Any]]:
    return sound_members()


@pytest.fixture(scope="module")
def sound_archive(sound: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("archive") / "some.tar.gz", sound)


@pytest.fixture(autouse=True)
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of Keras, and no way to the network."""
    folder = tmp_path / "keras"
    without_network(folder, monkeypatch)
    return folder


# Where it is looked for


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"an archive")
    return path


def test_the_search_goes_from_the_named_archive_to_kerass_cache(
    home: Path, keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cifar100.locate() is None
    assert cifar100.cache_key() is None
    cache = keras_home / "datasets"
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


def test_an_incomplete_folder_in_kerass_cache_is_passed_over(keras_home: Path) -> None:
    _place(keras_home / "datasets" / "cifar-100-python" / "train")
    assert cifar100.locate() is None


def test_kerass_own_folder_is_found_without_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    path = _place(tmp_path / ".keras" / "datasets" / "cifar-100-python.tar.gz")
    assert cifar100.locate() == path


def test_a_named_archive_that_is_missing_is_an_error(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _place(home / "data" / "cifar-100-python.tar.gz")
    monkeypatch.setenv("AQUADASH_CIFAR100", str(tmp_path / "gone.tar.gz"))
    with pytest.raises(DataError, match=r"AQUADASH_CIFAR100 names .*gone\.tar\.gz, which does not exist"):
        cifar100.load()


def test_an_unpacked_folder_may_be_named(
    sound: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in pickled(sound).items():
        path = tmp_path / "cifar-100-python" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setenv("AQUADASH_CIFAR100", str(tmp_path))
    assert len(cifar100.load().train) == 2500
    result = cifar100.fetch()
    assert (result.path, result.sha256, result.verified) == (tmp_path / "cifar-100-python", None, False)


def test_without_archive_and_network_the_message_names_both_remedies(home: Path) -> None:
    with pytest.raises(
        DataError, match="no network.*Either put cifar-100-python.tar.gz.*or use.*'synthetic'"
    ) as caught:
        cifar100.load()
    assert str(home / "data") in str(caught.value)


def test_a_download_is_stored_in_the_home_and_reported(
    home: Path, sound_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(target: Path, *, url: str, sha256: str, size: int, progress: ProgressCallback) -> None:
        assert (url, sha256) == (cifar100.URL, cifar100.SHA256)
        progress("Downloading", 0.5)
        target.parent.mkdir(parents=True)
        target.write_bytes(sound_archive.read_bytes())

    monkeypatch.setattr(cifar100, "download", fake)
    seen: list[tuple[str, float | None]] = []
    result = cifar100.fetch(lambda text, fraction: seen.append((text, fraction)))
    assert result.path == home / "data" / "cifar-100-python.tar.gz"
    assert ("Downloading", 0.5) in seen


# The copy on disk


@pytest.fixture
def named(sound_archive: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AQUADASH_CIFAR100", str(sound_archive))
    return sound_archive


def _forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise AssertionError("the archive was read again")

    monkeypatch.setattr(archive, "read_members", fail)


def test_a_second_load_reads_the_copy_and_gives_the_same(named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cifar100.load()
    _forbid_reading(monkeypatch)
    second = cifar100.load()
    assert second.fingerprint == first.fingerprint
    assert second.train.file_names == first.train.file_names
    assert second.origin == first.origin


def test_a_changed_archive_is_read_again(named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cifar100.load()
    before = cifar100.cache_key()
    stat = named.stat()
    os.utime(named, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    assert cifar100.cache_key() != before
    _forbid_reading(monkeypatch)
    with pytest.raises(AssertionError):
        cifar100.load()


@pytest.mark.parametrize("damage", ["empty", "text", "half", "middle"])
def test_a_damaged_copy_is_replaced(named: Path, home: Path, damage: str) -> None:
    first = cifar100.load()
    (copy_on_disk,) = (home / "cache").glob("*.npz")
    whole = bytearray(copy_on_disk.read_bytes())
    whole[len(whole) // 2] ^= 255
    copy_on_disk.write_bytes(
        {"empty": b"", "text": b"nonsense", "half": bytes(whole[: len(whole) // 2]), "middle": bytes(whole)}[damage]
    )
    assert cifar100._read_copy(copy_on_disk.stem) is None
    assert cifar100.load().fingerprint == first.fingerprint
    assert cifar100._read_copy(copy_on_disk.stem) is not None


def test_a_sound_copy_of_something_else_is_not_believed(named: Path, home: Path) -> None:
    first = cifar100.load()
    (copy_on_disk,) = (home / "cache").glob("*.npz")
    cifar100._write_copy(copy_on_disk.stem, first.train.take(slice(0, 10)), first.test, "")
    assert len(cifar100.load().train) == 2500


def test_a_home_that_cannot_be_written_does_not_matter(named: Path, home: Path) -> None:
    (home / "cache").write_text("a file where the folder should be")
    assert len(cifar100.load().train) == 2500


def test_a_full_disk_leaves_no_half_copy(named: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: io.BufferedWriter, **arrays: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cifar100.np, "savez", full)
    assert len(cifar100.load().train) == 2500
    assert list((home / "cache").iterdir()) == []


# Images of the other classes

#: Numbers of classes: two of the five animals, three others.
FINE = [4, 0, 1, 95, 2, 4]


def write_test(path: Path, test: object) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, values in (("train", {}), ("test", test), ("meta", {})):
            content = pickle.dumps(values)
            entry = tarfile.TarInfo(f"cifar-100-python/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (len(FINE), 3072), dtype=np.uint8)


def test_images_of_other_classes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: np.ndarray) -> None:
    write_test(tmp_path / "c.tar.gz", {b"data": rows, b"fine_labels": FINE})
    monkeypatch.setenv("AQUADASH_CIFAR100", str(tmp_path / "c.tar.gz"))
    found = cifar100.other_classes()
    assert found is not None and found.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(found[:, 5, 7, 1], rows[[1, 2, 4], 1024 + 5 * 32 + 7])
    np.testing.assert_array_equal(cifar100.other_classes(), found)
    monkeypatch.setattr(cifar100, "_MAX_OTHERS", 2)
    few = cifar100.other_classes()
    assert few is not None
    np.testing.assert_array_equal(few, found[[0, 1]])


def test_none_without_an_archive(home: Path) -> None:
    assert cifar100.other_classes() is None


@pytest.mark.parametrize("labels", [FINE[:3], []])
def test_a_damaged_archive_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: np.ndarray, labels: list[int]
) -> None:
    write_test(tmp_path / "c.tar.gz", {b"data": rows, b"fine_labels": labels})
    monkeypatch.setenv("AQUADASH_CIFAR100", str(tmp_path / "c.tar.gz"))
    with pytest.raises(DataError, match="damaged"):
        cifar100.other_classes()
