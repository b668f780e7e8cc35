"""The report's mistakes and their corrections; the texts are in ``corrections.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aquadash.evaluation import wilson_interval
from aquadash.walkthrough import report
from aquadash.walkthrough.network import lowest_flattened_loss


@dataclass(frozen=True)
class Correction:
    """A mistake of the report, in markdown."""

    key: str
    #: A key of :data:`aquadash.walkthrough.LESSONS`.
    lesson: str
    #: The place in the report, by its headings.
    where: str
    #: The mistaken statement.
    says: str
    #: The correction with its evidence.
    right: str


def findings(lesson: str) -> tuple[Correction, ...]:
    """Return the corrections of a section, in the report's order."""
    return tuple(finding for finding in all_findings() if finding.lesson == lesson)


@cache
def all_findings() -> tuple[Correction, ...]:
    """Return all corrections, in the report's order, with computed numbers."""
    low, high = (round(100 * end) for end in wilson_interval(67, report.MEASURED_IMAGES))
    numbers = {
        "eleven_times": report.TRAIN_IMAGES * 11,
        "floor": lowest_flattened_loss(len(report.CLASSES)),
        "last_loss": report.LOG[-1].loss,
        "image_3": 100 * report.ANSWERS[0].probability,
        "other": 100 * report.ANSWERS[2].probability,
        "other_image": report.ANSWERS[2].image,
        "total": sum(report.right_ones(row) for row in report.SCORES),
        "images": report.MEASURED_IMAGES,
        "low": low,
        "high": high,
    }
    texts = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["corrections"]
    return tuple(Correction(**entry | {"right": entry["right"].format(**numbers)}) for entry in texts)
