"""An import: pictures are read, checked and divided into a data set without a name, which is kept or discarded."""

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aquadash.data.dataset import let_go
from aquadash.data.duplicates import find_copies
from aquadash.data.folder import about, checks, listing, reading, splitting, store
from aquadash.data.folder.about import FORMAT, VERSION, About, clean_title, name_for
from aquadash.data.folder.splitting import DEFAULT_SPLIT, Division, SplitChoice
from aquadash.data.folder.types import CheckReport, Kept, LeftOut, Picture
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import DataError, StorageError
from aquadash.files import write_whole
from aquadash.people import OWNER, Person

#: The most bytes of a data set's pictures on the disk.
MAX_STORED = 4_000_000_000


@dataclass(frozen=True, eq=False)
class NewDataSet:
    """A data set without a name, in a hidden folder beside the kept ones until it is kept or discarded."""

    #: The folder with the files of a kept data set except ``about.json``; empty if ``report`` has a problem.
    folder: Path
    #: The record; name, title and owner are set when it is kept.
    about: About
    #: The pictures that could be read; ``report`` and ``division`` hold positions in them.
    pictures: tuple[Picture, ...]
    #: The files that could not be read.
    refused: tuple[LeftOut, ...]
    #: The result of the checks.
    report: CheckReport
    #: The pictures for training and for the test.
    division: Division
    #: The images of the pictures that ``report`` names, by their position: uint8 (size, size, 3).
    examples: dict[int, NDArray[np.uint8]]

    def keep(self, title: str, *, replacing: bool = False, owner: Person = OWNER) -> About:
        """Make it a data set, whole or not at all; ``replacing`` one of the same name."""
        if problems := self.report.of_severity("problem"):
            names = f": {', '.join(problems[0].names[:5])}" if problems[0].names else ""
            raise DataError(f"{problems[0].title}{names}. {problems[0].advice}")
        kept = replace(
            self.about,
            name=name_for(title),
            title=clean_title(title),
            created=time.time(),
            owner=owner.person_id,
            owner_name=owner.name,
            shared=owner.leads,
        )
        if not self.folder.is_dir():
            raise DataError("These pictures are not there any more: they were kept or discarded. Add them again.")
        head = {"format": FORMAT, "version": VERSION, **asdict(kept)}
        try:
            write_whole(self.folder / "about.json", json.dumps(head, ensure_ascii=False, indent=1))
        except OSError as error:
            raise _cannot_keep(error) from error
        store.adopt(self.folder, kept, replacing=replacing)
        return kept

    def discard(self) -> None:
        """Delete it, unless it was kept or is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)


def read(
    source: Path | bytes | Sequence[listing.File],
    *,
    origin: str,
    size: int,
    split: SplitChoice = DEFAULT_SPLIT,
    progress: ProgressCallback = silent,
) -> NewDataSet:
    """Read, check and divide the pictures of an archive (or its bytes), a folder or files; a failure leaves nothing.

    ``size`` is the side in pixels to which the pictures are scaled.
    """
    if size not in reading.SIZES:
        raise DataError(f"The size is {size}; expected one of {', '.join(map(str, reading.SIZES))} pixels.")
    try:
        about.folder().mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=about.folder()))
    except OSError as error:
        raise _cannot_keep(error) from error
    try:
        if isinstance(source, bytes):
            (folder / "upload.zip").write_bytes(source)
            source = folder / "upload.zip"
        return _read(source, folder, origin, size, split, progress)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise _cannot_keep(error) from error
        if isinstance(error, MemoryError):
            raise DataError("There is not enough memory. Choose a smaller size or fewer pictures.") from error
        raise


def _read(
    source: Path | Sequence[listing.File],
    folder: Path,
    origin: str,
    size: int,
    split: SplitChoice,
    progress: ProgressCallback,
) -> NewDataSet:
    raw = folder / "images.raw"
    progress("Opening", None)
    with listing.opened(source, name=origin) as files:
        if not split.use_given:
            files = replace(files, split_given=False, entries=tuple(replace(one, part=None) for one in files.entries))
        if (needed := len(files.entries) * size**2 * 3) > MAX_STORED:
            raise DataError(
                f"{len(files.entries):,} pictures of {size} x {size} pixels take {needed / 1e9:.1f} GB; at most "
                f"{MAX_STORED / 1e9:.0f} GB are kept. Choose a smaller size or fewer pictures."
            )
        pictures, refused = reading.read_all(
            files.entries, size=size, out=raw, progress=partial(_report, progress, 0.0, 0.9)
        )
    (folder / "upload.zip").unlink(missing_ok=True)
    images = reading.stored_images(raw, count=len(pictures), size=size)
    near = find_copies([picture.sha256 for picture in pictures], images, progress=partial(_report, progress, 0.9, 0.06))
    division = splitting.divide(
        pictures, near, num_classes=len(files.class_names), split_given=files.split_given, choice=split
    )
    report = checks.examine(files, pictures, refused, near, division, size=size)
    examples = {row: images[row].copy() for finding in report.findings for row in finding.rows}
    made = About(
        name="",
        title="",
        class_names=files.class_names,
        size=size,
        train=len(division.train),
        test=len(division.test),
        split_given=files.split_given,
        test_fraction=split.fraction,
        seed=split.seed,
        fingerprint="",
        created=time.time(),
        origin=origin,
    )
    if report.usable:
        # In random order, as in the other sources, so that a part of a split has all classes.
        order = np.concatenate(
            [
                np.random.default_rng([split.seed, part]).permutation(rows)
                for part, rows in enumerate((division.train, division.test))
            ]
        )
        _write(folder / "images.npy", images, order, partial(_report, progress, 0.96, 0.04))
        Kept(tuple(pictures[row] for row in order.tolist()), refused, report).write(folder / "pictures.json")
        made = replace(made, fingerprint=store.load_from(folder, made).fingerprint)
    raw.unlink()
    return NewDataSet(folder, made, pictures, refused, report, division, examples)


def _write(path: Path, images: NDArray[np.uint8], order: NDArray[np.intp], progress: ProgressCallback) -> None:
    written = np.lib.format.open_memmap(path, "w+", np.uint8, (len(order), *images.shape[1:]))
    start = 0
    for rows in np.array_split(order, max(1, len(order) // 100)):
        written[start : start + len(rows)] = images[rows]
        start += len(rows)
        let_go(images)
        let_go(written)
        progress("Dividing the pictures", start / len(order))
    written.flush()


def _report(progress: ProgressCallback, begin: float, part: float, text: str, fraction: float | None) -> None:
    """Report the progress of a part of the work; ``begin`` and ``part`` are fractions of the whole."""
    progress(text, None if fraction is None else begin + part * fraction)


def _cannot_keep(error: OSError) -> StorageError:
    return StorageError(f"The pictures cannot be kept in {about.folder()} ({error.strerror}).")
