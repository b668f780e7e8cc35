"""An import step by step: a draft is begun, read by a job, looked at, and used or thrown away.

A draft is a folder that only its id leads to. Nothing of it is left once it was used or discarded, or a day has passed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.data.duplicates import Copy, find_copies
from aquadash.data.folder import about, checks, listing, reading, splitting, store
from aquadash.data.folder.about import About
from aquadash.data.folder.splitting import Division, SplitChoice
from aquadash.data.folder.types import CheckReport, Kept, LeftOut, Picture
from aquadash.data.images import display_name
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import DataError, StorageError
from aquadash.files import forget_oldest, write_whole
from aquadash.jobs import Stopped, worker
from aquadash.people import OWNER, Person

#: The kind of job that reads a draft.
KIND = "read-pictures"

#: Most bytes that the pictures of a draft may take on the disk.
MAX_STORED = 4_000_000_000


#: Drafts that nobody has touched for so many seconds are thrown away.
LASTS = 86_400.0


@dataclass(frozen=True)
class Request:
    """What is to be read.

    Attributes:
        path: The archive or folder; one of the draft's own files where ``uploaded``.
        origin: What it is called, for people.
        size: Side that the pictures are brought to, in pixels.
        uploaded: True if the file belongs to the draft and goes with it.
        owner: The id of whoever began it; empty for the owner of the machine.
    """

    path: str | Path
    origin: str
    size: int
    uploaded: bool = False
    owner: str = ""


@dataclass(frozen=True, eq=False)
class Draft:
    """Pictures that were read and looked at, but are no data set yet.

    Attributes:
        request: What was read.
        pictures: Those that could be read.
        refused: Those that could not.
        near: Pairs that look the same.
        report: What to know before training.
        images: uint8 (n, size, size, 3).
    """

    request: Request
    pictures: tuple[Picture, ...]
    refused: tuple[LeftOut, ...]
    near: tuple[Copy, ...]
    report: CheckReport
    images: NDArray[np.uint8]

    def divide(self, choice: SplitChoice) -> Division:
        """Divide the pictures; see :func:`aquadash.data.folder.splitting.divide`."""
        return splitting.divide(
            self.pictures,
            self.near,
            num_classes=len(self.report.class_names),
            given=self.report.given is not None,
            choice=choice,
        )


def begin(request: Request, *, write: Callable[[Path], object] | None = None) -> str:
    """Make a draft, for :func:`start` to have read.

    Args:
        request: What to read; ``path`` does not count where ``write`` is given.
        write: Writes the uploaded archive to the path that it is given.

    Returns:
        The draft's id, which nobody can guess.

    Raises:
        DataError: The size is none of those offered.
        StorageError: It cannot be written.
    """
    if request.size not in reading.SIZES:
        raise DataError(f"The size is {request.size}; expected one of {', '.join(map(str, reading.SIZES))} pixels.")
    forget_oldest(_drafts(), max_seconds=LASTS)
    draft_id = uuid.uuid4().hex
    place = _place_of(draft_id)
    try:
        place.mkdir(parents=True)
        if write is not None:
            write(place / "upload.zip")
            request = replace(request, path=str(place / "upload.zip"), uploaded=True)
        else:
            # The job that reads it works in another folder.
            request = replace(request, path=os.path.abspath(request.path))
        # JSON escapes what is not ASCII: a path may hold bytes that are no UTF-8.
        write_whole(place / "request.json", json.dumps(asdict(request)))
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise StorageError(f"The pictures cannot be kept in {store.folder()} ({error.strerror}).") from error
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return draft_id


def again(draft_id: str, *, size: int) -> str:
    """A new draft of the same pictures at another size; the old one goes.

    Raises:
        DataError: There is no such draft, or no such size.
    """
    place, request = _existing(draft_id), request_of(draft_id)

    def copy(path: Path) -> None:
        # Not moved: should the new draft fail, the old one still has its pictures.
        shutil.copyfile(place / "upload.zip", path)

    # Somebody has come back to it, so it is not thrown away as one that nobody came back to.
    os.utime(place)
    new = begin(replace(request, size=size), write=copy if request.uploaded else None)
    discard(draft_id)
    return new


def start(draft_id: str) -> None:
    """Have a draft read by a job.

    Raises:
        DataError: There is no such draft.
        RunError: No process can be started.
    """
    worker.start(KIND, draft_id, {}, owner=request_of(draft_id).owner)


def is_read(draft_id: str) -> bool:
    """Whether the pictures of a draft have been read to their end.

    Raises:
        DataError: There is no such draft.
    """
    return (_existing(draft_id) / "draft.json").is_file()


def work(job: worker.JobContext) -> dict[str, Any]:
    """Read a draft as a job."""
    read(job.run, progress=job.report_fraction)
    return {}


def read(draft_id: str, *, progress: ProgressCallback = silent) -> None:
    """Read and check the pictures of a draft. Nothing is left of a reading that fails.

    Args:
        draft_id: The draft.
        progress: Called with how far it is; what it raises ends the reading.

    Raises:
        DataError: They cannot be read.
        Stopped: The draft was thrown away meanwhile.
    """
    place, request = _existing(draft_id), request_of(draft_id)

    def on_progress(text: str, fraction: float | None) -> None:
        progress(text, fraction)
        if not place.is_dir():
            raise Stopped

    try:
        on_progress("Opening", None)
        _fill(place, request, on_progress)
    except BaseException as error:
        for name in ("images.raw", "draft.json"):
            (place / name).unlink(missing_ok=True)
        if isinstance(error, MemoryError):
            raise DataError("There is not enough memory. Choose a smaller size or fewer pictures.") from error
        raise


def opened(draft_id: str) -> Draft:
    """The pictures of a draft that is ready.

    Raises:
        DataError: There is no such draft, or it is not ready.
    """
    place = _existing(draft_id)
    try:
        kept = Kept.read(place / "draft.json")
        images = reading.stored_images(place / "images.raw", count=len(kept.pictures), size=kept.report.size)
        return Draft(request_of(draft_id), kept.pictures, kept.refused, kept.near, kept.report, images)
    except (OSError, ValueError):
        raise DataError("The pictures have not been read yet, or not to their end. Add them again.") from None


def use(draft: Draft, choice: SplitChoice, *, title: str, overwrite: bool = False, owner: Person = OWNER) -> About:
    """Make a data set of a draft; the draft stays until it is discarded.

    Args:
        draft: One that is ready.
        choice: How its pictures are divided.
        title: What people call it; its name follows from it.
        overwrite: Take the place of a data set of that name.
        owner: Whose it is.

    Raises:
        DataError: A problem stands in the way, a class would have too few pictures, or the title is taken.
        StorageError: It cannot be written.
    """
    problems = draft.report.of_severity("problem")
    if problems:
        names = f": {', '.join(problems[0].names[:5])}" if problems[0].names else ""
        raise DataError(f"{problems[0].title}{names}. {problems[0].advice}")
    division = draft.divide(choice)
    splitting.check(division, draft.pictures, draft.report.class_names)
    report = draft.report
    if report.given is not None and not choice.use_given:
        left_out = tuple(each for each in report.findings if each.kind == "left out")
        # Looked at anew: what lay in both splits is a copy within its class now.
        report = checks.examine(
            [replace(picture, part=None) for picture in draft.pictures],
            draft.refused,
            draft.near,
            class_names=report.class_names,
            size=report.size,
            split_given=False,
        )
        report = replace(report, findings=report.findings + left_out)
    return store.keep(
        title,
        draft.images,
        draft.pictures,
        division,
        report,
        refused=draft.refused,
        test_fraction=choice.fraction,
        seed=choice.seed,
        origin=draft.request.origin,
        replace=overwrite,
        owner=owner,
    )


def _fill(place: Path, request: Request, on_progress: ProgressCallback) -> None:
    (place / "images.raw").unlink(missing_ok=True)
    with listing.opened(Path(request.path), name=request.origin) as found:
        needed = len(found.entries) * request.size**2 * 3
        if needed > MAX_STORED:
            raise DataError(
                f"{len(found.entries):,} pictures of {request.size} x {request.size} pixels take {needed / 1e9:.1f} "
                f"GB; at most {MAX_STORED / 1e9:.0f} GB are kept. Choose a smaller size or fewer pictures."
            )
        pictures, refused = reading.read_all(
            found.entries,
            size=request.size,
            out=place / "images.raw",
            progress=lambda text, fraction: on_progress(text, None if fraction is None else 0.92 * fraction),
        )
    images = reading.stored_images(place / "images.raw", count=len(pictures), size=request.size)
    near = find_copies(
        [picture.sha256 for picture in pictures],
        images,
        progress=lambda text, fraction: on_progress(text, None if fraction is None else 0.92 + 0.08 * fraction),
    )
    report = checks.examine(
        pictures,
        refused,
        near,
        class_names=found.class_names,
        size=request.size,
        split_given=found.split_given,
        left_out=found.left_out,
        num_left_out=found.num_left_out,
    )
    Kept(pictures, refused, report, near).write(place / "draft.json")


def discard(draft_id: str) -> None:
    """Throw a draft away, whatever it is doing; no error where there is none."""
    shutil.rmtree(_place_of(draft_id), ignore_errors=True)


def discard_earlier(draft_id: str, *, most: int) -> None:
    """Throw away the drafts of whoever began this one, all but it and the latest ``most`` of the others."""
    owner, others = owner_of(draft_id), []
    for path in _drafts().glob("*/request.json"):
        with suppress(DataError, OSError):  # Another session may be using or discarding it.
            if path.parent.name != draft_id and owner_of(path.parent.name) == owner:
                others.append((path.parent.stat().st_mtime, path.parent.name))
    for _, name in sorted(others, reverse=True)[most:]:
        discard(name)


def _drafts() -> Path:
    return about.folder() / ".drafts"


def _place_of(draft_id: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{32}", draft_id):
        raise DataError(f"{display_name(draft_id)!r} is not the id of an import; one has 32 hexadecimal digits.")
    return _drafts() / draft_id


def _existing(draft_id: str) -> Path:
    place = _place_of(draft_id)
    if not place.is_dir():
        raise DataError(
            "This import is not there any more: it was used, discarded, or forgotten. Add the pictures again."
        )
    return place


def owner_of(draft_id: str) -> str | None:
    """The id of whoever began a draft, empty for the owner of the machine; None where that cannot be read any more.

    Raises:
        DataError: There is no such draft.
    """
    try:
        return str(json.loads((_existing(draft_id) / "request.json").read_text(encoding="utf-8")).get("owner", ""))
    except (OSError, ValueError, AttributeError):
        return None


def request_of(draft_id: str) -> Request:
    try:
        return Request(**json.loads((_existing(draft_id) / "request.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise DataError("The import cannot be read any more. Add the pictures again.") from None
