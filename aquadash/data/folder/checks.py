"""Checks of pictures before any training: the faults that cleanvision looks for, and those of beginners' pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aquadash.data.duplicates import Copy
from aquadash.data.folder.splitting import MIN_TRAINING, Division
from aquadash.data.folder.types import SEVERITIES, CheckReport, Finding, LeftOut, Listing, Picture, Severity

#: Least and most classes.
CLASSES = (2, 100)
#: Pictures of a class below which results are worthless, and below which they are weak.
VERY_FEW, FEW = 10, 50
#: Ratios of the largest to the smallest class that give a note, and a warning.
IMBALANCE = (2.0, 5.0)
#: Longer side over shorter side from which most of a picture lies outside the middle square.
LONG = 2.0
#: Mean difference of the colour channels below which a picture is grey to the eye.
GREY = 3.0
#: Standard deviation of the brightness below which a picture looks empty.
BLANK = 4.0
#: Difference of two classes' fractions of grey pictures that gives the class away.
GREY_GAP = 0.3
#: Fraction of the pictures from which a fault of single pictures is a warning.
MANY = 0.1
#: So many pictures and names are shown of a finding.
SHOWN = 12


def examine(
    found: Listing,
    pictures: Sequence[Picture],
    refused: Sequence[LeftOut],
    near: Sequence[Copy],
    division: Division,
    *,
    size: int,
) -> CheckReport:
    """Look for everything that a person should know before training."""
    counts, test = (
        _counts(rows, found.class_names)
        for rows in ([one.label for one in pictures], [one.label for one in pictures if one.part == "test"])
    )
    given = tuple((every - tested, tested) for every, tested in zip(counts, test, strict=True))
    findings = [
        finding
        for finding in (
            *_of_classes(found, pictures, division),
            *_of_files(found, refused),
            *_of_copies(pictures, near, found.split_given),
            *_of_looks(pictures, found.class_names, size),
        )
        if finding.count
    ]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CheckReport(found.class_names, tuple(counts), given if found.split_given else None, size, tuple(findings))


# Each check is a row: kind, severity, title, advice, and names or positions of its pictures. Empty rows are dropped.


def _of_classes(found: Listing, pictures: Sequence[Picture], division: Division) -> Iterator[Finding]:
    names = found.class_names
    least, most = CLASSES
    yield _finding(
        "classes", "problem",
        "There is only one class" if len(names) == 1 else f"There are {len(names)} classes",
        f"A network learns to tell {least} to {most} classes apart. Give each class a folder of its own"
        + (", and add one with pictures of something else." if len(names) < least else ", and choose fewer."),
        names=() if least <= len(names) <= most else names,
    )  # fmt: skip
    distinct = {(one.label, one.part, one.sha256) for one in pictures}
    counts = _counts([label for label, _, _ in distinct], names)
    train, test = (_counts([pictures[row].label for row in rows], names) for rows in (division.train, division.test))
    sides = ((train, MIN_TRAINING, "for training"), (test, 1, "for the test"))
    for have, needed, where in sides if found.split_given else ((counts, MIN_TRAINING + 1, "that differ"),):
        short = [name for name, count in zip(names, have, strict=True) if count < needed]
        yield _finding(
            "too few", "problem",
            f"{_number(len(short), 'class', 'classes')} with fewer than {_number(needed, 'picture')} {where}",
            "Add pictures of these classes, or remove their folders and read the pictures again."
            + (
                " Or have the split drawn at random, or keep training pictures that look like one of the test."
                if found.split_given
                else ""
            ),
            names=short,
        )  # fmt: skip
    steps: tuple[tuple[int, int, Severity], ...] = ((MIN_TRAINING + 1, VERY_FEW, "warning"), (VERY_FEW, FEW, "note"))
    for minimum, fewer, severity in steps:
        few = [f"{name}: {count}" for name, count in zip(names, counts, strict=True) if minimum <= count < fewer]
        yield _finding(
            "few", severity,
            f"{_number(len(few), 'class', 'classes')} with fewer than {fewer} pictures",
            "From so few a network learns those very pictures by heart, and a test of a few pictures says little. Add "
            "pictures, use augmentation, and start from a network that has learnt from other pictures.",
            names=few,
        )  # fmt: skip
    by_count = sorted((count, name) for name, count in zip(names, counts, strict=True) if count) or [(1, "")]
    (fewest, smallest), (largest_count, largest) = by_count[0], by_count[-1]
    ratio = largest_count / fewest
    yield _finding(
        "imbalance", "warning" if ratio >= IMBALANCE[1] else "note",
        f"The largest class has {ratio:.1f} times the pictures of the smallest",
        "A network is right more often by guessing the large class. Add pictures of the small one, or set class "
        "weights to balanced; and look at each class's own recall instead of the accuracy alone.",
        names=(f"{largest}: {largest_count:,}", f"{smallest}: {fewest:,}") if ratio >= IMBALANCE[0] else (),
    )  # fmt: skip


def _of_files(found: Listing, refused: Sequence[LeftOut]) -> Iterator[Finding]:
    yield _finding(
        "broken", "warning",
        f"{_number(len(refused), 'file')} could not be read as a picture",
        "What cannot be read is left out; all other pictures are there.",
        names=[one.reason for one in refused],
    )  # fmt: skip
    yield _finding(
        "left out", "note",
        f"{_number(found.num_left_out, 'file')} left aside",
        "What lies outside of the classes' folders is not looked at, nor are links, and archives within.",
        names=[f"{one.name}: {one.reason}" for one in found.left_out],
        count=found.num_left_out,
    )  # fmt: skip


def _of_copies(pictures: Sequence[Picture], near: Sequence[Copy], split_given: bool) -> Iterator[Finding]:
    kinds: dict[str, list[Copy]] = {}
    for pair in near:
        one, other = pictures[pair.first], pictures[pair.second]
        if one.label != other.label:
            kind = "duplicates across classes"
        elif split_given and one.part != other.part:
            kind = "duplicates across splits"
        else:
            kind = "duplicates" if pair.exact else "near duplicates"
        kinds.setdefault(kind, []).append(pair)
    rows: tuple[tuple[str, Severity, str, str], ...] = (
        (
            "duplicates across classes", "warning",
            "of pictures that look the same, but in two classes",
            "One of the two labels is wrong, or both things are in the picture. Take it out of one class: a network "
            "cannot learn both.",
        ),
        (
            "duplicates across splits", "warning",
            "of the same picture in training and test",
            "What was learnt by heart need not be recognised: the test would be too kind. Such training pictures are "
            "left out unless you choose otherwise.",
        ),
        (
            "duplicates", "note",
            "of the same file twice in a class",
            "Only the first of them is kept.",
        ),
        (
            "near duplicates", "note",
            "of pictures in one class that look nearly the same",
            "Pictures of a burst or a film, or one edited twice: they teach little more than one of them. Where the "
            "test is drawn here, they stay together on one side.",
        ),
    )  # fmt: skip
    for kind, severity, title, advice in rows:
        pairs = kinds.get(kind, [])
        yield _finding(
            kind, severity, f"{_number(len(pairs), 'pair')} {title}", advice,
            rows=[row for pair in pairs for row in (pair.first, pair.second)], count=len(pairs),
        )  # fmt: skip


def _of_looks(pictures: Sequence[Picture], names: Sequence[str], size: int) -> Iterator[Finding]:
    tiny = [row for row, one in enumerate(pictures) if min(one.width, one.height) < size]
    blank = [row for row, one in enumerate(pictures) if one.contrast < BLANK]
    grey = [row for row, one in enumerate(pictures) if one.colour < GREY and one.contrast >= BLANK]
    long = [row for row, one in enumerate(pictures) if max(one.width, one.height) >= LONG * min(one.width, one.height)]
    in_class = _counts([pictures[row].label for row in grey], names)
    of_class = _counts([one.label for one in pictures], names)
    fractions = [number / every for number, every in zip(in_class, of_class, strict=True) if every] or [0.0]
    uneven = max(fractions) - min(fractions) >= GREY_GAP
    rows: tuple[tuple[str, bool, list[int], str, str], ...] = (
        (
            "tiny", len(tiny) > MANY * len(pictures), tiny,
            f"smaller than {size} pixels",
            "Such pictures are enlarged and look blurred; where one class has more of them, the network learns the "
            "blur. Take larger pictures or choose a smaller size.",
        ),
        (
            "blank", True, blank,
            "with next to nothing to see",
            "Their pixels are of one colour, nearly. Take out what is not meant to be so.",
        ),
        (
            "grey", uneven, grey,
            "without colour",
            "One class has far more of them than another: the network would learn to tell grey from coloured instead "
            "of the things themselves. Use coloured pictures, or turn all of them grey."
            if uneven
            else "No class has far more of them than another, so that they give nothing away.",
        ),
        (
            "long", len(long) > MANY * len(pictures), long,
            "at least twice as long as wide",
            "The network sees the middle square only, less than half of such a picture. Cut it to what matters if that "
            "lies elsewhere.",
        ),
    )  # fmt: skip
    for kind, misleads, positions, title, advice in rows:
        yield _finding(
            kind, "warning" if misleads else "note", f"{_number(len(positions), 'picture')} {title}", advice,
            rows=positions,
        )  # fmt: skip


def _finding(
    kind: str,
    severity: Severity,
    title: str,
    advice: str,
    *,
    rows: Sequence[int] = (),
    names: Sequence[str] = (),
    count: int | None = None,
) -> Finding:
    number = count if count is not None else len(rows) or len(names)
    return Finding(kind, severity, title, advice, number, tuple(rows[:SHOWN]), tuple(names[: 4 * SHOWN]))


def _counts(labels: Sequence[int], names: Sequence[str]) -> list[int]:
    """How many of the labels each class has."""
    counts: list[int] = np.bincount(np.array(labels, np.int64), minlength=len(names)).tolist()
    return counts


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
