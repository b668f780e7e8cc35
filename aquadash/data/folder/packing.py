"""A kept data set as one file, to be sent to another machine, and back. Nothing in it is ever unpickled or executed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from aquadash.data.folder import about as told_of
from aquadash.data.folder.about import About
from aquadash.data.folder.store import load_from
from aquadash.errors import DataError, StorageError

#: The files of a data set, all of which it needs.
_FILES = ("about.json", "pictures.json", "images.npy")

#: So many data sets from elsewhere are kept; beyond that, the one that was not used for the longest goes.
_KEPT = 5


def fetched_folder() -> Path:
    """Where the data sets are that came from another machine, each under its fingerprint."""
    return told_of.folder() / ".fetched"


def pack(name: str, target: Path) -> About:
    """Write a data set into a ZIP file.

    Raises:
        UnknownNameError: There is none of that name.
        StorageError: It cannot be read or the file not be written.
    """
    told = told_of.about(name)
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for file in _FILES:
                archive.write(told_of.place_of(name) / file, file)
    except OSError as error:
        raise StorageError(f"The data set {told.title!r} cannot be packed ({error.strerror or error}).") from error
    return told


def use_fetched(name: str, fingerprint: str) -> bool:
    """Let this process find a data set from elsewhere under its name; returns False if it has not been fetched."""
    path = fetched_folder() / _checked(fingerprint)
    if not (path / "about.json").is_file():
        return False
    os.utime(path)
    told_of.use(name, path)
    return True


def unpack(archive_path: Path, fingerprint: str) -> None:
    """Keep a data set that came as a ZIP file, whole or not at all.

    Raises:
        DataError: It is damaged, or has another fingerprint.
        StorageError: It cannot be written.
    """
    target = fetched_folder() / _checked(fingerprint)
    try:
        fetched_folder().mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=fetched_folder()))
    except OSError as error:
        raise StorageError(f"The pictures cannot be kept in {fetched_folder()} ({error.strerror}).") from error
    try:
        with zipfile.ZipFile(archive_path) as archive:
            size = archive_path.stat().st_size
            for file in _FILES:
                info = archive.getinfo(file)
                # They are packed as they are, so that none can be larger than the whole.
                if info.compress_type != zipfile.ZIP_STORED or info.file_size > size:
                    raise ValueError("packed in another way")
                with archive.open(info) as source, (temporary / file).open("wb") as written:
                    shutil.copyfileobj(source, written, 2**20)
        about = About.from_dict(json.loads((temporary / "about.json").read_text(encoding="utf-8")))
        if load_from(temporary, about).fingerprint != fingerprint:
            raise DataError("The pictures that came are not those that were sent: their fingerprint differs.")
        if not target.exists():
            os.rename(temporary, target)
        _drop_old()
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise DataError(f"The pictures that came are damaged ({type(error).__name__}).") from error
    except OSError as error:
        if not target.exists():  # Another process has not been quicker, either.
            raise StorageError(f"The pictures cannot be kept in {fetched_folder()} ({error.strerror}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _drop_old() -> None:
    kept = [path for path in fetched_folder().iterdir() if not path.name.startswith(".")]
    for path in sorted(kept, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def _checked(fingerprint: str) -> str:
    """The fingerprint, once it is sure that it is one: it becomes part of a path."""
    if len(fingerprint) != 64 or not set(fingerprint) <= set("0123456789abcdef"):
        raise DataError(f"{fingerprint[:20]!r} is not the fingerprint of a data set.")
    return fingerprint
