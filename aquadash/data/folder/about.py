"""The records of the kept data sets of own pictures, and their names."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import PositiveInt, TypeAdapter

from aquadash import settings
from aquadash.errors import DataError, look_up
from aquadash.people import Resource

#: Prefix of the sources that are data sets of own pictures: ``"folder-cats"``.
PREFIX = "folder-"
#: Longest title, in characters.
MAX_TITLE = 60

FORMAT, VERSION = "aquadash-dataset", 1
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,56}")


@dataclass(frozen=True)
class About:
    """A data set without its pictures."""

    #: The folder's name; the source is ``"folder-"`` and this.
    name: str
    #: Its name for people, plain text.
    title: str
    class_names: tuple[str, ...]
    #: Side of its pictures in pixels.
    size: PositiveInt
    #: Training pictures.
    train: PositiveInt
    #: Test pictures.
    test: PositiveInt
    #: True where the files were sorted into training and test pictures.
    split_given: bool
    #: The fraction that was drawn for the test otherwise, 0 to 1, and the seed of that draw.
    test_fraction: float
    seed: int
    #: As :attr:`Dataset.fingerprint`.
    fingerprint: str
    #: When it was made, in seconds since 1970 UTC.
    created: float
    #: The file or folder that it was made from: plain text.
    origin: str
    #: The id of the person who made it; empty for the owner of the machine, as in older data sets.
    owner: str = ""
    #: The owner's name, plain text.
    owner_name: str = ""
    #: True if the teacher or the owner of the machine made it, so that the whole class may use it.
    shared: bool = True

    @property
    def resource(self) -> Resource:
        """The data set as the table of rights sees it."""
        return Resource("data set", self.title, self.owner, self.owner_name, self.shared)

    @property
    def source(self) -> str:
        """The name of the data source, as in ``data.source``."""
        return PREFIX + self.name

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> About:
        """Read what ``dataclasses.asdict`` wrote; errors of any kind where it is damaged."""
        if values["format"] != FORMAT or values["version"] != VERSION:
            raise ValueError("another format")
        return _ABOUT.validate_python(values)


_ABOUT = TypeAdapter(About)


def folder() -> Path:
    """Where the data sets are."""
    return settings.home() / "datasets"


def place_of(name: str) -> Path:
    """The folder of a data set."""
    return folder() / name


def name_for(title: str) -> str:
    """The name that a data set of this title gets, or has: ``"Über Katzen 2"`` -> ``"uber-katzen-2"``.

    Raises:
        DataError: The title is empty or too long.
    """
    title = clean_title(title)
    if kept := next((name for name, told in all_kept().items() if told.title == title), None):
        return kept
    letters = unicodedata.normalize("NFKD", title)
    name = re.sub(r"[^a-z0-9]+", "-", letters.encode("ascii", "ignore").decode().lower()).strip("-")
    # Titles in other scripts lose their letters, so a digest keeps their names apart.
    lost = [letter for letter in letters if not letter.isascii() and unicodedata.category(letter)[0] in "LNS"]
    if lost or not 1 <= len(name) <= 57:
        digest = hashlib.sha256(title.encode()).hexdigest()[:8]
        name = f"{name[:48].strip('-') or 'pictures'}-{digest}"
    return name


def clean_title(title: str) -> str:
    """The title on one line, its letters in one form: a Mac writes "ö" in folders' names as two."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in title).split())
    line = unicodedata.normalize("NFC", line)
    if not 1 <= len(line) <= MAX_TITLE:
        raise DataError(f"The data set's name has {len(line)} characters; expected 1 to {MAX_TITLE}.")
    return line


def all_kept() -> dict[str, About]:
    """The data sets of everybody by name, in the order of their titles; damaged ones are passed over."""
    found = {}
    try:
        names = {entry.name for entry in os.scandir(folder()) if _NAME.fullmatch(entry.name)}
    except OSError:
        names = set()
    for name in names:
        try:
            path = place_of(name) / "about.json"
            told = _about(str(path), path.stat().st_mtime_ns)
            # The folder's name counts: a person may have renamed the folder.
            found[name] = told if told.name == name else replace(told, name=name)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return dict(sorted(found.items(), key=lambda item: (item[1].title.casefold(), item[0])))


def about(name: str) -> About:
    """One data set.

    Raises:
        UnknownNameError: There is none of that name; the message names the nearest.
    """
    return look_up("data set of own pictures", name, all_kept())


def of_source(source: str) -> About | None:
    """The data set that a source names; None for another kind of source, or where there is none of that name."""
    return all_kept().get(source.removeprefix(PREFIX)) if source.startswith(PREFIX) else None


def fingerprint_of(source: str) -> str:
    """The fingerprint of the own pictures that a source names; empty for another kind, or where there are none."""
    return kept.fingerprint if (kept := of_source(source)) else ""


@functools.lru_cache(maxsize=256)
def _about(path: str, changed: int) -> About:
    with open(path, encoding="utf-8") as file:
        return About.from_dict(json.load(file))
