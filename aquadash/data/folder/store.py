"""The kept data sets of own pictures: one folder each in the home folder's ``datasets``.

A data set appears and goes as a whole, by the renaming of its folder. It never changes; another one may take its place.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from aquadash.data.dataset import Dataset, Split
from aquadash.data.folder.about import About, about, all_kept, folder, place_of
from aquadash.data.folder.types import CheckReport, Kept, LeftOut
from aquadash.data.progress import ProgressCallback
from aquadash.errors import DataError, StorageError

#: Prefix of the folder of a data set while another one takes its place.
_REPLACED = ".replaced-"
#: Replacing takes far less; an older folder was left by a killed process.
_REPLACING_SECONDS = 60.0


def load(name: str, *, progress: ProgressCallback | None = None) -> Dataset:
    """A data set; its images are read from the disk as they are looked at.

    Raises:
        UnknownNameError: There is none of that name.
        DataError: It is damaged.
    """
    return load_from(place_of(name), about(name))


def load_from(path: Path, told: About) -> Dataset:
    """The data set in a folder."""
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
    """Return the check's report of the import, whose positions are not the data set's, and the unreadable files."""
    about(name)
    try:
        kept = Kept.read(place_of(name) / "pictures.json")
    except (OSError, ValueError) as error:
        raise DataError(f"pictures.json of the data set cannot be read ({type(error).__name__}).") from error
    return kept.report, kept.refused


def adopt(new: Path, told: About, *, replacing: bool = False) -> None:
    """Give a complete folder of a data set its place and name."""
    target = folder() / told.name
    aside = None
    try:
        if target.exists():
            if not replacing:
                raise FileExistsError
            aside = folder() / f"{_REPLACED}{told.name}-{time.time_ns()}"
            os.rename(target, aside)
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


def recover() -> None:
    """Bring back data sets that a killed process had put aside before their new ones were in place."""
    for aside in folder().glob(f"{_REPLACED}*"):
        name, _, moved_at = aside.name.removeprefix(_REPLACED).rpartition("-")
        if not moved_at.isdigit() or time.time_ns() - int(moved_at) < _REPLACING_SECONDS * 1e9:
            continue
        if (folder() / name).exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            with suppress(OSError):
                os.rename(aside, folder() / name)


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


def _put_aside(name: str) -> Path:
    """Rename a data set's folder to a hidden name that is swept after a day, so that it goes as a whole."""
    aside = folder() / f".new-{name}-{time.time_ns()}"
    os.rename(folder() / name, aside)
    return aside
