"""The visitors of the load test: one tab each, in one process and one thread, and what each of them sees and when."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aquadash.bench.load_walk import Place, Runs, walk
from aquadash.bench.tab import Tab

#: What the Train page says of a training under way (:func:`aquadash.ui.train.live.progress_text`).
_PROGRESS = re.compile(rb"Epoch (\d+) of at most [\d,]+ \xc2\xb7 batch ([\d,]+) of")

#: A visitor who leaves the page later than this after something was written, without having seen it, has missed it.
_MISSED_SECONDS = 2.0


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
        """How many seconds after each of the worker's reports the visitor saw it or a later one.

        Args:
            written: When the worker wrote which (epoch, batch), in order.
        """
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


@dataclass(frozen=True)
class Change:
    """A page change.

    Attributes:
        page: Where to.
        when: When it ended, in seconds since 1970.
        seconds: How long it took, from the request to the end of the page's script.
    """

    page: str
    when: float
    seconds: float


class Clock:
    """Tells all visitors whether they are asleep, and what time it is."""

    def __init__(self) -> None:
        self.now = time.time
        self._awake = asyncio.Event()
        self._awake.set()

    @property
    def asleep(self) -> bool:
        """Whether everybody sleeps."""
        return not self._awake.is_set()

    async def awake(self) -> None:
        """Wait until nobody sleeps."""
        await self._awake.wait()

    def sleep(self, asleep: bool) -> None:
        """Put everybody to sleep, or wake them."""
        self._awake.clear() if asleep else self._awake.set()


class Visitor:
    """Somebody who goes about the app until they are told to leave."""

    def __init__(self, address: str, runs: Runs, *, seed: int, clock: Clock) -> None:
        self.tab = Tab(address, listener=self._hear)
        self.changes: list[Change] = []
        self.watches: list[Watch] = []
        self._walk = walk(runs, seed)
        self._chance = random.Random(f"start {seed}")
        self._clock = clock
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
        if self._watch is not None and paused:
            self._end_watch()
        elif self._on_train and not paused and self._watch is None:
            self._begin_watch()

    async def _go(self, place: Place) -> None:
        await self._clock.awake()
        self._end_watch()
        self._on_train = False
        seconds = await self.tab.go(place.page, place.query)
        self.changes.append(Change(place.page, self._clock.now(), seconds))
        self._on_train = place.page == "train"
        if self._on_train and not self._clock.asleep:
            self._begin_watch()

    async def _look(self, seconds: float) -> None:
        """Wait, pauses left aside."""
        while seconds > 0.0:
            await self._clock.awake()
            step = min(0.5, seconds)
            await asyncio.sleep(step)
            seconds -= step

    def _begin_watch(self) -> None:
        self._watch = Watch(self._clock.now())
        self.watches.append(self._watch)

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end = self._clock.now()
            self._watch = None

    def _hear(self, raw: bytes, came: float) -> None:
        if self._watch is None:
            return
        found = _PROGRESS.search(raw)
        if found is not None:
            self._watch.seen.append((came, (int(found[1]), int(found[2].replace(b",", b"")))))
