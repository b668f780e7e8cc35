"""The files of a draft: where they are, whose, and when they go."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aquadash.data.folder import about
from aquadash.data.images import display_name
from aquadash.errors import DataError
from aquadash.files import write_whole

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

    path: str
    origin: str
    size: int
    uploaded: bool = False
    owner: str = ""


def discard(draft_id: str) -> None:
    """Throw a draft away, whatever it is doing; no error where there is none."""
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
    return place


def owner_of(draft_id: str) -> str | None:
    """The id of whoever began a draft, empty for the owner of the machine; None where that cannot be read any more.

    Raises:
        DataError: There is no such draft.
    """
    try:
        return str(json.loads((existing(draft_id) / "request.json").read_text(encoding="utf-8")).get("owner", ""))
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
