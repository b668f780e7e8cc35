"""Files that are written whole or not at all, and folders that forget what is old."""

import errno
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aquadash import settings
from aquadash.errors import ConfigError, RunError, StorageError
from aquadash.files import forget_oldest, replacing, write_whole
from aquadash.zips import ForeignZipError, ZipLimits, member_chunks, open_zip
from tests.support.faults import let_fail
from tests.support.own_pictures import in_archive


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    write_whole(path, "föggy")
    assert path.read_text(encoding="utf-8") == "föggy"
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "föggy"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]
    write_whole(tmp_path / ("🦦" * 62), "a name of 248 bytes")


@pytest.mark.parametrize("fault", (None, errno.EPERM, errno.EOPNOTSUPP))
def test_a_new_file_never_replaces_another(fault: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault:
        let_fail(monkeypatch, os, "link", OSError(fault, os.strerror(fault)))
    path = tmp_path / "some.json"
    with replacing(path, new=True) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), replacing(path, new=True) as file:
        file.write(b"second")
    assert path.read_bytes() == b"first" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("make", (os.mkfifo, os.mkdir))
def test_a_pipe_and_a_folder_stay_what_they_are(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "target"
    make(path)
    kind = stat.S_IFMT(path.stat().st_mode)
    with pytest.raises(StorageError, match="expected the name of a new or a plain file"):
        write_whole(path, "text")
    assert stat.S_IFMT(path.stat().st_mode) == kind and list(tmp_path.iterdir()) == [path]


def test_a_new_file_that_cannot_be_moved_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("link", "replace"):
        let_fail(monkeypatch, os, name, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    with pytest.raises(OSError, match="No space left"), replacing(tmp_path / "some.json", new=True) as file:
        file.write(b"first")
    assert list(tmp_path.iterdir()) == []


def test_it_outlasts_a_power_cut_with_its_mode_and_makes_no_folder(
    tmp_path: Path, outlasts_a_power_cut: Callable[[Path], bool]
) -> None:
    write_whole(tmp_path / "secret", "1234", mode=0o600)
    assert outlasts_a_power_cut(tmp_path / "secret")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "gone" / "state.json", "{}")


def test_what_is_oldest_goes_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new.npy", "middle.npy", "old.npy", "older.npy")):
        (tmp_path / name).write_bytes(bytes(10))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    forget_oldest(tmp_path, "*.npy", max_files=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle.npy", "new.npy", "old.npy"]
    forget_oldest(tmp_path, "*.npy", max_bytes=25)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle.npy", "new.npy"]
    forget_oldest(tmp_path, "*.json", max_files=0)
    assert len(list(tmp_path.iterdir())) == 2


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
    let_fail(monkeypatch, zipfile, "ZipFile", AssertionError("it was read"))
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


def test_an_offset_that_no_file_has(tmp_path: Path) -> None:
    with open_zip(in_archive(tmp_path / "a.zip", {"a": b"1"}), LIMITS) as archive:
        (info,) = archive.infolist()
        info.header_offset = 2**64
        with pytest.raises(ForeignZipError, match="is damaged"):
            list(member_chunks(archive, info))


@pytest.mark.parametrize("value", ["0", "-1", "many", "65", "1.5", "²"])
def test_a_senseless_number_of_slots_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_SLOTS", value)
    with pytest.raises(ConfigError, match="AQUADASH_SLOTS"):
        settings.slots()


def test_nothing_but_the_id_of_a_run_or_a_job_becomes_part_of_a_path() -> None:
    for run_id in ("", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n"):
        with pytest.raises(RunError, match="not a run id"):
            settings.checked_run_id(run_id)
    for job_id in ("", "../../etc/passwd", "train-A", "x" * 201, "train-0\n"):
        with pytest.raises(RunError, match="not the id of a job"):
            settings.job_log(job_id)
