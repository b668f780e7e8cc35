"""A class on one machine: many visitors who change pages and watch one training, for as long as a lesson lasts.

A server of the app of its own, a training of the report's network, and visitors that speak the browsers' protocol
(:mod:`aquadash.bench.tab`), all on this machine and nowhere else. The training's speed alone is measured in between,
with everybody's computer asleep: machines change their speed within minutes, so that only neighbours can be compared.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from aquadash.bench.app_server import AppServer, running_server
from aquadash.bench.load_result import LoadBench, divided, judged, spread
from aquadash.bench.load_training import ProgressRecord, is_running, training, worker_pid
from aquadash.bench.load_visitors import Clock, Visitor
from aquadash.bench.load_walk import Runs, every_place
from aquadash.bench.tab import Tab

#: A phase of load and the sleep after it, in seconds; short tests have shorter ones. Short beside the minutes in which
#: a machine changes its speed, long beside an epoch.
LOAD_SECONDS = 60.0
SLEEP_SECONDS = 20.0
#: At the edges of a phase so much is left aside.
_EDGE_SECONDS = 2.0
#: Everybody comes within so much of the first phase.
_ARRIVAL_SHARE = 0.5
#: The server keeps a session two minutes for its browser to come back; then what it took must be free.
LEAVE_SECONDS = 165.0
_SAMPLE_SECONDS = 1.0
#: Lines that every server prints when it starts and ends.
_BANNER = ("You can now view your Streamlit app", "URL: http://", "Stopping...", "Gathering usage")

Progress = Callable[[str, float | None], None]


@dataclass
class _Phase:
    """A time of load or of sleep, and what the processes used of the processors in it, in cores."""

    begin: float
    end: float = 0.0
    pace: float = 0.0
    cores: dict[str, float] = field(default_factory=dict)


def bench_load(
    *, sessions: int = 30, seconds: float = 600.0, leave_seconds: float = LEAVE_SECONDS, seed: int = 0,
    progress: Progress | None = None,
) -> LoadBench:  # fmt: skip
    """Let a class loose on the app.

    Args:
        sessions: How many visitors.
        seconds: How long, in phases of load with sleep between; starting and leaving come on top.
        leave_seconds: How long to wait for the memory of those who have left; 0 leaves that out.
        seed: Decides where everybody goes and how long they look.
        progress: Told what is done, and how much of it, 0 to 1.

    Raises:
        ServerError: The app or the training does not start.
    """
    tell = progress or (lambda text, share: None)
    with tempfile.TemporaryDirectory(prefix="aquadash-load-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        tell("Making up runs and starting a training", None)
        with training(home) as runs, running_server(home) as server:
            with ProgressRecord(home, runs.training) as record:
                lesson = _Lesson(home, runs, server, record, tell, sessions=sessions, seconds=seconds, seed=seed)
                asyncio.run(lesson.hold(leave_seconds))
            # Only now nobody writes into the record any more.
            return lesson.result(leave_seconds > 0)


class _Lesson:
    """The course of a load test."""

    def __init__(
        self, home: Path, runs: Runs, server: AppServer, record: ProgressRecord, tell: Progress, *,
        sessions: int, seconds: float, seed: int,
    ) -> None:  # fmt: skip
        self._home, self._runs, self._server, self._record, self._tell = home, runs, server, record, tell
        self._sessions, self._seconds, self._seed = sessions, seconds, seed
        self._process = psutil.Process(server.pid)
        self._watched = {
            "server": self._process,
            "training": psutil.Process(worker_pid(home, runs.training)),
            "visitors": psutil.Process(),
        }
        self._phases: list[_Phase] = []
        self._visitors: list[Visitor] = []
        self._errors: list[str] = []
        self._before = self._most = self._after = 0.0

    async def hold(self, leave_seconds: float) -> None:
        """Everything, from the first tour to the end."""
        await self._tour()
        self._before = self._memory()
        clock = Clock()
        clock.sleep(True)
        self._visitors = [
            Visitor(self._server.address, self._runs, seed=self._seed * 1000 + number, clock=clock)
            for number in range(self._sessions)
        ]
        pairs = max(1, round(self._seconds / (LOAD_SECONDS + SLEEP_SECONDS)))
        share = SLEEP_SECONDS / (LOAD_SECONDS + SLEEP_SECONDS)
        asleep = self._seconds * share / (pairs + 1)
        loaded = self._seconds * (1.0 - share) / pairs
        await self._phase(asleep, "Training alone", 0.0)
        tasks: list[asyncio.Task[None]] = []
        for number in range(pairs):
            clock.sleep(False)
            if not tasks:
                tasks = [asyncio.create_task(each.stay(within=_ARRIVAL_SHARE * loaded)) for each in self._visitors]
            for visitor in self._visitors:
                visitor.pause(False)
            await self._phase(loaded, f"{self._sessions} visitors", number / pairs)
            clock.sleep(True)
            for visitor in self._visitors:
                visitor.pause(True)
            await self._phase(asleep, "Everybody sleeps", (number + 0.8) / pairs)
        self._errors += [f"A visitor gave up: {task.exception()}" for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._errors += [error for visitor in self._visitors for error in visitor.tab.counts.errors]
        if not is_running(self._home, self._runs.training):
            self._errors.append("The training ended before the lesson.")
        end = time.monotonic() + leave_seconds
        while (left := end - time.monotonic()) > 0:
            self._tell("All have left", 1.0 - left / leave_seconds)
            await asyncio.sleep(min(left, 5.0))
        self._after = self._memory()
        self._errors += _complaints(self._server.log)

    async def _tour(self) -> None:
        """Let one visitor see everything, so that what is kept for all is there before anything is measured."""
        tab = Tab(self._server.address)
        await tab.open()
        places = every_place(self._runs)
        for number, place in enumerate(places):
            self._tell("A first tour of all pages", number / len(places))
            await tab.go(place.page, place.query)
        await tab.close()
        self._errors += [f"First tour: {error}" for error in tab.counts.errors]

    async def _phase(self, seconds: float, what: str, share: float) -> None:
        await asyncio.sleep(_EDGE_SECONDS)
        used = {name: _used(process) for name, process in self._watched.items()}
        phase = _Phase(time.time())
        end = time.monotonic() + max(1.0, seconds - _EDGE_SECONDS)
        while (left := end - time.monotonic()) > 0:
            self._tell(what, share)
            self._most = max(self._most, self._memory())
            await asyncio.sleep(min(left, _SAMPLE_SECONDS))
        phase.end = time.time()
        phase.pace = self._record.epochs_a_second(phase.begin, phase.end)
        phase.cores = {
            name: (_used(process) - used[name]) / (phase.end - phase.begin) for name, process in self._watched.items()
        }
        self._phases.append(phase)

    def _memory(self) -> float:
        """What the server holds, in MB."""
        return float(self._process.memory_info().rss) / 1e6

    def result(self, waited: bool) -> LoadBench:
        """The figures."""
        asleep, loaded = self._phases[::2], self._phases[1::2]
        ratios = tuple(
            divided(each.pace, (before.pace + after.pace) / 2)
            for before, each, after in zip(asleep, loaded, asleep[1:], strict=False)
        )
        changes = [change for visitor in self._visitors for change in visitor.changes]
        lags = [
            lag for visitor in self._visitors for watch in visitor.watches for lag in watch.lags(self._record.written)
        ]
        pages = {
            page: spread([change.seconds for change in changes if change.page == page])
            for page in sorted({change.page for change in changes})
        }
        whole = spread([change.seconds for change in changes])
        update = spread(lags)
        # What the tour has left free in the server is no memory of the visitors who then use it.
        least = min(self._before, self._after) if waited else self._before
        busy = sum(phase.end - phase.begin for phase in loaded)
        found = LoadBench(
            sessions=self._sessions,
            seconds=self._seconds,
            page_changes=len(changes),
            page_p50_seconds=whole["p50"],
            page_p95_seconds=whole["p95"],
            pages=pages,
            updates=len(lags),
            update_p50_seconds=update["p50"],
            update_p95_seconds=update["p95"],
            training_alone=statistics.mean(phase.pace for phase in asleep),
            training_loaded=statistics.mean(phase.pace for phase in loaded),
            training_ratio=statistics.median(ratios),
            training_ratios=ratios,
            memory_before_megabytes=self._before,
            memory_megabytes=self._most,
            session_megabytes=(self._most - least) / self._sessions,
            memory_after_megabytes=self._after if waited else None,
            memory_after_ratio=divided(self._after, self._before) if waited else None,
            server_cores=statistics.mean(phase.cores["server"] for phase in loaded),
            training_cores=statistics.mean(phase.cores["training"] for phase in loaded),
            visitor_cores=statistics.mean(phase.cores["visitors"] for phase in loaded),
            redraws=sum(visitor.tab.counts.redraws for visitor in self._visitors) / busy,
            kilobytes=sum(visitor.tab.counts.bytes_received for visitor in self._visitors) / busy / 1000,
            errors=tuple(self._errors[:20]),
            error_count=len(self._errors),
        )
        found.goals.update(judged(found))
        return found


def _used(process: psutil.Process) -> float:
    """Seconds of processor time that it has used; what it had used when it ended, once it has."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _complaints(log: Path) -> list[str]:
    """Whatever the server has printed beyond what every server does."""
    lines = (line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines())
    return [f"Server: {line}" for line in lines if line and not any(part in line for part in _BANNER)]
