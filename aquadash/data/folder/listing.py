"""The files of a ZIP archive or folder, sorted into classes by their folders; nothing is unpacked to the disk."""

import os
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from aquadash.data.folder.types import Entry, LeftOut, Listing, Part
from aquadash.data.image_kinds import kind_of
from aquadash.data.images import MAX_BYTES, display_name
from aquadash.errors import DataError
from aquadash.zips import ZipLimits, member_chunks, member_fault, open_zip

#: The most left-out files that are kept by name.
MAX_NAMED = 200

#: The folders above the classes. Validation images count as training images, from which a run draws its own.
SPLIT_FOLDERS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "train",
    "valid": "train",
    "validation": "train",
    "test": "test",
    "testing": "test",
}

#: Files and folders that operating systems and programs put beside pictures.
_CLUTTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "__pycache__"})

#: The greatest depth of folders.
_MAX_DEPTH = 20

MAX_FILES = 50_000


@dataclass(frozen=True)
class File:
    """A file of an archive or folder."""

    #: The parts of its path.
    parts: tuple[str, ...]
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The path for people."""
        return "/".join(self.parts)


@contextmanager
def opened(path: Path | Sequence[File], *, name: str = "") -> Iterator[Listing]:
    """Yield the pictures of an archive, a folder or files; ``name`` is for people, by default the file's name."""
    if not isinstance(path, Path):
        yield sort(path)
        return
    # Unlike Path.is_dir, os.path.isdir returns False for a path that is too long.
    if os.path.isdir(path):
        yield sort(*_of_folder(path))
        return
    shown = display_name(name or path.name)
    with _archive(path, shown) as archive:
        yield sort(*_of_archive(archive))


def _archive(path: Path, shown: str) -> zipfile.ZipFile:
    if not os.path.isfile(path):
        raise DataError(f"{display_name(str(path))} cannot be found. Give the path of a ZIP file or a folder.")
    again = "Pack the folder again, as ZIP; other archives, such as RAR and 7z, cannot be read."
    try:
        with path.open("rb") as file:
            start = file.read(4096)
        kind = kind_of(start)
        if start and kind.name not in ("archive", "unknown"):
            raise DataError(f"{shown} is {kind.title}, not a ZIP archive. {again}")
        # 10,000 photographs of a phone have 40 GB. The list of 50,000 files with long paths has 15 MB.
        limits = ZipLimits(members=MAX_FILES, unpacked_bytes=40_000_000_000, list_bytes=40_000_000)
        return open_zip(path, limits, name=shown, remedy=again)
    except OSError as error:
        raise DataError(f"{shown} cannot be read ({error.strerror or error}).") from error


def sort(files: Sequence[File], left_out: Sequence[LeftOut] = ()) -> Listing:
    """Sort files into classes: the folders of the first level with several ones, or those in train and test folders."""
    if left_out and not files:
        raise DataError(f"There is no file that can be read. {left_out[0].name}: {left_out[0].reason}")
    candidates, out = [], list(left_out)
    for file in files:
        if any(part.startswith(".") or part.casefold() in _CLUTTER for part in file.parts):
            continue
        if len(file.parts) > _MAX_DEPTH:
            out.append(_left_out(file.name, f"It lies {len(file.parts)} folders deep; at most {_MAX_DEPTH} are read."))
            continue
        candidates.append(file)
    level = _first_level(candidates)
    tops = {file.parts[level].casefold().strip() for file in candidates if len(file.parts) > level + 1}
    split_given = {SPLIT_FOLDERS[top] for top in tops if top in SPLIT_FOLDERS} == {"train", "test"}
    # A single training folder is skipped like any folder around all others.
    below_split = split_given or (bool(tops) and tops <= set(SPLIT_FOLDERS))
    class_level = level + below_split
    by_class: dict[str, list[tuple[File, Part | None]]] = {}
    for file in sorted(candidates, key=lambda one: one.parts):
        part = SPLIT_FOLDERS.get(file.parts[level].casefold().strip()) if len(file.parts) > level else None
        if (below_split and part is None) or len(file.parts) < class_level + 2:
            out.append(_left_out(file.name, "It lies in no class's folder. Move it into the folder of its class."))
            continue
        by_class.setdefault(class_key(file.parts[class_level]), []).append((file, part if split_given else None))
    if not by_class:
        raise DataError(
            "There are no folders with pictures in them. Expected one folder per class, named after it, with its "
            "pictures inside: cats/1.jpg, cats/2.jpg, dogs/1.jpg ..."
        )
    keys = sorted(by_class, key=lambda key: (_natural(key), key))
    entries = [
        Entry(part, label, "/".join(map(display_name, file.parts[-2:])), file.read)
        for label, key in enumerate(keys)
        for file, part in by_class[key]
    ]
    return Listing(_class_names(keys), tuple(entries), tuple(out[:MAX_NAMED]), len(out), split_given)


def _left_out(name: str, reason: str) -> LeftOut:
    return LeftOut(display_name(name), reason)


def class_key(folder: str) -> str:
    """Return a folder's name in one form of Unicode and blanks, without commas, which separate names in addresses."""
    return " ".join(unicodedata.normalize("NFC", folder).replace(",", " ").split())


def _class_names(keys: Sequence[str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    same: Counter[str] = Counter()
    for key in keys:
        shown = name = display_name(key)
        while name in names:
            same[shown] += 1
            name = f"{shown[:50]} ({same[shown] + 1})"
        names[name] = None
    return tuple(names)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key by which "class 9" comes before "class 10", without regard to case."""
    parts = re.findall(r"0*([0-9]+)|([^0-9])", name.casefold())
    # Compared by length, then as text, since int() refuses thousands of digits.
    return [(0, len(number), number) if number else (1, 0, letter) for number, letter in parts] + [(1, 0, "\0")]


def _first_level(files: Sequence[File]) -> int:
    """Return the level at which folders begin to differ: many archives contain one folder around all others."""
    level = 0
    while True:
        folders = {file.parts[level] for file in files if len(file.parts) > level + 1}
        direct = any(len(file.parts) == level + 1 for file in files)
        below = {file.parts[level + 1] for file in files if len(file.parts) > level + 2}
        if len(folders) != 1 or not below or (direct and len(below) < 2):
            return level
        if next(iter(folders)).casefold().strip() in SPLIT_FOLDERS:
            return level
        # A single folder whose own files are pictures is a class with sub-folders, not a wrapper around classes.
        if any(len(file.parts) == level + 2 for file in files) and len(below) < 2:
            return level
        level += 1


def _of_archive(archive: zipfile.ZipFile) -> tuple[list[File], list[LeftOut]]:
    files: list[File] = []
    left_out: list[LeftOut] = []
    seen: set[str] = set()
    for info in archive.infolist():
        name = _name_of(info).replace("\\", "/")
        if name.endswith("/"):
            continue
        path = PurePosixPath(name)
        if fault := member_fault(info, name):
            left_out.append(_left_out(name, fault))
        elif info.filename in seen:
            left_out.append(_left_out(name, "The archive holds a file of this name already. Rename one of them."))
        elif path.suffix.casefold() == ".zip":
            left_out.append(_left_out(name, "An archive within the archive is not opened. Unpack it first."))
        else:
            files.append(File(path.parts, partial(_read_member, archive, info)))
        seen.add(info.filename)
    return files, left_out


def _name_of(info: zipfile.ZipInfo) -> str:
    # Apple's archiver writes UTF-8 without its flag (APPNOTE.TXT 6.3.10, appendix D), so zipfile decodes code page 437.
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):
            return info.filename.encode("cp437").decode("utf-8")
    return info.filename


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    data = bytearray()
    for chunk in member_chunks(archive, info):
        data += chunk
        if len(data) > MAX_BYTES:
            break
    return bytes(data)


def _of_folder(folder: Path) -> tuple[list[File], list[LeftOut]]:
    files: list[File] = []
    left_out: list[LeftOut] = []
    for walked, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        parts = Path(walked).relative_to(folder).parts
        links = [name for name in folders if os.path.islink(os.path.join(walked, name))]
        for name in sorted(names) + links:
            path = Path(walked, name)
            if path.is_symlink():
                left_out.append(_left_out("/".join((*parts, name)), "It is a link. Put the picture itself there."))
            elif path.suffix.casefold() == ".zip":
                left_out.append(_left_out("/".join((*parts, name)), "An archive within the folder is not opened."))
            elif path.is_file():
                files.append(File((*parts, name), partial(_read_file, path)))
        if len(files) > MAX_FILES:
            raise DataError(f"{folder.name} has more than {MAX_FILES:,} files. Choose a part of the pictures.")
    return files, left_out


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
