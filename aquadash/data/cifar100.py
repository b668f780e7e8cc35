"""The five aquatic mammals of CIFAR-100.

CIFAR-100: Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. Each row of a batch holds an
image as 1024 red, 1024 green and 1024 blue values, row by row (https://www.cs.toronto.edu/~kriz/cifar.html).
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash import settings
from aquadash.data import archive
from aquadash.data.dataset import Dataset, Split
from aquadash.data.download import download
from aquadash.data.progress import ProgressCallback, in_turn, silent
from aquadash.errors import DataError
from aquadash.files import file_digest, keep

FILE_NAME = "cifar-100-python.tar.gz"

#: Address and hash as in ``keras.datasets.cifar100`` of Keras 3.
URL = f"https://www.cs.toronto.edu/~kriz/{FILE_NAME}"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
SIZE = 169_001_437

#: The fine label in CIFAR-100 of each of the report's classes, in the report's order.
FINE_LABELS = {"beaver": 4, "dolphin": 30, "otter": 55, "seal": 72, "whale": 95}
IMAGES_PER_CLASS = {"train": 500, "test": 100}

#: Part of the cache's key. Raise it when the decoded form changes.
_CACHE_VERSION = 1

_download_lock = Lock()


@dataclass(frozen=True)
class FetchResult:
    """The archive in use."""

    #: The archive, or a folder with its unpacked files.
    path: Path
    #: The hash of the archive; None for a folder.
    sha256: str | None
    #: Whether the hash is that of the official archive.
    verified: bool


def locate() -> Path | None:
    """Return the archive of ``AQUADASH_CIFAR100``, else of the home folder or Keras's cache; None without one."""
    named = settings.cifar100_archive()
    if named is not None:
        if not os.path.exists(named):
            raise DataError(
                f"AQUADASH_CIFAR100 names {named}, which does not exist. Correct the path, or unset the variable to "
                "have CIFAR-100 looked for elsewhere and downloaded if need be."
            )
        nested = named / archive.FOLDER
        return nested if nested.is_dir() else named
    keras_cache = settings.keras_home() / "datasets"
    candidates = (
        _stored_path(),
        keras_cache / FILE_NAME,
        keras_cache / "cifar-100-python-target_archive",
        keras_cache / "cifar-100-python_archive",
        keras_cache / "cifar-100-python-target" / archive.FOLDER,
        keras_cache / archive.FOLDER,
    )
    for path in candidates:
        if os.path.isfile(path) or all(os.path.isfile(path / name) for name in archive.MEMBER_LIMITS):
            return path
    return None


def fetch(progress: ProgressCallback | None = None) -> FetchResult:
    """Return the archive of :func:`locate`, or download it."""
    path = locate() or _download(progress or silent)
    sha256 = None if path.is_dir() else _sha256(path)
    return FetchResult(path, sha256, sha256 == SHA256)


def cache_key() -> str | None:
    """Return a text that changes with the archive in use; None without an archive."""
    path = locate()
    return None if path is None else _key_of(path)


def load(*, progress: ProgressCallback | None = None) -> Dataset:
    """Return the aquatic mammals, in the archive's order; labels follow the order of :data:`FINE_LABELS`."""
    report = progress or silent
    path = locate() or _download(report)
    copy = settings.home() / "cache" / f"cifar100-{_key_of(path)}.npz"
    cached = _read_copy(copy)
    if cached is not None:
        train, test, note = cached
    else:
        report("Reading CIFAR-100", None)
        train, test = decode(archive.read_members(path), archive_name=path.name)
        official = path.is_file() and _sha256(path) == SHA256
        note = "the official archive" if official else "a copy that is not the official archive byte for byte"
        _write_copy(copy, train, test, note)
    return Dataset(
        name="cifar100",
        title="CIFAR-100 aquatic mammals",
        origin="Photographs from CIFAR-100 (Alex Krizhevsky, 2009): the five classes of its aquatic mammals. "
        f"Read from {path}, {note}.",
        drawn=False,
        class_names=tuple(FINE_LABELS),
        train=train,
        test=test,
    )


#: The most test images of the other classes. Some models would need more time for all 9,500 than for their training.
_MAX_OTHERS = 2_000


def other_classes() -> NDArray[np.uint8] | None:
    """Return test images of CIFAR-100's other 95 classes, which measure how well a model rejects unknown pictures."""
    path = locate()
    if path is None:
        return None
    copy = settings.home() / "cache" / f"strangers-{_MAX_OTHERS}-{_key_of(path)}.npy"
    with suppress(OSError, ValueError, EOFError):
        return np.asarray(np.load(copy, allow_pickle=False))
    what = f"'test' in {path.name}"
    rows, fine = _rows(archive.unpickle(archive.read_members(path)["test"], what=what), what)
    if len(rows) != len(fine):
        raise DataError(f"{what} is damaged: it has {len(rows):,} images and {len(fine):,} labels.")
    others = _images(rows[~np.isin(fine, list(FINE_LABELS.values()))])
    if len(others) > _MAX_OTHERS:
        others = others[np.arange(_MAX_OTHERS) * len(others) // _MAX_OTHERS]
    if not len(others):
        return None
    keep(copy, partial(np.save, arr=others))
    return others


def decode(members: dict[str, bytes], *, archive_name: str) -> tuple[Split, Split]:
    """Turn the pickles ``train``, ``test`` and ``meta`` of an archive into the two splits."""
    what = f"'meta' in {archive_name}"
    fine = _texts(_field(archive.unpickle(members["meta"], what=what), "fine_label_names", what), what)
    for name, label in FINE_LABELS.items():
        if label >= len(fine) or fine[label] != name:
            actual = fine[label][:40] if label < len(fine) else "missing"
            raise DataError(f"{what} is not CIFAR-100's: class {label} is {actual!r}; expected {name!r}.")
    train, test = (_decode_batch(members[part], part, f"'{part}' in {archive_name}") for part in ("train", "test"))
    return train, test


def _decode_batch(member: bytes, part: str, what: str) -> Split:
    values = archive.unpickle(member, what=what)
    data, fine = _rows(values, what)
    names = _field(values, "filenames", what)
    if not isinstance(names, list):
        raise DataError(f"{what} is damaged: its file names are a {type(names).__name__}; expected a list.")
    lengths = (len(data), len(fine), len(names))
    if len(set(lengths)) > 1:
        kinds = ("images", "fine labels", "file names")
        counted = ", ".join(f"{count:,} {kind}" for count, kind in zip(lengths, kinds, strict=True))
        raise DataError(f"{what} is damaged: it has {counted}; expected the same number of each.")
    positions = np.flatnonzero(np.isin(fine, list(FINE_LABELS.values())))
    to_label = np.full(100, -1, dtype=np.int64)
    to_label[list(FINE_LABELS.values())] = np.arange(len(FINE_LABELS))
    names = tuple(_texts([names[i] for i in positions], what))
    split = Split(_images(data[positions]), to_label[fine[positions]], names)
    counts = np.bincount(split.labels, minlength=len(FINE_LABELS))
    if (counts != IMAGES_PER_CLASS[part]).any():
        counted = ", ".join(f"{count} {name}" for name, count in zip(FINE_LABELS, counts, strict=True))
        raise DataError(f"{what} is incomplete: it has {counted}; expected {IMAGES_PER_CLASS[part]} of each.")
    return split


def _rows(values: Any, what: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the rows of a batch, (n, 3072), and its fine labels, which may be more or fewer than n."""
    data = _field(values, "data", what)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072:
        actual = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise DataError(f"{what} is damaged: its images are {actual}; expected bytes in rows of 3072.")
    return data, _labels(_field(values, "fine_labels", what), what)


def _images(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn rows of 3072 bytes into images of 32x32x3."""
    return np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _field(values: Any, name: str, what: str) -> Any:
    """Return an entry of a dictionary, whose keys are text or, written by Python 2, bytes."""
    if isinstance(values, dict):
        for key in (name.encode(), name):
            if key in values:
                return values[key]
    raise DataError(f"{what} is damaged: it has no {name!r}.")


def _labels(values: Any, what: str) -> NDArray[np.int64]:
    plain = isinstance(values, list) and all(type(value) is int for value in values)
    if plain or (isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "iu"):
        if not len(values) or 0 <= min(values) <= max(values) < 100:
            return np.asarray(values, dtype=np.int64)
    raise DataError(f"{what} is damaged: its labels are not whole numbers from 0 to 99.")


def _texts(values: Any, what: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, bytes | str) for value in values):
        raise DataError(f"{what} is damaged: its names are not text.")
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]


def _download(report: ProgressCallback) -> Path:
    """Download the archive into the home folder; a second caller waits for the first download."""
    target = _stored_path()
    with in_turn(_download_lock, "Waiting for a download that is under way", report):
        if target.is_file():
            return target
        try:
            download(target, url=URL, sha256=SHA256, size=SIZE, progress=report)
        except DataError as error:
            raise DataError(
                f"CIFAR-100 is not on this computer and could not be downloaded: {error}. Either put {FILE_NAME} (from "
                f"https://www.cs.toronto.edu/~kriz/cifar.html) into {target.parent}, or use the data set 'synthetic', "
                "which needs no download."
            ) from None
        return target


def _stored_path() -> Path:
    return settings.home() / "data" / FILE_NAME


def _sha256(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise DataError(f"The CIFAR-100 archive {path} cannot be read ({error.strerror}).") from None


def _key_of(path: Path) -> str:
    """Return a digest of path, sizes and times; hashing the content would take longer than the cache saves."""
    files = [path / name for name in archive.MEMBER_LIMITS] if path.is_dir() else [path]
    parts = [str(_CACHE_VERSION), str(path)]
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue  # The error is raised when the file is read.
        parts.append(f"{stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _read_copy(copy: Path) -> tuple[Split, Split, str] | None:
    """Return training split, test split and note from the cache; None without a sound copy."""
    try:
        # np.load does not close a file that is not a ZIP archive.
        with copy.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            train, test = (
                Split(
                    arrays[f"{part}_images"],
                    arrays[f"{part}_labels"].astype(np.int64, casting="safe"),
                    tuple(arrays[f"{part}_names"].tolist()),
                )
                for part in ("train", "test")
            )
            return train, test, str(arrays["note"])
    except Exception:  # A damaged file can raise nearly any exception.
        return None


def _write_copy(copy: Path, train: Split, test: Split, note: str) -> None:
    """Cache both splits and a note; a failure is ignored, since the archive can be decoded again."""
    arrays = {"note": np.array(note)}
    for part, split in (("train", train), ("test", test)):
        arrays[f"{part}_images"] = split.images
        arrays[f"{part}_labels"] = split.labels
        arrays[f"{part}_names"] = np.array(split.file_names, dtype=np.str_)
    keep(copy, lambda file: np.savez(file, allow_pickle=False, **arrays))
