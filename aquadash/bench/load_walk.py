"""How a visitor of the load test goes about the app: where to, and how long between two page changes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aquadash.walkthrough import LESSONS

#: How often one page is chosen beside another. A class watches its training, and looks about meanwhile.
WEIGHTS = {
    "train": 36,
    "evaluate": 16,
    "compare": 10,
    "walkthrough": 10,
    "augment": 10,
    "data": 8,
    "predict": 6,
    "home": 4,
}

#: Evaluate's sections by their word in the address, as :data:`aquadash.ui.evaluate.evaluate_sections.SECTIONS` has
#: them; that would bring all of the pages' code into the process of the visitors.
SECTIONS = (
    "mistakes", "classes", "curves", "calibration", "threshold", "explain", "robustness", "duplicates", "training",
    "epochs", "repeat", "home",
)  # fmt: skip

#: Seconds that a visitor looks at a page: log-normal with this median and spread, within these bounds; 24 on average.
THINK_MEDIAN = 20.0
THINK_SPREAD = 0.6
THINK_BOUNDS = (4.0, 90.0)


@dataclass(frozen=True)
class Place:
    """A page and what its address says.

    Attributes:
        page: The page's name.
        query: What stands behind the question mark.
    """

    page: str
    query: str = ""


@dataclass(frozen=True)
class Runs:
    """The runs that visitors look at.

    Attributes:
        training: The one that trains.
        trained: One with a network, for Predict, Evaluate and the lesson.
        others: Ended ones with results, for Evaluate and Compare.
    """

    training: str
    trained: str
    others: tuple[str, ...]


def every_place(runs: Runs) -> list[Place]:
    """Each page with each of its views once, for a first tour."""
    return [
        Place("home"),
        Place("train", f"run={runs.training}"),
        *(_evaluate(runs.trained, section) for section in SECTIONS),
        *(_evaluate(run, section) for run in runs.others for section in SECTIONS),
        _compare(runs.others[:2]),
        _compare(runs.others[:4]),
        *(_lesson(runs, lesson) for lesson in LESSONS),
        Place("augment"),
        *(
            Place("data", f"split={split}&view={view}")
            for split in ("train", "test")
            for view in ("pictures", "numbers")
        ),
        Place("predict", f"run={runs.trained}"),
    ]


def walk(runs: Runs, seed: int) -> Iterator[tuple[Place, float]]:
    """Where a visitor goes and how many seconds they then look, without end.

    Args:
        runs: What there is to look at.
        seed: Decides everything.
    """
    chance = random.Random(seed)
    pages, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        page = chance.choices(pages, weights)[0]
        low, high = THINK_BOUNDS
        seconds = min(high, max(low, THINK_MEDIAN * chance.lognormvariate(0.0, THINK_SPREAD)))
        yield _place(page, runs, chance), seconds


def _place(page: str, runs: Runs, chance: random.Random) -> Place:
    if page == "train":
        return Place(page, f"run={runs.training}")
    if page == "evaluate":
        return _evaluate(chance.choice((runs.trained, *runs.others)), chance.choice(SECTIONS))
    if page == "compare":
        return _compare(chance.sample(runs.others, min(len(runs.others), chance.choice((2, 2, 4)))))
    if page == "walkthrough":
        return _lesson(runs, chance.choice(list(LESSONS)))
    if page == "data":
        split, view = chance.choice(("train", "test")), chance.choice(("pictures", "pictures", "numbers"))
        return Place(page, f"split={split}&view={view}")
    return Place(page, f"run={runs.trained}" if page == "predict" else "")


def _evaluate(run: str, section: str) -> Place:
    return Place("evaluate", f"run={run}&section={section}")


def _compare(runs: Sequence[str]) -> Place:
    return Place("compare", f"runs={','.join(runs)}")


def _lesson(runs: Runs, lesson: str) -> Place:
    return Place("walkthrough", f"lesson={lesson}&run={runs.trained}")
