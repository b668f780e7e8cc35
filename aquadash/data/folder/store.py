"""The kept data sets of own pictures: one folder each in the home folder's ``datasets``; and one as a file, to be sent
to another machine, and back.

A data set appears and goes as a whole, by the renaming of its folder. It never changes; another one may take its place.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from aquadash.data.dataset import Dataset, Split
from aquadash.data.folder.about import About, about, all_kept, folder, place_of, use
from aquadash.data.folder.types import CheckReport, Kept, LeftOut
from aquadash.data.progress import ProgressCallback
from aquadash.errors import DataError, StorageError
from aquadash.files import flush_to_disk, forget_oldest

#: The files of a data set, all of which it needs.
_FILES = ("about.json", "pictures.json", "images.npy")

#: So many data sets from elsewhere are kept; beyond that, the one that was not used for the longest goes.
_KEPT_FETCHED = 5


def load(name: str, *, progress: ProgressCallback | None = None) -> Dataset:
    """A data set; its images are read from the disk as they are looked at.

    Raises:
        UnknownNameError: There is none of that name.
        DataError: It is damaged.
    """
    return load_from(place_of(name), about(name))


def load_from(path: Path, told: About) -> Dataset:
    """The data set in a folder.

    Raises:
        DataError: It is damaged.
    """
    try:
        images = np.load(path / "images.npy", mmap_mode="r", allow_pickle=False)
        pictures = Kept.read(path / "pictures.json").pictures
        if images.shape != (told.train + told.test, told.size, told.size, 3) or len(pictures) != len(images):
            raise ValueError("shape")
        images = images.view(np.ndarray)
        labels = np.array([picture.label for picture in pictures], dtype=np.int64)
        if not len(labels) or not 0 <= labels.min() <= labels.max() < len(told.class_names):
            raise ValueError("labels")
        names = tuple(picture.name for picture in pictures)
        cut = told.train
        train, test = Split(images[:cut], labels[:cut], names[:cut]), Split(images[cut:], labels[cut:], names[cut:])
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise DataError(
            f"The data set {told.title!r} is damaged ({type(error).__name__}). Delete it and import its pictures again."
        ) from error
    split = "sorted into training and test" if told.split_given else "with a test split drawn at random"
    return Dataset(
        name=told.source,
        title=told.title,
        origin=f"Own pictures from {told.origin}, {split}; each cut to its middle square and scaled to {told.size} x "
        f"{told.size} pixels.",
        drawn=False,
        class_names=told.class_names,
        train=train,
        test=test,
    )


def report_of(name: str) -> tuple[CheckReport, tuple[LeftOut, ...]]:
    """What the check found when the data set was made, and the files that could not be read.

    The positions in the report are not those of the data set's pictures.

    Raises:
        DataError: It is damaged.
    """
    about(name)
    try:
        kept = Kept.read(place_of(name) / "pictures.json")
    except (OSError, ValueError) as error:
        raise DataError(f"pictures.json of the data set cannot be read ({type(error).__name__}).") from error
    return kept.report, kept.refused


def adopt(new: Path, told: About, *, replacing: bool = False) -> None:
    """Give a complete folder of a data set its place and name.

    Args:
        new: The folder, on the disk of :func:`about.folder`; it stays where an error is raised.
        told: What is known of the data set.
        replacing: Delete a data set of that name once this one has its place.

    Raises:
        DataError: There is a data set of that name already.
        StorageError: It cannot be moved.
    """
    target = folder() / told.name
    aside = None
    try:
        if target.exists():
            if not replacing:
                raise FileExistsError
            aside = _put_aside(told.name)
        try:
            # Renaming onto a folder that another process has filled in the meantime fails.
            os.rename(new, target)
        except OSError:
            if aside is not None:
                os.rename(aside, target)
            raise
    except OSError as error:
        if target.exists() and not replacing:
            there = all_kept().get(told.name)
            called = repr(there.title if there else told.name)
            raise DataError(
                f"There is a data set called {called} already. Choose another name, or delete that one first."
            ) from None
        raise StorageError(f"The data set cannot be written in {folder()} ({error.strerror}).") from error
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)


def delete(name: str) -> None:
    """Delete a data set for good. Runs that were trained on it keep their results.

    Raises:
        UnknownNameError: There is none of that name.
        StorageError: It cannot be moved.
    """
    about(name)
    try:
        shutil.rmtree(_put_aside(name), ignore_errors=True)
    except OSError as error:
        raise StorageError(f"The data set cannot be deleted in {folder()} ({error.strerror}).") from error


def fetched_folder() -> Path:
    """Where the data sets are that came from another machine, each under its fingerprint."""
    return folder() / ".fetched"


def pack(name: str, target: Path) -> About:
    """Write a data set into a ZIP file.

    Raises:
        UnknownNameError: There is none of that name.
        StorageError: It cannot be read or the file not be written.
    """
    told = about(name)
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for file in _FILES:
                archive.write(place_of(name) / file, file)
    except OSError as error:
        raise StorageError(f"The data set {told.title!r} cannot be packed ({error.strerror or error}).") from error
    return told


def use_fetched(name: str, fingerprint: str) -> bool:
    """Let this process find a data set from elsewhere under its name; returns False if it has not been fetched."""
    path = fetched_folder() / _checked(fingerprint)
    if not (path / "about.json").is_file():
        return False
    os.utime(path)
    use(name, path)
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
                    flush_to_disk(written)
        told = About.from_dict(json.loads((temporary / "about.json").read_text(encoding="utf-8")))
        if load_from(temporary, told).fingerprint != fingerprint:
            raise DataError(
                "The pictures that came are not those that were sent: their fingerprint differs. Start the run "
                "again from the Train page."
            )
        if not target.exists():
            # It is the newest only now: others may have been used since its last file was begun.
            os.utime(temporary)
            os.rename(temporary, target)
        forget_oldest(fetched_folder(), "[!.]*", max_files=_KEPT_FETCHED)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, RuntimeError) as error:
        raise DataError(
            f"The pictures that came are damaged ({type(error).__name__}). Start the run again from the Train page."
        ) from error
    except OSError as error:
        if not target.exists():  # Another process has not been quicker, either.
            raise StorageError(f"The pictures cannot be kept in {fetched_folder()} ({error.strerror}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put_aside(name: str) -> Path:
    """Rename a data set's folder to a hidden name that is swept after a day, so that it goes as a whole."""
    aside = folder() / f".new-{name}-{time.time_ns()}"
    os.rename(folder() / name, aside)
    return aside


def _checked(fingerprint: str) -> str:
    """The fingerprint, once it is sure that it is one: it becomes part of a path."""
    if len(fingerprint) != 64 or not set(fingerprint) <= set("0123456789abcdef"):
        raise DataError(f"{fingerprint[:20]!r} is not the fingerprint of a data set.")
    return fingerprint
