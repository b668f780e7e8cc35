"""Files that are written whole or not at all, and folders that forget what is old."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from aquadash.errors import StorageError
from aquadash.files import forget_oldest, replacing, write_whole


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
    def no_second_name(source: Path, target: Path) -> None:
        raise OSError(fault, os.strerror(fault or 0))

    if fault:
        monkeypatch.setattr(os, "link", no_second_name)
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
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"), replacing(tmp_path / "some.json", new=True) as file:
        file.write(b"first")
    assert list(tmp_path.iterdir()) == []


def test_it_outlasts_a_power_cut(tmp_path: Path, outlasts_a_power_cut: Callable[[Path], bool]) -> None:
    write_whole(tmp_path / "some.json", "föggy")
    assert outlasts_a_power_cut(tmp_path / "some.json")


def test_it_may_be_for_its_owner_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "secret", "1234", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
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
