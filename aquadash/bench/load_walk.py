"""How a visitor of the load test goes about the app: where to, and how long between two page changes."""

from __future__ import annotations

import functools
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from aquadash import settings
from aquadash.bench.app_server import ServerError
from aquadash.pages import PAGES

# In a process of its own: the code of all pages would weigh on that of the visitors.
_SECTIONS = """
import json, sys
from aquadash.ui import sections
print(json.dumps({name: sections.queries(name) for name in sys.argv[1:]}))
"""

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
    """Each visited page with each of its sections, about each of its runs, once."""
    return [
        Place(page, "&".join(filter(None, (about, section))))
        for page, sections in _sections().items()
        for about in _about(page, runs)
        for section in sections
    ]


def walk(runs: Runs, seed: int) -> Iterator[tuple[Place, float]]:
    """Where a visitor goes and how many seconds they then look, without end.

    Args:
        runs: What there is to look at.
        seed: Decides everything.
    """
    chance = random.Random(seed)
    places = {page: [place for place in every_place(runs) if place.page == page] for page in _sections()}
    # Who goes to Train watches the training.
    places["train"] = places["train"][:1]
    weights = [PAGES[page].visits for page in places]
    while True:
        page = chance.choices(list(places), weights)[0]
        low, high = THINK_BOUNDS
        seconds = min(high, max(low, THINK_MEDIAN * chance.lognormvariate(0.0, THINK_SPREAD)))
        yield chance.choice(places[page]), seconds


@functools.cache
def _sections() -> dict[str, list[str]]:
    """What the address says of each section of each page that is visited."""
    visited = [name for name, page in PAGES.items() if page.visits]
    done = subprocess.run(
        [sys.executable, "-c", _SECTIONS, *visited], cwd=settings.PROJECT_ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise ServerError(f"The pages' sections could not be read: {done.stderr[-600:]}")
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _about(page: str, runs: Runs) -> list[str]:
    """What the address says of runs, or of a split; nothing on a page that needs neither."""
    match page:
        case "train":
            return [f"run={runs.training}"]
        case "evaluate":
            return [f"run={run}" for run in (runs.trained, *runs.others)]
        case "compare":
            starts = [(start, number) for number in (2, 4) for start in range(len(runs.others) - number + 1)]
            return [f"runs={','.join(runs.others[start : start + number])}" for start, number in starts]
        case "predict" | "walkthrough":
            return [f"run={runs.trained}"]
        case "data":
            return ["split=train", "split=test"]
    return [""]
