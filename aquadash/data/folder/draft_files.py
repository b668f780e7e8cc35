"""The files of a draft: what was asked for, and where its reading is. Whoever reads and whoever watches meet here."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aquadash import people
from aquadash.data.folder import about
from aquadash.data.images import display_name
from aquadash.errors import DataError, NotAllowedError
from aquadash.files import write_whole

#: Drafts that nobody has touched for so many seconds are thrown away.
LASTS = 86_400.0
#: Reading without a sign of life for so many seconds has ended without a word.
STALE_SECONDS = 60.0


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

    path: str
    origin: str
    size: int
    uploaded: bool = False
    owner: str = ""


@dataclass(frozen=True)
class State:
    """Where a draft is.

    Attributes:
        status: ``waiting``, ``reading``, ``ready``, ``failed``, ``stopped`` or ``interrupted``.
        doing: What is being done, for people.
        share: How much of it is done, 0 to 1; None while unknown.
        began: When the reading began, in seconds since 1970 UTC.
        time: When this was written.
        message: Why it failed.
    """

    status: str
    doing: str = ""
    share: float | None = None
    began: float = 0.0
    time: float = 0.0
    message: str = ""

    @property
    def at_work(self) -> bool:
        """True while there will be more to see."""
        return self.status in ("waiting", "reading")

    @property
    def seconds_left(self) -> float | None:
        """How long the reading will still take; None while that cannot be told."""
        if not self.at_work or not self.share or self.share < 0.02:
            return None
        return (self.time - self.began) * (1.0 - self.share) / self.share


def state(draft_id: str, *, now: float | None = None) -> State:
    """Where a draft is.

    Raises:
        DataError: There is no such draft.
    """
    place = existing(draft_id)
    try:
        found = State(**json.loads((place / "state.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise DataError("The import cannot be read any more. Add the pictures again.") from None
    silent_for = (time.time() if now is None else now) - found.time
    return replace(found, status="interrupted") if found.at_work and silent_for > STALE_SECONDS else found


def stop(draft_id: str) -> None:
    """Ask for the end of the reading; it looks twice a second."""
    (existing(draft_id) / "stop").touch()


def discard(draft_id: str) -> None:
    """Throw a draft away, whatever it is doing; no error where there is none."""
    if place_of(draft_id).is_dir():
        existing(draft_id)
    shutil.rmtree(place_of(draft_id), ignore_errors=True)


def sweep(*, now: float | None = None) -> None:
    """Throw away the drafts that nobody came back to."""
    moment = time.time() if now is None else now
    try:
        places = list(os.scandir(_drafts()))
    except OSError:
        return
    for place in places:
        try:
            touched = max(place.stat().st_mtime, *(entry.stat().st_mtime for entry in os.scandir(place.path)), 0.0)
        except OSError:
            continue
        if moment - touched > LASTS:
            shutil.rmtree(place.path, ignore_errors=True)


def _drafts() -> Path:
    return about.folder() / ".drafts"


def place_of(draft_id: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{32}", draft_id):
        raise DataError(f"{display_name(draft_id)!r} is not the id of an import; one has 32 hexadecimal digits.")
    return _drafts() / draft_id


def existing(draft_id: str) -> Path:
    place = place_of(draft_id)
    if not place.is_dir():
        raise DataError(
            "This import is not there any more: it was used, discarded, or forgotten. Add the pictures again."
        )
    person = people.current()
    if not person.leads and not (person.person_id and _owner_of(place) == person.person_id):
        raise NotAllowedError("This import was begun by somebody else. Add your own pictures.")
    return place


def _owner_of(place: Path) -> str | None:
    try:
        return str(json.loads((place / "request.json").read_text(encoding="utf-8")).get("owner", ""))
    except (OSError, ValueError, AttributeError):
        return None


def request_of(draft_id: str) -> Request:
    try:
        return Request(**json.loads((existing(draft_id) / "request.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise DataError("The import cannot be read any more. Add the pictures again.") from None


def write_json(path: Path, values: Any) -> None:
    # JSON escapes what is not ASCII: a path may hold bytes that are no UTF-8.
    write_whole(path, json.dumps(values))
