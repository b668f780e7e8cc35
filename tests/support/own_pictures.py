"""Makes pictures in folders and archives, for the tests of imports."""

import stat
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from aquadash.data.folder import importing
from aquadash.data.folder.importing import NewDataSet
from aquadash.data.folder.splitting import DEFAULT_SPLIT, SplitChoice
from tests.support.encoded_pictures import saved


@cache
def picture(seed: int, *, size: tuple[int, int] = (60, 48), kind: str = "PNG", grey: bool = False) -> bytes:
    """A picture of random blots, unlike that of any other seed: width and height in pixels."""
    blots = np.random.default_rng(seed).integers(0, 256, (8, 8, 1 if grey else 3), dtype=np.uint8)
    if grey:
        blots = blots.repeat(3, axis=2)
    image = Image.fromarray(blots).resize(size, Image.Resampling.BICUBIC)
    return saved(image, kind, **({"quality": 95} if kind == "JPEG" else {}))


def of_classes(counts: Mapping[str, int], *, first_seed: int = 0, prefix: str = "") -> dict[str, bytes]:
    """Files by name: so many pictures in a folder of each class."""
    files = {}
    seed = first_seed
    for name, count in counts.items():
        for number in range(count):
            files[f"{prefix}{name}/{number}.png"] = picture(seed)
            seed += 1
    return files


def in_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def in_archive(path: Path, files: Mapping[str, bytes], *, links: tuple[str, ...] = ()) -> Path:
    """Write files into an archive; those named in ``links`` as symbolic links whose target is their content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = ((stat.S_IFLNK if name in links else stat.S_IFREG) | 0o644) << 16
            archive.writestr(info, content)
    return path


def with_field(archive: bytes, name: bytes, field: int, value: bytes) -> bytes:
    """Change a field of a file's two headers: 6 is the version needed, 8 the flags, 10 the method.

    ``field`` is its offset in the directory, two more than in the local header (APPNOTE.TXT 4.3.12 and 4.3.7).
    """
    content = bytearray(archive)
    for start in (content.index(name) - 30 - 2, content.rindex(name) - 46):
        content[start + field : start + field + len(value)] = value
    return bytes(content)


def imported(path: Path, *, size: int = 32, split: SplitChoice = DEFAULT_SPLIT) -> NewDataSet:
    """Read an archive or a folder as an import does."""
    return importing.read(path, origin=path.name, size=size, split=split)
