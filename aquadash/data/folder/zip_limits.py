"""What a ZIP archive may claim, looked at before any of it is unpacked."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from aquadash.errors import DataError

#: More pictures than these are not for a browser lab on one computer.
MOST_FILES = 50_000
#: Most bytes of all files together. 10,000 photographs of a phone at full size take 40 GB; at one megapixel, 3 GB.
MOST_UNPACKED = 40_000_000_000
#: Most times that an archive may grow when it is unpacked. Pictures hardly do; drawings as BMP about a hundred times.
MOST_GROWTH = 200
#: An archive that unpacks to less than this is no danger, however much it grows.
_SMALL = 100_000_000
#: Most bytes of the archive's own directory: 50,000 files with long paths take about 15 million.
_MOST_DIRECTORY = 40_000_000

#: End of central directory record, at most 22 bytes and a comment before the end, and its 64-bit form: APPNOTE.TXT
#: 6.3.10, sections 4.3.16 and 4.3.14.
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_TAIL = 22 + 65_535 + 20 + 56


def too_many(came: str) -> str:
    """The message for too many files."""
    return f"There are {came} files; at most {MOST_FILES:,} are read. Choose a part of the pictures."


def check_directory(path: Path) -> None:
    """Refuse an archive whose directory alone would fill the memory, before it is read.

    Raises:
        DataError: It would.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(0, 2)
        length = file.tell()
        file.seek(max(0, length - _TAIL))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        return  # No archive; zipfile says so.
    (size,) = struct.unpack_from("<L", tail, at + 12)
    at_64 = tail.rfind(_END_64, 0, at)
    if at_64 >= 0 and len(tail) >= at_64 + 48:
        size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", tail, at_64 + 40)[0])
    if size > _MOST_DIRECTORY:
        raise DataError(
            f"The archive's list of files has {size:,} bytes; at most {_MOST_DIRECTORY:,} are read. "
            "Choose a part of the pictures."
        )


def check_members(archive: zipfile.ZipFile) -> None:
    """Refuse an archive of too many files or bytes, or one that grows more than pictures do.

    Raises:
        DataError: It is one.
    """
    # Not is_dir: an empty name has no last letter.
    members = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(members) > MOST_FILES:
        raise DataError(too_many(f"{len(members):,}"))
    unpacked = sum(info.file_size for info in members)
    # Files that share their bytes in the archive are counted by what each of them takes.
    packed = max(1, min(sum(info.compress_size for info in members), _file_bytes(archive)))
    if unpacked > MOST_UNPACKED:
        raise DataError(
            f"The archive unpacks to {unpacked / 1e9:,.1f} GB; at most {MOST_UNPACKED / 1e9:.0f} GB are read. "
            "Scale the pictures down, or choose a part of them."
        )
    if unpacked > _SMALL and unpacked > MOST_GROWTH * packed:
        raise DataError(
            f"The archive would grow {unpacked / packed:,.0f} times when unpacked, to {unpacked / 1e9:,.1f} GB: "
            f"pictures never do. At most {MOST_GROWTH} times are accepted. Pack the pictures again."
        )


def _file_bytes(archive: zipfile.ZipFile) -> int:
    file = archive.fp
    if file is None:
        return 1
    at = file.tell()
    file.seek(0, 2)
    length = file.tell()
    file.seek(at)
    return max(1, length)
