"""Files that are written whole or not at all, hashes, bounded caches, and messages for a disk that fails."""

from __future__ import annotations

import hashlib
import math
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import BufferedRandom
from pathlib import Path
from typing import IO, Any

from aquadash import settings
from aquadash.errors import StorageError


def flush_to_disk(file: IO[Any]) -> None:
    """Write a file through to the disk; without it a power cut can leave an empty file of that name."""
    file.flush()
    os.fsync(file.fileno())


def unfinished(path: Path, number: str = "*") -> str:
    """The name under which :func:`replacing` writes ``path``; without a number, the pattern of all such names."""
    # 60 letters of four bytes each fit the 255 bytes of a file's name.
    return f".{path.name[:60]}-{number}.part"


def check_target(path: Path) -> None:
    """Refuse to write a file in place of a device, a pipe or a folder: root may replace even ``/dev/null``."""
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "a device or a pipe"
        raise StorageError(f"{path} is {what}; expected the name of a new or a plain file. Choose another name.")


@contextmanager
def replacing(path: Path, *, mode: int = 0o666, new: bool = False) -> Iterator[BufferedRandom]:
    """A new file beside ``path`` to write to, which takes its place at the end of the block, or goes if that raises.

    It is on the disk by then: a power cut leaves one of the two whole.

    Args:
        path: The file, in a folder that is there.
        mode: Its permissions before the process's umask: 0o600 for its owner alone.
        new: Never take the place of a file that is there by then.

    Raises:
        FileExistsError: There is one, with ``new``.
        StorageError: The path is a device, a pipe or a folder.
        OSError: It cannot be written.
    """
    check_target(path)
    temporary = path.with_name(unfinished(path, secrets.token_hex(4)))
    try:
        with open(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode), "w+b") as file:
            yield file
            flush_to_disk(file)
        if new:
            _take_name(path, temporary)
        else:
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _take_name(path: Path, temporary: Path) -> None:
    """Move a file to a name that is free."""
    try:
        os.link(temporary, path)
    except OSError:
        # FAT and some shared folders know no second name for a file: an empty one holds the place. Other faults return.
        path.touch(exist_ok=False)
        try:
            os.replace(temporary, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    else:
        temporary.unlink()


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Write a file, text as UTF-8, by :func:`replacing`; arguments and errors as there."""
    with replacing(path, mode=mode) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def file_digest(path: Path, kind: str = "sha256") -> str:
    """The hash of a file's bytes in hexadecimal digits, remembered until its size or its time of change is another.

    Raises:
        OSError: It cannot be read.
    """
    stat = path.stat()
    return _digest(path, kind, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, kind: str, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def check_writable(folder: Path) -> None:
    """Make a folder unless it is there, and check that files can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{secrets.token_hex(4)}"
        try:
            probe.write_bytes(b"AquaDash")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"AquaDash cannot write to its folder {folder} ({error.strerror or error}). Free some space or make the "
            "folder writable, or set AQUADASH_HOME to another one. What is stored there is untouched."
        ) from error


def storage_error(what: str, error: BaseException) -> StorageError:
    """Return the error for people where a database or a file in the home failed, with the cause and a remedy.

    SQLite says "disk I/O error" on a full disk and "unable to open database file" on one that is read-only, so the
    folder is asked first.

    Args:
        what: The action, to complete "Could not ...": ``"read the runs"``.
        error: The exception of the library.
    """
    try:
        check_writable(settings.home())
    except StorageError as cause:
        return cause
    return StorageError(f"Could not {what}: {_storage_reason(str(error)) or type(error).__name__}")


#: Messages of SQLite and the operating system -> words for people.
_STORAGE_REASONS = (
    (
        ("disk is full", "No space left"),
        "the disk is full. Free some space and try again; what is stored is untouched.",
    ),
    (
        ("readonly database", "Permission denied", "Read-only"),
        "it may not be written to. Make the folder in AQUADASH_HOME writable or name another one; what is stored is "
        "untouched.",
    ),
    (
        ("unable to open database",),
        "its database file in {home} cannot be opened. Was it moved or deleted? Check the folder in AQUADASH_HOME.",
    ),
    (
        ("disk I/O error",),
        "the disk with {home} failed to read or write. Is it full or damaged? Check it and try again.",
    ),
    (
        ("not a database", "malformed"),
        "its database file is damaged. Set AQUADASH_HOME to a new folder to go on; the old folder keeps everything "
        "that is in it.",
    ),
)


def _storage_reason(text: str) -> str:
    """Our words for a known exception, else the first line of its text."""
    for signs, words in _STORAGE_REASONS:
        if any(sign in text for sign in signs):
            return words.format(home=settings.home())
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:300]


def forget_oldest(
    folder: Path,
    pattern: str = "*",
    *,
    max_bytes: float = math.inf,
    max_files: float = math.inf,
    max_seconds: float = math.inf,
) -> None:
    """Remove the files and folders changed longest ago until the others are within the limits."""
    aged = []
    for path in folder.glob(pattern):
        with suppress(OSError):  # Another process may have removed it.
            aged.append((path.stat().st_mtime, path.stat().st_size, path))
    total = 0
    for number, (changed, size, path) in enumerate(sorted(aged, reverse=True), start=1):
        total += size
        if total > max_bytes or number > max_files or time.time() - changed > max_seconds:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()


def keep(
    path: Path, write: Callable[[BufferedRandom], object], *, pattern: str = "*", max_bytes: float = math.inf
) -> None:
    """Write a file that can be made again, whole or not at all, and make room for it; a fault is passed over.

    Args:
        path: The file; its folder is made where it is missing.
        write: Writes into the file that it is given.
        pattern: The files of the folder that share the room.
    """
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write(file)
        # Killed processes leave half-written files.
        forget_oldest(path.parent, ".*.part", max_seconds=3600)
        forget_oldest(path.parent, pattern, max_bytes=max_bytes)
