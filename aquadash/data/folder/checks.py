"""Checks of pictures before training: the faults that cleanvision finds, and those of beginners' pictures."""

from collections.abc import Iterator, Sequence

import numpy as np

from aquadash.data.duplicates import Copy
from aquadash.data.folder.splitting import MIN_TRAINING, Division
from aquadash.data.folder.types import SEVERITIES, CheckReport, Finding, LeftOut, Listing, Picture, Severity

#: The least and the greatest number of classes.
CLASSES = (2, 100)
#: The numbers of pictures in a class below which results are worthless, and below which they are weak.
VERY_FEW, FEW = 10, 50
#: Ratios of the largest to the smallest class that give a note, and a warning.
IMBALANCE = (2.0, 5.0)
#: The ratio of the longer to the shorter side from which most of a picture is outside of its middle square.
LONG = 2.0
#: The mean difference of the colour channels below which a picture looks grey.
GREY = 3.0
#: The standard deviation of the brightness below which a picture looks empty.
BLANK = 4.0
#: The difference of two classes' fractions of grey pictures by which a network could tell them apart.
GREY_GAP = 0.3
#: The fraction of the pictures above which a fault of single pictures is a warning.
MANY = 0.1
#: The number of pictures that a finding shows.
SHOWN = 12


def examine(
    files: Listing,
    pictures: Sequence[Picture],
    refused: Sequence[LeftOut],
    near: Sequence[Copy],
    division: Division,
    *,
    size: int,
) -> CheckReport:
    """Return everything that a person should know before training."""
    counts, test = (
        _counts(rows, files.class_names)
        for rows in ([one.label for one in pictures], [one.label for one in pictures if one.part == "test"])
    )
    per_split = tuple((every - tested, tested) for every, tested in zip(counts, test, strict=True))
    findings = [
        finding
        for finding in (
            *_of_classes(files, pictures, division),
            *_of_files(files, refused),
            *_of_copies(pictures, near, files.split_given),
            *_of_looks(pictures, files.class_names, size),
        )
        if finding.count
    ]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CheckReport(
        files.class_names, tuple(counts), per_split if files.split_given else None, size, tuple(findings)
    )


def _of_classes(files: Listing, pictures: Sequence[Picture], division: Division) -> Iterator[Finding]:
    names = files.class_names
    least, most = CLASSES
    yield _finding(
        "classes",
        "problem",
        "There is only one class" if len(names) == 1 else f"There are {len(names)} classes",
        f"A network learns to tell {least} to {most} classes apart. Give each class a folder of its own"
        + (", and add one with pictures of something else." if len(names) < least else ", and choose fewer."),
        names=() if least <= len(names) <= most else names,
    )
    distinct = {(one.label, one.part, one.sha256) for one in pictures}
    counts = _counts([label for label, _, _ in distinct], names)
    train, test = (_counts([pictures[row].label for row in rows], names) for rows in (division.train, division.test))
    sides = ((train, MIN_TRAINING, "for training"), (test, 1, "for the test"))
    for have, needed, where in sides if files.split_given else ((counts, MIN_TRAINING + 1, "that differ"),):
        short = [name for name, count in zip(names, have, strict=True) if count < needed]
        yield _finding(
            "too few",
            "problem",
            f"{_number(len(short), 'class', 'classes')} with fewer than {_number(needed, 'picture')} {where}",
            "Add pictures of these classes, or remove their folders and read the pictures again."
            + (
                " Or have the split drawn at random, or keep training pictures that look like one of the test."
                if files.split_given
                else ""
            ),
            names=short,
        )
    steps: tuple[tuple[int, int, Severity], ...] = ((MIN_TRAINING + 1, VERY_FEW, "warning"), (VERY_FEW, FEW, "note"))
    for minimum, fewer, severity in steps:
        few = [f"{name}: {count}" for name, count in zip(names, counts, strict=True) if minimum <= count < fewer]
        yield _finding(
            "few",
            severity,
            f"{_number(len(few), 'class', 'classes')} with fewer than {fewer} pictures",
            "From so few a network learns those very pictures by heart, and a test of a few pictures says little. Add "
            "pictures, use augmentation, and start from a network that has learnt from other pictures.",
            names=few,
        )
    by_count = sorted((count, name) for name, count in zip(names, counts, strict=True) if count) or [(1, "")]
    (fewest, smallest), (largest_count, largest) = by_count[0], by_count[-1]
    ratio = largest_count / fewest
    yield _finding(
        "imbalance",
        "warning" if ratio >= IMBALANCE[1] else "note",
        f"The largest class has {ratio:.1f} times the pictures of the smallest",
        "A network is right more often by guessing the large class. Add pictures of the small one, or set class "
        "weights to balanced; and look at each class's own recall instead of the accuracy alone.",
        names=(f"{largest}: {largest_count:,}", f"{smallest}: {fewest:,}") if ratio >= IMBALANCE[0] else (),
    )


def _of_files(files: Listing, refused: Sequence[LeftOut]) -> Iterator[Finding]:
    yield _finding(
        "broken",
        "warning",
        f"{_number(len(refused), 'file')} could not be read as a picture",
        "Such files are left out; all other pictures are kept.",
        names=[one.reason for one in refused],
    )
    yield _finding(
        "left out",
        "note",
        f"{_number(files.num_left_out, 'file')} left aside",
        "Files outside of the classes' folders, links, and archives inside the archive or folder are not read.",
        names=[f"{one.name}: {one.reason}" for one in files.left_out],
        count=files.num_left_out,
    )


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
            "duplicates across classes",
            "warning",
            "of pictures that look the same, but in two classes",
            "One of the two labels is wrong, or both things are in the picture. Take it out of one class: a network "
            "cannot learn both.",
        ),
        (
            "duplicates across splits",
            "warning",
            "of the same picture in training and test",
            "A network learns such pictures by heart, so the test would flatter it. Such training pictures are left "
            "out unless you choose otherwise.",
        ),
        ("duplicates", "note", "of the same file twice in a class", "Only the first of them is kept."),
        (
            "near duplicates",
            "note",
            "of pictures in one class that look nearly the same",
            "Pictures of a burst or a film, or one edited twice: they teach little more than one of them. Where the "
            "test is drawn here, they stay together on one side.",
        ),
    )
    for kind, severity, title, advice in rows:
        pairs = kinds.get(kind, [])
        yield _finding(
            kind,
            severity,
            f"{_number(len(pairs), 'pair')} {title}",
            advice,
            rows=[row for pair in pairs for row in (pair.first, pair.second)],
            count=len(pairs),
        )


def _of_looks(pictures: Sequence[Picture], names: Sequence[str], size: int) -> Iterator[Finding]:
    tiny = [row for row, one in enumerate(pictures) if min(one.width, one.height) < size]
    blank = [row for row, one in enumerate(pictures) if one.contrast < BLANK]
    grey = [row for row, one in enumerate(pictures) if one.colour < GREY and one.contrast >= BLANK]
    long = [row for row, one in enumerate(pictures) if max(one.width, one.height) >= LONG * min(one.width, one.height)]
    in_class = _counts([pictures[row].label for row in grey], names)
    of_class = _counts([one.label for one in pictures], names)
    fractions = [number / every for number, every in zip(in_class, of_class, strict=True) if every] or [0.0]
    uneven = max(fractions) - min(fractions) >= GREY_GAP
    yield _finding(
        "tiny",
        "warning" if len(tiny) > MANY * len(pictures) else "note",
        f"{_number(len(tiny), 'picture')} smaller than {size} pixels",
        "Such pictures are enlarged and look blurred; where one class has more of them, the network learns the blur. "
        "Take larger pictures or choose a smaller size.",
        rows=tiny,
    )
    yield _finding(
        "blank",
        "warning",
        f"{_number(len(blank), 'picture')} with next to nothing to see",
        "Nearly all their pixels have one colour. Remove pictures that should show something.",
        rows=blank,
    )
    yield _finding(
        "grey",
        "warning" if uneven else "note",
        f"{_number(len(grey), 'picture')} without colour",
        "One class has far more of them than another: the network would learn to tell grey from coloured instead of "
        "the things themselves. Use coloured pictures, or turn all of them grey."
        if uneven
        else "No class has far more of them than another, so that they give nothing away.",
        rows=grey,
    )
    yield _finding(
        "long",
        "warning" if len(long) > MANY * len(pictures) else "note",
        f"{_number(len(long), 'picture')} at least twice as long as wide",
        "The network sees the middle square only, less than half of such a picture. Cut it to what matters if that "
        "lies elsewhere.",
        rows=long,
    )


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
    counts: list[int] = np.bincount(np.array(labels, np.int64), minlength=len(names)).tolist()
    return counts


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
