"""Files that are written whole or not at all, hashes, bounded caches, and messages for a disk that fails."""

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

from aquadash import settings
from aquadash.errors import StorageError


def check_target(path: Path) -> None:
    """Refuse to write a file in place of a device, a pipe or a folder: root may replace even ``/dev/null``."""
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "a device or a pipe"
        raise StorageError(f"{path} is {what}; expected the name of a new or a plain file. Choose another name.")


@contextmanager
def replacing(path: Path, *, mode: int = 0o666, new: bool = False) -> Iterator[BufferedRandom]:
    """Yield a new file that takes the place of ``path`` at the end of the block; an exception deletes it instead.

    After a power cut, the old or the new file is there, complete.

    Args:
        path: The file, in an existing folder.
        mode: Its permissions before the process's umask: 0o600 for its owner alone.
        new: Raise a ``FileExistsError`` if the file exists, even if it was created in the meantime.

    Raises:
        StorageError: The path is a device, a pipe or a folder.
        OSError: It cannot be written.
    """
    check_target(path)
    # 60 letters of four bytes each fit the 255 bytes of a file's name.
    temporary = path.with_name(f".{path.name[:60]}-{secrets.token_hex(4)}.part")
    try:
        with open(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
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
        # FAT and some shared folders have no hard links: an empty file reserves the name. Other errors occur again.
        path.touch(exist_ok=False)
        try:
            os.replace(temporary, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    else:
        temporary.unlink()


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Write a file, text as UTF-8; arguments and errors as for :func:`replacing`."""
    with replacing(path, mode=mode) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def file_digest(path: Path, kind: str = "sha256") -> str:
    """Return the hash of a file in hexadecimal digits, cached until its size or modification time changes."""
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
    """Return the error for people, with a remedy; ``what`` completes "Could not ...", such as ``"read the runs"``."""
    # SQLite reports "disk I/O error" on a full disk and "unable to open database file" on a read-only one, so the
    # folder is tried first.
    try:
        check_writable(settings.home())
    except StorageError as cause:
        return cause
    text = str(error)
    for signs, words in _STORAGE_REASONS:
        if any(sign in text for sign in signs):
            return StorageError(f"Could not {what}: {words}")
    first_line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    return StorageError(f"Could not {what}: {first_line[:300]}")


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
        ("not a database", "malformed"),
        "its database file is damaged. Set AQUADASH_HOME to a new folder to go on; the old folder keeps everything "
        "that is in it.",
    ),
)


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


def forget_unfinished(folder: Path) -> None:
    """Remove the files that processes killed more than an hour ago have left in :func:`replacing`."""
    forget_oldest(folder, ".*.part", max_seconds=3600)


def keep(
    path: Path, write: Callable[[BufferedRandom], object], *, pattern: str = "*", max_bytes: float = math.inf
) -> None:
    """Cache a file in a folder whose files of ``pattern`` share ``max_bytes``; errors of the disk are ignored."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write(file)
        forget_unfinished(path.parent)
        forget_oldest(path.parent, pattern, max_bytes=max_bytes)
