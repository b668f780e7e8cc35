"""The records that an import is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from aquadash.files import write_whole

Part = Literal["train", "test"]

#: ``problem``: nothing can be learnt before it is mended. ``warning``: the result would mislead.
#: ``note``: good to know.
Severity = Literal["problem", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")


@dataclass(frozen=True)
class Entry:
    """A file that lies where a picture of a class is expected."""

    #: The split it lies in; None where the files say nothing of splits.
    part: Part | None
    #: Its class, an index into :attr:`Listing.class_names`.
    label: int
    #: Its path within the archive or folder, for people; never opened by this name.
    name: str
    #: Gives its bytes, at most as many as an image may have and one more. Safe to call from any thread.
    read: Callable[[], bytes]


@dataclass(frozen=True)
class LeftOut:
    """A file that was not taken."""

    #: As people know it.
    name: str
    #: Why, and what can be done, a sentence or two.
    reason: str
    #: The class whose folder it lay in, None outside of all.
    label: int | None = None


@dataclass(frozen=True)
class Listing:
    """The contents of an archive or folder."""

    #: One name a class, in the order of the labels: plain text of people, neither markup nor a path.
    class_names: tuple[str, ...]
    #: The files to read, in the order of their names.
    entries: tuple[Entry, ...]
    #: The files that lie outside of a class, hidden links and the like; :data:`MAX_NAMED` of them at most.
    left_out: tuple[LeftOut, ...]
    #: How many those are altogether.
    num_left_out: int
    #: True where the files are sorted into training and test.
    split_given: bool


@dataclass(frozen=True)
class Picture:
    """A picture that was read, and what was measured of it."""

    label: int
    #: The split it came in, None where there is none.
    part: Part | None
    #: Its path for people.
    name: str
    #: Of the file.
    sha256: str
    #: Sides of the upright original, in pixels.
    width: int
    height: int
    #: ``"JPEG"`` and the like.
    kind: str
    #: How far its colour channels differ, on average over its pixels, 0 to 255; 0 is grey.
    colour: float
    #: Standard deviation of its brightness, 0 to 127.5; 0 is one plain area.
    contrast: float
    #: Changes made while it was decoded, a phrase each.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something that a person should know before training."""

    #: One word for programs: ``"duplicates"``.
    kind: str
    #: See :data:`Severity`.
    severity: Severity
    #: The fault and its number, a few words.
    title: str
    #: Its consequence and remedy, a sentence or two.
    advice: str
    #: How many pictures or classes it is about.
    count: int
    #: Positions of some of those pictures among the pictures read; a pair of duplicates follows each other.
    rows: tuple[int, ...] = ()
    #: Some of the names it is about, for files that could not be read and classes.
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """The result of an import's checks, the gravest first."""

    class_names: tuple[str, ...]
    #: Pictures read, for each class.
    counts: tuple[int, ...]
    #: Training and test pictures for each class where the files are sorted into them, else None.
    given: tuple[tuple[int, int], ...] | None
    #: Side of the stored pictures in pixels.
    size: int
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """True unless a problem stands in the way."""
        return all(finding.severity != "problem" for finding in self.findings)

    def of_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "usable": self.usable}


@dataclass(frozen=True)
class Kept:
    """The records in the file beside the images of a data set."""

    #: The pictures in the order in which they are stored.
    pictures: tuple[Picture, ...]
    #: The files that could not be read.
    refused: tuple[LeftOut, ...]
    #: The result of the checks; its positions are in the order of reading.
    report: CheckReport

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; OSError where it cannot be written."""
        write_whole(path, _KEPT.dump_json(self))

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Read the file; OSError where it cannot be read, ValueError where it is damaged."""
        return _KEPT.validate_json(path.read_bytes())


_KEPT = TypeAdapter(Kept)
