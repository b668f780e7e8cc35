"""Tests of CIFAR-100: hostile and damaged archives, their places, the images that are read, and the cached copy."""

import gzip
import io
import os
import pickle
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash.data import archive, cifar100
from aquadash.data.archive import unpickle
from aquadash.data.progress import ProgressCallback
from aquadash.errors import DataError
from tests.support.faults import let_fail

Member = tuple[tarfile.TarInfo, bytes]

CONTENT = {"train": b"t" * 5000, "test": b"e" * 3000, "meta": b"m" * 100}


def _member(name: str, content: bytes = b"", *, link: str = "", kind: bytes = tarfile.REGTYPE) -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def _sound(prefix: str = "cifar-100-python/", *, contents: dict[str, bytes] = CONTENT) -> list[Member]:
    return [_member(prefix + name, content) for name, content in contents.items()]


def write_members(path: Path, members: list[Member]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("prefix", ["cifar-100-python/", "./cifar-100-python/", "", "./"])
def test_members_are_found_at_the_top_and_in_the_folder(tmp_path: Path, prefix: str) -> None:
    assert archive.read_members(write_members(tmp_path / "a.tar.gz", _sound(prefix))) == CONTENT


def test_links_absolute_names_and_strangers_are_ignored_and_what_is_missing_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    strangers = [
        _member("cifar-100-python/train", link=str(secret), kind=tarfile.SYMTYPE),
        _member("cifar-100-python/test", link=str(secret), kind=tarfile.LNKTYPE),
        _member("/meta", b"absolute"),
        _member("../meta", b"outside"),
        _member("cifar-100-python/deeper/meta", b"deeper"),
        _member("cifar-100-python/stranger", b"stranger"),
    ]
    assert archive.read_members(write_members(tmp_path / "a.tar.gz", [*strangers, *_sound()])) == CONTENT
    with pytest.raises(DataError, match="lacks train, test, meta"):
        archive.read_members(write_members(tmp_path / "b.tar.gz", strangers))


@pytest.mark.parametrize("damage", ["", "10 %", "99 %", "a page", "a changed byte"])
def test_a_damaged_archive_or_a_page_in_its_place_is_called_damaged(tmp_path: Path, damage: str) -> None:
    path = write_members(tmp_path / "a.tar.gz", _sound())
    content = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=0))
    if damage == "a changed byte":
        content[content.index(b"t" * 100)] ^= 1
    elif damage == "a page":
        content = bytearray(b"<html>please log in</html>")
    else:
        del content[len(content) * int(damage.removesuffix(" %") or 0) // 100 :]
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged or incomplete"):
        archive.read_members(path)


def test_oversized_members_and_endless_streams_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = _member("cifar-100-python/stranger", bytes(1_000_000))
    monkeypatch.setattr(archive, "MAX_UNPACKED", 100_000)
    for members in ([*_sound(), bomb], [bomb, *_sound()]):
        with pytest.raises(DataError, match="unpacks to more than"):
            archive.read_members(write_members(tmp_path / "a.tar.gz", members))
    monkeypatch.setitem(archive.MEMBER_LIMITS, "train", 4999)
    with pytest.raises(DataError, match="'train'.*5,000 bytes"):
        archive.read_members(write_members(tmp_path / "a.tar.gz", _sound()))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(3, 4)),
        np.arange(5, dtype=">f4"),
        np.empty((0, 3), dtype=np.uint8),
    ],
)
def test_arrays_come_back_in_every_protocol(array: np.ndarray, protocol: int) -> None:
    values = unpickle(pickle.dumps({"data": array, "labels": [1, 2], b"name": "x"}, protocol=protocol), what="it")
    assert values["data"].dtype == array.dtype
    np.testing.assert_array_equal(values["data"], array)
    assert values["labels"] == [1, 2]


def test_older_forms_are_read() -> None:
    data = pickle.dumps({"data": np.arange(4, dtype=np.uint8)}, protocol=2)
    of_numpy_1 = data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert of_numpy_1 != data and unpickle(of_numpy_1, what="it")["data"].tolist() == [0, 1, 2, 3]
    assert unpickle(b"\x80\x02}U\x03keyU\x05values.", what="it") == {b"key": b"value"}, "text of Python 2"
    # Python 3 writes bytes as calls, which are no nest.
    names = [b"image_%d.png" % i for i in range(5000)]
    assert unpickle(pickle.dumps({b"filenames": names}, protocol=2), what="it") == {b"filenames": names}


def test_other_names_are_refused_and_their_modules_not_even_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trap_module.py").write_text(f"open({str(tmp_path / 'victim')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("trap_module.anything", "builtins.eval", "numpy.load"):
        with pytest.raises(DataError, match=rf"asks for '{re.escape(name)}'.*nothing was run"):
            unpickle(b"\x80\x02c" + name.replace(".", "\n").encode() + b"\n.", what="it")
    assert not (tmp_path / "victim").exists()


def of(value: np.ndarray) -> bytes:
    return pickle.dumps({"data": value}, protocol=2)


def forged(sound: bytes, changed: bytes) -> bytes:
    """Return an array of 200 bytes whose state says something else."""
    data = of(np.zeros(200, dtype=np.uint8))
    assert data.count(sound) == 1
    return data.replace(sound, changed)


@pytest.mark.parametrize(
    "data",
    [
        of(np.array(["text"])),
        of(np.zeros(2, dtype=[("a", "u1"), ("b", "f8")])),
        forged(b"X\x02\x00\x00\x00u1", b"X\x02\x00\x00\x00O8"),  # Objects instead of bytes.
        forged(b"K\xc8\x85", b"K\xc9\x85"),  # More elements than bytes.
        b"not a pickle",
        pickle.dumps(list(range(1000)))[:-40],
        b"\x80\x02Nr\x00\x00\x10\x00.",  # a memo index far beyond its size
        b"\x80\x02N" + b"\x85" * 100_000 + b".",  # a nest that exhausts the stack when hashed
        b"\x80\x02c_codecs\nencode\nq\x00)" + b"\x85q\x010h\x00h\x01R" * 2000 + b".",  # a nest of calls' arguments
        b"\x80\x02cnumpy\ndtype\n}U\x05_roleU\x06encodesb.",  # sets an attribute of a stand-in
        b"\x80\x02cnumpy\nndarray\n)\x81.",
        b"\x80\x02Pid\n.",
    ],
)
def test_other_arrays_than_of_numbers_damage_and_tricks_give_one_clear_error(data: bytes) -> None:
    with pytest.raises(DataError, match="it is damaged"):
        unpickle(data, what="it")


def batch(part: str) -> dict[bytes, Any]:
    """Return a batch with a full number of animals, shuffled with images of other classes."""
    rng = np.random.default_rng(len(part))
    fine = np.repeat([*cifar100.FINE_LABELS.values(), 0, 99], cifar100.IMAGES_PER_CLASS[part])
    fine = rng.permutation(fine)
    data = np.repeat(np.arange(len(fine), dtype=np.uint32) % 251, 3072).astype(np.uint8).reshape(-1, 3072)
    return {b"data": data, b"fine_labels": fine.tolist(), b"filenames": [b"image_%d.png" % i for i in range(len(fine))]}


def pickled(values: dict[str, Any]) -> dict[str, bytes]:
    return {name: pickle.dumps(value, protocol=2) for name, value in values.items()}


def write(path: Path, values: dict[str, Any]) -> Path:
    return write_members(path, _sound(contents=pickled(values)))


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[bytes, Any]]:
    """Return the three members of a valid archive with few images."""
    for part, count in (("train", 20), ("test", 10)):
        monkeypatch.setitem(cifar100.IMAGES_PER_CLASS, part, count)
    names = [b"class_%d" % i for i in range(100)]
    for name, label in cifar100.FINE_LABELS.items():
        names[label] = name.encode()
    return {"train": batch("train"), "test": batch("test"), "meta": {b"fine_label_names": names}}


@pytest.fixture
def sound_archive(sound: dict[str, Any], tmp_path: Path) -> Path:
    return write(tmp_path / "some.tar.gz", sound)


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
    assert str(cifar100_archive.resolve()) in dataset.origin
    assert cifar100.fetch().path == cifar100_archive.resolve()


@pytest.mark.parametrize("python", [2, 3])
def test_animals_are_taken_in_file_order_with_labels_0_to_4(sound: dict[str, Any], python: int) -> None:
    members = pickled(sound)
    if python == 3:
        for name, values in sound.items():
            members[name] = pickle.dumps({key.decode(): value for key, value in values.items()}, protocol=5)
    train, test = cifar100.decode(members, archive_name="a test")
    for part, split in (("train", train), ("test", test)):
        fine = sound[part][b"fine_labels"]
        rows = [i for i, label in enumerate(fine) if label in (4, 30, 55, 72, 95)]
        assert split.labels.tolist() == [[4, 30, 55, 72, 95].index(fine[i]) for i in rows]
        assert split.labels.dtype == np.int64
        assert split.images[:, 0, 0, 0].tolist() == [i % 251 for i in rows]
        assert split.file_names == tuple(f"image_{i}.png" for i in rows)


@pytest.mark.parametrize(
    ("member", "key", "change", "message"),
    [
        ("test", b"data", lambda data: data[:-1], "69 images, 70 fine labels"),
        ("test", b"data", lambda data: data[:, :-1], "rows of 3072"),
        ("test", b"fine_labels", lambda labels: [*labels[:-1], 10**30], "from 0 to 99"),
        ("test", b"fine_labels", lambda labels: [4 if x == 30 else x for x in labels], "20 beaver, 0 dolphin"),
        ("test", b"filenames", lambda names: [7] * len(names), "not text"),
        ("meta", b"fine_label_names", lambda names: names[1:], "class 4 is 'class_5'; expected 'beaver'"),
    ],
)
def test_damage_is_named(sound: dict[str, Any], member: str, key: bytes, change: Any, message: str) -> None:
    sound[member][key] = change(sound[member][key])
    with pytest.raises(DataError, match=message):
        cifar100.decode(pickled(sound), archive_name="it")
    for values in ({}, None):
        with pytest.raises(DataError, match="'meta' in it is damaged: it has no 'fine_label_names'"):
            cifar100.decode(pickled(sound | {"meta": values}), archive_name="it")


def _place(path: Path, content: bytes = b"an archive") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
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
        _place(tmp_path / "cifar-100-python" / name, content)
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


def test_a_second_load_reads_the_copy_until_it_is_damaged_or_the_archive_changes(
    sound_archive: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQUADASH_CIFAR100", str(sound_archive))
    first, key, stat = cifar100.load(), cifar100.cache_key(), sound_archive.stat()
    (copy_on_disk,) = (home / "cache").glob("*.npz")
    whole = copy_on_disk.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 255
    for damaged in (b"", b"nonsense", whole[: len(whole) // 2], bytes(changed)):
        copy_on_disk.write_bytes(damaged)
        assert cifar100.load().fingerprint == first.fingerprint
        assert len(copy_on_disk.read_bytes()) == len(whole)
    sound_archive.write_bytes(bytes(stat.st_size))
    os.utime(sound_archive, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    second = cifar100.load()
    assert second.fingerprint == first.fingerprint
    assert second.train.file_names == first.train.file_names
    assert second.origin == first.origin and "not the official archive" in first.origin
    os.utime(sound_archive, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    assert cifar100.cache_key() != key
    with pytest.raises(DataError, match="damaged"):
        cifar100.load()


def test_images_of_other_classes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cifar100.other_classes() is None, "there is no archive"
    # Three images of the five animals, three of other classes.
    labels, rows = [4, 0, 1, 95, 2, 4], np.random.default_rng(0).integers(0, 256, (6, 3072), dtype=np.uint8)
    members = {"train": {}, "test": {b"data": rows, b"fine_labels": labels}, "meta": {}}
    monkeypatch.setenv("AQUADASH_CIFAR100", str(write(tmp_path / "c.tar.gz", members)))
    others = cifar100.other_classes()
    assert others is not None and others.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(others[:, 5, 7, 1], rows[[1, 2, 4], 1024 + 5 * 32 + 7])
    np.testing.assert_array_equal(cifar100.other_classes(), others)
    members["test"][b"fine_labels"] = labels[:3]
    write(tmp_path / "c.tar.gz", members)
    with pytest.raises(DataError, match="damaged: it has 6 images and 3 labels"):
        cifar100.other_classes()
