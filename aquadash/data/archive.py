"""Reads the three members of a CIFAR-100 archive straight from its stream. Nothing is unpacked to disk."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path, PurePosixPath

from aquadash.errors import DataError

#: The folder inside the archive.
FOLDER = "cifar-100-python"

#: Member -> the most bytes it may have. The official ones have 155,249,918, 31,049,696 and 1,526.
MEMBER_LIMITS = {"train": 200_000_000, "test": 50_000_000, "meta": 1_000_000}

#: The most bytes an archive may unpack to; the official one has 186 million.
MAX_UNPACKED = 400_000_000

_REMEDY = "Get the file again, from https://www.cs.toronto.edu/~kriz/cifar.html, or delete it to have it downloaded."


def read_members(path: Path) -> dict[str, bytes]:
    """The bytes of ``train``, ``test`` and ``meta``.

    Args:
        path: A gzipped tar file with the members at its top or in ``cifar-100-python/``, or a folder that holds them as
            files. Links, absolute names and all other members are ignored.

    Raises:
        DataError: It cannot be read, is damaged, too large, or lacks a member.
    """
    try:
        members = _from_folder(path) if path.is_dir() else _from_tar(path)
    except DataError:
        raise
    except Exception as error:  # damaged headers and streams can raise nearly anything
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise DataError(f"The CIFAR-100 archive {path} cannot be read ({error.strerror or error}).") from None
        raise DataError(f"The CIFAR-100 archive {path} is damaged or incomplete ({error}). {_REMEDY}") from None
    missing = [name for name in MEMBER_LIMITS if name not in members]
    if missing:
        raise DataError(
            f"{path} is not a complete CIFAR-100 archive: it lacks {', '.join(missing)} (expected the files train, "
            f"test and meta in {FOLDER}/). {_REMEDY}"
        )
    return members


def _from_folder(folder: Path) -> dict[str, bytes]:
    members = {}
    for name, limit in MEMBER_LIMITS.items():
        file = folder / name
        if file.is_file():
            _check_member_size(name, file.stat().st_size, limit)
            members[name] = file.read_bytes()
    return members


def _from_tar(path: Path) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    with gzip.open(path, "rb") as unzipped:
        stream = _LimitedReader(unzipped, MAX_UNPACKED)
        # "r|" reads forward only and so never builds an index of a hostile file's members before it looks at them.
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                name = _known_name(member.name)
                if name is None or name in members or not member.isreg():
                    continue
                _check_member_size(name, member.size, MEMBER_LIMITS[name])
                content = tar.extractfile(member)
                data = content.read() if content else b""
                if len(data) != member.size:
                    raise EOFError(f"{name} ends early")
                members[name] = data
        # gzip checks its checksum only at the end of the stream.
        while stream.read(1 << 20):
            pass
    return members


def _known_name(name: str) -> str | None:
    """``train``, ``test`` or ``meta`` if the member's name means one of them, else None."""
    parts = PurePosixPath(name).parts
    if parts[:1] == (FOLDER,):
        parts = parts[1:]
    return parts[0] if len(parts) == 1 and parts[0] in MEMBER_LIMITS else None


def _check_member_size(name: str, size: int, limit: int) -> None:
    if size > limit:
        raise DataError(
            f"'{name}' in the CIFAR-100 archive has {size:,} bytes; at most {limit:,} are expected. {_REMEDY}"
        )


class _LimitedReader(io.RawIOBase):
    """Passes reads on until a number of bytes has gone through: a small file may unpack to an endless one."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        self._source = source
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"The CIFAR-100 archive unpacks to more than {MAX_UNPACKED:,} bytes. {_REMEDY}")
        return data
