"""What the projector shows: a page and its address, chosen by the teacher, followed by every projector."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from aquadash import settings
from aquadash.classroom.files import read_private, write_private
from aquadash.errors import ConfigError, look_up
from aquadash.pages import PAGES, PERSONAL

_MAX_CHARACTERS = 4000


@dataclass(frozen=True)
class Shown:
    """A view.

    Attributes:
        page: The page's name in the address, ``"evaluate"``.
        query: The rest of the address, by name.
        at: When it was chosen, in seconds since 1970; another moment means that it is to be opened again.
    """

    page: str
    query: dict[str, str]
    at: float = 0.0


def show(page: str, query: Mapping[str, str]) -> Shown:
    """Show a view on all projectors; see :meth:`aquadash.lab.people.People.show`."""
    look_up("page", page, PAGES)
    kept = {name: value for name, value in query.items() if name not in PERSONAL}
    if sum(len(name) + len(value) for name, value in kept.items()) > _MAX_CHARACTERS:
        raise ConfigError("The address of this view is too long for the projector. Pick fewer runs.")
    shown = Shown(page, kept, time.time())
    write_private(_path(), asdict(shown))
    return shown


def shown() -> Shown | None:
    """What is to be seen; None before anything was chosen.

    Raises:
        StorageError: It cannot be read.
    """
    found = read_private(_path(), Shown)
    return found if found is not None and found.page in PAGES else None


def _path() -> Path:
    return settings.classroom_folder() / "projector.json"
