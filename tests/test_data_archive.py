"""Members are read from the stream; links, absolute names and oversized content never get through."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aquadash.data import archive
from aquadash.errors import DataError

CONTENT = {"train": b"t" * 5000, "test": b"e" * 3000, "meta": b"m" * 100}


def _file(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def _link(name: str, target: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def _sound(prefix: str = "cifar-100-python/") -> list[tuple[tarfile.TarInfo, bytes]]:
    return [_file(prefix + name, content) for name, content in CONTENT.items()]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[list[tuple[tarfile.TarInfo, bytes]]], Path]:
    def _write(entries: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
        path = tmp_path / "a.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for info, content in entries:
                tar.addfile(info, io.BytesIO(content))
        return path

    return _write


@pytest.mark.parametrize("prefix", ["cifar-100-python/", "./cifar-100-python/", "", "./"])
def test_members_are_found_at_the_top_and_in_the_folder(write: Callable, prefix: str) -> None:
    assert archive.read_members(write(_sound(prefix))) == CONTENT


def test_a_folder_is_read_too(tmp_path: Path) -> None:
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    assert archive.read_members(tmp_path) == CONTENT


def test_links_absolute_names_and_strangers_are_ignored(write: Callable, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path = write(
        [
            _link("cifar-100-python/train", str(secret), tarfile.SYMTYPE),
            _link("cifar-100-python/test", str(secret), tarfile.LNKTYPE),
            _file("/train", b"absolute"),
            _file("../train", b"outside"),
            _file("cifar-100-python/deeper/train", b"deeper"),
            _file("cifar-100-python/stranger", b"stranger"),
            *_sound(),
        ]
    )
    assert archive.read_members(path) == CONTENT


def test_a_link_alone_does_not_stand_for_a_member(write: Callable) -> None:
    path = write([*_sound()[1:], _link("cifar-100-python/train", "/etc/passwd", tarfile.SYMTYPE)])
    with pytest.raises(DataError, match="lacks train"):
        archive.read_members(path)


@pytest.mark.parametrize("missing", list(CONTENT))
def test_a_missing_member_is_named(write: Callable, missing: str) -> None:
    with pytest.raises(DataError, match=f"lacks {missing}"):
        archive.read_members(write([_file(name, CONTENT[name]) for name in CONTENT if name != missing]))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_called_damaged(write: Callable, share: float) -> None:
    path = write(_sound())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="damaged or incomplete"):
        archive.read_members(path)


def test_a_changed_byte_is_noticed(tmp_path: Path, write: Callable) -> None:
    plain = bytearray(gzip.decompress(write(_sound()).read_bytes()))
    path = tmp_path / "stored.tar.gz"
    stored = bytearray(gzip.compress(bytes(plain), compresslevel=0))
    stored[stored.index(b"t" * 100)] ^= 1
    path.write_bytes(stored)
    with pytest.raises(DataError, match="damaged"):
        archive.read_members(path)


def test_what_is_not_gzip_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "page.tar.gz"
    path.write_text("<html>please log in</html>")
    with pytest.raises(DataError, match="damaged"):
        archive.read_members(path)


def test_an_oversized_member_is_refused(write: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(archive.MEMBER_LIMITS, "train", 4999)
    with pytest.raises(DataError, match="'train'.*5,000 bytes"):
        archive.read_members(write(_sound()))


@pytest.mark.parametrize("trailing", [False, True])
def test_an_endless_stream_is_cut_off(write: Callable, monkeypatch: pytest.MonkeyPatch, trailing: bool) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 100_000)
    bomb = _file("cifar-100-python/stranger", bytes(1_000_000))
    with pytest.raises(DataError, match="unpacks to more than"):
        archive.read_members(write([*_sound(), bomb] if trailing else [bomb, *_sound()]))
