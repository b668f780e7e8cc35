"""Untrusted ZIP archives of runs, networks, arrays and pictures, opened and read within limits.

The names, sizes and checksums in an archive may all be false.
"""

import os
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aquadash.errors import DataError

#: First bytes of the records at the end of a ZIP archive: the end, the 64-bit end, and the locator of the latter.
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"

_CHUNK = 1 << 20

#: The methods that are read; nearly all programs pack by them. Others need far more memory.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class ForeignZipError(DataError):
    """A ZIP archive, or a file in one, that is damaged, hostile or of another kind than expected."""


@dataclass(frozen=True)
class ZipLimits:
    """The limits of an archive."""

    #: Files, folders not counted.
    members: int
    #: Bytes of all files once they are unpacked.
    unpacked_bytes: int
    #: Bytes of its list of files, which ``zipfile`` reads into memory. A network's thousand weights take 200,000.
    list_bytes: int = 4_000_000
    #: Ratio of its unpacked to its packed size, from ``small_bytes`` on.
    growth: int = 250
    small_bytes: int = 100_000_000


def open_zip(path: Path, limits: ZipLimits, *, name: str = "", remedy: str = "") -> zipfile.ZipFile:
    """Open an archive whose list of files is within the limits, or raise a :class:`ForeignZipError`.

    Args:
        name: Its name for people; the file's name where this is empty.
        remedy: A sentence for people whose archive is damaged.
    """
    name = name or path.name
    remedy = remedy and f" {remedy}"
    if not (packed_size := path.stat().st_size):
        raise ForeignZipError(f"{name} is empty (0 bytes).{remedy}")
    if (size := _list_bytes(path)) > limits.list_bytes:
        raise ForeignZipError(f"{name} has a list of files of {size:,} bytes; at most {limits.list_bytes:,} are read.")
    try:
        archive = zipfile.ZipFile(path)
    except OSError:
        raise
    except Exception as error:
        # Damaged archives raise BadZipFile, NotImplementedError, UnicodeDecodeError, OverflowError and others.
        raise ForeignZipError(
            f"{name} is not a sound ZIP archive: its list of files is missing or damaged.{remedy}"
        ) from error
    try:
        # ZipInfo.is_dir fails with an empty name.
        members = [info for info in archive.infolist() if not info.filename.endswith("/")]
        unpacked = sum(info.file_size for info in members)
        # Several files may share the same bytes in the archive.
        packed = max(1, min(sum(info.compress_size for info in members), packed_size))
        if len(members) > limits.members:
            raise ForeignZipError(f"{name} has {len(members):,} files; at most {limits.members:,} are read.")
        if unpacked > limits.unpacked_bytes:
            raise ForeignZipError(f"{name} unpacks to {unpacked:,} bytes; at most {limits.unpacked_bytes:,} are read.")
        if unpacked > limits.small_bytes and unpacked > limits.growth * packed:
            raise ForeignZipError(
                f"{name} would grow {unpacked / packed:,.0f} times when unpacked, to {unpacked:,} bytes; at most "
                f"{limits.growth} times are accepted."
            )
    except BaseException:
        archive.close()
        raise
    return archive


def member_fault(info: zipfile.ZipInfo, name: str) -> str:
    """Return why a file in an archive must not be read, in sentences; an empty text for a sound one.

    ``name`` is its path, with ``/`` between folders.
    """
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", path.parts[0]):
        return "Its path leads out of the archive, which nothing good needs."
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "It is a link or a device instead of a file."
    if info.flag_bits & 0x1:
        return "It is protected by a password. Pack the archive without one."
    if info.compress_type not in _METHODS:
        return (
            f"It is packed by a method that is not read (number {info.compress_type}). Pack the archive again, by the "
            "usual method, Deflate."
        )
    return ""


def member_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack a file chunk by chunk, up to its claimed size; a damaged one raises a :class:`ForeignZipError`."""
    try:
        with archive.open(info) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except Exception as error:
        # Damaged files raise errors of any kind: an impossible offset raises OverflowError.
        raise ForeignZipError(
            f"{info.filename[:80]!r} in the ZIP is damaged ({error}). Copy or download it again."
        ) from error


def _list_bytes(path: Path) -> int:
    """Return the bytes of a ZIP archive's list of files (APPNOTE.TXT 6.3.10, 4.3.14 to 4.3.16); 0 for no archive."""
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, length - 22 - 65_536))
        tail = file.read()
        # Without a comment the end is the last 22 bytes.
        bare = tail[-22:-18] == _END and tail.endswith(b"\0\0")
        at = len(tail) - 22 if bare else tail.rfind(_END)
        if at < 0 or len(tail) < at + 22:
            return 0
        (size,) = struct.unpack_from("<L", tail, at + 12)
        file.seek(max(0, start + at - 20))
        locator = file.read(20)
        if locator.startswith(_LOCATOR_64):
            # Python's versions look before the locator, or where it says.
            for place in (start + at - 76, *struct.unpack_from("<Q", locator, 8)):
                file.seek(min(max(0, place), length))
                record = file.read(56)
                if record.startswith(_END_64) and len(record) == 56:
                    size = max(size if size != 0xFFFFFFFF else 0, *struct.unpack_from("<Q", record, 40))
    return size
