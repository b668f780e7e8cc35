"""ZIP files with the same bytes for the same content, written with bounded memory."""

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aquadash.files import replacing

#: The time of all members: the earliest that a ZIP file can hold.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class ZipMember:
    """A file to write into a ZIP file."""

    #: With ``/`` between folders.
    name: str
    #: Bytes, or the file that has them.
    content: bytes | Path
    #: Whether to compress it: images and weights hardly shrink.
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
    after: Callable[[str, int], None],
) -> dict[str, Written]:
    """Write a ZIP file, whole or not at all; ``last`` makes its last member from all others, ``after`` counts them."""
    written: dict[str, Written] = {}
    with replacing(path, mode=0o600) as file, zipfile.ZipFile(file, "w", compresslevel=6) as archive:
        for count, member in enumerate(members, start=1):
            written[member.name] = _write(archive, member)
            after(member.name, count)
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
