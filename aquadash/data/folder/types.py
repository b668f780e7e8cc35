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
    """A file that lies where a picture of a class is expected.

    Attributes:
        part: The split it lies in; None where the files say nothing of splits.
        label: Its class, an index into :attr:`Listing.class_names`.
        name: Its path within the archive or folder, for people; never opened by this name.
        read: Gives its bytes, at most as many as an image may have and one more. Safe to call from any thread.
    """

    part: Part | None
    label: int
    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class LeftOut:
    """A file that was not taken.

    Attributes:
        name: As people know it.
        reason: Why, and what can be done, a sentence or two.
        label: The class whose folder it lay in, None outside of all.
    """

    name: str
    reason: str
    label: int | None = None


@dataclass(frozen=True)
class Listing:
    """What an archive or folder holds.

    Attributes:
        class_names: One name a class, in the order of the labels: plain text of people, neither markup nor a path.
        entries: The files to read, in the order of their names.
        left_out: The files that lie outside of a class, hidden links and the like; :data:`MAX_NAMED` of them at most.
        num_left_out: How many those are altogether.
        split_given: True where the files are sorted into training and test pictures.
    """

    class_names: tuple[str, ...]
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    num_left_out: int
    split_given: bool


@dataclass(frozen=True)
class Picture:
    """A picture that was read, and what was measured of it.

    Attributes:
        label: Its class.
        part: The split it came in, None where there is none.
        name: Its path for people.
        sha256: Of the file.
        width: Of the upright original, in pixels.
        height: Of the upright original, in pixels.
        kind: ``"JPEG"`` and the like.
        colour: How far its colour channels differ, on average over its pixels, 0 to 255; 0 is grey.
        contrast: Standard deviation of its brightness, 0 to 127.5; 0 is one plain area.
        notes: What was done to it, a phrase each.
    """

    label: int
    part: Part | None
    name: str
    sha256: str
    width: int
    height: int
    kind: str
    colour: float
    contrast: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something that a person should know before training.

    Attributes:
        kind: One word for programs: ``"duplicates"``.
        severity: See :data:`Severity`.
        title: What was found, a few words with its number.
        advice: What it means and what to do, a sentence or two.
        count: How many pictures or classes it is about.
        rows: Positions of some of those pictures among the pictures read; a pair of duplicates follows each other.
        names: Some of the names it is about, for files that could not be read and classes.
    """

    kind: str
    severity: Severity
    title: str
    advice: str
    count: int
    rows: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """What an import found, the gravest first.

    Attributes:
        class_names: One name a class.
        counts: Pictures read, for each class.
        given: Training and test pictures for each class where the files are sorted into them, else None.
        size: Side of the stored pictures in pixels.
        findings: What to know.
    """

    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    given: tuple[tuple[int, int], ...] | None
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
    """What is kept of pictures in a file beside them.

    Attributes:
        pictures: Those that could be read, in the order in which they are stored.
        refused: Those that could not.
        report: What the check found; its positions are among the pictures as they were read.
    """

    pictures: tuple[Picture, ...]
    refused: tuple[LeftOut, ...]
    report: CheckReport

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        write_whole(path, _KEPT.dump_json(self))

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Read the file.

        Raises:
            OSError, ValueError: It cannot be read, or is damaged.
        """
        return _KEPT.validate_json(path.read_bytes())


_KEPT = TypeAdapter(Kept)
