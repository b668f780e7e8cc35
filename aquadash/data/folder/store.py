"""The kept data sets of own pictures: one folder each in the home folder's ``datasets``.

Renaming a folder adds or removes a whole data set at once. A data set never changes, but another one can replace it.
"""

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

#: The prefix of the folder of a data set while another one replaces it.
_REPLACED = ".replaced-"
#: The age in seconds from which such a folder counts as left by a killed process; replacing takes far less.
_REPLACING_SECONDS = 60.0


def load(name: str, *, progress: ProgressCallback | None = None) -> Dataset:
    """Return a data set, whose images are mapped from the disk."""
    return load_from(place_of(name), about(name))


def load_from(path: Path, record: About) -> Dataset:
    """Return the data set in a folder; a damaged one raises a ``DataError``."""
    try:
        images = np.load(path / "images.npy", mmap_mode="r", allow_pickle=False)
        pictures = Kept.read(path / "pictures.json").pictures
        if images.shape != (record.train + record.test, record.size, record.size, 3) or len(pictures) != len(images):
            raise ValueError("shape")
        images = images.view(np.ndarray)
        labels = np.array([picture.label for picture in pictures], dtype=np.int64)
        if not len(labels) or not 0 <= labels.min() <= labels.max() < len(record.class_names):
            raise ValueError("labels")
        names = tuple(picture.name for picture in pictures)
        cut = record.train
        train, test = Split(images[:cut], labels[:cut], names[:cut]), Split(images[cut:], labels[cut:], names[cut:])
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise DataError(
            f"The data set {record.title!r} is damaged ({type(error).__name__}). Delete it and import its pictures "
            "again."
        ) from error
    split = "sorted into training and test" if record.split_given else "with a test split drawn at random"
    return Dataset(
        name=record.source,
        title=record.title,
        origin=f"Own pictures from {record.origin}, {split}; each cut to its middle square and scaled to "
        f"{record.size} x {record.size} pixels.",
        drawn=False,
        class_names=record.class_names,
        train=train,
        test=test,
    )


def report_of(name: str) -> tuple[CheckReport, tuple[LeftOut, ...]]:
    """Return the checks of the import, with positions in the order of reading, and the unreadable files."""
    about(name)
    try:
        kept = Kept.read(place_of(name) / "pictures.json")
    except (OSError, ValueError) as error:
        raise DataError(f"pictures.json of the data set cannot be read ({type(error).__name__}).") from error
    return kept.report, kept.refused


def adopt(new: Path, record: About, *, replacing: bool = False) -> None:
    """Move the complete folder of a data set to its place."""
    target = folder() / record.name
    aside = None
    try:
        if target.exists():
            if not replacing:
                raise FileExistsError
            aside = folder() / f"{_REPLACED}{record.name}-{time.time_ns()}"
            os.rename(target, aside)
        try:
            # This fails if another process has filled the folder in the meantime.
            os.rename(new, target)
        except OSError:
            if aside is not None:
                os.rename(aside, target)
            raise
    except OSError as error:
        if target.exists() and not replacing:
            present = all_kept().get(record.name)
            called = repr(present.title if present else record.name)
            raise DataError(
                f"There is a data set called {called} already. Choose another name, or delete that one first."
            ) from None
        raise StorageError(f"The data set cannot be written in {folder()} ({error.strerror}).") from error
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)


def recover() -> None:
    """Restore data sets that a killed process had moved aside before their new ones were in place."""
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
    """Delete a data set for good; the results of its runs stay."""
    about(name)
    # Rename it first: a folder of this name is removed after a day, even if this process is killed now.
    aside = folder() / f".new-{name}-{time.time_ns()}"
    try:
        os.rename(folder() / name, aside)
    except OSError as error:
        raise StorageError(f"The data set cannot be deleted in {folder()} ({error.strerror}).") from error
    shutil.rmtree(aside, ignore_errors=True)
