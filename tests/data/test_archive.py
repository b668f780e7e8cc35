"""Tests of the CIFAR-100 archive: its members are read, and its pickles hold arrays and plain containers only."""

import gzip
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aquadash.data import archive
from aquadash.data.archive import unpickle
from aquadash.errors import DataError

Member = tuple[tarfile.TarInfo, bytes]

CONTENT = {"train": b"t" * 5000, "test": b"e" * 3000, "meta": b"m" * 100}


def _member(name: str, content: bytes = b"", *, link: str = "", kind: bytes = tarfile.REGTYPE) -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def _sound(prefix: str = "cifar-100-python/") -> list[Member]:
    return [_member(prefix + name, content) for name, content in CONTENT.items()]


@pytest.fixture
def archive_of(tmp_path: Path) -> Callable[[list[Member]], Path]:
    def _write(entries: list[Member]) -> Path:
        path = tmp_path / "a.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for info, content in entries:
                tar.addfile(info, io.BytesIO(content))
        return path

    return _write


@pytest.mark.parametrize("prefix", ["cifar-100-python/", "./cifar-100-python/", "", "./"])
def test_members_are_found_at_the_top_and_in_the_folder(archive_of: Callable, prefix: str) -> None:
    assert archive.read_members(archive_of(_sound(prefix))) == CONTENT


def test_links_absolute_names_and_strangers_are_ignored(archive_of: Callable, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path = archive_of(
        [
            _member("cifar-100-python/train", link=str(secret), kind=tarfile.SYMTYPE),
            _member("cifar-100-python/test", link=str(secret), kind=tarfile.LNKTYPE),
            _member("/train", b"absolute"),
            _member("../train", b"outside"),
            _member("cifar-100-python/deeper/train", b"deeper"),
            _member("cifar-100-python/stranger", b"stranger"),
            *_sound(),
        ]
    )
    assert archive.read_members(path) == CONTENT


@pytest.mark.parametrize("missing", list(CONTENT))
def test_a_missing_member_is_named_and_no_link_stands_for_it(archive_of: Callable, missing: str) -> None:
    others = [_member(name, CONTENT[name]) for name in CONTENT if name != missing]
    for entries in (
        others,
        [*others, _member(f"cifar-100-python/{missing}", link="/etc/passwd", kind=tarfile.SYMTYPE)],
    ):
        with pytest.raises(DataError, match=f"lacks {missing}"):
            archive.read_members(archive_of(entries))


@pytest.mark.parametrize("damage", ["", "10 %", "99 %", "a page", "a changed byte"])
def test_a_damaged_archive_or_a_page_in_its_place_is_called_damaged(archive_of: Callable, damage: str) -> None:
    path = archive_of(_sound())
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


def test_oversized_members_and_endless_streams_are_refused(
    archive_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = _member("cifar-100-python/stranger", bytes(1_000_000))
    monkeypatch.setattr(archive, "MAX_UNPACKED", 100_000)
    for members in ([*_sound(), bomb], [bomb, *_sound()]):
        with pytest.raises(DataError, match="unpacks to more than"):
            archive.read_members(archive_of(members))
    monkeypatch.setitem(archive.MEMBER_LIMITS, "train", 4999)
    with pytest.raises(DataError, match="'train'.*5,000 bytes"):
        archive.read_members(archive_of(_sound()))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(3, 4)),
        np.arange(5, dtype=">i4"),
        np.arange(3, dtype="<f8"),
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


def test_a_foreign_module_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trap_module.py").write_text(f"open({str(tmp_path / 'victim')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match=r"trap_module\.anything"):
        unpickle(b"\x80\x02ctrap_module\nanything\n.", what="it")
    assert not (tmp_path / "victim").exists()


def of(value: np.ndarray) -> bytes:
    return pickle.dumps({"data": value}, protocol=2)


def forged(sound: bytes, changed: bytes) -> bytes:
    """Return an array of 200 bytes whose state says something else."""
    data = of(np.zeros(200, dtype=np.uint8))
    assert data.count(sound) == 1
    return data.replace(sound, changed)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        *(
            (b"\x80\x02c" + name + b"\n.", "asks for")
            for name in (b"builtins\neval", b"__builtin__\neval", b"numpy\nload", b"os.path\njoin")
        ),
        (of(np.array([{}, None], dtype=object)), ""),
        (of(np.array(["text"])), ""),
        (of(np.zeros(2, dtype=[("a", "u1"), ("b", "f8")])), ""),
        (of(np.array(["2020-01-01"], dtype="datetime64[D]")), ""),
        (forged(b"X\x02\x00\x00\x00u1", b"X\x02\x00\x00\x00O8"), "damaged"),  # Objects instead of bytes.
        (forged(b"K\xc8\x85", b"K\xc9\x85"), "damaged"),  # More elements than bytes.
    ],
)
def test_other_names_and_other_arrays_than_of_numbers_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        unpickle(data, what="it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a pickle",
        pickle.dumps(list(range(1000)))[:-40],
        b"\x80\x02Nr\xff\xff\xff\xff.",  # a memo index that would reserve 32 GiB
        b"\x80\x02Nr\x00\x00\x10\x00.",  # one for which there is room
        b"\x80\x02N" + b"\x85" * 100_000 + b".",  # a nest that exhausts the stack when hashed
        b"\x80\x02c_codecs\nencode\nq\x00)" + b"\x85q\x010h\x00h\x01R" * 2000 + b".",  # a nest of calls' arguments
        b"\x80\x02cnumpy\ndtype\n}U\x05_roleU\x06encodesb.",  # sets an attribute of a stand-in
        b"\x80\x02cnumpy\nndarray\n)\x81.",
        b"\x80\x02Pid\n.",
    ],
)
def test_damage_and_tricks_give_one_clear_error(data: bytes) -> None:
    with pytest.raises(DataError, match="it is damaged"):
        unpickle(data, what="it")
