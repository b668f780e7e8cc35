"""The visitors of the load test: where each of them goes, for how long they look, and what they see and when."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aquadash.pages import PAGES
from scripts.bench.tab import Tab

#: What the Train page says of a training under way (:func:`aquadash.ui.train.live.progress_text`).
_PROGRESS = re.compile(rb"Epoch (\d+) of [\d,]+ \xc2\xb7 batch ([\d,]+) of")

#: A visitor who leaves the page later than this after something was written, without having seen it, has missed it.
_MISSED_SECONDS = 2.0

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
class Sights:
    """What visitors look at.

    Attributes:
        training: The run that trains.
        trained: One with a network, for Predict, Evaluate and the lesson.
        others: Ended ones with results, for Evaluate and Compare.
        sections: Of each visited page what the address says of its sections.
    """

    training: str
    trained: str
    others: Sequence[str]
    sections: Mapping[str, Sequence[str]]


def every_place(sights: Sights) -> list[Place]:
    """Each visited page with each of its sections, about each of its runs, once."""
    return [
        Place(page, "&".join(filter(None, (about, section))))
        for page, sections in sights.sections.items()
        for about in _about(page, sights)
        for section in sections
    ]


def walk(sights: Sights, seed: int) -> Iterator[tuple[Place, float]]:
    """Where a visitor goes and how many seconds they then look, without end."""
    chance = random.Random(seed)
    places: dict[str, list[Place]] = {}
    for place in every_place(sights):
        places.setdefault(place.page, []).append(place)
    # Who goes to Train watches the training.
    places["train"] = places["train"][:1]
    weights = [PAGES[page].visits for page in places]
    while True:
        page = chance.choices(list(places), weights)[0]
        low, high = THINK_BOUNDS
        seconds = min(high, max(low, THINK_MEDIAN * chance.lognormvariate(0.0, THINK_SPREAD)))
        yield chance.choice(places[page]), seconds


def _about(page: str, sights: Sights) -> list[str]:
    """What the address says of runs, or of a split; nothing on a page that needs neither."""
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
    """A stay on the Train page.

    Attributes:
        begin: When the page was drawn, in seconds since 1970.
        end: When the visitor left it.
        seen: When which (epoch, batch) came.
    """

    begin: float
    end: float = 0.0
    seen: list[tuple[float, tuple[int, int]]] = field(default_factory=list)

    def lags(self, written: Mapping[tuple[int, int], float]) -> Iterator[float]:
        """How many seconds after each of the worker's reports the visitor saw it or a later one."""
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
    """Somebody who goes about the app until they are told to leave.

    Attributes:
        changes: The page of each page change, and its seconds from the request to the end of the page's script.
        watches: The stays on the Train page.
    """

    def __init__(self, address: str, sights: Sights, *, seed: int, awake: asyncio.Event) -> None:
        """Nothing is opened yet."""
        self.tab = Tab(address, listener=self._hear)
        self.changes: list[tuple[str, float]] = []
        self.watches: list[Watch] = []
        self._walk = walk(sights, seed)
        self._chance = random.Random(f"start {seed}")
        self._awake = awake
        self._watch: Watch | None = None
        self._on_train = False

    async def stay(self, *, within: float) -> None:
        """Come at some moment within so many seconds, and go about until the task is cancelled."""
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
        elif self._on_train and self._watch is None:
            self._begin_watch()

    async def _go(self, place: Place) -> None:
        await self._awake.wait()
        self._end_watch()
        self._on_train = False
        self.changes.append((place.page, await self.tab.go(place.page, place.query)))
        self._on_train = place.page == "train"
        if self._on_train and self._awake.is_set():
            self._begin_watch()

    async def _look(self, seconds: float) -> None:
        """Wait, pauses left aside."""
        while seconds > 0.0:
            await self._awake.wait()
            step = min(0.5, seconds)
            await asyncio.sleep(step)
            seconds -= step

    def _begin_watch(self) -> None:
        self._watch = Watch(time.time())
        self.watches.append(self._watch)

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end = time.time()
            self._watch = None

    def _hear(self, raw: bytes, came: float) -> None:
        if self._watch is None:
            return
        found = _PROGRESS.search(raw)
        if found is not None:
            self._watch.seen.append((came, (int(found[1]), int(found[2].replace(b",", b"")))))
