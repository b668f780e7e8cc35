"""The records of an import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from aquadash.files import write_whole

Part = Literal["train", "test"]

#: ``problem``: training is impossible. ``warning``: results would mislead. ``note``: good to know.
Severity = Literal["problem", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")


@dataclass(frozen=True)
class Entry:
    """A file in the folder of a class."""

    #: The split of its folder; None if files are not sorted into splits.
    part: Part | None
    #: The class, an index into :attr:`Listing.class_names`.
    label: int
    #: The path within the archive or folder for people, never opened.
    name: str
    #: A thread-safe function that returns its bytes, at most one more than an image may have.
    read: Callable[[], bytes]


@dataclass(frozen=True)
class LeftOut:
    """A file that was left out."""

    #: The path for people.
    name: str
    #: The reason and the remedy in a sentence or two.
    reason: str
    #: The class of its folder; None outside of all classes.
    label: int | None = None


@dataclass(frozen=True)
class Listing:
    """The contents of an archive or folder."""

    #: The names of the classes, in the order of the labels: untrusted plain text.
    class_names: tuple[str, ...]
    #: The files to read, in the order of their names.
    entries: tuple[Entry, ...]
    #: The files outside of classes, links and the like; at most :data:`MAX_NAMED`.
    left_out: tuple[LeftOut, ...]
    #: The number of all left-out files.
    num_left_out: int
    #: Whether the files are sorted into training and test.
    split_given: bool


@dataclass(frozen=True)
class Picture:
    """A picture that was read, with its measurements."""

    label: int
    #: The split of its folder; None if files are not sorted into splits.
    part: Part | None
    #: The path for people.
    name: str
    #: The hash of the file.
    sha256: str
    #: The sides of the upright original, in pixels.
    width: int
    height: int
    #: The format, such as ``"JPEG"``.
    kind: str
    #: The mean difference of its colour channels, 0 (grey) to 255.
    colour: float
    #: The standard deviation of its brightness, 0 (one plain area) to 127.5.
    contrast: float
    #: The changes made by decoding, a phrase each.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A result of the checks."""

    #: A name for programs, such as ``"duplicates"``.
    kind: str
    severity: Severity
    #: The fault and its number, a few words.
    title: str
    #: The consequence and the remedy, a sentence or two.
    advice: str
    #: The number of pictures or classes concerned.
    count: int
    #: The positions of some of these pictures; those of a pair of duplicates follow each other.
    rows: tuple[int, ...] = ()
    #: Some of the names of unreadable files or classes concerned.
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """The result of an import's checks, the gravest first."""

    class_names: tuple[str, ...]
    #: The number of pictures of each class.
    counts: tuple[int, ...]
    #: The numbers of training and test pictures of each class; None if files are not sorted into splits.
    given: tuple[tuple[int, int], ...] | None
    #: The side of the stored pictures in pixels.
    size: int
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """Whether there is no problem."""
        return all(finding.severity != "problem" for finding in self.findings)

    def of_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "usable": self.usable}


@dataclass(frozen=True)
class Kept:
    """The content of ``pictures.json`` beside the images of a data set."""

    #: The pictures in the order in which they are stored.
    pictures: tuple[Picture, ...]
    #: The files that could not be read.
    refused: tuple[LeftOut, ...]
    #: The result of the checks; its positions follow the order of reading.
    report: CheckReport

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_whole(path, _KEPT.dump_json(self))

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Read the file; a damaged one raises a ``ValueError``."""
        return _KEPT.validate_json(path.read_bytes())


_KEPT = TypeAdapter(Kept)
