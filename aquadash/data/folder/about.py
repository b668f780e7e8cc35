"""The records of the kept data sets of own pictures, and their names."""

import functools
import hashlib
import json
import os
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import PositiveInt, TypeAdapter

from aquadash import settings
from aquadash.errors import DataError, look_up
from aquadash.people import Resource

#: Prefix of the sources that are data sets of own pictures: ``"folder-cats"``.
PREFIX = "folder-"
#: The longest title, in characters.
MAX_TITLE = 60

FORMAT, VERSION = "aquadash-dataset", 1
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,56}")


@dataclass(frozen=True)
class About:
    """The record of a data set; reading a damaged one raises errors of any kind."""

    #: The folder's name; the source is ``"folder-"`` and this.
    name: str
    #: The name for people, plain text.
    title: str
    class_names: tuple[str, ...]
    #: The side of its pictures in pixels.
    size: PositiveInt
    #: The number of training pictures.
    train: PositiveInt
    #: The number of test pictures.
    test: PositiveInt
    #: Whether the files were sorted into training and test pictures.
    split_given: bool
    #: The fraction of test pictures otherwise, 0 to 1.
    test_fraction: float
    #: The seed of that random split.
    seed: int
    #: As :attr:`Dataset.fingerprint`.
    fingerprint: str
    #: Unix time at which it was made, in seconds.
    created: float
    #: The file or folder that it was made from, plain text.
    origin: str
    #: The id of the person who made it; empty for the owner of the machine, as in older data sets.
    owner: str = ""
    #: The owner's name, plain text.
    owner_name: str = ""
    #: Whether the whole class may use it, because the teacher or the owner of the machine made it.
    shared: bool = True

    @property
    def resource(self) -> Resource:
        """The data set for the table of rights."""
        return Resource("data set", self.title, self.owner, self.owner_name, self.shared)

    @property
    def source(self) -> str:
        """The name of the data source, as in ``data.source``."""
        return PREFIX + self.name


_ABOUT = TypeAdapter(About)


def folder() -> Path:
    """Return the folder of all data sets."""
    return settings.home() / "datasets"


def place_of(name: str) -> Path:
    """Return the folder of a data set."""
    return folder() / name


def name_for(title: str) -> str:
    """Return the name of the data set of a title, or a new name: ``"uber-katzen-2"`` for ``"Über Katzen 2"``."""
    title = clean_title(title)
    if present := next((name for name, record in all_kept().items() if record.title == title), None):
        return present
    letters = unicodedata.normalize("NFKD", title)
    name = re.sub(r"[^a-z0-9]+", "-", letters.encode("ascii", "ignore").decode().lower()).strip("-")
    # Titles in other scripts lose their letters, so a digest keeps their names apart.
    lost = [letter for letter in letters if not letter.isascii() and unicodedata.category(letter)[0] in "LNS"]
    if lost or not 1 <= len(name) <= 57:
        digest = hashlib.sha256(title.encode()).hexdigest()[:8]
        name = f"{name[:48].strip('-') or 'pictures'}-{digest}"
    return name


def clean_title(title: str) -> str:
    """Return the title on one line, in composed Unicode: macOS writes the "ö" of a folder's name as two letters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in title).split())
    line = unicodedata.normalize("NFC", line)
    if not 1 <= len(line) <= MAX_TITLE:
        raise DataError(f"The data set's name has {len(line)} characters; expected 1 to {MAX_TITLE}.")
    return line


def all_kept() -> dict[str, About]:
    """Return everybody's data sets by name, in the order of their titles, without damaged ones."""
    records = {}
    try:
        names = {entry.name for entry in os.scandir(folder()) if _NAME.fullmatch(entry.name)}
    except OSError:
        names = set()
    for name in names:
        try:
            path = place_of(name) / "about.json"
            # The folder's name counts, because a person may have renamed the folder.
            records[name] = replace(_about(str(path), path.stat().st_mtime_ns), name=name)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return dict(sorted(records.items(), key=lambda item: (item[1].title.casefold(), item[0])))


def about(name: str) -> About:
    """Return the record of a data set; an unknown name raises an ``UnknownNameError``."""
    return look_up("data set of own pictures", name, all_kept())


def of_source(source: str) -> About | None:
    """Return the data set of a source; None for another kind of source or an unknown name."""
    return all_kept().get(source.removeprefix(PREFIX)) if source.startswith(PREFIX) else None


def fingerprint_of(source: str) -> str:
    """Return the fingerprint of a source of own pictures; empty for another kind of source or an unknown name."""
    return kept.fingerprint if (kept := of_source(source)) else ""


@functools.lru_cache(maxsize=256)
def _about(path: str, changed: int) -> About:
    with open(path, encoding="utf-8") as file:
        values = json.load(file)
    if values["format"] != FORMAT or values["version"] != VERSION:
        raise ValueError("another format")
    return _ABOUT.validate_python(values)
