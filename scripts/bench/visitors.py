"""The visitors of the load test: their paths, how long they look, and when they see the progress of the training."""

import asyncio
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aquadash.pages import PAGES
from scripts.bench.tab import Tab

#: The Train page's line about a running training (:func:`aquadash.ui.train.live.progress_text`).
_PROGRESS = re.compile(rb"Epoch (\d+) of [\d,]+ \xc2\xb7 batch ([\d,]+) of")

#: A report of progress counts as missed where a visitor stays longer than this without seeing it.
_MISSED_SECONDS = 2.0

#: Seconds that a visitor looks at a page: log-normal with this median and spread, within these bounds; 24 on average.
THINK_MEDIAN = 20.0
THINK_SPREAD = 0.6
THINK_BOUNDS = (4.0, 90.0)


@dataclass(frozen=True)
class Place:
    """A page and the query of its address, without the question mark."""

    page: str
    query: str = ""


@dataclass(frozen=True)
class Sights:
    """The ids of the runs that visitors open, and the sections of the pages."""

    #: The run that trains.
    training: str
    #: A run with a network, for Predict, Evaluate and the lesson.
    trained: str
    #: Ended runs with results, for Evaluate and Compare.
    others: Sequence[str]
    #: Queries of the sections of each visited page.
    sections: Mapping[str, Sequence[str]]


def every_place(sights: Sights) -> list[Place]:
    """Return each visited page with each of its sections and each of its runs, once."""
    return [
        Place(page, "&".join(filter(None, (about, section))))
        for page, sections in sights.sections.items()
        for about in _about(page, sights)
        for section in sections
    ]


def walk(sights: Sights, seed: int) -> Iterator[tuple[Place, float]]:
    """Yield the places that a visitor opens, and the seconds at each, without end."""
    chance = random.Random(seed)
    places: dict[str, list[Place]] = {}
    for place in every_place(sights):
        places.setdefault(place.page, []).append(place)
    # On Train a visitor watches the training, never the search.
    places["train"] = places["train"][:1]
    weights = [PAGES[page].visits for page in places]
    while True:
        page = chance.choices(list(places), weights)[0]
        low, high = THINK_BOUNDS
        seconds = min(high, max(low, THINK_MEDIAN * chance.lognormvariate(0.0, THINK_SPREAD)))
        yield chance.choice(places[page]), seconds


def _about(page: str, sights: Sights) -> list[str]:
    """Return the queries of a page's runs or splits; an empty query where it needs neither."""
    match page:
        case "train":
            return [f"run={sights.training}"]
        case "evaluate":
            return [f"run={run}" for run in (sights.trained, *sights.others)]
        case "compare":
            starts = [(start, number) for number in (2, 4) for start in range(len(sights.others) - number + 1)]
            return [f"runs={','.join(sights.others[start : start + number])}" for start, number in starts]
        case "predict" | "walkthrough":
            return [f"run={sights.trained}"]
        case "data":
            return ["split=train", "split=test"]
    return [""]


@dataclass
class Watch:
    """A stay on the Train page, in Unix times from the drawing of the page until the visitor leaves."""

    begin: float
    end: float = 0.0
    #: The time at which each (epoch, batch) arrived.
    seen: list[tuple[float, tuple[int, int]]] = field(default_factory=list)

    def lags(self, written: Mapping[tuple[int, int], float]) -> Iterator[float]:
        """Yield for each of the worker's reports the seconds until the visitor saw it or a later one."""
        position = 0
        for state, when in written.items():
            if not self.begin <= when < self.end:
                continue
            while position < len(self.seen) and (self.seen[position][0] < when or self.seen[position][1] < state):
                position += 1
            if position < len(self.seen):
                yield self.seen[position][0] - when
            elif self.end - when > _MISSED_SECONDS:
                yield self.end - when


class Visitor:
    """A visitor who changes pages until the task is cancelled."""

    def __init__(self, address: str, sights: Sights, *, seed: int, awake: asyncio.Event) -> None:
        self.tab = Tab(address, listener=self._hear)
        #: Each page change: the page, and the seconds from the request to the end of its script.
        self.changes: list[tuple[str, float]] = []
        #: The stays on the Train page.
        self.watches: list[Watch] = []
        self._walk = walk(sights, seed)
        self._chance = random.Random(f"start {seed}")
        self._awake = awake
        self._watch: Watch | None = None
        self._on_train = False

    async def stay(self, *, within: float) -> None:
        """Arrive within so many seconds, and change pages until the task is cancelled."""
        await asyncio.sleep(self._chance.uniform(0.0, within))
        await self.tab.open()
        try:
            for place, seconds in self._walk:
                await self._go(place)
                await self._look(seconds)
        finally:
            self.pause(True)
            await self.tab.close()

    def pause(self, paused: bool) -> None:
        """Let the visitor's computer sleep, or wake it."""
        self.tab.quiet(paused)
        if paused:
            self._end_watch()
        else:
            self._begin_watch()

    async def _go(self, place: Place) -> None:
        await self._awake.wait()
        self._end_watch()
        self._on_train = False
        self.changes.append((place.page, await self.tab.go(place.page, place.query)))
        self._on_train = place.page == "train"
        self._begin_watch()

    async def _look(self, seconds: float) -> None:
        """Wait; pauses do not count."""
        while seconds > 0.0:
            await self._awake.wait()
            step = min(0.5, seconds)
            await asyncio.sleep(step)
            seconds -= step

    def _begin_watch(self) -> None:
        if self._on_train and self._watch is None and self._awake.is_set():
            self._watch = Watch(time.time())
            self.watches.append(self._watch)

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end = time.time()
            self._watch = None

    def _hear(self, raw: bytes, came: float) -> None:
        if self._watch is not None and (progress := _PROGRESS.search(raw)):
            self._watch.seen.append((came, (int(progress[1]), int(progress[2].replace(b",", b"")))))
