"""The kept data sets of own pictures: one folder each in the home folder's ``datasets``.

A data set appears and goes as a whole, by the renaming of its folder. It never changes; another one may take its place.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.data.dataset import Dataset, Split
from aquadash.data.folder.about import (
    FORMAT,
    PREFIX,
    VERSION,
    About,
    about,
    clean_title,
    folder,
    name_for,
    place_of,
)
from aquadash.data.folder.splitting import Division
from aquadash.data.folder.types import CheckReport, LeftOut, Picture
from aquadash.data.mapped import let_go
from aquadash.data.progress import ProgressCallback
from aquadash.errors import DataError, StorageError
from aquadash.people import OWNER, Person, Thing

#: Deleted data sets of a person that are kept to be brought back.
_KEPT_DELETED = 5


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
        pictures = _pictures_in(path)
        if images.shape != (told.train + told.test, told.size, told.size, 3) or len(pictures) != len(images):
            raise ValueError("shape")
        images = images.view(np.ndarray)
        labels = np.array([picture.label for picture in pictures], dtype=np.int64)
        if not len(labels) or not 0 <= labels.min() <= labels.max() < len(told.class_names):
            raise ValueError("labels")
        names = tuple(picture.name for picture in pictures)
        cut = told.train
        train, test = Split(images[:cut], labels[:cut], names[:cut]), Split(images[cut:], labels[cut:], names[cut:])
    except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
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


def pictures_of(name: str) -> list[Picture]:
    """What is known of each picture, first those of training, then those of the test.

    Raises:
        DataError: It is damaged.
    """
    about(name)
    return _pictures_in(place_of(name))


def report_of(name: str) -> tuple[CheckReport, tuple[LeftOut, ...]]:
    """What the check found when the data set was made, and the files that could not be read.

    The positions in the report are not those of the data set's pictures.

    Raises:
        DataError: It is damaged.
    """
    about(name)
    values = _read_json(place_of(name) / "pictures.json")
    return CheckReport.from_dict(values["report"]), tuple(LeftOut(**one) for one in values["refused"])


def keep(
    title: str,
    images: NDArray[np.uint8],
    pictures: Sequence[Picture],
    division: Division,
    report: CheckReport,
    *,
    refused: Sequence[LeftOut],
    test_fraction: float,
    seed: int,
    origin: str,
    replace: bool = False,
    owner: Person = OWNER,
) -> About:
    """Write a data set, whole or not at all.

    Args:
        title: Its name follows from it.
        images: uint8 (n, size, size, 3).
        pictures: What is known of each.
        division: Which of them are for training and test.
        report: What the check found.
        refused: The files that could not be read.
        test_fraction: What the split was drawn with.
        seed: What the split was drawn with.
        origin: What the pictures came from, for people.
        replace: Take the place of a data set of that name, which can be brought back like a deleted one.
        owner: Whose it is.

    Raises:
        DataError: There is a data set of that name already, or the title cannot be used.
        StorageError: It cannot be written.
    """
    name, title = name_for(title), clean_title(title)
    target = folder() / name
    if target.exists() and not replace:
        raise DataError(f"There is a data set called {title!r} already. Choose another name, or delete that one first.")
    # A random order, as in the other sources: a large enough stretch of a split holds all classes.
    order = np.concatenate(
        [
            np.random.default_rng([seed, part]).permutation(rows)
            for part, rows in enumerate((division.train, division.test))
        ]
    )
    chosen = [pictures[row] for row in order.tolist()]
    temporary = folder() / f".new-{os.getpid()}-{time.time_ns()}"
    try:
        temporary.mkdir(parents=True)
        shape = (len(order), *images.shape[1:])
        written = np.lib.format.open_memmap(temporary / "images.npy", "w+", np.uint8, shape)
        start = 0
        for rows in np.array_split(order, max(1, len(order) // 100)):
            written[start : start + len(rows)] = images[rows]
            start += len(rows)
            let_go(images)
            let_go(written)
        written.flush()
        stored = written.view(np.ndarray)
        labels = np.array([picture.label for picture in chosen], dtype=np.int64)
        cut = len(division.train)
        blank = ("",) * len(order)
        dataset = Dataset(
            PREFIX + name, title, origin, False, report.class_names,
            Split(stored[:cut], labels[:cut], blank[:cut]), Split(stored[cut:], labels[cut:], blank[cut:]),
        )  # fmt: skip
        told = About(
            name, title, report.class_names, report.size, cut, len(division.test), report.given is not None,
            test_fraction, seed, dataset.fingerprint, time.time(), origin,
            owner.person_id, owner.name, owner.leads,
        )  # fmt: skip
        values = {
            "pictures": [asdict(picture) for picture in chosen],
            "refused": [asdict(one) for one in refused],
            "report": report.to_dict(),
        }
        (temporary / "pictures.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
        head = {"format": FORMAT, "version": VERSION, **asdict(told)}
        (temporary / "about.json").write_text(json.dumps(head, ensure_ascii=False, indent=1), encoding="utf-8")
        if replace and target.exists():
            _put_away(name)
        # Renaming onto a folder that somebody has filled in the meantime fails.
        os.rename(temporary, target)
    except OSError as error:
        if target.exists() and not replace:
            raise DataError(f"There is a data set called {title!r} already. Choose another name.") from None
        raise StorageError(f"The data set cannot be written in {folder()} ({error.strerror}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return told


def delete(name: str) -> str:
    """Delete a data set. Runs that were trained on it keep their results.

    Returns:
        What :func:`restore` takes to bring it back; the last few deleted ones are kept for that.

    Raises:
        UnknownNameError: There is none of that name.
        StorageError: It cannot be moved.
    """
    about(name)
    try:
        return _put_away(name)
    except OSError as error:
        raise StorageError(f"The data set cannot be deleted in {folder()} ({error.strerror}).") from error


def deleted() -> list[tuple[str, Thing]]:
    """The put-away data sets of all people, by what :func:`restore` takes, the last deleted first."""
    try:
        keys = sorted(os.listdir(_earlier()), key=lambda key: key.rpartition(".")[2], reverse=True)
    except OSError:
        return []
    return [(key, _thing_of(_earlier() / key)) for key in keys]


def _thing_of(place: Path) -> Thing:
    """Whose a put-away data set is; the machine owner's where that cannot be read."""
    try:
        return About.from_dict(_read_json(place / "about.json")).thing
    except (DataError, ValueError, KeyError, TypeError):
        return Thing("data set", place.name)


def restore(key: str) -> About:
    """Bring back what :func:`delete` has put away.

    Raises:
        DataError: It is not there any more, or another data set has its name now.
        StorageError: It cannot be moved.
    """
    if key not in dict(deleted()):
        raise DataError("The deleted data set is not there any more; it may have been brought back already.")
    name = key.rpartition(".")[0]
    if (folder() / name).exists():
        raise DataError(f"There is another data set called {name!r} now. Delete that one first.")
    try:
        os.rename(_earlier() / key, folder() / name)
    except OSError as error:
        raise StorageError(f"The data set cannot be brought back in {folder()} ({error.strerror}).") from error
    return about(name)


def _earlier() -> Path:
    return folder() / ".deleted"


def _put_away(name: str) -> str:
    key = f"{name}.{time.time_ns()}"
    _earlier().mkdir(parents=True, exist_ok=True)
    os.rename(folder() / name, _earlier() / key)
    # Of each person's, so that nobody pushes out what another has deleted by mistake.
    owner = _thing_of(_earlier() / key).owner
    for old in [old for old, thing in deleted() if thing.owner == owner][_KEPT_DELETED:]:
        shutil.rmtree(_earlier() / old, ignore_errors=True)
    return key


def _pictures_in(path: Path) -> list[Picture]:
    return [Picture.from_dict(values) for values in _read_json(path / "pictures.json")["pictures"]]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} of the data set cannot be read ({type(error).__name__}).") from error
