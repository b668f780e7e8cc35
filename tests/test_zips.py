"""Archives of unknown origin are looked at before they are read."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import pytest

from aquadash.zips import ForeignZipError, ZipLimits, member_chunks, member_fault, open_zip
from tests.own_pictures import in_archive

LIMITS = ZipLimits(members=100, unpacked_bytes=10_000_000, small_bytes=1_000_000)


def refusal(path: Path, limits: ZipLimits = LIMITS) -> str:
    with pytest.raises(ForeignZipError) as caught:
        open_zip(path, limits, remedy="Pack it again.")
    return str(caught.value)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = in_archive(tmp_path / "bomb.zip", {f"cat/{n}.bmp": bytes(600_000) for n in range(2)})
    assert path.stat().st_size < 6_000
    assert "would grow" in refusal(path) and "at most 250 times" in refusal(path)


def test_too_many_files_and_bytes_are_refused(tmp_path: Path) -> None:
    path = in_archive(tmp_path / "a.zip", {f"{number}.png": os.urandom(100) for number in range(5)})
    assert "a.zip has 5 files; at most 4" in refusal(path, ZipLimits(members=4, unpacked_bytes=500))
    assert "a.zip unpacks to 500 bytes; at most 400" in refusal(path, ZipLimits(members=5, unpacked_bytes=400))
    open_zip(path, ZipLimits(members=5, unpacked_bytes=500)).close()


def test_a_list_that_would_fill_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = in_archive(tmp_path / "a.zip", {f"cat/{number}.png": b"" for number in range(20)})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was read"))
    whole = path.read_bytes()
    before, end = whole[:-22], whole[-22:]
    small, (size, start) = end[:12] + bytes(4) + end[16:], struct.unpack_from("<2L", end, 12)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 20, 20, size, start)
    mark = int.from_bytes(b"PK\6\6", "little")
    for forged in (
        whole,
        before + end[:8] + b"PK\5\6" + end[12:],  # in its numbers of entries, which are not read
        before + record + struct.pack("<4sLQL", b"PK\6\7", 0, mark, 1) + small,
        before + record + bytes(70_000) + struct.pack("<4sLQL", b"PK\6\7", 0, len(before), 1) + small,
    ):
        path.write_bytes(forged)
        assert "a list of files of 1," in refusal(path, ZipLimits(100, 10_000, list_bytes=500))


@pytest.mark.parametrize(
    ("offset", "value", "fault"),
    [(8, b"\1", "by a password"), (10, b"\x5d", "(number 93)"), (38, b"\0\0\xff\xa1", "a link or a device")],
)
def test_members_that_are_not_read(tmp_path: Path, offset: int, value: bytes, fault: str) -> None:
    path = in_archive(tmp_path / "a.zip", {"cat/1.png": b"1"})
    changed = bytearray(path.read_bytes())
    start = changed.index(b"PK\1\2") + offset
    changed[start : start + len(value)] = value
    path.write_bytes(changed)
    with open_zip(path, LIMITS) as archive:
        assert fault in member_fault(archive.infolist()[0], "cat/1.png")
    assert [
        member_fault(info, info.filename) for info in open_zip(in_archive(path, {"a": b""}), LIMITS).infolist()
    ] == [""]


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [(6, b"\x63", "newer kind of ZIP"), (8, b"\0\x08", "not a sound ZIP")],
    ids=["version", "a name that is no UTF-8"],
)
def test_archives_that_python_cannot_open(tmp_path: Path, offset: int, value: bytes, reason: str) -> None:
    path = in_archive(tmp_path / "a.zip", {"cat": b"1"})
    changed = bytearray(path.read_bytes())
    start = changed.index(b"PK\1\2")
    changed[start + 46] = 0xFF
    changed[start + offset : start + offset + len(value)] = value
    path.write_bytes(changed)
    assert reason in refusal(path)


def test_an_offset_that_no_file_has(tmp_path: Path) -> None:
    with open_zip(in_archive(tmp_path / "a.zip", {"a": b"1"}), LIMITS) as archive:
        (info,) = archive.infolist()
        info.header_offset = 2**64
        with pytest.raises(ForeignZipError, match="is damaged"):
            list(member_chunks(archive, info))
