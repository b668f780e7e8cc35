"""An import: pictures are read, checked and divided into a data set without a name, which is kept or thrown away."""

from __future__ import annotations

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

#: Most bytes that the pictures of a data set may take on the disk.
MAX_STORED = 4_000_000_000


@dataclass(frozen=True, eq=False)
class NewDataSet:
    """A data set without a name, in a hidden folder beside the kept ones until it is kept or discarded."""

    #: Has the files of a kept data set but ``about.json``; empty where ``report`` has a problem.
    folder: Path
    #: Its record; name, title and owner are set when it is kept.
    about: About
    #: The pictures that could be read; ``report`` and ``division`` hold positions in them.
    pictures: tuple[Picture, ...]
    #: The files that could not be read.
    refused: tuple[LeftOut, ...]
    #: The result of the checks.
    report: CheckReport
    #: Which pictures are for training and for the test.
    division: Division
    #: The images of the pictures that ``report`` names, by their position: uint8 (size, size, 3).
    examples: dict[int, NDArray[np.uint8]]

    def keep(self, title: str, *, replacing: bool = False, owner: Person = OWNER) -> About:
        """Make it a data set, whole or not at all.

        Args:
            title: Its name for people, from which the folder's name follows.
            replacing: Take the place of a data set of that name.

        Raises:
            DataError: A problem stands in the way, there is a data set of that name already, the title cannot be used,
                or the pictures are not there any more.
            StorageError: It cannot be written.
        """
        if problems := self.report.of_severity("problem"):
            names = f": {', '.join(problems[0].names[:5])}" if problems[0].names else ""
            raise DataError(f"{problems[0].title}{names}. {problems[0].advice}")
        kept = replace(
            self.about,
            name=name_for(title), title=clean_title(title), created=time.time(),
            owner=owner.person_id, owner_name=owner.name, shared=owner.leads,
        )  # fmt: skip
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
        """Throw it away; no error where it was kept or is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)


def read(
    source: Path | bytes | Sequence[listing.File],
    *,
    origin: str,
    size: int,
    split: SplitChoice = DEFAULT_SPLIT,
    progress: ProgressCallback = silent,
) -> NewDataSet:
    """Read, check and divide pictures. Nothing is left of a reading that fails.

    Args:
        source: A ZIP archive or a folder; the bytes of an archive; or files, each in the folder of its class.
        size: Side that the pictures are brought to, in pixels.
        split: How the pictures are divided into training and test.
        progress: Called with the fraction done; an exception from it ends the reading.

    Raises:
        DataError: The pictures cannot be read, or the size is none of those offered.
        StorageError: The pictures cannot be written.
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
    with listing.opened(source, name=origin) as found:
        if not split.use_given:
            found = replace(found, split_given=False, entries=tuple(replace(one, part=None) for one in found.entries))
        if (needed := len(found.entries) * size**2 * 3) > MAX_STORED:
            raise DataError(
                f"{len(found.entries):,} pictures of {size} x {size} pixels take {needed / 1e9:.1f} GB; at most "
                f"{MAX_STORED / 1e9:.0f} GB are kept. Choose a smaller size or fewer pictures."
            )
        pictures, refused = reading.read_all(
            found.entries, size=size, out=raw, progress=partial(_report, progress, 0.0, 0.9)
        )
    (folder / "upload.zip").unlink(missing_ok=True)
    images = reading.stored_images(raw, count=len(pictures), size=size)
    near = find_copies([picture.sha256 for picture in pictures], images, progress=partial(_report, progress, 0.9, 0.06))
    division = splitting.divide(
        pictures, near, num_classes=len(found.class_names), given=found.split_given, choice=split
    )
    report = checks.examine(found, pictures, refused, near, division, size=size)
    examples = {row: images[row].copy() for finding in report.findings for row in finding.rows}
    made = About(
        "", "", found.class_names, size, len(division.train), len(division.test), found.split_given,
        split.fraction, split.seed, "", time.time(), origin,
    )  # fmt: skip
    if report.usable:
        # A random order, as in the other sources: a large enough stretch of a split holds all classes.
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
    """Write the images of a data set in their order."""
    written = np.lib.format.open_memmap(path, "w+", np.uint8, (len(order), *images.shape[1:]))
    start = 0
    for rows in np.array_split(order, max(1, len(order) // 100)):
        written[start : start + len(rows)] = images[rows]
        start += len(rows)
        let_go(images)
        let_go(written)
        progress("Dividing the pictures", start / len(order))
    written.flush()


def _report(progress: ProgressCallback, begin: float, share: float, text: str, fraction: float | None) -> None:
    """Report the progress of a part of the work, which begins at a fraction of the whole."""
    progress(text, None if fraction is None else begin + share * fraction)


def _cannot_keep(error: OSError) -> StorageError:
    return StorageError(f"The pictures cannot be kept in {about.folder()} ({error.strerror}).")
