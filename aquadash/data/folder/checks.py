"""What is wrong with pictures, or could mislead whoever trains on them: looked for before any training.

The kinds of faults follow what data-quality tools look for (cleanvision: exact and near duplicates, odd sizes, odd
aspect ratios, low information, greyscale), with those added that a beginner's own pictures have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aquadash.data.duplicates import Copy
from aquadash.data.folder.splitting import MIN_TRAINING
from aquadash.data.folder.types import SEVERITIES, CheckReport, Finding, LeftOut, Picture, Severity

#: Least and most classes.
CLASSES = (2, 100)
#: With fewer pictures a class nothing is learnt that can be trusted; with fewer than the second, little.
VERY_FEW, FEW = 10, 50
#: Times that the largest class has the pictures of the smallest: worth a word, and a warning.
IMBALANCE = (2.0, 5.0)
#: Longer side over shorter side from which on most of a picture lies outside the middle square.
LONG = 2.0
#: Mean difference of the colour channels below which a picture is grey to the eye.
GREY = 3.0
#: Standard deviation of the brightness below which there is next to nothing in a picture.
BLANK = 4.0
#: A share of grey pictures that differs so much between classes gives the class away.
GREY_GAP = 0.3
#: So many pictures and names are shown of a finding.
SHOWN = 12


def examine(
    pictures: Sequence[Picture],
    refused: Sequence[LeftOut],
    near: Sequence[Copy],
    *,
    class_names: Sequence[str],
    size: int,
    split_given: bool,
    left_out: Sequence[LeftOut] = (),
    num_left_out: int = 0,
) -> CheckReport:
    """Look for everything that a person should know before training.

    Args:
        pictures: Those that could be read.
        refused: Those that could not.
        near: Pairs that look the same.
        class_names: One a class.
        size: Side of the stored pictures.
        split_given: Whether the files are sorted into training and test pictures.
        left_out: Some of the files that lay outside of all classes.
        num_left_out: How many those are.
    """
    findings = [
        *_of_classes(pictures, class_names, split_given),
        *_of_files(refused, left_out, num_left_out),
        *_of_copies(pictures, near, split_given),
        *_of_looks(pictures, class_names, size),
    ]
    labels = [picture.label for picture in pictures]
    test = [picture.part == "test" for picture in pictures]
    counts = np.bincount(labels, minlength=len(class_names)).tolist()
    in_test = np.bincount(labels, weights=test, minlength=len(class_names)).astype(int).tolist()
    given = tuple((all_ - tested, tested) for all_, tested in zip(counts, in_test, strict=True))
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CheckReport(tuple(class_names), tuple(counts), given if split_given else None, size, tuple(findings))


def _of_classes(pictures: Sequence[Picture], names: Sequence[str], split_given: bool) -> Iterator[Finding]:
    least, most = CLASSES
    if not least <= len(names) <= most:
        came = "only one class" if len(names) == 1 else f"{len(names)} classes"
        yield _finding(
            "classes",
            "problem",
            f"There is {came}" if len(names) == 1 else f"There are {came}",
            f"A network learns to tell {least} to {most} classes apart. Give each class a folder of its own"
            + (", and add one with pictures of something else." if len(names) < least else ", and choose fewer."),
            names=names,
        )
    distinct = {(one.label, one.part, one.sha256) for one in pictures}
    whole = np.bincount([label for label, _ in {(one.label, one.sha256) for one in pictures}], minlength=len(names))
    for part, needed, where in (
        (("train", MIN_TRAINING, "for training"), ("test", 1, "for the test"))
        if split_given
        else ((None, MIN_TRAINING + 1, "that differ"),)
    ):
        counts = np.bincount([label for label, own, _ in distinct if own == part], minlength=len(names))
        short = [name for name, count in zip(names, counts.tolist(), strict=True) if count < needed]
        if short:
            drawable = split_given and all(whole[names.index(name)] > MIN_TRAINING for name in short)
            yield _finding(
                "too few",
                "warning" if drawable else "problem",
                f"{_classes(len(short))} with fewer than {needed} {'picture' if needed == 1 else 'pictures'} {where}",
                "Add pictures of these classes, or remove their folders and read the pictures again."
                + (" Or have the split drawn at random." if drawable else ""),
                names=short,
            )
    counts = np.bincount([label for label, _, _ in distinct], minlength=len(names))
    steps: tuple[tuple[int, int, Severity], ...] = (
        (VERY_FEW, MIN_TRAINING + 1, "warning"),
        (FEW, VERY_FEW, "note"),
    )
    for fewer, than, severity in steps:
        few = [f"{name}: {count}" for name, count in zip(names, counts.tolist(), strict=True) if than <= count < fewer]
        if few:
            yield _finding(
                "few",
                severity,
                f"{_classes(len(few))} with fewer than {fewer} pictures",
                "From so few a network learns those very pictures by heart, and a test of a few pictures says little. "
                "Add pictures, use augmentation, and start from a network that has learnt from other pictures.",
                names=few,
            )
    present = counts[counts > 0]
    ratio = float(present.max() / present.min()) if len(present) > 1 else 1.0
    if ratio >= IMBALANCE[0]:
        order = (names[int(counts.argmax())], names[int(np.where(counts > 0, counts, counts.max()).argmin())])
        yield _finding(
            "imbalance",
            "warning" if ratio >= IMBALANCE[1] else "note",
            f"The largest class has {ratio:.1f} times the pictures of the smallest",
            "A network is right more often by guessing the large class. Add pictures of the small one, or set class "
            "weights to balanced; and look at each class's own recall instead of the accuracy alone.",
            names=[f"{name}: {counts[names.index(name)]:,}" for name in order],
            count=2,
        )


def _of_files(refused: Sequence[LeftOut], left_out: Sequence[LeftOut], num_left_out: int) -> Iterator[Finding]:
    if refused:
        yield _finding(
            "broken",
            "warning",
            f"{len(refused):,} {'file' if len(refused) == 1 else 'files'} could not be read as a picture",
            "What cannot be read is left out; all other pictures are there.",
            names=[one.reason for one in refused],
        )
    if num_left_out:
        yield _finding(
            "left out",
            "note",
            f"{num_left_out:,} {'file' if num_left_out == 1 else 'files'} left aside",
            "What lies outside of the classes' folders is not looked at, nor are links, and archives within.",
            names=[f"{one.name}: {one.reason}" for one in left_out],
            count=num_left_out,
        )


def _of_copies(pictures: Sequence[Picture], near: Sequence[Copy], split_given: bool) -> Iterator[Finding]:
    across_classes, across_splits, exact, alike = [], [], [], []
    for pair in near:
        one, other = pictures[pair.first], pictures[pair.second]
        if one.label != other.label:
            across_classes.append(pair)
        elif split_given and one.part != other.part:
            across_splits.append(pair)
        elif pair.exact:
            exact.append(pair)
        else:
            alike.append(pair)
    kinds: tuple[tuple[str, Severity, list[Copy], str, str], ...] = (
        (
            "duplicates across classes",
            "warning",
            across_classes,
            "of pictures that look the same, but in two classes",
            "One of the two labels is wrong, or both things are in the picture. Take it out of one class: a network "
            "cannot learn both.",
        ),
        (
            "duplicates across splits",
            "warning",
            across_splits,
            "of the same picture in training and test",
            "What was learnt by heart need not be recognised: the test would be too kind. Such training pictures are "
            "left out unless you choose otherwise.",
        ),
        (
            "duplicates",
            "note",
            exact,
            "of the same file twice in a class",
            "Only the first of them is kept.",
        ),
        (
            "near duplicates",
            "note",
            alike,
            "of pictures in one class that look nearly the same",
            "Pictures of a burst or a film, or one edited twice: they teach little more than one of them. Where the "
            "test is drawn here, they stay together on one side.",
        ),
    )
    for kind, severity, pairs, what, advice in kinds:
        if pairs:
            shown = [row for pair in pairs[: SHOWN // 2] for row in (pair.first, pair.second)]
            yield _finding(
                kind,
                severity,
                f"{len(pairs):,} {'pair' if len(pairs) == 1 else 'pairs'} {what}",
                advice,
                rows=shown,
                count=len(pairs),
            )


def _of_looks(pictures: Sequence[Picture], names: Sequence[str], size: int) -> Iterator[Finding]:
    total = max(1, len(pictures))
    tiny = [row for row, one in enumerate(pictures) if min(one.width, one.height) < size]
    if tiny:
        yield _finding(
            "tiny",
            "warning" if len(tiny) > 0.1 * total else "note",
            f"{_pictures(len(tiny))} smaller than {size} pixels",
            "Such pictures are enlarged and look blurred; where one class has more of them, the network learns the "
            "blur. Take larger pictures or choose a smaller size.",
            rows=tiny,
        )
    blank = [row for row, one in enumerate(pictures) if one.contrast < BLANK]
    if blank:
        yield _finding(
            "blank",
            "warning",
            f"{_pictures(len(blank))} with next to nothing to see",
            "Their pixels are of one colour, nearly. Take out what is not meant to be so.",
            rows=blank,
        )
    grey = [row for row, one in enumerate(pictures) if one.colour < GREY and one.contrast >= BLANK]
    if grey:
        of_class = np.bincount([one.label for one in pictures], minlength=len(names))
        in_class = np.bincount([pictures[row].label for row in grey], minlength=len(names))
        fractions = (in_class / np.maximum(of_class, 1))[of_class > 0]
        gap = float(fractions.max() - fractions.min())
        yield _finding(
            "grey",
            "warning" if gap >= GREY_GAP else "note",
            f"{_pictures(len(grey))} without colour",
            "One class has far more of them than another: the network would learn to tell grey from coloured instead "
            "of the things themselves. Use coloured pictures, or turn all of them grey."
            if gap >= GREY_GAP
            else "No class has far more of them than another, so that they give nothing away.",
            rows=grey,
        )
    long = [row for row, one in enumerate(pictures) if max(one.width, one.height) >= LONG * min(one.width, one.height)]
    if long:
        yield _finding(
            "long",
            "warning" if len(long) > 0.1 * total else "note",
            f"{_pictures(len(long))} at least twice as long as wide",
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


def _classes(count: int) -> str:
    return f"{count} {'class' if count == 1 else 'classes'}"


def _pictures(count: int) -> str:
    return f"{count:,} {'picture' if count == 1 else 'pictures'}"
