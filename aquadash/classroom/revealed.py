"""Which boards of the class are open: the teacher shows the test accuracies once, at the end."""

from __future__ import annotations

import time
from pathlib import Path

from aquadash import settings
from aquadash.classroom.files import read_object, write_private
from aquadash.classroom.rights import Action, require


def revealed_at(source: str) -> float | None:
    """When the test accuracies of runs on a data source were shown, in seconds since 1970; None while they are covered.

    Raises:
        StorageError: It cannot be read.
    """
    when = (read_object(_path()) or {}).get(source)
    return float(when) if isinstance(when, int | float) and not isinstance(when, bool) else None


def reveal(source: str) -> None:
    """Show them: what ends later no longer takes part.

    Raises:
        NotAllowedError: A student asks.
        StorageError: It cannot be kept.
    """
    require(Action.SETTINGS)
    write_private(_path(), {**(read_object(_path()) or {}), source: time.time()})


def cover(source: str) -> None:
    """Take the look back, so that the class can go on; errors as in :func:`reveal`."""
    require(Action.SETTINGS)
    write_private(_path(), {name: when for name, when in (read_object(_path()) or {}).items() if name != source})


def _path() -> Path:
    return settings.classroom_folder() / "revealed.json"
