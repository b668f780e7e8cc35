"""Whose a saved pipeline is: a small file beside the pipeline's, ``fog.owner`` beside ``fog.json``.

A pipeline without one was saved by the owner of the machine, or before anybody asked.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from aquadash.files import write_whole
from aquadash.people import OWNER, Person, Thing

_MOST_BYTES = 4_000


def text_for(person: Person) -> str:
    """The text of the file for somebody; empty for the owner of the machine."""
    if person == OWNER:
        return ""
    return json.dumps({"owner": person.person_id, "owner_name": person.name, "shared": person.leads})


def text_of(pipeline: Path) -> str:
    """The text of the file beside a pipeline; empty where there is none."""
    try:
        with _beside(pipeline).open(encoding="utf-8") as file:
            return file.read(_MOST_BYTES)
    except (OSError, ValueError):
        return ""


def write(pipeline: Path, text: str) -> None:
    """Write the file beside a pipeline; an empty text takes it away.

    Raises:
        OSError: It cannot be written.
    """
    if not text:
        _beside(pipeline).unlink(missing_ok=True)
        return
    write_whole(_beside(pipeline), text)


def move(pipeline: Path, to: Path) -> None:
    """Let the file follow its pipeline."""
    _beside(to).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.replace(_beside(pipeline), _beside(to))


def thing_of(pipeline: Path, title: str) -> Thing:
    """A saved pipeline as the table of rights sees it."""
    try:
        values = json.loads(text_of(pipeline) or "{}")
        return Thing(
            "pipeline",
            title,
            owner=str(values.get("owner", "")),
            owner_name=str(values.get("owner_name", "")),
            shared=bool(values.get("shared", True)),
        )
    except (ValueError, AttributeError):
        return Thing("pipeline", title)


def _beside(pipeline: Path) -> Path:
    return pipeline.with_suffix(".owner")
