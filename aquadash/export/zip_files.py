"""ZIP files with the same bytes for the same content, written and read with bounded memory.

Reading trusts nothing: not the names, not the sizes that a member claims, not its check sums.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aquadash.errors import AquaDashError
from aquadash.files import replacing
from aquadash.runs.connection import storage_errors

#: The earliest time a ZIP file can name; all members bear it.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20

#: Limits of a ZIP file that is read: packed and unpacked bytes, members, and how much a member may grow.
MAX_PACKED = MAX_UNPACKED = 6_000_000_000
#: What of it is a run's own and is taken in; the rest is its pictures. The largest network that has a preset, with its
#: optimizer's state in two checkpoints, has 0.9 GB.
MAX_RUN_BYTES = 1_000_000_000
MAX_MEMBERS = 300
#: Most bytes of a directory, of archives within the archive, too: a network's thousand weights take 0.2 million.
MAX_DIRECTORY = 4_000_000
MAX_RATIO = 250
#: Below this size growing is harmless.
_SMALL = 10_000_000


class ForeignZipError(AquaDashError):
    """A ZIP file that is damaged, dangerous or not what it should be."""


@dataclass(frozen=True)
class ZipMember:
    """What goes into a ZIP file.

    Attributes:
        name: Its name there, with ``/`` between folders.
        content: Its bytes, or the file that has them.
        pack: Whether to compress it; not worth it for images and weights.
    """

    name: str
    content: bytes | Path
    pack: bool = True


@dataclass(frozen=True)
class Written:
    """A member that has been written: how many bytes it has, and their SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


def write_zip(
    path: Path,
    members: Iterable[ZipMember],
    *,
    last: Callable[[Mapping[str, Written]], ZipMember],
    after: Callable[[str], None] = lambda name: None,
) -> dict[str, Written]:
    """Write a ZIP file, whole or not at all.

    Args:
        path: Where to, in a folder that is there; replaced if it exists.
        members: In the order in which they are written.
        last: Makes the last member from what was written before it: the list of check sums.
        after: Called with the name of each member that has been written; what it raises ends the writing.
    """
    written: dict[str, Written] = {}
    with replacing(path, mode=0o600) as file, zipfile.ZipFile(file, "w", compresslevel=6) as archive:
        for member in members:
            written[member.name] = _write(archive, member)
            after(member.name)
        closing = last(written)
        written[closing.name] = _write(archive, closing)
    return written


def _write(archive: zipfile.ZipFile, member: ZipMember) -> Written:
    info = zipfile.ZipInfo(member.name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED if member.pack else zipfile.ZIP_STORED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.create_system = 3
    digest, size = hashlib.sha256(), 0
    with io.BytesIO(member.content) if isinstance(member.content, bytes) else member.content.open("rb") as file:
        large = file.seek(0, os.SEEK_END) > 2**31
        file.seek(0)
        with archive.open(info, "w", force_zip64=large) as target:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
    return Written(size, digest.hexdigest())


def checked_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of an opened ZIP file by name, after a look at what it claims of them.

    Raises:
        ForeignZipError: A name that leads elsewhere or comes twice, a link, an encrypted file, or too much of anything.
    """
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(archive.infolist()) > MAX_MEMBERS:
        raise ForeignZipError(f"The ZIP has {len(archive.infolist()):,} files; at most {MAX_MEMBERS} are expected.")
    members: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        shown = ascii(name[:80])
        parts = name.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in name or ":" in name or not name.isprintable():
            raise ForeignZipError(f"The ZIP has a file called {shown}, whose name leads elsewhere.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise ForeignZipError(f"{shown} in the ZIP is a link or something else that is not a plain file.")
        if info.flag_bits & 0x1:
            raise ForeignZipError(f"{shown} in the ZIP has a password. Pack it again without one.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ForeignZipError(
                f"{shown} in the ZIP is packed by the method {info.compress_type}; AquaDash packs by deflate (8) alone."
            )
        if name.casefold() in seen:
            raise ForeignZipError(f"{shown} is in the ZIP twice.")
        seen.add(name.casefold())
        if info.file_size > _SMALL and info.file_size > MAX_RATIO * max(1, info.compress_size):
            raise ForeignZipError(
                f"{shown} would grow from {info.compress_size:,} to {info.file_size:,} bytes; no file of a run does."
            )
        members[name] = info
    total = sum(info.file_size for info in infos)
    if total > MAX_UNPACKED:
        raise ForeignZipError(f"The ZIP unpacks to {total:,} bytes; at most {MAX_UNPACKED:,} are expected.")
    return members


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> Written:
    """Write one member to a file and return its size and hash; no more bytes than it claims are ever written.

    Raises:
        ForeignZipError: It is damaged.
        StorageError: It cannot be written.
    """
    digest, size = hashlib.sha256(), 0
    with storage_errors("unpack the ZIP"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for chunk in _unpacked(archive, info):
                size += len(chunk)
                digest.update(chunk)
                file.write(chunk)
    return Written(size, digest.hexdigest())


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except Exception as error:
        # Of any kind: an offset that no file has gives an OverflowError, for one.
        raise ForeignZipError(
            f"{info.filename!r} in the ZIP is damaged ({error}). Copy or download it again."
        ) from None
